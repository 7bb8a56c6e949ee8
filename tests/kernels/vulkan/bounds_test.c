#include "kernels/score.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <math.h>
#include <stdlib.h>

static const enum metric metrics[] = {METRIC_INNER_PRODUCT, METRIC_L2};

static const uint32_t dims[] = {1,  2,   3,   15,  16,   17,   31,   33,
				64, 100, 129, 384, 1000, 1536, 4095, 8191};

static void check(struct scanner *scanner, struct rows *rows, const char *what)
{
	for (size_t m = 0; m < 2 * sizeof metrics / sizeof *metrics; m++) {
		struct expectation expected = {
			.scanner = scanner,
			.metric = metrics[m / 2],
			.rows = rows,
			.range = {.block = &rows->block, .n = rows->n},
			.what = what,
		};

		rows_keep(rows, m % 2);
		expect_bounds(&expected);
	}
}

Test(scanner_vulkan_bounds, hold_for_kind_and_hostile_vectors_of_any_dimension)
{
	SCOPED(scanner) scanner = software_open();

	for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
		struct rows rows;

		uint32_t n = dims[d] > 2000 ? 20 : 100;

		rows_init(&rows, dims[d], 14 * n, d);
		rows_add(&rows, ROWS_PLAIN, 3 * n);
		rows_add(&rows, ROWS_HOSTILE, 5 * n);
		rows_add(&rows, ROWS_CANCELS, 2 * n);
		rows_add(&rows, ROWS_WHOLE, 2 * n);
		rows_add(&rows, ROWS_HALVES, 2 * n);
		check(scanner, &rows, "mixed");
		scanner_forget(scanner, &rows.block);
		rows_finish(&rows);
	}
}

Test(scanner_vulkan_bounds, hold_for_unit_vectors_under_cosine)
{
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	rows_init(&rows, 96, 2500, 5);
	rows_add(&rows, ROWS_PLAIN, 1000);
	rows_add(&rows, ROWS_CANCELS, 500);
	rows_add(&rows, ROWS_HALVES, 500);
	vector_normalise(rows.query, rows.dim);
	for (uint32_t i = 0; i < rows.n; i++) {
		float *vector = rows.vectors + i * rows.block.stride;

		vector_normalise(vector, rows.dim);
		scan_row_norms(vector, rows.dim, &rows.norms[i], &rows.squares[i]);
	}
	for (int half = 0; half < 2; half++) {
		rows_keep(&rows, half);
		expect_bounds(&(struct expectation){
			.scanner = scanner,
			.metric = METRIC_COSINE,
			.rows = &rows,
			.range = {.block = &rows.block, .n = rows.n},
			.what = "unit",
		});
	}
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
}

Test(scanner_vulkan_bounds, hold_for_the_largest_dimension)
{
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	rows_init(&rows, DIMENSION_MAX, 64, 8);
	rows_add(&rows, ROWS_HOSTILE, 40);
	rows_add(&rows, ROWS_CANCELS, 24);
	check(scanner, &rows, "largest");
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
}

Test(scanner_vulkan_bounds, hold_for_queries_of_any_magnitude)
{
	static const float scales[] = {0,       0x1p-149F, 0x1p-126F, 0x1p-100F, 0x1p-60F,
				       0x1p40F, 0x1p58F,   0x1p63F,   0x1p100F,  0x1p127F};
	SCOPED(scanner) scanner = software_open();

	for (size_t s = 0; s < sizeof scales / sizeof *scales; s++) {
		struct rows rows;

		rows_init(&rows, 33, 1000, s);
		for (uint32_t i = 0; i < rows.dim; i++)
			rows.query[i] *= scales[s];
		rows_add(&rows, ROWS_PLAIN, 200);
		rows_add(&rows, ROWS_CANCELS, 200);
		rows_add(&rows, ROWS_HOSTILE, 600);
		check(scanner, &rows, "scaled query");
		scanner_forget(scanner, &rows.block);
		rows_finish(&rows);
	}
}

Test(scanner_vulkan_bounds, hold_for_rows_of_any_magnitude)
{
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	rows_init(&rows, 20, 276, 3);
	rows_add(&rows, ROWS_PLAIN, 276);
	for (uint32_t i = 0; i < rows.n; i++) {
		float *vector = rows.vectors + i * rows.block.stride;

		/* From the smallest denormal to what no collection would take. */
		for (uint32_t d = 0; d < rows.dim; d++)
			vector[d] = ldexpf(vector[d], (int)i - 150);
		scan_row_norms(vector, rows.dim, &rows.norms[i], &rows.squares[i]);
	}
	check(scanner, &rows, "powers of two");
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
}

Test(scanner_vulkan_bounds, hold_for_any_range_as_the_block_grows)
{
	static const struct {
		uint32_t rows, first, n;
	} steps[] = {
		{0, 0, 0},       {1, 0, 1},        {1, 1, 0},          {2, 1, 1},
		{700, 3, 697},   {1023, 0, 1023},  {1024, 1000, 24},   {1025, 1024, 1},
		{1025, 1, 1024}, {2048, 0, 2048},  {5000, 1020, 3000}, {5000, 4999, 1},
		{9000, 0, 9000}, {9000, 2040, 20},
	};
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	rows_init(&rows, 24, 9000, 1);
	for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
		rows_add(&rows, ROWS_PLAIN, steps[s].rows - rows.n);
		expect_bounds(&(struct expectation){
			.scanner = scanner,
			.metric = METRIC_L2,
			.rows = &rows,
			.range = {.block = &rows.block, .first = steps[s].first, .n = steps[s].n},
			.what = "growing",
		});
	}
	cr_assert_gt(scanner_vulkan_used_bytes(scanner), 9000 * 32 * sizeof(float));

	scanner_forget(scanner, &rows.block);

	cr_assert_null(rows.block.copy);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
	rows_finish(&rows);
}
