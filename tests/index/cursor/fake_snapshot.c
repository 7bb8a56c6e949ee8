/* fake_snapshot - rows in blocks, drawn from a seed. */
#include "tests/index/cursor/fake_snapshot.h"

#include "index/segment/sealed.h"
#include "kernels/score.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct collection {
	struct collection_config config;
	atomic_bool dropped;
};

struct snapshot {
	struct collection collection;
	struct scan_block *blocks;
	size_t n_blocks, stride;
	uint64_t n, n_visible;
	uint32_t block_rows;
	bool hides;       /* some row is not visible */
	uint8_t *visible; /* [n] */
	float *query;     /* [stride] */

	struct scratch scratch; /* of the files of segments */
	struct sealed *sealed[FAKE_SEGMENTS_MAX];
	uint32_t n_sealed, segment_rows;
	const struct ann *ann[FAKE_SEGMENTS_MAX]; /* borrowed */
};

/* What died did so at the first generation; the snapshot is of the second one. */
enum { DEATH = 1, GENERATION = 2 };

uint64_t fake_random(uint64_t *state)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15U;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
	return z ^ (z >> 31);
}

float fake_uniform(uint64_t *state)
{
	return (float)(fake_random(state) >> 40) * 0x1p-24F;
}

static void *allocate(size_t n, size_t size)
{
	size_t bytes = (n * size + 63) / 64 * 64 + 64;
	void *memory = aligned_alloc(64, bytes);

	cr_assert_not_null(memory);
	memset(memory, 0, bytes);
	return memory;
}

static void draw(float *vector, const struct fake_snapshot_options *options, uint64_t *state)
{
	uint64_t same = options->seed;

	if (options->vectors == FAKE_SAME)
		state = &same;
	for (uint32_t i = 0; i < options->dim; i++) {
		if (options->vectors != FAKE_TIES)
			vector[i] = fake_uniform(state) - 0.5F;
		else if (i < 3)
			vector[i] = (float)(fake_random(state) % 3);
	}
	if (options->metric != METRIC_COSINE)
		return;
	if (vector_norm(vector, options->dim) <= 0)
		vector[0] = 1;
	cr_assert(vector_normalise(vector, options->dim));
}

static void fill_block(struct snapshot *snapshot, struct scan_block *block, uint32_t n,
		       const struct fake_snapshot_options *options, uint64_t *state)
{
	float *vectors = allocate(n, snapshot->stride * sizeof(float));
	float *norms = allocate(n, sizeof(float)), *squares = allocate(n, sizeof(float));

	for (uint32_t i = 0; i < n; i++) {
		float *vector = vectors + i * snapshot->stride;

		draw(vector, options, state);
		scan_row_norms(vector, options->dim, &norms[i], &squares[i]);
	}
	*block = (struct scan_block){
		.vectors = vectors,
		.norms = norms,
		.squares = squares,
		.stride = snapshot->stride,
		.capacity = n,
	};
}

/* --- segments --- */

/* One segment's rows, for sealed_write. */
struct part {
	const struct snapshot *snapshot;
	uint64_t first;
};

static uint64_t part_row(const void *context, uint32_t place)
{
	const struct part *part = context;

	return part->first + place;
}

static const float *part_vector(const void *context, uint32_t place, float *scratch)
{
	const struct part *part = context;

	return snapshot_vector(part->snapshot, part->first + place, scratch);
}

static void seal_part(struct snapshot *snapshot, uint32_t i)
{
	static const uint8_t incarnation[16] = {1, 2, 3};
	const struct part part = {snapshot, (uint64_t)i * snapshot->segment_rows};
	const struct sealed_file file = {
		.directory = snapshot->scratch.path,
		.config = &snapshot->collection.config,
		.incarnation = incarnation,
		.id = i + 1,
	};
	const struct sealed_source source = {snapshot->segment_rows, part_row, part_vector, &part};
	const struct sealed_coding coding = {0};
	SCOPED(arena) arena = &(struct arena){0};
	status s;

	arena_init(arena, 16 << 20);
	s = sealed_write(&file, &source, &coding, NULL, arena);
	cr_assert(!status_failed(s), "%s", s.detail);
	s = sealed_open(&file, arena, &snapshot->sealed[i]);
	cr_assert(!status_failed(s), "%s", s.detail);
	for (uint32_t at = 0; at < snapshot->segment_rows; at++)
		if (!snapshot->visible[part.first + at])
			sealed_kill(snapshot->sealed[i], at, DEATH);
}

static void seal(struct snapshot *snapshot, const struct fake_snapshot_options *options)
{
	snapshot->n_sealed = options->segments;
	snapshot->segment_rows = options->segment_rows;
	if (options->segments == 0)
		return;
	cr_assert_leq(options->segments, FAKE_SEGMENTS_MAX);
	cr_assert_leq((uint64_t)options->segments * options->segment_rows, options->n);
	scratch_open(&snapshot->scratch);
	for (uint32_t i = 0; i < snapshot->n_sealed; i++)
		seal_part(snapshot, i);
}

uint32_t fake_snapshot_segment_rows(const struct snapshot *snapshot)
{
	return snapshot->segment_rows;
}

void fake_snapshot_set_ann(struct snapshot *snapshot, uint32_t segment, const struct ann *ann)
{
	snapshot->ann[segment] = ann;
}

struct snapshot *fake_snapshot_open(const struct fake_snapshot_options *options)
{
	struct snapshot *snapshot = allocate(1, sizeof *snapshot);
	uint64_t state = options->seed;
	uint64_t rows = options->block_rows ? options->block_rows : options->n;

