/* The nth call to the driver fails, for every n and each error: searches are answered all the same, by
 * the processor where need be; no object is left; and the device comes back.
 */
#include "kernels/base/gauge.h"
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/vulkan/instance.h"
#include "kernels/vulkan/keeper.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/cpu/codes8_fixture.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/layer.h"
#include "tests/kernels/vulkan/software.h"

#include <sched.h>
#include <stdlib.h>

#define N 1500
#define DIM 80

/* Rows as vectors and as codes, one question, and its answers. */
struct stage {
	struct scanner *cpu;
	struct rows rows;
	struct hostile_block block; /* the same rows for the coder */
	struct coded coded;
	struct codes8_seat seat;
	struct arena arena;
	struct scan_query query;
	struct codes8_query coded_query;
	struct scan_range range;
	struct codes8_range codes_range;
	struct window want, want_codes;
};

#define WIDTH 40

static void stage_init(struct stage *stage)
{
	struct codes8_probe probe = {&stage->coded_query, &stage->want_codes, 0};

	arena_init(&stage->arena, 1 << 20);
	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &stage->cpu)));
	rows_init(&stage->rows, DIM, N, 1);
	rows_add(&stage->rows, ROWS_PLAIN, N);
	hostile_block_init(&stage->block, N, DIM);
	for (uint32_t row = 0; row < N; row++)
		memcpy(hostile_row(&stage->block, row), rows_vector(&stage->rows, row),
		       DIM * sizeof(float));
	coded_init(&stage->coded, &stage->block, METRIC_L2, 64, NULL);
	stage->seat = (struct codes8_seat){0};
	stage->coded.codes.seat = &stage->seat;
	stage->range = (struct scan_range){.block = &stage->rows.block, .n = N};
	stage->codes_range = (struct codes8_range){.codes = &stage->coded.codes, .n = N};
	cr_assert_not(status_failed(
		scan_query_init(&stage->query, &stage->arena, METRIC_L2, stage->rows.query, DIM)));
	cr_assert_not(status_failed(codes8_query_init(&stage->coded_query, &stage->arena,
						      &stage->coded.codes.shape, NULL,
						      stage->rows.query)));
	cr_assert_not(status_failed(window_init(&stage->want, WIDTH)));
	cr_assert_not(status_failed(window_init(&stage->want_codes, WIDTH)));
	cr_assert_not(status_failed(
		scanner_propose(stage->cpu, &stage->query, &stage->range, NULL, &stage->want)));
	cr_assert_not(status_failed(
		codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &stage->codes_range, NULL)));
	window_seal(&stage->want);
	window_seal(&stage->want_codes);
}

static void stage_finish(struct stage *stage)
{
	window_finish(&stage->want);
	window_finish(&stage->want_codes);
	coded_finish(&stage->coded);
	hostile_block_finish(&stage->block);
	rows_finish(&stage->rows);
	scanner_close(stage->cpu);
	arena_finish(&stage->arena);
}

static bool is_for_processor(status scanned)
{
	return scanned.code == STATUS_UNAVAILABLE || scanned.code == STATUS_RESOURCE_EXHAUSTED;
}

/* As a cursor does: the device first. ret_by_device  it was enough. */
static void search_rows(struct stage *stage, struct scanner *scanner, size_t width,
			bool *ret_by_device)
{
	struct window memory;
	SCOPED(window) window = &memory;
	status scanned;

	cr_assert_not(status_failed(window_init(window, width)));
	scanned = scanner_propose(scanner, &stage->query, &stage->range, NULL, window);
	*ret_by_device = !status_failed(scanned);
	if (is_for_processor(scanned))
		scanned = scanner_propose(stage->cpu, &stage->query, &stage->range, NULL, window);
	cr_assert_not(status_failed(scanned), "%s", scanned.detail);
	window_seal(window);
	/* Bounds in float differ a little, and a row may be there twice before sealing. */
	cr_assert_geq(window->n, WIDTH / 2);
	cr_assert_eq(window->keys[0].row, stage->want.keys[0].row);
}

