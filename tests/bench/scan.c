/* scan - how fast each kernel of the processor reads vectors, beside a plain copy of memory.
 *
 *	scan [ROWS [DIM]]    100,000 and 384 unless said
 *
 * One thread; each pass is a whole scan for the ten best rows of one query. The kernels and the
 * copy take turns, so that all meet the same neighbours on the machine. GB/s of vectors that were
 * read; the copy reads as much and writes it too.
 */
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/score.h"
#include "tests/bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSES 31
#define HITS 10
#define KERNELS 3

struct rows {
	struct scan_block block;
	float *vectors, *norms, *squares;
	uint32_t n, dim;
	size_t size_bytes;
};

static uint64_t random_state = 1;

static float draw(void)
{
	random_state = random_state * 6364136223846793005U + 1442695040888963407U;
	return (float)(int32_t)(random_state >> 32) * 0x1p-31F;
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void rows_make(struct rows *rows)
{
	size_t stride = scan_stride(rows->dim);

	rows->size_bytes = rows->n * stride * sizeof(float);
	rows->vectors = must(aligned_alloc(64, rows->size_bytes));
	rows->norms = must(calloc(rows->n, sizeof(float)));
	rows->squares = must(calloc(rows->n, sizeof(float)));
	memset(rows->vectors, 0, rows->size_bytes);
	for (size_t row = 0; row < rows->n; row++) {
		float *vector = rows->vectors + row * stride;

		for (size_t i = 0; i < rows->dim; i++)
			vector[i] = draw();
		vector_normalise(vector, rows->dim);
		scan_row_norms(vector, rows->dim, &rows->norms[row], &rows->squares[row]);
	}
	rows->block = (struct scan_block){
		.vectors = rows->vectors,
		.norms = rows->norms,
		.squares = rows->squares,
		.stride = stride,
		.capacity = rows->n,
	};
}

static double scan_seconds(struct scanner *scanner, struct rows *rows, struct window *window)
{
	static float query[8192];
	struct scan_range range = {.block = &rows->block, .n = rows->n};
	struct scan_query prepared;
	struct arena arena;
	int64_t start_ns;
	status scanned;

	for (size_t i = 0; i < rows->dim; i++)
		query[i] = draw();
	vector_normalise(query, rows->dim);
	arena_init(&arena, (size_t)1 << 20);
	scanned = scan_query_init(&prepared, &arena, METRIC_COSINE, query, rows->dim);
	start_ns = clock_ns();
	if (!status_failed(scanned))
		scanned = window_clear(window, HITS);
	if (!status_failed(scanned))
		scanned = scanner_propose(scanner, &prepared, &range, NULL, window);
	if (status_failed(scanned))
		abort();
	window_seal(window);
	arena_finish(&arena);
	return (double)(clock_ns() - start_ns) * 1e-9;
}

static double copy_seconds(const struct rows *rows, float *copy)
{
	int64_t start_ns = clock_ns();

	memcpy(copy, rows->vectors, rows->size_bytes);
	/* So that the copy is wanted. */
	__asm__ volatile("" : : "r"(copy) : "memory");
	return (double)(clock_ns() - start_ns) * 1e-9;
}

static void print(const char *name, double *seconds, const struct rows *rows, double copy)
{
	double middle = median(seconds, PASSES);
	double bytes = (double)rows->size_bytes;

	printf("%-14s %9.2f %9.2f %11.2f %12.2f\n", name, middle * 1e3, bytes / middle * 1e-9,
	       bytes / seconds[0] * 1e-9, copy / middle);
}

int main(int argc, char **argv)
{
	struct rows rows = {
		.n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000,
		.dim = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 384,
	};
	struct scanner *scanners[KERNELS] = {0};
	double scans[KERNELS][PASSES], copies[PASSES], copy_median;
	struct window window = {0};
	size_t n_scanners = 0;
	float *copy;

	if (rows.n < 1 || rows.dim < 1 || rows.dim > 8192 || argc > 3) {
		fputs("usage: scan [ROWS [DIM]]\n", stderr);
		return 2;
	}
	rows_make(&rows);
	copy = must(aligned_alloc(64, rows.size_bytes));
	memset(copy, 0, rows.size_bytes);
	for (int kernel = CPU_KERNEL_PORTABLE; kernel <= CPU_KERNEL_AVX512; kernel++)
		if (scanner_cpu_supported((enum cpu_kernel)kernel) &&
		    status_failed(
			    scanner_cpu_open((enum cpu_kernel)kernel, &scanners[n_scanners++])))
			abort();
	if (status_failed(window_init(&window, HITS)))
		abort();
	for (size_t pass = 0; pass < PASSES; pass++) {
		for (size_t i = 0; i < n_scanners; i++)
			scans[i][pass] = scan_seconds(scanners[i], &rows, &window);
		copies[pass] = copy_seconds(&rows, copy);
	}

	printf("%u rows of %u dimensions, %.1f MB; %d passes, one thread\n\n", rows.n, rows.dim,
	       (double)rows.size_bytes * 1e-6, PASSES);
	printf("%-14s %9s %9s %11s %12s\n", "", "median ms", "GB/s", "best GB/s", "x copy");
	copy_median = median(copies, PASSES);
	for (size_t i = 0; i < n_scanners; i++)
		print(scanners[i]->name, scans[i], &rows, copy_median);
	print("memcpy", copies, &rows, copy_median);
	window_finish(&window);
	for (size_t i = 0; i < n_scanners; i++)
		scanner_close(scanners[i]);
	free(copy);
	free(rows.vectors);
	free(rows.norms);
	free(rows.squares);
	return 0;
}