	snapshot->collection.config.dim = options->dim;
	snapshot->collection.config.metric = options->metric;
	strcpy(snapshot->collection.config.name, "fake");
	snapshot->stride = scan_stride(options->dim);
	snapshot->n = options->n;
	snapshot->block_rows = rows ? (uint32_t)rows : 1;
	snapshot->n_blocks =
		(size_t)((options->n + snapshot->block_rows - 1) / snapshot->block_rows);
	snapshot->blocks = allocate(snapshot->n_blocks, sizeof *snapshot->blocks);
	for (size_t b = 0; b < snapshot->n_blocks; b++) {
		uint64_t left = options->n - b * snapshot->block_rows;
		uint32_t n = left < snapshot->block_rows ? (uint32_t)left : snapshot->block_rows;

		fill_block(snapshot, &snapshot->blocks[b], n, options, &state);
	}
	snapshot->query = allocate(snapshot->stride, sizeof(float));
	draw(snapshot->query, options, &state);
	snapshot->hides = options->hidden_percent > 0;
	snapshot->visible = allocate((size_t)options->n, 1);
	for (uint64_t i = 0; i < options->n; i++) {
		snapshot->visible[i] = fake_random(&state) % 100 >= options->hidden_percent;
		snapshot->n_visible += snapshot->visible[i];
	}
	seal(snapshot, options);
	return snapshot;
}

void snapshot_release(struct snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t b = 0; b < snapshot->n_blocks; b++) {
		scan_block_close(&snapshot->blocks[b]);
		free((void *)snapshot->blocks[b].vectors);
		free((void *)snapshot->blocks[b].norms);
		free((void *)snapshot->blocks[b].squares);
	}
	for (uint32_t i = 0; i < snapshot->n_sealed; i++)
		sealed_close(snapshot->sealed[i]);
	if (snapshot->n_sealed)
		scratch_close(&snapshot->scratch);
	free(snapshot->blocks);
	free(snapshot->query);
	free(snapshot->visible);
	free(snapshot);
}

void fake_snapshot_drop(struct snapshot *snapshot)
{
	atomic_store(&snapshot->collection.dropped, true);
}

const float *fake_snapshot_query(const struct snapshot *snapshot)
{
	return snapshot->query;
}

struct collection *snapshot_collection(const struct snapshot *snapshot)
{
	return (struct collection *)&snapshot->collection;
}

bool collection_is_dropped(const struct collection *collection)
{
	return atomic_load(&collection->dropped);
}

const struct collection_config *collection_config(const struct collection *collection)
{
	return &collection->config;
}

uint64_t snapshot_count(const struct snapshot *snapshot)
{
	return snapshot->n_visible;
}

uint64_t snapshot_places(const struct snapshot *snapshot)
{
	return snapshot->n;
}

bool snapshot_visible(const struct snapshot *snapshot, uint64_t place)
{
	return snapshot->visible[place];
}

void snapshot_fetch(const struct snapshot *snapshot, uint64_t place)
{
	(void)snapshot;
	(void)place;
}

const float *snapshot_vector(const struct snapshot *snapshot, uint64_t place, float *scratch)
{
	(void)scratch;
	return snapshot->blocks[place / snapshot->block_rows].vectors +
	       place % snapshot->block_rows * snapshot->stride;
}

static bool is_sealed(const struct snapshot *snapshot, uint64_t place)
{
	return place < (uint64_t)snapshot->n_sealed * snapshot->segment_rows;
}

static void sealed_part_range(const struct snapshot *snapshot, uint64_t place, uint32_t max,
			      uint64_t *bitmap, struct scan_range *ret)
{
	uint32_t i = (uint32_t)(place / snapshot->segment_rows);
	uint32_t at = (uint32_t)(place % snapshot->segment_rows);
	struct codes8_range range;

	sealed_range(snapshot->sealed[i], GENERATION, place - at, at, max, bitmap, &range);
	*ret = (struct scan_range){
		.first = range.first,
		.n = range.n,
		.row_base = range.row_base,
		.visible = range.visible,
	};
}

void snapshot_range(const struct snapshot *snapshot, uint64_t place, uint32_t max, uint64_t *bitmap,
		    struct scan_range *ret)
{
	if (is_sealed(snapshot, place)) {
		sealed_part_range(snapshot, place, max, bitmap, ret);
		return;
	}
	size_t b = (size_t)(place / snapshot->block_rows);
	uint32_t first = (uint32_t)(place % snapshot->block_rows);
	uint32_t left = snapshot->blocks[b].capacity - first;
	uint32_t n = left < max ? left : max;

	*ret = (struct scan_range){
		.block = &snapshot->blocks[b],
		.first = first,
		.n = n,
		.row_base = (uint64_t)b * snapshot->block_rows,
		.visible = snapshot->hides ? bitmap : NULL,
	};
	if (!snapshot->hides)
		return;
	memset(bitmap, 0, (n + 63) / 64 * sizeof *bitmap);
	for (uint32_t i = 0; i < n; i++)
		bitmap[i / 64] |= (uint64_t)snapshot->visible[place + i] << (i % 64);
}

const struct ann *snapshot_ann(const struct snapshot *snapshot, uint64_t place)
{
	return is_sealed(snapshot, place) ? snapshot->ann[place / snapshot->segment_rows] : NULL;
}

const struct sealed *snapshot_sealed(const struct snapshot *snapshot, uint64_t place)
{
	return is_sealed(snapshot, place) ? snapshot->sealed[place / snapshot->segment_rows] : NULL;
}
