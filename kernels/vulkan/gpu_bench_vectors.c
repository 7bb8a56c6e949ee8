/* gpu_bench_vectors - vectors as float32 and float16: scores alone, with the best picked, merged. */
#include "kernels/vulkan/gpu_bench_parts.h"
#include "kernels/vulkan/scan_many.h"

#include <math.h>
#include <stdlib.h>

struct vectors {
	float *values, *sides; /* owned */
	struct scan_block block;
	struct scan_query query;
	struct scan_range range;
	struct vulkan_scan scan;
	struct window *window;
};

/* The values are all alike but for a row's length: what is measured does not depend on them. */
static status vectors_init(struct vectors *vectors, struct trial *trial, uint32_t rows,
			   bool is_half)
{
	size_t stride = scan_stride(TRIAL_DIM);

	vectors->values = aligned_alloc(64, rows * stride * sizeof(float));
	vectors->sides = calloc(rows, sizeof(float));
	if (!vectors->values || !vectors->sides)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for vectors");
	for (size_t i = 0; i < rows * stride; i++)
		vectors->values[i] = (float)(i / stride % 251) * 0x1p-10F;
	for (size_t i = 0; i < rows; i++)
		vectors->sides[i] = 16;
	vectors->block = (struct scan_block){
		.vectors = vectors->values,
		.norms = vectors->sides,
		.squares = vectors->sides,
		.stride = stride,
		.capacity = rows,
		.is_half = is_half,
	};
	vectors->range = (struct scan_range){.block = &vectors->block, .n = rows};
	vectors->window = &trial->window;
	return scan_query_init(&vectors->query, &trial->arena, METRIC_INNER_PRODUCT,
			       vectors->values + 250 * stride, TRIAL_DIM);
}

static void vectors_finish(struct vectors *vectors)
{
	free(vectors->values);
	free(vectors->sides);
}

SCOPE_DEFINE(vectors, vectors_finish)

enum what { SEARCH, SCORES, MERGES };

static status part_run(struct vectors *vectors, const struct scan_part *part, enum what what)
{
	const struct scan_ask ask = {.query = &vectors->query, .window = vectors->window};

	switch (what) {
	case SCORES:
		return scan_many_offer(
			&(struct scan_many){
				.scan = &vectors->scan,
				.asks = &ask,
				.n_asks = 1,
				.is_scan_only = true,
			},
			part);
	case MERGES:
		return scan_top_merge(&vectors->scan, part, TRIAL_WIDTH);
	case SEARCH:
		break;
	}
	return scan_top(&vectors->scan, part, TRIAL_WIDTH, vectors->window);
}

static status run_once(struct vectors *vectors, enum what what)
{
	struct scan_part part = {0};

	TRY(window_clear(vectors->window, TRIAL_WIDTH));
	for (; part.start < vectors->range.n; part.start += part.n) {
		part.n = least(vectors->range.n - part.start, scan_many_rows(1));
		TRY(part_run(vectors, &part, what));
	}
	return status_ok();
}

/* The least of several; the first makes kernels and buffers. */
static status time_of(struct vectors *vectors, enum what what, double *ret_ns)
{
	*ret_ns = INFINITY;
	for (int i = 0; i <= BENCH_REPEATS; i++) {
		int64_t start_ns = clock_ns();

		TRY(run_once(vectors, what));
		if (i > 0)
			*ret_ns = fmin(*ret_ns, (double)(clock_ns() - start_ns));
	}
	return status_ok();
}

static status times_of(struct vulkan_runtime *runtime, struct vectors *vectors,
		       struct gpu_bench_vectors *ret)
{
	SCOPED(vulkan_copy) copy = NULL;

	TRY(copy_acquire(runtime, &vectors->block, vectors->range.n, NULL, &copy));
	scan_init(&vectors->scan, &vectors->query, &vectors->range);
	vectors->scan.copy = copy;
	TRY(time_of(vectors, SCORES, &ret->scores_ns));
	TRY(time_of(vectors, SEARCH, &ret->search_ns));
	return time_of(vectors, MERGES, &ret->merge_ns);
}

status bench_vectors(struct vulkan_runtime *runtime, struct trial *trial, uint32_t rows,
		     bool is_half, struct gpu_bench_vectors *ret)
{
	struct vectors memory = {0};
	SCOPED(vectors) vectors = &memory;
	status done;

	TRY(vectors_init(vectors, trial, rows, is_half));
	done = times_of(runtime, vectors, ret);
	copy_forget(runtime, &vectors->block);
	return done;
}
