#include "kernels/base/gauge.h"
#include "kernels/score.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <pthread.h>
#include <stdlib.h>

#define ROUNDS 12
#define READERS 4

/* Under a stuck device no wait ends by itself. One scanner at a time. */
static atomic_bool is_stuck;
static PFN_vkWaitSemaphoresKHR real_wait;

static VKAPI_ATTR VkResult VKAPI_CALL stuck_wait(VkDevice device, const VkSemaphoreWaitInfo *info,
						 uint64_t timeout_ns)
{
	if (!atomic_load(&is_stuck))
		return real_wait(device, info, timeout_ns);
	sched_yield();
	return VK_TIMEOUT;
}

struct stage {
	struct scanner *scanner;
	struct arena arena;
	struct rows rows;
	struct scan_query query;
	struct scan_range range;
	float *upper, *lower;
};

static void stage_init(struct stage *stage, uint32_t n)
{
	struct vulkan_device *device;

	arena_init(&stage->arena, 1 << 20);
	stage->scanner = software_open();
	device = scanner_vulkan_runtime(stage->scanner)->device;
	real_wait = device->vk.vkWaitSemaphoresKHR;
	device->vk.vkWaitSemaphoresKHR = stuck_wait;
	rows_init(&stage->rows, 32, n, 1);
	rows_add(&stage->rows, ROWS_PLAIN, n);
	cr_assert(!status_failed(scan_query_init(&stage->query, &stage->arena, METRIC_L2,
						 stage->rows.query, stage->rows.dim)));
	stage->range = (struct scan_range){.block = &stage->rows.block, .n = n};
	stage->upper = calloc(n, sizeof *stage->upper);
	stage->lower = calloc(n, sizeof *stage->lower);
}

static void stage_finish(struct stage *stage)
{
	free(stage->upper);
	free(stage->lower);
	scanner_forget(stage->scanner, &stage->rows.block);
	rows_finish(&stage->rows);
	scanner_close(stage->scanner);
	arena_finish(&stage->arena);
}

static status stage_scan(struct stage *stage, const struct deadline *deadline)
{
	return scanner_bounds(stage->scanner, &stage->query, &stage->range, deadline, stage->upper,
			      stage->lower);
}

Test(scanner_vulkan_runtime, ends_before_it_begins_when_cancelled_or_late)
{
	struct stage stage;
	struct deadline deadline;

	stage_init(&stage, 100);
	deadline_init(&deadline, clock_ns() - 1);
	cr_assert_eq(stage_scan(&stage, &deadline).code, STATUS_DEADLINE_EXCEEDED);
	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);
	cr_assert_eq(stage_scan(&stage, &deadline).code, STATUS_CANCELLED);

	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
	cr_assert_eq(scanner_vulkan_used_bytes(stage.scanner), 0);
	stage_finish(&stage);
}

Test(scanner_vulkan_runtime, leaves_a_stuck_scan_behind_at_the_deadline)
{
	struct stage stage;
	struct deadline deadline;

	stage_init(&stage, 2000);
	cr_assert(!status_failed(stage_scan(&stage, NULL)));
	atomic_store(&is_stuck, true);
	for (int64_t i = 0; i < SLOTS + 1; i++) {
		/* The last one finds no slot, and its deadline ends that wait, too. */
		deadline_init(&deadline, clock_ns() + 5000000);
		cr_assert_eq(stage_scan(&stage, &deadline).code, STATUS_DEADLINE_EXCEEDED);
		cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), i < SLOTS ? i + 1 : SLOTS);
	}

	/* The rows stay as long as the device may read them. */
	scanner_forget(stage.scanner, &stage.rows.block);
	cr_assert_gt(scanner_vulkan_used_bytes(stage.scanner), 0);
	atomic_store(&is_stuck, false);
	cr_assert(gauge_settles());
	cr_assert_eq(scanner_vulkan_used_bytes(stage.scanner), 0);

	cr_assert(!status_failed(stage_scan(&stage, NULL)));
	stage_finish(&stage);
}

Test(scanner_vulkan_runtime, goes_on_after_an_upload_that_was_left_behind)
{
	struct stage stage;
	struct deadline deadline;

	stage_init(&stage, 2000);
	atomic_store(&is_stuck, true);
	deadline_init(&deadline, clock_ns() + 5000000);
	cr_assert_eq(stage_scan(&stage, &deadline).code, STATUS_DEADLINE_EXCEEDED);
	/* Another one waits for the upload, and not longer than it may. */
	deadline_init(&deadline, clock_ns() + 5000000);
	cr_assert_eq(stage_scan(&stage, &deadline).code, STATUS_DEADLINE_EXCEEDED);
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 1);
	atomic_store(&is_stuck, false);

	expect_bounds(&(struct expectation){.scanner = stage.scanner,
					    .metric = METRIC_L2,
					    .rows = &stage.rows,
					    .range = stage.range,
					    .what = "after"});
	cr_assert(gauge_settles());
	stage_finish(&stage);
}

struct waiting {
	struct stage *stage;
	struct deadline deadline;
	status result;
};

static void *waiting_run(void *argument)
{
	struct waiting *waiting = argument;

	waiting->result = stage_scan(waiting->stage, &waiting->deadline);
	return NULL;
}

