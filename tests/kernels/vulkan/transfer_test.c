/* Codes that come by a queue of their own. The software driver has no such queue: its only one stands in,
 * with a timeline of its own. */
#include "kernels/base/gauge.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/cpu/codes8_fixture.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/layer.h"
#include "tests/kernels/vulkan/software.h"

#include <sched.h>
#include <string.h>

#define ROWS 2000
#define DIM 96
#define HEAD 64
#define WIDTH 50

struct stage {
	struct scanner *scanner;
	struct vulkan_device *device;
	struct hostile_block block;
	struct coded coded;
	struct codes8_seat seat;
	struct asked asked;
	struct window window, want;
};

static void stage_init(struct stage *stage)
{
	struct random random = {31};
	struct codes8_range range = {.codes = &stage->coded.codes, .n = ROWS};
	struct codes8_probe probe = {&stage->asked.query, &stage->want, 0};
	float query[DIM];

	*stage = (struct stage){0};
	layer_install();
	device_transfer_forced = true;
	stage->scanner = software_open();
	stage->device = scanner_vulkan_runtime(stage->scanner)->device;
	hostile_block_init(&stage->block, ROWS, DIM);
	for (size_t row = 0; row < ROWS; row++)
		for (size_t i = 0; i < DIM; i++)
			/* The energy is in the head: one submission is enough. */
			hostile_row(&stage->block, row)[i] =
				random_signed(&random) * (i < HEAD ? 1 : 0.05F);
	hostile_block_measure(&stage->block);
	coded_init(&stage->coded, &stage->block, METRIC_INNER_PRODUCT, HEAD, NULL);
	stage->coded.codes.seat = &stage->seat;
	hostile_query_draw(&random, QUERY_UNIT, METRIC_INNER_PRODUCT, query, DIM);
	ask(&stage->asked, &stage->coded.codes.shape, NULL, query);
	cr_assert_not(status_failed(window_init(&stage->window, WIDTH)));
	cr_assert_not(status_failed(window_init(&stage->want, WIDTH)));
	cr_assert_not(status_failed(
		codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &range, NULL)));
	window_seal(&stage->want);
}

static void stage_finish(struct stage *stage)
{
	codes8_seat_close(&stage->seat);
	cr_assert_eq(scanner_vulkan_used_bytes(stage->scanner), 0);
	scanner_close(stage->scanner);
	window_finish(&stage->window);
	window_finish(&stage->want);
	arena_finish(&stage->asked.arena);
	coded_finish(&stage->coded);
	hostile_block_finish(&stage->block);
	cr_assert(layer_is_empty());
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
}

static status search(struct stage *stage)
{
	struct codes8_range range = {.codes = &stage->coded.codes, .n = ROWS};
	struct codes8_probe probe = {&stage->asked.query, &stage->window, 0};

	cr_assert_not(status_failed(window_clear(&stage->window, WIDTH)));
	return scanner_propose_codes(stage->scanner, &probe, 1, &range, NULL);
}

static void check(struct stage *stage)
{
	window_seal(&stage->window);
	cr_assert_eq(stage->window.n, stage->want.n);
	for (size_t i = 0; i < stage->want.n; i++)
		cr_assert(stage->window.keys[i].row == stage->want.keys[i].row &&
			  stage->window.keys[i].score == stage->want.keys[i].score);
}

Test(vulkan_transfer, codes_come_by_the_queue_that_transfers_and_nothing_else_does)
{
	struct stage stage;

	stage_init(&stage);
	cr_assert_not(status_failed(search(&stage)));
	check(&stage);
	cr_assert_eq(stage.device->transfer.submitted, 1);
	/* The one that tells the queue of scans, and the scan. */
	cr_assert_eq(stage.device->compute.submitted, 2);
	cr_assert_not(status_failed(search(&stage)));
	check(&stage);
	cr_assert_eq(stage.device->transfer.submitted, 1);
	cr_assert_eq(stage.device->compute.submitted, 3);
	stage_finish(&stage);
}

Test(vulkan_transfer, many_pieces_take_turns)
{
	struct stage stage;
	uint64_t bytes;

	stage_init(&stage);
	/* As if that were a buffer's limit: a piece for each. */
	stage.device->buffer_bytes = 20000;
	layer_plan_clear();
	cr_assert_not(status_failed(search(&stage)));
	check(&stage);
	bytes = codes8_heads_bytes(&stage.coded.codes.shape, ROWS) +
		codes8_tails_bytes(&stage.coded.codes.shape, ROWS);
	cr_assert_gt(stage.device->transfer.submitted, 2 * UPLOADS);
	cr_assert_eq(layer_plan().copied_bytes, bytes + 16);
	stage_finish(&stage);
}

Test(vulkan_transfer, codes_are_offered_only_when_their_transfer_is_over)
{
	struct stage stage;
	status asked;

	stage_init(&stage);
	scanner_vulkan_runtime(stage.scanner)->waits_for_uploads = false;
	layer_plan_clear();
	layer_stick(true);
	while (layer_plan().submits < 2)
		cr_assert_eq(search(&stage).code, STATUS_UNAVAILABLE);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(search(&stage).code, STATUS_UNAVAILABLE);
	layer_stick(false);
	while (asked = search(&stage), asked.code == STATUS_UNAVAILABLE)
		sched_yield();
	cr_assert_not(status_failed(asked));
	check(&stage);
	stage_finish(&stage);
}

Test(vulkan_transfer, codes_that_are_forgotten_on_their_way_stay_until_the_device_is_done)
{
	struct stage stage;

	stage_init(&stage);
	scanner_vulkan_runtime(stage.scanner)->waits_for_uploads = false;
	layer_stick(true);
	layer_plan_clear();
	while (layer_plan().submits < 2)
		cr_assert_eq(search(&stage).code, STATUS_UNAVAILABLE);
	codes8_seat_close(&stage.seat);
	cr_assert_gt(scanner_vulkan_used_bytes(stage.scanner), 0);
	layer_stick(false);
	cr_assert(gauge_settles());
	while (scanner_vulkan_used_bytes(stage.scanner) > 0)
		sched_yield();
	stage_finish(&stage);
}
