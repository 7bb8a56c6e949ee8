/* Rows that a device keeps as halves: half the bytes, and for what are halves the same bounds. */
#include "kernels/float16.h"
#include "kernels/score.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <math.h>
#include <stdlib.h>

#define DIM 200
#define ROWS 3000

static const enum metric metrics[] = {METRIC_INNER_PRODUCT, METRIC_L2};

/* The widths of all rows' bounds, to be freed. */
static float *widths_of(struct scanner *scanner, struct rows *rows, enum metric metric)
{
	float *upper = calloc(rows->n, sizeof *upper), *lower = calloc(rows->n, sizeof *lower);
	struct scan_range range = {.block = &rows->block, .n = rows->n};
	struct scan_query query;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	cr_assert_not(
		status_failed(scan_query_init(&query, &arena, metric, rows->query, rows->dim)));
	cr_assert_not(status_failed(scanner_bounds(scanner, &query, &range, NULL, upper, lower)));
	for (uint32_t i = 0; i < rows->n; i++)
		upper[i] -= lower[i];
	free(lower);
	arena_finish(&arena);
	return upper;
}

/* Rounded to halves none of which is denormal. */
static void rows_round(struct rows *rows)
{
	for (uint32_t i = 0; i < rows->n; i++) {
		float *vector = rows->vectors + i * rows->block.stride;

		for (uint32_t d = 0; d < rows->dim; d++) {
			vector[d] = float16_widen(float16_narrow(vector[d]));
			if (fabsf(vector[d]) < 0x1p-14F)
				vector[d] = 0;
		}
		scan_row_norms(vector, rows->dim, &rows->norms[i], &rows->squares[i]);
	}
}

Test(vulkan_half, bounds_of_rows_that_are_halves_are_no_wider_than_as_floats)
{
	SCOPED(scanner) scanner = software_open();
	struct rows rows;

	rows_init(&rows, DIM, ROWS, 1);
	rows_add(&rows, ROWS_PLAIN, ROWS);
	rows_round(&rows);
	for (size_t m = 0; m < sizeof metrics / sizeof *metrics; m++) {
		float *as_floats, *as_halves;

		rows_keep(&rows, false);
		as_floats = widths_of(scanner, &rows, metrics[m]);
		rows_keep(&rows, true);
		as_halves = widths_of(scanner, &rows, metrics[m]);
		/* But for what is lost where a width is the difference of two roundings. */
		for (uint32_t i = 0; i < rows.n; i++)
			cr_assert_leq(as_halves[i], as_floats[i] * 1.02F, "row %u: %a, not %a", i,
				      (double)as_halves[i], (double)as_floats[i]);
		free(as_floats);
		free(as_halves);
	}
	rows_keep(&rows, false);
	rows_finish(&rows);
}

/* Any rows may be kept so; what they lose is in their bounds, and is little. */
Test(vulkan_half, bounds_of_other_rows_are_wider_by_what_they_lose)
{
	SCOPED(scanner) scanner = software_open();
	struct rows rows;
	float *widths;

	rows_init(&rows, DIM, ROWS, 2);
	rows_add(&rows, ROWS_PLAIN, ROWS);
	rows_keep(&rows, true);
	widths = widths_of(scanner, &rows, METRIC_INNER_PRODUCT);
	for (uint32_t i = 0; i < rows.n; i++)
		cr_assert_leq((double)widths[i],
			      2 * 0x1p-11 * vector_norm(rows.query, DIM) * (double)rows.norms[i]);
	free(widths);
	rows_keep(&rows, false);
	rows_finish(&rows);
}

Test(vulkan_half, bounds_hold_beyond_what_halves_can_be)
{
	static const float scales[] = {0x1p-24F, 0x1p-20F, 0x1p-14F, 60000, 65504, 65535, 0x1p40F};
	SCOPED(scanner) scanner = software_open();

	for (size_t s = 0; s < 2 * sizeof scales / sizeof *scales; s++) {
		struct rows rows;

		rows_init(&rows, 37, 500, s);
		rows_add(&rows, ROWS_PLAIN, 500);
		for (uint32_t i = 0; i < rows.n; i++) {
			float *vector = rows.vectors + i * rows.block.stride;

			for (uint32_t d = 0; d < rows.dim; d += 1 + i % 3)
				vector[d] *= scales[s / 2];
			scan_row_norms(vector, rows.dim, &rows.norms[i], &rows.squares[i]);
		}
		rows_keep(&rows, true);
		expect_bounds(&(struct expectation){
			.scanner = scanner,
			.metric = metrics[s % 2],
			.rows = &rows,
			.range = {.block = &rows.block, .n = rows.n},
			.what = "scaled",
		});
		rows_keep(&rows, false);
		rows_finish(&rows);
	}
}

Test(vulkan_half, take_half_the_memory_of_floats)
{
	SCOPED(scanner) scanner = software_open();
	const uint64_t values = (uint64_t)ROWS * 208, sides = (uint64_t)ROWS * 8;
	struct rows rows;

	rows_init(&rows, DIM, ROWS, 3);
	rows_add(&rows, ROWS_HALVES, ROWS);
	for (int half = 0; half < 2; half++) {
		rows_keep(&rows, half);
		free(widths_of(scanner, &rows, METRIC_L2));
		cr_assert_geq(scanner_vulkan_used_bytes(scanner), values * (half ? 2 : 4) + sides);
		cr_assert_leq(scanner_vulkan_used_bytes(scanner),
			      values * (half ? 2 : 4) + sides + 65536);
	}
	rows_keep(&rows, false);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
	rows_finish(&rows);
}
