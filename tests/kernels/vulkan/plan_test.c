/* What the device is told to do for a search: submissions, dispatches, bytes that move. Counted, since
 * on a software device times say nothing.
 */
#include "kernels/codes1.h"
#include "kernels/vulkan/scan.h"
#include "kernels/vulkan/scan8.h"
#include "tests/kernels/cpu/codes8_fixture.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/layer.h"
#include "tests/kernels/vulkan/software.h"

#include <stdlib.h>

#define ROWS 20000

struct seated {
	struct hostile_block block;
	struct coded coded;
	struct codes8_seat seat;
	struct asked asked;
};

static void seated_init(struct seated *seated, uint32_t dim, uint32_t head)
{
	struct random random = {3};
	float query[1024];

	hostile_block_init(&seated->block, ROWS, dim);
	/* The energy is in the head, as a rotation leaves it. */
	for (size_t row = 0; row < ROWS; row++)
		for (size_t i = 0; i < dim; i++)
			hostile_row(&seated->block, row)[i] =
				random_signed(&random) * (i < head || !head ? 1 : 0.05F);
	hostile_block_measure(&seated->block);
	coded_init(&seated->coded, &seated->block, METRIC_L2, head, NULL);
	seated->seat = (struct codes8_seat){0};
	seated->coded.codes.seat = &seated->seat;
	hostile_query_draw(&random, QUERY_UNIT, METRIC_L2, query, dim);
	ask(&seated->asked, &seated->coded.codes.shape, NULL, query);
}

static void seated_finish(struct seated *seated)
{
	codes8_seat_close(&seated->seat);
	arena_finish(&seated->asked.arena);
	coded_finish(&seated->coded);
	hostile_block_finish(&seated->block);
}

/* The same query n times, as a batch. Gives how many tails were read for all. */
static uint64_t search(struct scanner *scanner, struct seated *seated, size_t n, size_t width)
{
	struct codes8_range range = {.codes = &seated->coded.codes, .n = ROWS};
	struct codes8_probe probes[CODES8_PROBES_MAX];
	struct window windows[CODES8_PROBES_MAX];
	uint64_t tails = 0;

	for (size_t i = 0; i < n; i++) {
		cr_assert_not(status_failed(window_init(&windows[i], width)));
		probes[i] = (struct codes8_probe){&seated->asked.query, &windows[i], 0};
	}
	cr_assert_not(status_failed(scanner_propose_codes(scanner, probes, n, &range, NULL)));
	for (size_t i = 0; i < n; i++) {
		tails += probes[i].tails_read;
		window_finish(&windows[i]);
	}
	return tails;
}

static const struct {
	uint32_t dim, head;
} shapes[] = {{64, 0}, {96, 64}, {384, 192}};

Test(vulkan_plan, codes_go_to_the_device_once)
{
	for (size_t s = 0; s < COUNT(shapes); s++) {
		struct scanner *scanner;
		const struct codes8_shape *shape;
		struct seated seated;

		layer_install();
		scanner = software_open();
		seated_init(&seated, shapes[s].dim, shapes[s].head);
		shape = &seated.coded.codes.shape;
		layer_plan_clear();
		search(scanner, &seated, 1, 10);
		/* All bytes, and the counters that come back. */
		cr_assert_eq(layer_plan().copied_bytes, codes8_heads_bytes(shape, ROWS) +
								codes8_tails_bytes(shape, ROWS) +
								16);
		layer_plan_clear();
		search(scanner, &seated, 1, 10);
		cr_assert_eq(layer_plan().copied_bytes, 16);
		seated_finish(&seated);
		scanner_close(scanner);
	}
}

