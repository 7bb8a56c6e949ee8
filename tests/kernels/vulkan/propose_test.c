#include "kernels/vulkan/scan.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <stdlib.h>

static const size_t widths[] = {1, 2, 10, 100, 127, 128, 129, 1000, 20000};

#define WIDTHS (sizeof widths / sizeof *widths)

static void check(struct scanner *scanner, struct rows *rows, const struct scan_range *range,
		  const char *what)
{
	for (size_t w = 0; w < 2 * WIDTHS; w++) {
		struct expectation expected = {
			.scanner = scanner,
			.metric = w % 2 ? METRIC_L2 : METRIC_INNER_PRODUCT,
			.rows = rows,
			.range = *range,
			.what = what,
		};

		if (w % WIDTHS == 0)
			rows_keep(rows, w >= WIDTHS);
		expect_proposal(&expected, widths[w % WIDTHS]);
	}
}

Test(scanner_vulkan_propose, keeps_the_contract_for_any_number_of_rows_and_width)
{
	static const uint32_t counts[] = {0, 1, 2, 63, 127, 128, 129, 513, 3000, 12000};
	SCOPED(scanner) scanner = software_open();

	for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
		struct rows rows;

		rows_init(&rows, 40, counts[c], c);
		rows_add(&rows, ROWS_PLAIN, counts[c]);
		check(scanner, &rows, &(struct scan_range){.block = &rows.block, .n = rows.n},
		      "count");
		scanner_forget(scanner, &rows.block);
		rows_finish(&rows);
	}
}

Test(scanner_vulkan_propose, keeps_the_contract_for_hostile_rows_and_dimensions)
{
	static const uint32_t dims[] = {1, 7, 33, 130, 700};
	SCOPED(scanner) scanner = software_open();

	for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
		struct rows rows;

		rows_init(&rows, dims[d], 4000, d);
		rows_add(&rows, ROWS_HOSTILE, 3000);
		rows_add(&rows, ROWS_WHOLE, 1000);
		check(scanner, &rows, &(struct scan_range){.block = &rows.block, .n = rows.n},
		      "hostile");
		scanner_forget(scanner, &rows.block);
		rows_finish(&rows);
	}
}

Test(scanner_vulkan_propose, breaks_ties_by_row_across_workgroups_and_chunks)
{
	SCOPED(scanner) scanner = software_open();
	struct window window;
	struct scan_query query;
	struct arena arena;
	struct rows rows;

	/* Thousands of twins, in chunks of 1024, 1024, 2048 and so on. */
	arena_init(&arena, 1 << 20);
	rows_init(&rows, 64, 30000, 4);
	rows_add(&rows, ROWS_WHOLE, 1000);
	for (uint32_t n = 1000; n < 30000; n += 1450) {
		struct scan_range range = {.block = &rows.block, .n = rows.n};

		check(scanner, &rows, &range, "ties");
		for (uint32_t i = 0; i < 1450; i++, rows.n++) {
			memcpy(rows.vectors + rows.n * rows.block.stride, rows.vectors,
			       rows.block.stride * sizeof(float));
			rows.norms[rows.n] = rows.norms[0];
			rows.squares[rows.n] = rows.squares[0];
		}
	}
	memcpy(rows.query, rows.vectors, rows.dim * sizeof(float));
	cr_assert(!status_failed(scan_query_init(&query, &arena, METRIC_L2, rows.query, rows.dim)));
	cr_assert(!status_failed(window_init(&window, 128)));
	cr_assert(!status_failed(scanner_propose(
		scanner, &query,
		&(struct scan_range){
			.block = &rows.block, .first = 1000, .n = 29000, .row_base = 1 << 20},
		NULL, &window)));
	window_seal(&window);

	cr_assert_eq(window.n, 128);
	for (size_t i = 0; i < 128; i++)
		cr_assert_eq(window.keys[i].row, (1 << 20) + 1000 + i);

	window_finish(&window);
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
	arena_finish(&arena);
}

