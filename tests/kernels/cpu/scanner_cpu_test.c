/* Opening, stopping, and rows that come while a scan runs. */
#include "tests/kernels/cpu/fixture.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* More than one step of rows, all alike. */
static void big_block_init(struct hostile_block *block)
{
	uint32_t rows = (uint32_t)(3 * SCAN_STEP_BYTES / (256 * sizeof(float)));

	hostile_block_init(block, rows, 256);
	for (size_t row = 0; row < rows; row++)
		hostile_row(block, row)[0] = 1;
	hostile_block_measure(block);
}

Test(scanner_cpu, stops_when_it_is_not_wanted)
{
	static const struct {
		bool cancel;
		int64_t at_ns;
		enum status_code want;
	} cases[] = {
		{true, DEADLINE_NEVER, STATUS_CANCELLED},
		{false, 0, STATUS_DEADLINE_EXCEEDED},
		{false, DEADLINE_NEVER, STATUS_OK},
	};
	static float query[256] = {1};
	struct scanner *scanners[3];
	size_t n = scanners_open_all(scanners), step = SCAN_STEP_BYTES / (256 * sizeof(float));
	struct hostile_block block;
	struct prepared prepared;
	float *upper, *lower;

	big_block_init(&block);
	upper = calloc(block.block.capacity, sizeof *upper);
	lower = calloc(block.block.capacity, sizeof *lower);
	prepare(&prepared, METRIC_INNER_PRODUCT, query, 256);
	for (size_t i = 0; i < n * COUNT(cases); i++) {
		size_t c = i % COUNT(cases);
		struct scan_range range = {.block = &block.block, .n = block.block.capacity};
		struct deadline deadline;
		struct window memory;
		SCOPED(window) window = &memory;

		deadline_init(&deadline, cases[c].at_ns);
		if (cases[c].cancel)
			deadline_cancel(&deadline);
		cr_assert(!status_failed(window_init(window, range.n)));
		cr_assert_eq(scanner_propose(scanners[i / COUNT(cases)], &prepared.query, &range,
					     &deadline, window)
				     .code,
			     cases[c].want);
		cr_assert(cases[c].want == STATUS_OK ? window->n == range.n : window->n <= step);
		cr_assert_eq(scanner_bounds(scanners[i / COUNT(cases)], &prepared.query, &range,
					    &deadline, upper, lower)
				     .code,
			     cases[c].want);
	}
	free(upper);
	free(lower);
	arena_finish(&prepared.arena);
	hostile_block_finish(&block);
	scanners_close_all(scanners, n);
}

static void *cancel(void *arg)
{
	deadline_cancel(arg);
	return NULL;
}

Test(scanner_cpu, can_be_cancelled_from_another_thread)
{
	static float query[256] = {1};
	struct scanner *scanner = NULL;
	struct hostile_block block;
	struct prepared prepared;
	struct deadline deadline;
	struct scan_range range;
	pthread_t thread;
	status scanned;

	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	big_block_init(&block);
	prepare(&prepared, METRIC_L2, query, 256);
	range = (struct scan_range){.block = &block.block, .n = block.block.capacity};
	deadline_init(&deadline, DEADLINE_NEVER);
	cr_assert_eq(pthread_create(&thread, NULL, cancel, &deadline), 0);
	do {
		struct window memory;
		SCOPED(window) window = &memory;

		cr_assert(!status_failed(window_init(window, 10)));
		scanned = scanner_propose(scanner, &prepared.query, &range, &deadline, window);
	} while (!status_failed(scanned));
	cr_assert_eq(scanned.code, STATUS_CANCELLED);
	pthread_join(thread, NULL);
	arena_finish(&prepared.arena);
	hostile_block_finish(&block);
	scanner_close(scanner);
}

/* Fills the second half of a block, row by row. */
static void *grow(void *arg)
{
	struct hostile_block *block = arg;
	struct random random = {9};

	for (size_t row = 503; row < block->block.capacity; row++) {
		draw_whole(&random, hostile_row(block, row), block->dim);
		scan_row_norms(hostile_row(block, row), block->dim, &block->norms[row],
			       &block->squares[row]);
	}
	return NULL;
}

Test(scanner_cpu, scans_while_rows_are_added_behind)
{
	static float query[40] = {1, 1, 1};
	static struct key keys[ROWS_MAX];
	struct random random = {55};
	struct scanner *scanners[3];
	size_t n = scanners_open_all(scanners);
	struct hostile_block block;
	struct prepared prepared;
	pthread_t thread;

	hostile_block_init(&block, ROWS_MAX, 40);
	for (size_t row = 0; row < 503; row++) {
		draw_whole(&random, hostile_row(&block, row), 40);
		scan_row_norms(hostile_row(&block, row), 40, &block.norms[row],
			       &block.squares[row]);
	}
	prepare(&prepared, METRIC_L2, query, 40);
	cr_assert_eq(pthread_create(&thread, NULL, grow, &block), 0);
	for (size_t i = 0; i < 20 * n; i++) {
		struct scan_range range = {.block = &block.block, .n = 503};
		struct window memory;
		SCOPED(window) window = &memory;

		cr_assert(!status_failed(window_init(window, 20)));
		cr_assert(!status_failed(
			scanner_propose(scanners[i % n], &prepared.query, &range, NULL, window)));
		window_seal(window);
		window_check(window, keys,
			     keys_by_bounds(scanners[i % n], &prepared.query, &range, keys));
	}
	pthread_join(thread, NULL);
	arena_finish(&prepared.arena);
	hostile_block_finish(&block);
	scanners_close_all(scanners, n);
}

Test(scanner_cpu, opens_the_best_kernel_there_is)
{
	struct scanner *best = NULL, *portable = NULL;

	cr_assert(scanner_cpu_supported(CPU_KERNEL_BEST));
	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &best)));
	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_PORTABLE, &portable)));
	cr_assert_str_eq(portable->name, "cpu:portable");
	cr_assert_eq(strcmp(best->name, "cpu:portable") == 0,
		     !scanner_cpu_supported(CPU_KERNEL_AVX2) &&
			     !scanner_cpu_supported(CPU_KERNEL_AVX512));
	scanner_close(best);
	scanner_close(portable);
	scanner_close(NULL);
}
