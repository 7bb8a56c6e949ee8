/* factory_check - the grammar of factory strings. */
#include "index/ann/factory_check.h"

#include "index/build/factory_index.h"

#include <stdbool.h>
#include <string.h>

#define BLOCK_ROWS_MAX 256
#define CODEBOOK_BYTES_MAX (UINT64_C(64) << 20)
#define ROWS_MIN 256
/* Of a k-means for each centroid: with fewer FAISS warns that they are too few. */
#define ROWS_PER_CENTROID 39
/* A transform that is learnt wants as many rows for each dimension. */
#define ROWS_PER_DIM 4

/* What is being read. at moves on; dim is that of the vectors behind the transforms so far. */
struct parse {
	const char *at;
	uint32_t dim;
	struct factory_traits traits;
};

static bool take(struct parse *parse, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(parse->at, word, length) != 0)
		return false;
	parse->at += length;
	return true;
}

/* A number from 1 to max, of digits alone. */
static bool take_number(struct parse *parse, uint32_t max, uint32_t *ret)
{
	uint64_t number = 0;
	const char *at = parse->at;

	for (; *at >= '0' && *at <= '9'; at++) {
		number = 10 * number + (uint64_t)(*at - '0');
		if (number > max)
			return false;
	}
	if (at == parse->at || number == 0)
		return false;
	parse->at = at;
	*ret = (uint32_t)number;
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void need_rows(struct parse *parse, uint64_t rows)
{
	if (rows > parse->traits.rows_min)
		parse->traits.rows_min = (uint32_t)rows;
}

static void need_centroids(struct parse *parse, uint32_t n)
{
	if (n > parse->traits.centroids)
		parse->traits.centroids = n;
	need_rows(parse, (uint64_t)n * ROWS_PER_CENTROID);
}

static bool take_pca(struct parse *parse)
{
	uint32_t dim;

	(void)take(parse, "W");
	(void)take(parse, "R");
	if (!take_number(parse, parse->dim, &dim))
		return false;
	need_rows(parse, (uint64_t)parse->dim * ROWS_PER_DIM);
	parse->dim = dim;
	return true;
}

static bool take_opq(struct parse *parse)
{
	uint32_t m, dim = parse->dim;

	if (!take_number(parse, parse->dim, &m) ||
	    (take(parse, "_") && !take_number(parse, parse->dim, &dim)) || dim % m != 0)
		return false;
	need_centroids(parse, 256);
	need_rows(parse, (uint64_t)parse->dim * ROWS_PER_DIM);
	parse->dim = dim;
	return true;
}

/* RR and ITQ: to fewer dimensions, or as many. */
static bool take_rotation(struct parse *parse)
{
	uint32_t dim = parse->dim;

	if (is_digit(*parse->at) && !take_number(parse, parse->dim, &dim))
		return false;
	need_rows(parse, (uint64_t)parse->dim * ROWS_PER_DIM);
	parse->dim = dim;
	return true;
}

static bool take_pad(struct parse *parse)
{
	uint32_t dim;

	if (!take_number(parse, DIMENSION_MAX, &dim))
		return false;
	parse->dim = dim > parse->dim ? dim : parse->dim;
	return true;
}

/* Without the comma behind it. *ret: whether one begins here. */
static bool take_transform(struct parse *parse, bool *ret)
{
	*ret = true;
	if (take(parse, "PCA"))
		return take_pca(parse);
	if (take(parse, "OPQ"))
		return take_opq(parse);
	if (take(parse, "RR") || take(parse, "ITQ"))
		return take_rotation(parse);
	if (take(parse, "L2norm"))
		return true;
	if (take(parse, "Pad"))
		return take_pad(parse);
	*ret = false;
	return true;
}

static bool take_fast_scan(struct parse *parse)
{
	uint32_t block = 32;

	/* The r is for residuals, so it is of use with lists only. */
	if (take(parse, "r") && !parse->traits.lists)
		return false;
	if (take(parse, "_") && !take_number(parse, BLOCK_ROWS_MAX, &block))
		return false;
	need_centroids(parse, 16);
	return block % 32 == 0;
}

static bool take_pq(struct parse *parse)
{
	uint32_t m, bits = 8;
	bool in_graph = parse->traits.links != 0;

	if (!take_number(parse, parse->dim, &m) || parse->dim % m != 0)
		return false;
	/* Of a graph's codes FAISS takes the bits for given. */
	if (!in_graph && take(parse, "x4fs"))
		return take_fast_scan(parse);
	if (!in_graph && take(parse, "x") &&
	    !take_number(parse, parse->traits.lists ? 8 : 12, &bits))
		return false;
	if (((uint64_t)parse->dim * sizeof(float) << bits) > CODEBOOK_BYTES_MAX)
		return false;
	(void)take(parse, "np");
	need_centroids(parse, UINT32_C(1) << bits);
	return true;
}

static bool take_code(struct parse *parse)
{
	if (take(parse, "Flat") || take(parse, "SQ4") || take(parse, "SQ6") || take(parse, "SQ8") ||
	    take(parse, "SQfp16"))
		return true;
	return take(parse, "PQ") && take_pq(parse);
}

static bool take_hnsw(struct parse *parse)
{
	if (!take_number(parse, FACTORY_LINKS_MAX, &parse->traits.links) || parse->traits.links < 2)
		return false;
	/* What follows may be its code, or a refinement of the whole. */
	if (strncmp(parse->at, ",RFlat", 6) == 0 || strncmp(parse->at, ",Refine(", 8) == 0)
		return true;
	return !take(parse, ",") || take_code(parse);
}

static bool take_ivf(struct parse *parse)
{
	uint32_t links = 2;

	if (!take_number(parse, FACTORY_LISTS_MAX, &parse->traits.lists))
		return false;
	need_centroids(parse, parse->traits.lists);
	if (take(parse, "_HNSW") && !take_number(parse, FACTORY_LINKS_MAX, &links))
		return false;
	return links >= 2 && take(parse, ",") && take_code(parse);
}

static bool take_core(struct parse *parse)
{
	if (take(parse, "HNSW"))
		return take_hnsw(parse);
	if (take(parse, "IVF"))
		return take_ivf(parse);
	return take_code(parse);
}

/* It refines by the vectors as they came, before any transform. */
static bool take_refinement(struct parse *parse, uint32_t dim)
{
	struct factory_traits core = parse->traits;
	bool taken;

	if (take(parse, ",RFlat"))
		return true;
	if (!take(parse, ",Refine("))
		return true;
	parse->dim = dim;
	parse->traits.lists = parse->traits.links = 0;
	taken = take_code(parse) && take(parse, ")");
	parse->traits.lists = core.lists;
	parse->traits.links = core.links;
	return taken;
}

static bool parse_all(struct parse *parse)
{
	uint32_t dim = parse->dim;
	bool more = true;

	while (more) {
		if (!take_transform(parse, &more) || (more && !take(parse, ",")))
			return false;
	}
	return take_core(parse) && take_refinement(parse, dim) && *parse->at == '\0';
}

status factory_parse(const char *factory, uint32_t dim, struct arena *arena,
		     struct factory_traits *ret)
{
	struct parse parse = {.at = factory, .dim = dim, .traits = {.rows_min = ROWS_MIN}};

	if (!parse_all(&parse))
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "factory \"%s\" for %u dimensions: not understood, or out of "
				     "range, from \"%s\" on",
				     factory, dim, parse.at);
	*ret = parse.traits;
	return status_ok();
}

status factory_check(const char *factory, uint32_t dim, enum metric metric, struct arena *arena)
{
	struct factory_traits traits;
	SCOPED(factory_index) index = NULL;

	TRY(factory_parse(factory, dim, arena, &traits));
	return factory_index_make(factory, dim, metric == METRIC_L2, arena, &index);
}
