/* gpu_bench - every figure by the means that searches use. */
#include "kernels/vulkan/gpu_bench.h"

#include "kernels/vulkan/keeper.h"
#include "kernels/vulkan/scan.h"
#include "kernels/vulkan/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPEATS 5

struct bench {
	struct keeper *keeper;
	struct trial trial;
	struct vulkan_copy *copy;    /* of the trial's codes */
	struct vulkan_buffer target; /* what codes are copied to */
	float *vectors, *sides;      /* owned */
};

static void bench_finish(struct bench *bench)
{
	copy_release(bench->copy);
	if (bench->keeper) {
		buffer_close(bench->keeper->runtime->device, &bench->target);
		copy_forget_codes(bench->keeper->runtime, &bench->trial.seat);
	}
	keeper_close(bench->keeper);
	trial_finish(&bench->trial);
	free(bench->vectors);
	free(bench->sides);
}

SCOPE_DEFINE(bench, bench_finish)

static status codes_time(const struct bench *bench, uint32_t n, size_t n_queries, bool is_scan_only,
			 double *ret_ns)
{
	const struct trial_scan scan = {bench->copy, n, n_queries, is_scan_only};

	return trial_device_time(&bench->trial, &scan, REPEATS, NULL, ret_ns);
}

static status copy_once(struct bench *bench)
{
	struct vulkan_runtime *runtime = bench->keeper->runtime;
	SCOPED(vulkan_slot) slot = NULL;

	TRY(slot_acquire(runtime, bench->copy, NULL, &slot));
	TRY(slot_begin(slot));
	for (const struct vulkan_chunk *chunk = bench->copy->chunks; chunk; chunk = chunk->next)
		runtime->device->vk.vkCmdCopyBuffer(
			slot->commands, chunk->buffer.buffer, bench->target.buffer, 1,
			&(VkBufferCopy){.size = chunk->sides_at < bench->target.size_bytes
							? chunk->sides_at
							: bench->target.size_bytes});
	return slot_run(slot, NULL);
}

static status copy_time(struct bench *bench, double *ret_ns)
{
	struct vulkan_device *device = bench->keeper->runtime->device;

	TRY(buffer_init(device, MEMORY_DEVICE, bench->copy->chunks->sides_at, &bench->target));
	*ret_ns = INFINITY;
	for (int i = 0; i < REPEATS; i++) {
		int64_t start_ns = clock_ns();

		TRY(copy_once(bench));
		*ret_ns = fmin(*ret_ns, (double)(clock_ns() - start_ns));
	}
	return status_ok();
}

/* The floats are all alike but for a row's length: what is measured does not depend on them. */
static status vectors_time(struct bench *bench, uint32_t rows, double *ret_ns)
{
	struct vulkan_runtime *runtime = bench->keeper->runtime;
	size_t stride = scan_stride(TRIAL_DIM);
	SCOPED(vulkan_copy) copy = NULL;
	struct scan_query query;
	struct scan_block block = {.stride = stride, .capacity = rows};
	struct scan_range range = {.block = &block, .n = rows};
	struct vulkan_scan scan;
	status done = status_ok();

	bench->vectors = aligned_alloc(64, rows * stride * sizeof(float));
	bench->sides = calloc(rows, sizeof(float));
	if (!bench->vectors || !bench->sides)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for vectors");
	for (size_t i = 0; i < rows * stride; i++)
		bench->vectors[i] = (float)(i / stride % 251) * 0x1p-10F;
	for (size_t i = 0; i < rows; i++)
		bench->sides[i] = 16;
	block.vectors = bench->vectors;
	block.norms = block.squares = bench->sides;
	TRY(scan_query_init(&query, &bench->trial.arena, METRIC_INNER_PRODUCT, bench->vectors,
			    TRIAL_DIM));
	TRY(copy_acquire(runtime, &block, rows, NULL, &copy));
	scan_init(&scan, &query, &range);
	scan.copy = copy;
	*ret_ns = INFINITY;
	for (int i = 0; i <= REPEATS && !status_failed(done); i++) {
		int64_t start_ns = clock_ns();
		struct scan_part part = {0};

		done = window_clear(&bench->trial.window, TRIAL_WIDTH);
		for (; part.start < rows && !status_failed(done); part.start += part.n) {
			part.n = least(rows - part.start, SCAN_ROWS);
			done = scan_top(&scan, &part, TRIAL_WIDTH, &bench->trial.window);
		}
		if (i > 0)
			*ret_ns = fmin(*ret_ns, (double)(clock_ns() - start_ns));
	}
	copy_forget(runtime, &block);
	return done;
}

status gpu_bench_run(enum gpu_mode mode, uint32_t rows, struct arena *arena, struct gpu_bench *ret)
{
	struct gpu_list list = {0};
	struct bench memory = {0};
	SCOPED(bench) bench = &memory;
	int64_t start_ns;

	TRY(keeper_open(&(struct gpu_options){.mode = mode}, arena, &list, &bench->keeper));
	if (!bench->keeper)
		return status_make(STATUS_UNAVAILABLE, "there is no GPU");
	bench->keeper->runtime->waits_for_uploads = true;
	TRY(trial_init(&bench->trial, rows));
	*ret = (struct gpu_bench){
		.rows = rows,
		.dim = TRIAL_DIM,
		.codes_bytes = codes8_heads_bytes(&bench->trial.codes.shape, rows),
		.vectors_bytes = rows * scan_stride(TRIAL_DIM) * sizeof(float),
	};
	snprintf(ret->device, sizeof ret->device, "%s", bench->keeper->runtime->device->name);
	start_ns = clock_ns();
	TRY(copy_acquire_codes(bench->keeper->runtime, &bench->trial.codes, NULL, &bench->copy));
	ret->upload_ns = (double)(clock_ns() - start_ns);
	TRY(codes_time(bench, CODES8_ROWS, 1, false, &ret->submit_ns));
	TRY(copy_time(bench, &ret->copy_ns));
	for (size_t i = 0; i < GPU_BENCH_BATCHES; i++) {
		TRY(codes_time(bench, rows, (size_t)1 << i, true, &ret->scan_ns[i]));
		TRY(codes_time(bench, rows, (size_t)1 << i, false, &ret->search_ns[i]));
	}
	TRY(vectors_time(bench, rows, &ret->vectors_ns));
	return trial_processor_time(&bench->trial, REPEATS, NULL, &ret->processor_ns);
}
