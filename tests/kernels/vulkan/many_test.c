/* Several queries of vectors at once, and windows of any width: each misses nothing, as if it were alone. */
#include "kernels/vulkan/scan_many.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const enum metric metrics[] = {METRIC_INNER_PRODUCT, METRIC_L2};

/* Narrow, wide, and wider than most ranges here have rows. */
static const size_t widths[SCAN_PROBES_MAX] = {10, 1, 128, 129, 1000, 10, 7000, 64};

/* Numbers of queries with a kernel of their own and between, in both metrics, from what the device keeps as floats and as halves. */
static void check(struct scanner *scanner, struct rows *rows, const struct scan_range *range,
		  const char *what)
{
	static const size_t numbers[] = {1, 2, 3, 5, 8};

	for (int half = 0; half < 2; half++) {
		rows_keep(rows, half);
		for (size_t i = 0; i < COUNT(numbers); i++) {
			size_t n = numbers[i];
			struct expectation expected = {
				.scanner = scanner,
				.metric = metrics[(i + (size_t)half) % 2],
				.rows = rows,
				.range = *range,
				.what = what,
			};

			expect_proposals(&expected, widths + SCAN_PROBES_MAX - n, n);
		}
	}
}

Test(vulkan_many, keep_the_contract_for_any_number_of_rows)
{
	static const uint32_t counts[] = {0, 1, 2, 63, 127, 128, 129, 513, 3000, 9000};
	SCOPED(scanner) scanner = software_open();

	for (size_t c = 0; c < COUNT(counts); c++) {
		struct rows rows;

		rows_init(&rows, 40, counts[c], c);
		rows_add(&rows, ROWS_PLAIN, counts[c]);
		check(scanner, &rows, &(struct scan_range){.block = &rows.block, .n = rows.n},
		      "count");
		rows_keep(&rows, false);
		rows_finish(&rows);
	}
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
}

Test(vulkan_many, keep_the_contract_for_hostile_rows_of_any_dimension)
{
	static const uint32_t dims[] = {1, 2, 7, 15, 16, 33, 65, 130, 383, 1001, 4095, 8192};
	SCOPED(scanner) scanner = software_open();

	for (size_t d = 0; d < COUNT(dims); d++) {
		uint32_t n = dims[d] > 500 ? 30 : 300;
		struct rows rows;

		rows_init(&rows, dims[d], 5 * n, d);
		rows_add(&rows, ROWS_HOSTILE, 2 * n);
		rows_add(&rows, ROWS_WHOLE, n);
		rows_add(&rows, ROWS_CANCELS, n);
		rows_add(&rows, ROWS_HALVES, n);
		check(scanner, &rows, &(struct scan_range){.block = &rows.block, .n = rows.n},
		      "hostile");
		rows_keep(&rows, false);
		rows_finish(&rows);
	}
}

/* In two dimensions there are 25 different vectors: more keys are alike than a bin has room for. */
Test(vulkan_many, order_crowds_of_equal_rows)
{
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	rows_init(&rows, 2, 30000, 9);
	rows_add(&rows, ROWS_WHOLE, 30000);
	check(scanner, &rows, &(struct scan_range){.block = &rows.block, .n = rows.n}, "crowds");
	rows_keep(&rows, false);
	rows_finish(&rows);
}

Test(vulkan_many, pass_over_rows_that_are_not_visible)
{
	static const unsigned percents[] = {0, 1, 50, 99};
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	rows_init(&rows, 48, 7000, 6);
	rows_add(&rows, ROWS_PLAIN, 5000);
	rows_add(&rows, ROWS_HOSTILE, 2000);
	for (size_t p = 0; p < COUNT(percents); p++) {
		uint64_t *visible = bits_random(6001, percents[p], p);

		check(scanner, &rows,
		      &(struct scan_range){.block = &rows.block,
					   .first = 777,
					   .n = 6001,
					   .row_base = UINT64_C(1) << 40,
					   .visible = visible},
		      "visible");
		free(visible);
	}
	rows_keep(&rows, false);
	rows_finish(&rows);
}

Test(vulkan_many, take_more_rows_than_one_buffer_holds)
{
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	/* Some 730 rows to a buffer, as if that were the device's limit. */
	scanner_vulkan_runtime(scanner)->device->buffer_bytes = 100000;
	rows_init(&rows, 24, 6000, 11);
	rows_add(&rows, ROWS_HOSTILE, 3000);
	rows_add(&rows, ROWS_PLAIN, 3000);
	check(scanner, &rows, &(struct scan_range){.block = &rows.block, .first = 5, .n = 5990},
	      "small buffers");
	rows_keep(&rows, false);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
	rows_finish(&rows);
}

