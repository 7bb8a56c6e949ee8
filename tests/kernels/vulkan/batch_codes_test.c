/* Searches of several threads on one device: they share batches, each gets its own answer to the bit, and
 * who leaves takes nothing from the others.
 */
#include "kernels/base/gauge.h"
#include "kernels/base/meter.h"
#include "kernels/vulkan/batch_codes.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/cpu/codes8_fixture.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/layer.h"
#include "tests/kernels/vulkan/software.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define ROWS 900
#define DIM 70
#define SEARCHES 10

struct stage;

/* A thread that asks one question. */
struct search {
	struct stage *stage;
	struct asked asked;
	size_t width;
	uint64_t *visible; /* owned; NULL: all */
	struct deadline deadline;
	struct window window;
	status result;
	atomic_bool is_over;
	pthread_t thread;
};

struct stage {
	struct scanner *scanner;
	struct vulkan_runtime *runtime;
	struct hostile_block block;
	struct coded coded;
	struct codes8_seat seat;
	struct search searches[SEARCHES];
	uint64_t batches, queries; /* counted before */
};

static void search_init(struct search *search, struct stage *stage, size_t i)
{
	struct random random = {100 + i};
	float query[DIM];

	*search = (struct search){.stage = stage, .width = 5 + 10 * (i % 4)};
	hostile_query_draw(&random, QUERY_UNIT, METRIC_L2, query, DIM);
	ask(&search->asked, &stage->coded.codes.shape, NULL, query);
	if (i % 3 == 1)
		search->visible = bits_random(ROWS, 30, i);
	deadline_init(&search->deadline, DEADLINE_NEVER);
	cr_assert_not(status_failed(window_init(&search->window, search->width)));
}

static struct codes8_range range_of(const struct search *search)
{
	return (struct codes8_range){
		.codes = &search->stage->coded.codes,
		.n = ROWS,
		.row_base = 7,
		.visible = search->visible,
	};
}

static void *search_run(void *argument)
{
	struct search *search = argument;
	struct codes8_range range = range_of(search);
	struct codes8_probe probe = {&search->asked.query, &search->window, 0};

	search->result =
		scanner_propose_codes(search->stage->scanner, &probe, 1, &range, &search->deadline);
	atomic_store(&search->is_over, true);
	return NULL;
}

static void search_start(struct search *search)
{
	cr_assert_eq(pthread_create(&search->thread, NULL, search_run, search), 0);
}

/* The processor's window is the same. */
static void search_check(struct search *search)
{
	struct codes8_range range = range_of(search);
	struct window memory;
	SCOPED(window) want = &memory;
	struct codes8_probe probe = {&search->asked.query, want, 0};

	cr_assert_not(status_failed(search->result), "%s", search->result.detail);
	cr_assert_not(status_failed(window_init(want, search->width)));
	cr_assert_not(status_failed(
		codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &range, NULL)));
	window_seal(want);
	window_seal(&search->window);
	cr_assert_eq(search->window.n, want->n);
	for (size_t i = 0; i < want->n; i++)
		cr_assert(search->window.keys[i].row == want->keys[i].row &&
			  search->window.keys[i].score == want->keys[i].score);
}

static void stage_init(struct stage *stage)
{
	struct random random = {8};

	*stage = (struct stage){0};
	layer_install();
	stage->scanner = software_open();
	stage->runtime = scanner_vulkan_runtime(stage->scanner);
	hostile_block_init(&stage->block, ROWS, DIM);
	for (size_t row = 0; row < ROWS; row++)
		for (size_t i = 0; i < DIM; i++)
			hostile_row(&stage->block, row)[i] = random_signed(&random);
	hostile_block_measure(&stage->block);
	coded_init(&stage->coded, &stage->block, METRIC_L2, 64, NULL);
	stage->coded.codes.seat = &stage->seat;
	for (size_t i = 0; i < SEARCHES; i++)
		search_init(&stage->searches[i], stage, i);
	/* Once alone, so that the codes are there. */
	search_run(&stage->searches[0]);
	search_check(&stage->searches[0]);
	cr_assert_not(status_failed(window_clear(&stage->searches[0].window, 5)));
	atomic_store(&stage->searches[0].is_over, false);
	stage->batches = meter_read(METER_GPU_BATCHES);
	stage->queries = meter_read(METER_GPU_QUERIES);
}

static void stage_finish(struct stage *stage)
{
	codes8_seat_close(&stage->seat);
	for (size_t i = 0; i < SEARCHES; i++) {
		arena_finish(&stage->searches[i].asked.arena);
		window_finish(&stage->searches[i].window);
		free(stage->searches[i].visible);
	}
	coded_finish(&stage->coded);
	hostile_block_finish(&stage->block);
	scanner_close(stage->scanner);
	cr_assert(layer_is_empty());
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
}

static size_t n_batches(const struct stage *stage)
{
	return (size_t)(meter_read(METER_GPU_BATCHES) - stage->batches);
}

static size_t n_queries(const struct stage *stage)
{
	return (size_t)(meter_read(METER_GPU_QUERIES) - stage->queries);
}