Test(scanner_vulkan_propose, passes_over_rows_that_are_not_visible)
{
	static const unsigned percents[] = {0, 1, 50, 99, 100};
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	rows_init(&rows, 48, 7000, 6);
	rows_add(&rows, ROWS_PLAIN, 5000);
	rows_add(&rows, ROWS_HOSTILE, 2000);
	for (size_t p = 0; p < sizeof percents / sizeof *percents; p++) {
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
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
}

/* Range by range into one window: the threshold of the first ones gates the later ones. */
static void propose_in_parts(struct scanner *scanner, const struct scan_query *query,
			     struct rows *rows, bool backwards, struct window *window)
{
	static const uint32_t ends[] = {0, 500, 501, 2500, 6000};
	const size_t n = sizeof ends / sizeof *ends - 1;

	for (size_t i = 0; i < n; i++) {
		size_t part = backwards ? n - 1 - i : i;
		struct scan_range range = {
			.block = &rows->block,
			.first = ends[part],
			.n = ends[part + 1] - ends[part],
		};
		status done = scanner_propose(scanner, query, &range, NULL, window);

		cr_assert(!status_failed(done), "%s", done.detail);
	}
	window_seal(window);
}

Test(scanner_vulkan_propose, fills_one_window_from_many_ranges_in_any_order)
{
	SCOPED(scanner) scanner = software_open();
	struct scan_query query;
	struct arena arena;
	struct rows rows;

	/* In two dimensions there are 25 different vectors: nearly every score is a tie. */
	arena_init(&arena, 1 << 20);
	rows_init(&rows, 2, 6000, 9);
	rows_add(&rows, ROWS_WHOLE, 6000);
	cr_assert(!status_failed(scan_query_init(&query, &arena, METRIC_L2, rows.query, rows.dim)));
	for (size_t i = 0; i < 2 * WIDTHS; i++) {
		size_t width = widths[i / 2];
		struct window parts, whole;

		cr_assert(!status_failed(window_init(&parts, width)));
		cr_assert(!status_failed(window_init(&whole, width)));
		cr_assert(!status_failed(scanner_propose(
			scanner, &query, &(struct scan_range){.block = &rows.block, .n = 6000},
			NULL, &whole)));
		window_seal(&whole);
		propose_in_parts(scanner, &query, &rows, i % 2 == 1, &parts);

		cr_assert_eq(parts.n, whole.n);
		for (size_t k = 0; k < whole.n; k++) {
			cr_assert_eq(parts.keys[k].row, whole.keys[k].row, "width %zu, key %zu",
				     width, k);
			cr_assert(!key_before(parts.horizon, parts.keys[k]));
		}
		window_finish(&parts);
		window_finish(&whole);
	}
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
	arena_finish(&arena);
}

Test(scanner_vulkan_propose, takes_more_rows_than_one_submission_has)
{
	static const size_t some[] = {10, 128, 5000};
	const uint32_t n = SCAN_ROWS + 70;
	SCOPED(scanner) scanner = software_open();
	uint64_t *visible = bits_random(n, 90, 1);
	struct expectation expected;
	struct rows rows;

	rows_init(&rows, 16, n, 2);
	rows_add(&rows, ROWS_PLAIN, n);
	expected = (struct expectation){
		.scanner = scanner,
		.metric = METRIC_L2,
		.rows = &rows,
		.range = {.block = &rows.block, .n = n, .visible = visible},
		.what = "two submissions",
	};
	for (size_t w = 0; w < sizeof some / sizeof *some; w++)
		expect_proposal(&expected, some[w]);
	expect_bounds(&expected);
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
	free(visible);
}

Test(scanner_vulkan_propose, takes_more_rows_than_one_buffer_holds)
{
	SCOPED(scanner) scanner = software_open();
	struct vulkan_device *device = scanner_vulkan_runtime(scanner)->device;
	struct rows rows;

	/* Some 730 rows to a buffer, as if that were the device's limit. */
	device->buffer_bytes = 100000;
	rows_init(&rows, 24, 9000, 11);
	for (size_t i = 0; i < 3; i++) {
		struct expectation expected = {
			.scanner = scanner,
			.metric = METRIC_INNER_PRODUCT,
			.rows = &rows,
			.range = {.block = &rows.block},
			.what = "small buffers",
		};
		rows_add(&rows, ROWS_HOSTILE, 3000);
		expected.range.n = rows.n;
		expect_bounds(&expected);
		check(scanner, &rows, &expected.range, "small buffers");
	}
	scanner_forget(scanner, &rows.block);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
	rows_finish(&rows);
}

/* What does not fit is the processor's: the device keeps to what it may use, and says so. */
Test(scanner_vulkan_propose, keeps_to_the_memory_that_it_may_use)
{
	SCOPED(scanner) scanner = software_open();
	const uint64_t most = (uint64_t)1 << 20;
	struct window window = {0};
	struct scan_query query;
	struct rows rows;
	struct arena arena;
	struct scan_range range;

	arena_init(&arena, 1 << 20);
	rows_init(&rows, 64, 12000, 1);
	rows_add(&rows, ROWS_PLAIN, 12000);
	cr_assert_not(
		status_failed(scan_query_init(&query, &arena, METRIC_L2, rows.query, rows.dim)));
	scanner_vulkan_runtime(scanner)->device->memory_bytes_max = most;
	range = (struct scan_range){.block = &rows.block, .n = 1000};
	cr_assert_not(status_failed(window_init(&window, 10)));
	cr_assert_not(status_failed(scanner_propose(scanner, &query, &range, NULL, &window)));
	range.n = 12000;
	cr_assert_eq(scanner_propose(scanner, &query, &range, NULL, &window).code,
		     STATUS_UNAVAILABLE);
	cr_assert_leq(scanner_vulkan_used_bytes(scanner), most);
	window_finish(&window);
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
	arena_finish(&arena);
}
