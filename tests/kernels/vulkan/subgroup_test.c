/* The same answers whatever the size of subgroups: each that the driver lets us choose. */
#include "kernels/score.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/cpu/codes8_fixture.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <string.h>

#define ROWS 3000

/* A scanner whose kernels are made for subgroups of a size. ret_next  the next size; 0: it was the last. */
static struct scanner *sized_open(uint32_t size, uint32_t *ret_next)
{
	struct scanner *scanner = software_open();
	struct vulkan_device *device = scanner_vulkan_runtime(scanner)->device;

	if (!device->subgroup_max) {
		scanner_close(scanner);
		SKIP_LOUDLY("no driver that lets kernels choose the size of their subgroups");
	}
	device->subgroup_size = size ? size : device->subgroup_min;
	*ret_next =
		2 * device->subgroup_size <= device->subgroup_max ? 2 * device->subgroup_size : 0;
	return scanner;
}

static void check_vectors(struct scanner *scanner, uint32_t dim)
{
	static const size_t widths[SCAN_PROBES_MAX] = {10, 129, 1, 1000, 64, 128, 5000, 3};
	struct rows rows;

	rows_init(&rows, dim, ROWS, dim);
	rows_add(&rows, ROWS_PLAIN, ROWS / 3);
	rows_add(&rows, ROWS_HOSTILE, ROWS / 3);
	rows_add(&rows, ROWS_WHOLE, ROWS / 3);
	for (int half = 0; half < 2; half++) {
		struct expectation expected = {
			.scanner = scanner,
			.metric = METRIC_L2,
			.rows = &rows,
			.range = {.block = &rows.block, .n = ROWS},
			.what = "subgroups",
		};

		rows_keep(&rows, half);
		expect_bounds(&expected);
		for (size_t i = 0; i < 3; i++)
			expect_proposal(&expected, widths[i]);
		expect_proposals(&expected, widths, SCAN_PROBES_MAX);
	}
	rows_keep(&rows, false);
	rows_finish(&rows);
}

Test(vulkan_subgroup, vectors_are_found_with_each_size)
{
	static const uint32_t dims[] = {3, 40, 385};
	uint32_t size = 0;

	do {
		SCOPED(scanner) scanner = sized_open(size, &size);

		for (size_t d = 0; d < COUNT(dims); d++)
			check_vectors(scanner, dims[d]);
	} while (size);
}

/* Against the processor's scan: keys are the same bits. */
static void check_codes(struct scanner *scanner, struct random *random, bool is_thin)
{
	struct hostile_block block;
	struct coded coded;
	struct codes8_seat seat = {.is_thin = is_thin};
	struct codes8_range range = {.codes = &coded.codes, .n = ROWS};
	struct asked asked;
	float query[200];

	hostile_block_init(&block, ROWS, 200);
	for (size_t row = 0; row < ROWS; row++)
		for (size_t i = 0; i < 200; i++)
			hostile_row(&block, row)[i] = random_signed(random);
	hostile_block_measure(&block);
	coded_init(&coded, &block, METRIC_L2, 96, NULL);
	coded.codes.seat = &seat;
	hostile_query_draw(random, QUERY_UNIT, METRIC_L2, query, 200);
	ask(&asked, &coded.codes.shape, NULL, query);
	for (size_t width = 1; width < 5000; width *= 16) {
		struct window here = {0}, there = {0};
		struct codes8_probe on = {&asked.query, &there, 0}, off = {&asked.query, &here, 0};

		cr_assert_not(status_failed(window_init(&here, width)));
		cr_assert_not(status_failed(window_init(&there, width)));
		cr_assert_not(status_failed(scanner_propose_codes(scanner, &on, 1, &range, NULL)));
		cr_assert_not(status_failed(
			codes8_propose(codes8_scanner(CODES8_BEST), &off, 1, &range, NULL)));
		window_seal(&here);
		window_seal(&there);
		cr_assert_eq(there.n, here.n);
		/* Of signs the bounds are others. */
		for (size_t i = 0; i < here.n; i++) {
			const float *vector = hostile_row(&block, there.keys[i].row);

			cr_assert(is_thin || there.keys[i].row == here.keys[i].row);
			cr_assert_leq(score_exact(METRIC_L2, query, vector, 200),
				      there.keys[i].score);
		}
		window_finish(&here);
		window_finish(&there);
	}
	arena_finish(&asked.arena);
	codes8_seat_close(&seat);
	coded_finish(&coded);
	hostile_block_finish(&block);
}

Test(vulkan_subgroup, codes_are_found_with_each_size)
{
	struct random random = {5};
	uint32_t size = 0;

	do {
		SCOPED(scanner) scanner = sized_open(size, &size);

		check_codes(scanner, &random, false);
		check_codes(scanner, &random, true);
	} while (size);
}
