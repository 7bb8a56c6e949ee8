/* faiss_layout - walks over an index from its first byte to its last, and notes what it passes.
 *
 * An index is four letters, a header, and what its kind has; some kinds have another index in them.
 * A vector (in the sense of C++) is a count of 64 bits and the items. Numbers are little-endian and
 * not aligned.
 */
#include "service/cli/faiss_layout.h"

#include "kernels/base/bytes.h"
#include "service/cli/faiss_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* An IDMap of an IVF whose quantizer is an HNSW over a Flat has four. */
#define DEPTH_MAX 5

static status walk_index(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret);

status faiss_source_read(const struct faiss_source *source, uint64_t at, void *ret, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(source->fd, (char *)ret + done, size - done, (off_t)(at + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return status_format(source->arena, STATUS_UNAVAILABLE,
					     "cannot read %s: %s", source->path, strerror(errno));
		if (n == 0)
			return status_format(source->arena, STATUS_UNAVAILABLE,
					     "%s has become shorter", source->path);
		done += (size_t)n;
	}
	return status_ok();
}

void faiss_layout_finish(struct faiss_layout *layout)
{
	if (!layout)
		return;
	free(layout->lowest);
	free(layout->entries);
	*layout = (struct faiss_layout){0};
}

/* d, ntotal, two numbers that mean nothing, is_trained, metric. */
static status walk_header(struct faiss_walk *walk, struct faiss_shape *ret)
{
	uint8_t header[33];
	uint32_t metric, dimension;
	uint64_t rows;

	TRY(walk_bytes(walk, header, sizeof header));
	dimension = load_u32(header);
	rows = load_u64(header + 4);
	metric = load_u32(header + 29);
	if (dimension == 0 || dimension > FAISS_DIMENSION_MAX)
		return walk_damaged(walk, "the dimension is out of range");
	if (rows > walk->source->size)
		return walk_damaged(walk, "it has more vectors than bytes");
	if (metric > 1)
		return status_format(walk->source->arena, STATUS_INVALID_ARGUMENT,
				     "%s has FAISS's metric %u; L2 and inner product are served",
				     walk->source->path, metric);
	*ret = (struct faiss_shape){.rows = rows, .dimension = dimension, .inner_product = !metric};
	return status_ok();
}

static status walk_flat(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret)
{
	uint64_t n;

	(void)depth;
	ret->code = FAISS_FLOAT;
	ret->code_bytes = sizeof(float) * ret->shape.dimension;
	TRY(walk_vector(walk, sizeof(float), &n, &ret->codes_at));
	if (n != ret->shape.rows * ret->shape.dimension)
		return walk_damaged(walk, "there is not one code for each vector");
	return status_ok();
}

/* Bytes of a number, 0 for a code that is not read; how many trained numbers come with it. */
static size_t code_size(const struct faiss_layout *layout, uint64_t *ret_trained)
{
	*ret_trained = 0;
	switch (layout->code) {
	case FAISS_8BIT:
		*ret_trained = (uint64_t)2 * layout->shape.dimension;
		return 1;
	case FAISS_8BIT_UNIFORM:
		*ret_trained = 2;
		return 1;
	case FAISS_8BIT_DIRECT:
		return 1;
	case FAISS_FP16:
	case FAISS_BF16:
		return 2;
	case FAISS_FLOAT:
		break;
	}
	return 0;
}

/* Lowest numbers, then ranges; one of each for all dimensions is written out for each. */
static status take_ranges(struct faiss_walk *walk, uint64_t at, struct faiss_layout *ret)
{
	size_t dim = ret->shape.dimension;
	float pair[2];

	ret->lowest = malloc(2 * dim * sizeof *ret->lowest);
	if (!ret->lowest)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a scalar quantizer");
	ret->range = ret->lowest + dim;
	if (ret->code == FAISS_8BIT)
		return faiss_source_read(walk->source, at, ret->lowest,
					 2 * dim * sizeof *ret->lowest);
	TRY(faiss_source_read(walk->source, at, pair, sizeof pair));
	for (size_t i = 0; i < dim; i++) {
		ret->lowest[i] = pair[0];
		ret->range[i] = pair[1];
	}
	return status_ok();
}

/* qtype, rangestat and its argument, d, code_size; trained numbers; codes. */
static status walk_scalar(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret)
{
	uint64_t n_trained, n, want, trained_at;
	uint8_t start[28];
	size_t number_bytes;

	(void)depth;
	TRY(walk_bytes(walk, start, sizeof start));
	ret->code = (enum faiss_code)load_u32(start);
	number_bytes = code_size(ret, &want);
	if (!number_bytes)
		return status_format(
			walk->source->arena, STATUS_INVALID_ARGUMENT,
			"%s has a scalar quantizer of FAISS's type %u; SQ8, SQfp16 and "
			"SQbf16 are read",
			walk->source->path, load_u32(start));
	ret->code_bytes = number_bytes * ret->shape.dimension;
	if (load_u64(start + 12) != ret->shape.dimension || load_u64(start + 20) != ret->code_bytes)
		return walk_damaged(walk, "its scalar quantizer is for other vectors");
	TRY(walk_vector(walk, sizeof(float), &n_trained, &trained_at));
	if (want && n_trained != want)
		return walk_damaged(walk, "its scalar quantizer has another number of ranges");
	if (want)
		TRY(take_ranges(walk, trained_at, ret));
	TRY(walk_vector(walk, 1, &n, &ret->codes_at));
	if (n != ret->shape.rows * ret->code_bytes)
		return walk_damaged(walk, "there is not one code for each vector");
	return status_ok();
}

/* An index in the index: of the same vectors. */
static status walk_inner(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret)
{
	struct faiss_shape outer = ret->shape;

	TRY(walk_index(walk, depth + 1, ret));
	if (ret->shape.rows != outer.rows || ret->shape.dimension != outer.dimension)
		return walk_damaged(walk, "it holds other vectors than it says");
	/* Of an IDMap or HNSW the outer metric is searched by. */
	ret->shape = outer;
	return status_ok();
}

/* The graph: five vectors and five numbers. Then what holds the vectors. */
static status walk_hnsw(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret)
{
	static const unsigned item_bytes[] = {8, 4, 4, 8, 4};
	uint64_t n, at;

	for (size_t i = 0; i < sizeof item_bytes / sizeof *item_bytes; i++)
		TRY(walk_vector(walk, item_bytes[i], &n, &at));
	TRY(walk_skip(walk, 5, 4));
	return walk_inner(walk, depth, ret);
}

static status walk_id_map(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret)
{
	uint64_t n, at;

	TRY(walk_inner(walk, depth, ret));
	if (ret->ids_at)
		return walk_damaged(walk, "an IDMap holds an IDMap");
	TRY(walk_vector(walk, sizeof(int64_t), &n, &at));
	if (n != ret->shape.rows)
		return walk_damaged(walk, "there is not one id for each vector");
	for (uint64_t i = 0; ret->entries && i < n; i++)
		if ((uint64_t)ret->entries[i].id >= n)
			return walk_damaged(walk, "an id within an IDMap is out of range");
	ret->ids_at = at;
	return status_ok();
}

/* nlist, nprobe, quantizer, direct map; then the lists, which are a file's last. */
static status walk_ivf(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret)
{
	struct faiss_layout memory = {0};
	SCOPED(faiss_layout) quantizer = &memory;
	uint64_t lists[2], n, at;
	uint8_t map;

	TRY(walk_bytes(walk, lists, sizeof lists));
	TRY(walk_index(walk, depth + 1, quantizer));
	TRY(walk_bytes(walk, &map, sizeof map));
	TRY(walk_vector(walk, sizeof(int64_t), &n, &at));
	if (map > 2)
		return walk_damaged(walk, "its direct map is of no known type");
	if (map == 2)
		TRY(walk_vector(walk, 2 * sizeof(int64_t), &n, &at));
	ret->code = FAISS_FLOAT;
	ret->code_bytes = sizeof(float) * ret->shape.dimension;
	return walk_lists(walk, lists[0], ret);
}

static const struct {
	const char *letters;
	status (*walk)(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret);
} kinds[] = {
	{"IxFI", walk_flat},   {"IxF2", walk_flat},   {"IxFl", walk_flat},
	{"IxSQ", walk_scalar}, {"IHNf", walk_hnsw},   {"IHNs", walk_hnsw},
	{"IwFl", walk_ivf},    {"IxMp", walk_id_map}, {"IxM2", walk_id_map},
};

/* FAISS's names of kinds are letters and digits, and begin with an I. */
static status unknown_kind(const struct faiss_walk *walk, const char *letters)
{
	static const char digits[] =
		"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	if (letters[0] != 'I' || strspn(letters, digits) != 4)
		return status_format(walk->source->arena, STATUS_INVALID_ARGUMENT,
				     "%s is no index of FAISS, or damaged at byte %llu",
				     walk->source->path, (unsigned long long)walk->at - 4);
	return status_format(walk->source->arena, STATUS_INVALID_ARGUMENT,
			     "%s holds an index of FAISS's kind %s; read are Flat, IDMap, "
			     "IVF..,Flat, HNSW..,Flat and SQ8",
			     walk->source->path, letters);
}

static status walk_index(struct faiss_walk *walk, unsigned depth, struct faiss_layout *ret)
{
	char letters[5] = "";

	if (depth >= DEPTH_MAX)
		return walk_damaged(walk, "indexes are nested too deep");
	TRY(walk_bytes(walk, letters, 4));
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].letters, letters) != 0)
			continue;
		TRY(walk_header(walk, &ret->shape));
		return kinds[i].walk(walk, depth, ret);
	}
	return unknown_kind(walk, letters);
}

status faiss_layout_read(const struct faiss_source *source, struct faiss_layout *ret)
{
	struct faiss_walk walk = {.source = source};
	struct faiss_layout memory = {0};
	SCOPED(faiss_layout) layout = &memory;

	*ret = (struct faiss_layout){0};
	TRY(walk_index(&walk, 0, layout));
	/* A kind that a later FAISS made longer is not understood. */
	if (walk.at != source->size)
		return walk_damaged(&walk, "more follows than belongs to the index");
	if (layout->shape.rows == 0)
		return status_format(source->arena, STATUS_INVALID_ARGUMENT, "%s holds no vector",
				     source->path);
	*ret = *layout;
	memory = (struct faiss_layout){0};
	return status_ok();
}