Test(vulkan_plan, a_search_is_one_submission_of_four_dispatches_whatever_the_batch)
{
	struct scanner *scanner;

	layer_install();
	scanner = software_open();
	for (size_t s = 0; s < COUNT(shapes); s++) {
		struct seated seated;
		uint64_t tails;

		seated_init(&seated, shapes[s].dim, shapes[s].head);
		search(scanner, &seated, 1, 10);
		for (size_t n = 1; n <= CODES8_PROBES_MAX; n++) {
			/* Codes: a workgroup for each 256 rows, for all queries at once. The rest
			 * reads what that left, of each query for itself. */
			uint64_t of_codes = (ROWS + 255) / 256, of_keys = (ROWS + 4095) / 4096;

			layer_plan_clear();
			tails = search(scanner, &seated, n, 10);
			cr_assert_eq(layer_plan().submits, 1, "%u of %u", shapes[s].head,
				     shapes[s].dim);
			cr_assert_eq(layer_plan().dispatches, 4);
			cr_assert_eq(layer_plan().workgroups, of_codes + 3 * n * of_keys);
			cr_assert_eq(layer_plan().copied_bytes, 16 * n);
			/* Of each query's rows a part is looked at more closely. */
			cr_assert_leq(tails, n * 2 * scan8_wanted(&seated.coded.codes.shape, 10));
		}
		seated_finish(&seated);
	}
	scanner_close(scanner);
	cr_assert(layer_is_empty());
}

Test(vulkan_plan, signs_go_to_the_device_once_and_are_read_once_a_batch)
{
	struct scanner *scanner;

	layer_install();
	scanner = software_open();
	for (size_t s = 0; s < COUNT(shapes); s++) {
		const struct codes8_shape *shape;
		struct seated seated;

		seated_init(&seated, shapes[s].dim, shapes[s].head);
		seated.seat.is_thin = true;
		shape = &seated.coded.codes.shape;
		layer_plan_clear();
		search(scanner, &seated, 1, 10);
		cr_assert_eq(layer_plan().copied_bytes,
			     ROWS / CODES8_ROWS * codes1_block_bytes(shape) + 16);
		for (size_t n = 1; n <= CODES8_PROBES_MAX; n++) {
			layer_plan_clear();
			cr_assert_eq(search(scanner, &seated, n, 10), 0);
			cr_assert_eq(layer_plan().submits, 1);
			cr_assert_eq(layer_plan().dispatches, 4);
			cr_assert_eq(layer_plan().workgroups,
				     (ROWS + 255) / 256 + 3 * n * ((ROWS + 4095) / 4096));
			cr_assert_eq(layer_plan().copied_bytes, 16 * n);
		}
		seated_finish(&seated);
	}
	scanner_close(scanner);
	cr_assert(layer_is_empty());
}

/* The largest of the slots' buffers for results. */
static uint64_t result_bytes(struct scanner *scanner)
{
	struct vulkan_runtime *runtime = scanner_vulkan_runtime(scanner);
	uint64_t most = 0;

	for (size_t i = 0; i < SLOTS; i++)
		if (runtime->slots[i].output.size_bytes > most)
			most = runtime->slots[i].output.size_bytes;
	return most;
}

Test(vulkan_plan, results_are_of_the_order_of_what_is_kept)
{
	SCOPED(scanner) scanner = software_open();
	struct seated seated;

	seated_init(&seated, 384, 192);
	for (size_t width = 1; width <= 128; width *= 2) {
		search(scanner, &seated, 1, width);
		/* Entries of 8 bytes, rounded up to a power of two. */
		cr_assert_leq(result_bytes(scanner),
			      (uint64_t)2 * 8 * 2 * scan8_wanted(&seated.coded.codes.shape, width) +
				      4096);
	}
	seated_finish(&seated);
}

static const uint32_t vector_dims[] = {3, 64, 384};

/* One query and a narrow window: each row is read by one workgroup, whose list is all that it leaves. */
Test(vulkan_plan, a_search_of_vectors_is_one_submission_of_at_most_four_dispatches)
{
	static const size_t widths[] = {1, 10, 128};
	struct scanner *scanner;

	layer_install();
	scanner = software_open();
	for (size_t i = 0; i < 2 * COUNT(widths); i++) {
		struct expectation expected = {
			.scanner = scanner, .metric = METRIC_L2, .what = "plan"};
		struct rows rows;

		rows_init(&rows, 64, ROWS, 4);
		rows_add(&rows, ROWS_PLAIN, ROWS);
		rows_keep(&rows, i % 2);
		expected.rows = &rows;
		expected.range = (struct scan_range){.block = &rows.block, .n = ROWS};
		expect_proposal(&expected, widths[i / 2]);
		layer_plan_clear();
		expect_proposal(&expected, widths[i / 2]);
		cr_assert_eq(layer_plan().submits, 1);
		cr_assert_leq(layer_plan().dispatches, 4);
		cr_assert_eq(layer_plan().copied_bytes, 0);
		rows_keep(&rows, false);
		rows_finish(&rows);
	}
	scanner_close(scanner);
	cr_assert(layer_is_empty());
}