static void search_codes(struct stage *stage, struct scanner *scanner, bool *ret_by_device)
{
	struct window memory;
	SCOPED(window) window = &memory;
	struct codes8_probe probe = {&stage->coded_query, window, 0};
	status scanned;

	cr_assert_not(status_failed(window_init(window, WIDTH)));
	scanned = scanner_propose_codes(scanner, &probe, 1, &stage->codes_range, NULL);
	*ret_by_device = !status_failed(scanned);
	if (is_for_processor(scanned))
		scanned = codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1,
					 &stage->codes_range, NULL);
	cr_assert_not(status_failed(scanned), "%s", scanned.detail);
	window_seal(window);
	cr_assert_eq(window->n, WIDTH);
	for (size_t i = 0; i < WIDTH; i++)
		cr_assert(window->keys[i].row == stage->want_codes.keys[i].row &&
			  window->keys[i].score == stage->want_codes.keys[i].score);
}

static void bounds_codes(struct stage *stage, struct scanner *scanner, bool *ret_by_device)
{
	static float upper[N], lower[N];
	status scanned = scanner_bounds_codes(scanner, &stage->coded_query, &stage->codes_range,
					      NULL, &(struct codes8_bounds_out){upper, lower});

	cr_assert(!status_failed(scanned) || is_for_processor(scanned), "%s", scanned.detail);
	*ret_by_device = !status_failed(scanned);
}

/* Everything that a device is asked for. Gives whether it answered all of it. */
static bool search_all(struct stage *stage, struct scanner *scanner)
{
	bool by_device, all = true;

	search_rows(stage, scanner, WIDTH, &by_device);
	all &= by_device;
	search_rows(stage, scanner, 400, &by_device);
	all &= by_device;
	search_codes(stage, scanner, &by_device);
	all &= by_device;
	bounds_codes(stage, scanner, &by_device);
	return all && by_device;
}

/* A block that found no room stays out until it is another one's turn. */
static bool comes_back(struct stage *stage, struct scanner *scanner)
{
	int64_t until_ns = clock_ns() + INT64_C(20000000000);

	while (!search_all(stage, scanner)) {
		if (clock_ns() > until_ns)
			return false;
		scan_block_close(&stage->rows.block);
		codes8_seat_close(&stage->seat);
		sched_yield();
	}
	return true;
}

static status scanner_open(struct scanner **ret)
{
	struct gpu_list list;
	struct arena arena;
	struct gpu_options options = test_gpu();
	status opened;

	arena_init(&arena, 1 << 16);
	opened = scanner_vulkan_open(&options, &arena, &list, ret);
	arena_finish(&arena);
	return opened;
}

/* One failure. Gives whether the call came at all. */
static bool fail_nth(struct stage *stage, int64_t n, VkResult failure)
{
	struct scanner *scanner = NULL;
	bool failed;

	layer_install();
	layer_fail(n, failure);
	if (!status_failed(scanner_open(&scanner))) {
		search_all(stage, scanner);
		failed = layer_has_failed();
		layer_fail_never();
		cr_assert(comes_back(stage, scanner), "call %lld", (long long)n);
		cr_assert(gauge_settles(), "call %lld", (long long)n);
		scan_block_close(&stage->rows.block);
		codes8_seat_close(&stage->seat);
		cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0, "call %lld", (long long)n);
		scanner_close(scanner);
	} else {
		failed = true;
		layer_fail_never();
	}
	cr_assert(layer_is_empty(), "call %lld", (long long)n);
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
	return failed;
}

static void each_call_fails(VkResult failure)
{
	struct stage stage;
	int64_t n = 0;

	/* Drivers are slow to load, and some fail when that was done often. */
	VkInstance held;

	scanner_close(software_open());
	cr_assert_not(status_failed(instance_acquire(&held)));
	stage_init(&stage);
	while (fail_nth(&stage, n, failure))
		cr_assert_lt(++n, 1000);
	/* Opening alone makes a dozen objects. */
	cr_assert_gt(n, 50);
	stage_finish(&stage);
	instance_release();
}