Test(scanner_vulkan_runtime, a_cancel_ends_a_wait_for_the_device)
{
	struct stage stage;
	struct waiting waiting = {.stage = &stage};
	pthread_t thread;

	stage_init(&stage, 500);
	atomic_store(&is_stuck, true);
	deadline_init(&waiting.deadline, DEADLINE_NEVER);
	cr_assert_eq(pthread_create(&thread, NULL, waiting_run, &waiting), 0);
	while (gauge_read(GAUGE_GPU_OBJECTS) == 0)
		sched_yield();
	deadline_cancel(&waiting.deadline);
	pthread_join(thread, NULL);

	cr_assert_eq(waiting.result.code, STATUS_CANCELLED);
	atomic_store(&is_stuck, false);
	cr_assert(gauge_settles());
	stage_finish(&stage);
}

Test(scanner_vulkan_runtime, closes_with_work_left_behind)
{
	struct stage stage;
	struct deadline deadline;

	stage_init(&stage, 3000);
	cr_assert(!status_failed(stage_scan(&stage, NULL)));
	atomic_store(&is_stuck, true);
	deadline_init(&deadline, clock_ns() + 3000000);
	cr_assert_eq(stage_scan(&stage, &deadline).code, STATUS_DEADLINE_EXCEEDED);
	atomic_store(&is_stuck, false);
	stage_finish(&stage);

	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
}

Test(scanner_vulkan_runtime, takes_the_copy_from_blocks_that_were_not_forgotten)
{
	struct stage stage;

	stage_init(&stage, 100);
	cr_assert(!status_failed(stage_scan(&stage, NULL)));
	cr_assert_not_null(stage.rows.block.copy);
	scanner_close(stage.scanner);
	stage.scanner = NULL;

	cr_assert_null(stage.rows.block.copy);
	stage_finish(&stage);
}

/* A block that one thread adds to while the others scan it. */
struct shared {
	struct scanner *scanner;
	struct rows rows;
	_Atomic uint32_t n;
	atomic_size_t scans, wrong;
};

static size_t row_violations(const struct shared *shared, const struct scan_range *range,
			     const float *upper, const float *lower)
{
	size_t wrong = 0;

	for (uint32_t i = 0; i < range->n; i++) {
		const float *vector =
			shared->rows.vectors + (range->first + i) * shared->rows.block.stride;
		float exact = score_exact(METRIC_INNER_PRODUCT, shared->rows.query, vector,
					  shared->rows.dim);

		wrong += !(lower[i] <= exact && exact <= upper[i]);
	}
	return wrong;
}

static size_t scan_once(struct shared *shared, const struct scan_query *query, uint64_t *state)
{
	uint32_t n = atomic_load_explicit(&shared->n, memory_order_acquire);
	struct scan_range range = {.block = &shared->rows.block};
	size_t width = 1 + (size_t)(random_next(state) % 200), wrong = 0;
	float *upper = calloc(n + 1, sizeof *upper), *lower = calloc(n + 1, sizeof *lower);
	struct window window = {0};

	range.first = (uint32_t)(random_next(state) % n);
	range.n = n - range.first;
	if (status_failed(scanner_bounds(shared->scanner, query, &range, NULL, upper, lower)))
		wrong++;
	wrong += row_violations(shared, &range, upper, lower);
	if (status_failed(window_init(&window, width)) ||
	    status_failed(scanner_propose(shared->scanner, query, &range, NULL, &window)))
		wrong++;
	window_seal(&window);
	wrong += window.n != (range.n < width ? range.n : width);
	for (size_t k = 0; k < window.n; k++)
		wrong += window.keys[k].score != upper[window.keys[k].row - range.first];
	window_finish(&window);
	free(upper);
	free(lower);
	return wrong;
}

static void *reader_run(void *argument)
{
	struct shared *shared = argument;
	uint64_t state = 99;
	struct scan_query query;
	struct arena arena;

	arena_init(&arena, 1 << 20);
	if (status_failed(scan_query_init(&query, &arena, METRIC_INNER_PRODUCT, shared->rows.query,
					  shared->rows.dim)))
		atomic_fetch_add(&shared->wrong, 1);
	for (size_t round = 0; round < ROUNDS; round++) {
		atomic_fetch_add(&shared->wrong, scan_once(shared, &query, &state));
		atomic_fetch_add(&shared->scans, 1);
	}
	arena_finish(&arena);
	return NULL;
}

Test(scanner_vulkan_runtime, answers_four_threads_while_the_block_grows)
{
	struct shared shared = {.scanner = software_open()};
	pthread_t readers[READERS];

	rows_init(&shared.rows, 16, 6000, 7);
	rows_add(&shared.rows, ROWS_WHOLE, 900);
	atomic_store(&shared.n, 900);
	for (size_t i = 0; i < READERS; i++)
		cr_assert_eq(pthread_create(&readers[i], NULL, reader_run, &shared), 0);
	while (shared.rows.n < 6000) {
		/* Rows come as scans do, so that growing and scanning mix. */
		if (atomic_load(&shared.scans) < READERS * ROUNDS &&
		    shared.rows.n > 1000 + 100 * atomic_load(&shared.scans)) {
			sched_yield();
			continue;
		}
		rows_add(&shared.rows, ROWS_WHOLE, 100);
		atomic_store_explicit(&shared.n, shared.rows.n, memory_order_release);
	}
	for (size_t i = 0; i < READERS; i++)
		pthread_join(readers[i], NULL);

	cr_assert_eq(atomic_load(&shared.wrong), 0);
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
	scanner_forget(shared.scanner, &shared.rows.block);
	rows_finish(&shared.rows);
	scanner_close(shared.scanner);
}