Test(vulkan_many, take_more_rows_than_one_submission_has)
{
	SCOPED(scanner) scanner = software_open();
	const uint32_t n = scan_many_rows(SCAN_PROBES_MAX) + 70;
	static const size_t some[SCAN_PROBES_MAX] = {10, 128, 5000, 65536, 1, 2, 3, 65536};
	uint64_t *visible = bits_random(n, 90, 1);
	struct rows rows;

	rows_init(&rows, 3, n, 2);
	rows_add(&rows, ROWS_PLAIN, n);
	rows_keep(&rows, true);
	expect_proposals(
		&(struct expectation){.scanner = scanner,
				      .metric = METRIC_L2,
				      .rows = &rows,
				      .range = {.block = &rows.block, .n = n, .visible = visible},
				      .what = "two submissions"},
		some, SCAN_PROBES_MAX);
	rows_keep(&rows, false);
	rows_finish(&rows);
	free(visible);
}

/* Range by range into the same windows: the thresholds of the first ones gate the later ones. */
Test(vulkan_many, fill_windows_from_many_ranges_in_any_order)
{
	static const uint32_t ends[] = {0, 500, 501, 2500, 6000};
	SCOPED(scanner) scanner = software_open();
	struct scan_query queries[3];
	struct window windows[3];
	struct scan_probe probes[3];
	float values[3][16];
	struct arena arena;
	struct rows rows;

	arena_init(&arena, 1 << 20);
	rows_init(&rows, 12, 6000, 4);
	rows_add(&rows, ROWS_WHOLE, 6000);
	for (size_t i = 0; i < 3; i++) {
		rows_ask(&rows, i, values[i]);
		cr_assert_not(status_failed(
			scan_query_init(&queries[i], &arena, METRIC_L2, values[i], rows.dim)));
		cr_assert_not(status_failed(window_init(&windows[i], 100 * i + 5)));
		probes[i] = (struct scan_probe){&queries[i], &windows[i]};
	}
	for (size_t part = COUNT(ends) - 1; part-- > 0;)
		cr_assert_not(status_failed(
			scanner_propose_many(scanner, probes, 3,
					     &(struct scan_range){.block = &rows.block,
								  .first = ends[part],
								  .n = ends[part + 1] - ends[part]},
					     NULL)));
	for (size_t i = 0; i < 3; i++) {
		struct rows asked = rows;

		asked.query = values[i];
		expect_window(&(struct expectation){.metric = METRIC_L2,
						    .rows = &asked,
						    .range = {.block = &rows.block, .n = 6000},
						    .what = "ranges"},
			      &windows[i]);
		window_finish(&windows[i]);
	}
	rows_keep(&rows, false);
	rows_finish(&rows);
	arena_finish(&arena);
}

/* Below the contract of a scanner each query may have a bitmap of its own. */
Test(vulkan_many, see_rows_each_by_its_own_bitmap)
{
	SCOPED(scanner) scanner = software_open();
	struct vulkan_runtime *runtime = scanner_vulkan_runtime(scanner);
	SCOPED(vulkan_copy) copy = NULL;
	struct scan_query query;
	struct scan_ask asks[4];
	struct window windows[4];
	struct vulkan_scan scan;
	struct scan_range range;
	struct arena arena;
	struct rows rows;

	arena_init(&arena, 1 << 20);
	rows_init(&rows, 20, 3000, 12);
	rows_add(&rows, ROWS_PLAIN, 3000);
	range = (struct scan_range){.block = &rows.block, .first = 11, .n = 2900};
	cr_assert_not(status_failed(
		scan_query_init(&query, &arena, METRIC_INNER_PRODUCT, rows.query, rows.dim)));
	cr_assert_not(status_failed(copy_acquire(runtime, &rows.block, 3000, NULL, &copy)));
	scan_init(&scan, &query, &range);
	scan.copy = copy;
	for (size_t i = 0; i < COUNT(asks); i++) {
		cr_assert_not(status_failed(window_init(&windows[i], 300)));
		asks[i] = (struct scan_ask){
			.query = &query,
			.visible = i ? bits_random(range.n, 20 * (unsigned)i, i) : NULL,
			.window = &windows[i],
		};
	}
	cr_assert_not(status_failed(scan_many_offer(
		&(struct scan_many){.scan = &scan, .asks = asks, .n_asks = COUNT(asks)},
		&(struct scan_part){.n = range.n})));
	for (size_t i = 0; i < COUNT(asks); i++) {
		struct expectation expected = {.metric = METRIC_INNER_PRODUCT,
					       .rows = &rows,
					       .range = range,
					       .what = "own"};

		expected.range.visible = asks[i].visible;
		expect_window(&expected, &windows[i]);
		window_finish(&windows[i]);
		free((void *)(uintptr_t)asks[i].visible);
	}
	rows_keep(&rows, false);
	rows_finish(&rows);
	arena_finish(&arena);
}
