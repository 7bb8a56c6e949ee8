/* gpu_bench_parts - what of a device's figures takes more than a call; for gpu_bench.c alone. */
#ifndef SLUICE_KERNELS_VULKAN_GPU_BENCH_PARTS_H
#define SLUICE_KERNELS_VULKAN_GPU_BENCH_PARTS_H

#include "kernels/vulkan/gpu_bench.h"
#include "kernels/vulkan/trial.h"

#define BENCH_REPEATS 5

/* bench_vectors - searches of vectors in memory that is made up: of so many rows.
 * is_half  as of a scan_block.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status bench_vectors(struct vulkan_runtime *runtime, struct trial *trial, uint32_t rows,
		     bool is_half, struct gpu_bench_vectors *ret);

/* bench_load - threads ask for a while, each for the trial's rows again and again.
 * is_batched  else no two searches go to the device together.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status bench_load(struct vulkan_runtime *runtime, const struct trial *trial, size_t n_threads,
		  bool is_batched, struct gpu_bench_load *ret);

#endif