/* Whatever the batch and the windows: four dispatches, of which the first has a workgroup for each so many
 * rows and not for each query, so that no byte of a row is read twice. */
Test(vulkan_plan, rows_of_vectors_are_read_once_a_batch)
{
	static const size_t widths[SCAN_PROBES_MAX] = {129, 10, 1, 1000, 500, 6, 7, 8};
	struct scanner *scanner;

	layer_install();
	scanner = software_open();
	for (size_t i = 0; i < 2 * COUNT(vector_dims); i++) {
		struct expectation expected = {
			.scanner = scanner, .metric = METRIC_L2, .what = "plan"};
		uint64_t of_rows =
			vector_dims[i / 2] > 16 ? (ROWS + 127) / 128 : (ROWS + 255) / 256;
		struct rows rows;

		rows_init(&rows, vector_dims[i / 2], ROWS, 4);
		rows_add(&rows, ROWS_PLAIN, ROWS);
		rows_keep(&rows, i % 2);
		expected.rows = &rows;
		expected.range = (struct scan_range){.block = &rows.block, .n = ROWS};
		expect_proposals(&expected, widths, 1);
		for (size_t n = 1; n <= SCAN_PROBES_MAX; n++) {
			uint64_t of_keys = (ROWS + 4095) / 4096;

			layer_plan_clear();
			expect_proposals(&expected, widths, n);
			cr_assert_eq(layer_plan().submits, 1);
			cr_assert_eq(layer_plan().dispatches, 4);
			cr_assert_eq(layer_plan().workgroups, of_rows + 3 * n * of_keys);
			cr_assert_eq(layer_plan().copied_bytes, 16 * n);
		}
		rows_keep(&rows, false);
		rows_finish(&rows);
	}
	scanner_close(scanner);
	cr_assert(layer_is_empty());
}

Test(vulkan_plan, halves_of_vectors_go_to_the_device_once)
{
	static const size_t widths[] = {10};

	for (int half = 0; half < 2; half++) {
		struct expectation expected = {.metric = METRIC_L2, .what = "plan"};
		struct rows rows;

		layer_install();
		expected.scanner = software_open();
		rows_init(&rows, 64, ROWS, 4);
		rows_add(&rows, ROWS_HALVES, ROWS);
		rows_keep(&rows, half);
		expected.rows = &rows;
		expected.range = (struct scan_range){.block = &rows.block, .n = ROWS};
		layer_plan_clear();
		expect_proposals(&expected, widths, 1);
		/* A value in two bytes or in four, norm and square in eight. */
		cr_assert_eq(layer_plan().copied_bytes,
			     (uint64_t)ROWS * (half ? 64 * 2 + 8 : 64 * 4 + 8));
		rows_keep(&rows, false);
		rows_finish(&rows);
		scanner_close(expected.scanner);
	}
}

Test(vulkan_plan, results_of_vectors_are_of_the_order_of_what_is_kept)
{
	SCOPED(scanner) scanner = software_open();
	struct expectation expected = {.scanner = scanner, .metric = METRIC_L2, .what = "plan"};
	struct rows rows;

	rows_init(&rows, 64, ROWS, 4);
	rows_add(&rows, ROWS_PLAIN, ROWS);
	expected.rows = &rows;
	expected.range = (struct scan_range){.block = &rows.block, .n = ROWS};
	for (size_t width = 1; width <= 4096; width *= 4) {
		expect_proposals(&expected, &width, 1);
		/* Entries of 8 bytes, rounded up to a power of two. */
		cr_assert_leq(result_bytes(scanner), (uint64_t)2 * 8 * 2 * (width + 1) + 4096 * 2);
	}
	rows_keep(&rows, false);
	rows_finish(&rows);
}
