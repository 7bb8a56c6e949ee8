/* gpu_bench - what a device does in how long, beside a copy of the same bytes on it. */
#ifndef SLUICE_KERNELS_VULKAN_GPU_BENCH_H
#define SLUICE_KERNELS_VULKAN_GPU_BENCH_H

#include "kernels/vulkan/scanner_vulkan.h"

/* Batches of 1, 2, 4 and 8 queries. */
#define GPU_BENCH_BATCHES 4

/* All times are the least of several, in nanoseconds. */
struct gpu_bench {
	char device[256];
	uint32_t rows, dim;
	uint64_t codes_bytes, vectors_bytes; /* the same rows as int8 and as float32 */
	double submit_ns;                    /* a search of 16 rows */
	double copy_ns;                      /* the codes from one buffer to another */
	double upload_ns;                    /* the codes to the device */
	double scan_ns[GPU_BENCH_BATCHES];   /* products and bounds alone */
	double search_ns[GPU_BENCH_BATCHES]; /* with selection, to the answer: one submission */
	double vectors_ns;                   /* a search over float32, one query */
	double processor_ns;                 /* a search of codes on one thread, one query */
};

/* gpu_bench_run - on the device that the mode gives; rows a multiple of 16, at least 1024.
 * Fails: UNAVAILABLE (no such device, no room on it) RESOURCE_EXHAUSTED */
status gpu_bench_run(enum gpu_mode mode, uint32_t rows, struct arena *arena, struct gpu_bench *ret);

#endif
