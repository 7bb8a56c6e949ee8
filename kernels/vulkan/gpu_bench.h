/* gpu_bench - what a device does in how long, beside a copy of the same bytes on it. */
#ifndef SLUICE_KERNELS_VULKAN_GPU_BENCH_H
#define SLUICE_KERNELS_VULKAN_GPU_BENCH_H

#include "kernels/vulkan/scanner_vulkan.h"

/* Batches of 1, 2, 4 and 8 queries. */
#define GPU_BENCH_BATCHES 4

/* A search of vectors for one query. */
struct gpu_bench_vectors {
	double search_ns; /* with the best picked as they are found, to the answer */
	double scores_ns; /* a key of each row, and no more */
	double merge_ns;  /* the lists of the search to one, in a submission of its own */
};

/* Threads that ask for int8 codes as fast as they get answers. */
struct gpu_bench_load {
	double queries_per_s, p50_ns, p99_ns;
};

/* All times are the least of several, in nanoseconds. */
struct gpu_bench {
	char device[256];
	uint32_t rows, dim;
	size_t threads;
	uint64_t codes_bytes, vectors_bytes; /* the same rows as int8 and as float32 */
	double submit_ns;                    /* a search of 16 rows */
	double copy_ns;                      /* the codes from one buffer to another */
	double upload_ns;                    /* the codes to the device */
	double scan_ns[GPU_BENCH_BATCHES];   /* products and bounds alone */
	double search_ns[GPU_BENCH_BATCHES]; /* with selection, to the answer: one submission */
	struct gpu_bench_vectors floats, halves;
	double processor_ns; /* a search of codes on one thread, one query */
	struct gpu_bench_load alone, batched;
};

/* gpu_bench_run - on the device that the mode gives.
 * rows     a multiple of 16, at least 1024.
 * threads  that ask at once, where that is measured.
 * Fails: UNAVAILABLE (no such device, no room on it) RESOURCE_EXHAUSTED */
struct gpu_bench_options {
	enum gpu_mode mode;
	uint32_t rows;
	size_t threads;
};

status gpu_bench_run(const struct gpu_bench_options *options, struct arena *arena,
		     struct gpu_bench *ret);

#endif