static size_t n_waiting(struct stage *stage)
{
	struct batch_codes *batches = stage->runtime->batches;
	size_t n = 0;

	pthread_mutex_lock(&batches->lock);
	for (const struct batch_ask *ask = batches->batcher.first; ask; ask = ask->next)
		n++;
	pthread_mutex_unlock(&batches->lock);
	return n;
}

/* The first search is with a device that does not come back; so many wait, in their order. */
static void keep_waiting(struct stage *stage, size_t n)
{
	layer_stick(true);
	layer_plan_clear();
	search_start(&stage->searches[0]);
	while (layer_plan().submits == 0)
		sched_yield();
	for (size_t i = 1; i <= n; i++) {
		search_start(&stage->searches[i]);
		while (n_waiting(stage) != i)
			sched_yield();
	}
}

/* The first comes back, and the next batch is with the device, which sticks again. */
static void send_next(struct stage *stage)
{
	uint64_t submits = layer_plan().submits;

	pthread_mutex_lock(stage->runtime->device->compute.lock);
	layer_stick(false);
	while (!atomic_load(&stage->searches[0].is_over) || n_waiting(stage) != 0)
		sched_yield();
	layer_stick(true);
	pthread_mutex_unlock(stage->runtime->device->compute.lock);
	while (layer_plan().submits == submits)
		sched_yield();
}

static void join(struct stage *stage, size_t from, size_t to)
{
	for (size_t i = from; i <= to; i++)
		pthread_join(stage->searches[i].thread, NULL);
}

Test(vulkan_batch_codes, what_waits_goes_together_and_is_answered_to_the_bit)
{
	for (size_t n = 1; n < BATCH_QUERIES; n++) {
		struct stage stage;

		stage_init(&stage);
		keep_waiting(&stage, n);
		layer_stick(false);
		join(&stage, 0, n);

		cr_assert_eq(n_batches(&stage), 2);
		cr_assert_eq(n_queries(&stage), 1 + n);
		for (size_t i = 0; i <= n; i++)
			search_check(&stage.searches[i]);
		stage_finish(&stage);
	}
}

Test(vulkan_batch_codes, a_full_batch_is_with_the_device_before_the_first_comes_back)
{
	struct stage stage;

	stage_init(&stage);
	keep_waiting(&stage, BATCH_QUERIES - 1);
	search_start(&stage.searches[BATCH_QUERIES]);
	while (layer_plan().submits < 2)
		sched_yield();
	layer_stick(false);
	join(&stage, 0, BATCH_QUERIES);

	cr_assert_eq(n_batches(&stage), 2);
	cr_assert_eq(n_queries(&stage), 1 + BATCH_QUERIES);
	for (size_t i = 0; i <= BATCH_QUERIES; i++)
		search_check(&stage.searches[i]);
	stage_finish(&stage);
}

Test(vulkan_batch_codes, who_is_cancelled_while_waiting_is_not_in_the_batch)
{
	struct stage stage;

	stage_init(&stage);
	keep_waiting(&stage, 3);
	deadline_cancel(&stage.searches[2].deadline);
	pthread_join(stage.searches[2].thread, NULL);
	layer_stick(false);
	join(&stage, 0, 1);
	join(&stage, 3, 3);

	cr_assert_eq(stage.searches[2].result.code, STATUS_CANCELLED);
	cr_assert_eq(n_queries(&stage), 3);
	search_check(&stage.searches[0]);
	search_check(&stage.searches[1]);
	search_check(&stage.searches[3]);
	stage_finish(&stage);
}

/* The first of those who go together leads. */
Test(vulkan_batch_codes, who_is_cancelled_under_way_takes_only_itself_out)
{
	for (size_t leaves = 1; leaves <= 3; leaves++) {
		struct stage stage;

		stage_init(&stage);
		keep_waiting(&stage, 3);
		send_next(&stage);
		deadline_cancel(&stage.searches[leaves].deadline);
		pthread_join(stage.searches[leaves].thread, NULL);
		layer_stick(false);
		for (size_t i = 0; i <= 3; i++) {
			if (i != leaves) {
				pthread_join(stage.searches[i].thread, NULL);
				search_check(&stage.searches[i]);
			}
		}

		cr_assert_eq(stage.searches[leaves].result.code, STATUS_CANCELLED);
		cr_assert_eq(n_batches(&stage), 2);
		stage_finish(&stage);
	}
}

Test(vulkan_batch_codes, deadlines_end_the_wait_of_those_whose_they_are)
{
	struct stage stage;

	stage_init(&stage);
	keep_waiting(&stage, 2);
	for (size_t i = 3; i <= 4; i++) {
		deadline_init(&stage.searches[i].deadline, clock_ns() + 5000000);
		search_start(&stage.searches[i]);
	}
	join(&stage, 3, 4);
	layer_stick(false);
	join(&stage, 0, 2);

	for (size_t i = 0; i <= 4; i++) {
		if (i < 3)
			search_check(&stage.searches[i]);
		else
			cr_assert_eq(stage.searches[i].result.code, STATUS_DEADLINE_EXCEEDED);
	}
	cr_assert_eq(n_queries(&stage), 3);
	stage_finish(&stage);
}