Test(vulkan_failure, out_of_host_memory_at_any_call_loses_no_answer)
{
	each_call_fails(VK_ERROR_OUT_OF_HOST_MEMORY);
}

Test(vulkan_failure, out_of_device_memory_at_any_call_loses_no_answer)
{
	each_call_fails(VK_ERROR_OUT_OF_DEVICE_MEMORY);
}

Test(vulkan_failure, a_lost_device_at_any_call_loses_no_answer)
{
	each_call_fails(VK_ERROR_DEVICE_LOST);
}

Test(vulkan_failure, a_timeout_at_any_call_loses_no_answer)
{
	each_call_fails(VK_TIMEOUT);
}

/* Codes that come by a queue of their own: the same, with its own calls. */
Test(vulkan_failure, a_lost_device_at_any_call_of_two_queues_loses_no_answer)
{
	device_transfer_forced = true;
	each_call_fails(VK_ERROR_DEVICE_LOST);
}

Test(vulkan_failure, out_of_device_memory_at_any_call_of_two_queues_loses_no_answer)
{
	device_transfer_forced = true;
	each_call_fails(VK_ERROR_OUT_OF_DEVICE_MEMORY);
}

/* Says whether the device answers before so long. */
static bool answers_within(struct stage *stage, struct scanner *scanner, int64_t ns)
{
	int64_t until_ns = clock_ns() + ns;
	bool by_device = false;

	while (!by_device && clock_ns() < until_ns) {
		search_codes(stage, scanner, &by_device);
		sched_yield();
	}
	return by_device;
}

Test(vulkan_failure, the_third_loss_in_a_short_time_opens_the_breaker)
{
	struct scanner *scanner;
	struct keeper *keeper;
	struct stage stage;
	bool by_device;

	layer_install();
	scanner = software_open();
	keeper = scanner_vulkan_keeper(scanner);
	stage_init(&stage);
	for (int loss = 0; loss < LOSSES_MAX; loss++) {
		cr_assert(answers_within(&stage, scanner, INT64_C(20000000000)), "loss %d", loss);
		layer_fail(0, VK_ERROR_DEVICE_LOST);
		search_codes(&stage, scanner, &by_device);
		cr_assert_not(by_device);
		layer_fail_never();
		if (loss == LOSSES_MAX - 2) {
			pthread_mutex_lock(&keeper->lock);
			keeper->breaker_ns = INT64_C(3600) * 1000000000;
			pthread_mutex_unlock(&keeper->lock);
		}
	}
	/* It is not the time that is tested: until the breaker closes there is no device at all. */
	while (!by_device && layer_alive(LAYER_DEVICE) != 0)
		search_codes(&stage, scanner, &by_device);
	cr_assert_not(answers_within(&stage, scanner, INT64_C(300000000)));
	cr_assert_eq(layer_alive(LAYER_DEVICE), 0);
	codes8_seat_close(&stage.seat);
	stage_finish(&stage);
	scanner_close(scanner);
	cr_assert(layer_is_empty());
}

Test(vulkan_failure, a_block_beyond_the_budget_is_refused_before_anything_is_uploaded)
{
	SCOPED(scanner) scanner = software_open();
	struct vulkan_device *device = scanner_vulkan_runtime(scanner)->device;
	struct stage stage;
	bool by_device;

	stage_init(&stage);
	device->has_budget = false;
	/* As if other blocks had taken nearly all. */
	atomic_fetch_add(&device->used_bytes, UINT64_MAX / 2);
	search_rows(&stage, scanner, WIDTH, &by_device);
	cr_assert_not(by_device);
	search_codes(&stage, scanner, &by_device);
	cr_assert_not(by_device);
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
	atomic_fetch_sub(&device->used_bytes, UINT64_MAX / 2);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
	scan_block_close(&stage.rows.block);
	codes8_seat_close(&stage.seat);
	stage_finish(&stage);
}
