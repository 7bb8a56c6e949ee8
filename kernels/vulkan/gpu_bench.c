/* gpu_bench - every figure by the means that searches use. */
#include "kernels/vulkan/gpu_bench_parts.h"
#include "kernels/vulkan/keeper.h"
#include "kernels/vulkan/scan.h"

#include <math.h>
#include <stdio.h>

struct bench {
	struct keeper *keeper;
	struct trial trial;
	struct vulkan_copy *copy;    /* of the trial's codes */
	struct vulkan_buffer target; /* what codes are copied to */
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
}

SCOPE_DEFINE(bench, bench_finish)

static status codes_time(const struct bench *bench, uint32_t n, size_t n_queries, bool is_scan_only,
			 double *ret_ns)
{
	const struct trial_scan scan = {bench->copy, n, n_queries, is_scan_only};

	return trial_device_time(&bench->trial, &scan, BENCH_REPEATS, NULL, ret_ns);
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
	for (int i = 0; i < BENCH_REPEATS; i++) {
		int64_t start_ns = clock_ns();

		TRY(copy_once(bench));
		*ret_ns = fmin(*ret_ns, (double)(clock_ns() - start_ns));
	}
	return status_ok();
}

/* What many threads get: the codes are there. */
static status loads_run(const struct bench *bench, size_t n_threads, struct gpu_bench *ret)
{
	struct vulkan_runtime *runtime = bench->keeper->runtime;

	TRY(bench_load(runtime, &bench->trial, n_threads, false, &ret->alone));
	return bench_load(runtime, &bench->trial, n_threads, true, &ret->batched);
}

status gpu_bench_run(const struct gpu_bench_options *options, struct arena *arena,
		     struct gpu_bench *ret)
{
	struct gpu_list list = {0};
	struct bench memory = {0};
	SCOPED(bench) bench = &memory;
	uint32_t rows = options->rows;
	int64_t start_ns;

	TRY(keeper_open(&(struct gpu_options){.mode = options->mode}, arena, &list,
			&bench->keeper));
	if (!bench->keeper)
		return status_make(STATUS_UNAVAILABLE, "there is no GPU");
	bench->keeper->runtime->waits_for_uploads = true;
	TRY(trial_init(&bench->trial, rows));
	*ret = (struct gpu_bench){
		.rows = rows,
		.dim = TRIAL_DIM,
		.threads = options->threads,
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
	TRY(loads_run(bench, options->threads, ret));
	TRY(bench_vectors(bench->keeper->runtime, &bench->trial, rows, false, &ret->floats));
	TRY(bench_vectors(bench->keeper->runtime, &bench->trial, rows, true, &ret->halves));
	return trial_processor_time(&bench->trial, BENCH_REPEATS, NULL, &ret->processor_ns);
}