Test(vulkan_batch_codes, a_batch_that_all_have_left_is_the_reapers)
{
	struct stage stage;

	stage_init(&stage);
	keep_waiting(&stage, 2);
	for (size_t i = 0; i <= 2; i++) {
		deadline_cancel(&stage.searches[i].deadline);
		join(&stage, i, i);
		cr_assert_eq(stage.searches[i].result.code, STATUS_CANCELLED);
	}
	/* Those that waited have followed the first to the device, each with whom was left. */
	cr_assert_geq(gauge_read(GAUGE_GPU_OBJECTS), 1);
	layer_stick(false);
	cr_assert(gauge_settles());

	search_start(&stage.searches[5]);
	join(&stage, 5, 5);
	search_check(&stage.searches[5]);
	stage_finish(&stage);
}

Test(vulkan_batch_codes, a_lost_device_sends_each_of_a_batch_to_the_processor)
{
	struct stage stage;

	stage_init(&stage);
	keep_waiting(&stage, 4);
	layer_fail(0, VK_ERROR_DEVICE_LOST);
	layer_stick(false);
	join(&stage, 0, 4);
	layer_fail_never();

	for (size_t i = 0; i <= 4; i++)
		cr_assert_eq(stage.searches[i].result.code, STATUS_UNAVAILABLE);
	stage_finish(&stage);
}

Test(vulkan_batch_codes, a_wait_that_is_nearly_over_does_not_sleep)
{
	static const struct {
		int64_t spin_ns;
		bool looks;
	} cases[] = {{0, false}, {INT64_C(20000000000), true}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct stage stage;

		stage_init(&stage);
		stage.runtime->device->spin_ns = cases[i].spin_ns;
		/* The first search has been told how long that takes. */
		layer_plan_clear();
		search_run(&stage.searches[0]);
		search_check(&stage.searches[0]);
		cr_assert_eq(layer_plan().looks > 0, cases[i].looks);
		stage_finish(&stage);
	}
}

/* One of many threads, with little patience at times. */
struct user {
	struct stage *stage;
	uint64_t seed;
	atomic_size_t *wrong, *answered;
	pthread_t thread;
};

static bool same(const struct window *a, const struct window *b)
{
	bool is_same = a->n == b->n;

	for (size_t i = 0; i < a->n && is_same; i++)
		is_same = a->keys[i].row == b->keys[i].row && a->keys[i].score == b->keys[i].score;
	return is_same;
}

/* No assertions here: they are for the main thread. Gives whether the device answered, and truly. */
static bool ask_once(struct user *user, bool *ret_wrong)
{
	size_t which = (size_t)(random_next(&user->seed) % SEARCHES);
	const struct search *like = &user->stage->searches[which];
	struct codes8_range range = range_of(like);
	struct window windows[2] = {{0}};
	struct codes8_probe probes[2] = {{&like->asked.query, &windows[0], 0},
					 {&like->asked.query, &windows[1], 0}};
	struct deadline deadline;
	status scanned;

	range.n = random_next(&user->seed) % 4 ? ROWS : ROWS / 2;
	deadline_init(&deadline,
		      random_next(&user->seed) % 5 ? DEADLINE_NEVER : clock_ns() + 300000);
	*ret_wrong = status_failed(window_init(&windows[0], like->width)) ||
		     status_failed(window_init(&windows[1], like->width)) ||
		     status_failed(codes8_propose(codes8_scanner(CODES8_BEST), &probes[1], 1,
						  &range, NULL));
	scanned = scanner_propose_codes(user->stage->scanner, probes, 1, &range, &deadline);
	if (status_failed(scanned)) {
		*ret_wrong |= scanned.code != STATUS_DEADLINE_EXCEEDED;
	} else {
		window_seal(&windows[0]);
		window_seal(&windows[1]);
		*ret_wrong |= !same(&windows[0], &windows[1]);
	}
	window_finish(&windows[0]);
	window_finish(&windows[1]);
	return !status_failed(scanned);
}

static void *user_run(void *argument)
{
	struct user *user = argument;

	for (int i = 0; i < 40; i++) {
		bool wrong;

		atomic_fetch_add(user->answered, ask_once(user, &wrong));
		atomic_fetch_add(user->wrong, wrong);
	}
	return NULL;
}

Test(vulkan_batch_codes, many_threads_get_their_own_answers)
{
	struct user users[12];
	atomic_size_t wrong = 0, answered = 0;
	struct stage stage;

	stage_init(&stage);
	for (size_t i = 0; i < COUNT(users); i++) {
		users[i] = (struct user){
			.stage = &stage, .seed = i, .wrong = &wrong, .answered = &answered};
		cr_assert_eq(pthread_create(&users[i].thread, NULL, user_run, &users[i]), 0);
	}
	for (size_t i = 0; i < COUNT(users); i++)
		pthread_join(users[i].thread, NULL);

	cr_assert_eq(atomic_load(&wrong), 0);
	cr_assert_gt(atomic_load(&answered), 0);
	cr_assert(gauge_settles());
	stage_finish(&stage);
}
