/* The policy of batches, with a clock that the tests turn and a device that is a list. */
#include "kernels/vulkan/batch.h"
#include "tests/kernels/cpu/codes8_fixture.h"

#include <criterion/criterion.h>

#define ASKS 400

/* A device that takes what is given to it one after the other. */
struct stand {
	struct batcher batcher;
	int64_t now_ns;
	struct batch *at[BATCHES]; /* in the order of giving */
	size_t n_at;
	struct batch_ask asks[ASKS];
	size_t n_asks;
};

static const int codes[3];

static void stand_init(struct stand *stand)
{
	*stand = (struct stand){.now_ns = 1000};
	batcher_init(&stand->batcher);
}

/* All that may go now goes. */
static void go(struct stand *stand)
{
	struct batch *batch;

	while ((batch = batcher_next(&stand->batcher, stand->now_ns))) {
		cr_assert_lt(stand->n_at, (size_t)BATCHES);
		stand->at[stand->n_at++] = batch;
	}
}

static struct batch_ask *come(struct stand *stand, struct batch_kind kind, size_t n)
{
	struct batch_ask *ask = &stand->asks[stand->n_asks++];

	cr_assert_leq(stand->n_asks, (size_t)ASKS);
	*ask = (struct batch_ask){.kind = kind, .n = n, .at_ns = INT64_MAX};
	batcher_add(&stand->batcher, ask, stand->now_ns);
	go(stand);
	return ask;
}

/* The device is done with what it was at, and so is its host. */
static void done(struct stand *stand)
{
	batcher_end(&stand->batcher, stand->at[0]);
	for (size_t i = 1; i < stand->n_at; i++)
		stand->at[i - 1] = stand->at[i];
	stand->n_at--;
	go(stand);
}

static struct batch_kind kind_of(size_t i)
{
	return (struct batch_kind){.codes = &codes[i], .n = 100, .wanted = 1024};
}

static size_t queries_of(const struct batch *batch)
{
	size_t n = 0;

	for (size_t i = 0; i < batch->n_asks; i++)
		n += batch->asks[i]->n;
	return n;
}

Test(vulkan_batch, an_idle_device_takes_a_search_at_once)
{
	struct stand stand;
	struct batch_ask *ask;

	stand_init(&stand);
	ask = come(&stand, kind_of(0), 1);

	cr_assert_eq(ask->state, ASK_UNDER_WAY);
	cr_assert_eq(ask->batch->asks[0], ask);
	cr_assert_eq(stand.n_at, 1);
	done(&stand);
	cr_assert_eq(ask->state, ASK_OUT);
	ask = come(&stand, kind_of(1), 3);
	cr_assert_eq(ask->state, ASK_UNDER_WAY);
}

Test(vulkan_batch, searches_that_a_busy_device_keeps_waiting_go_together)
{
	struct stand stand;

	for (size_t n = 1; n < BATCH_QUERIES; n++) {
		stand_init(&stand);
		come(&stand, kind_of(0), 1);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(come(&stand, kind_of(0), 1)->state, ASK_WAITING);
		done(&stand);

		cr_assert_eq(stand.n_at, 1);
		cr_assert_eq(stand.at[0]->n_asks, n);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(stand.at[0]->asks[i], &stand.asks[1 + i]);
	}
}

Test(vulkan_batch, a_full_batch_goes_behind_the_one_that_the_device_is_at)
{
	struct stand stand;

	stand_init(&stand);
	come(&stand, kind_of(0), 1);
	for (size_t i = 0; i < BATCH_QUERIES; i++) {
		cr_assert_eq(stand.n_at, 1);
		come(&stand, kind_of(0), 1);
	}
	cr_assert_eq(stand.n_at, 2);
	cr_assert_eq(stand.at[1]->n_asks, (size_t)BATCH_QUERIES);
	/* And no third one. */
	for (size_t i = 0; i < 2 * BATCH_QUERIES; i++)
		cr_assert_eq(come(&stand, kind_of(0), 1)->state, ASK_WAITING);
	cr_assert_eq(stand.n_at, 2);
	done(&stand);
	cr_assert_eq(stand.n_at, 2);
}

Test(vulkan_batch, what_is_not_of_a_kind_does_not_go_together)
{
	const struct batch_kind first = kind_of(0);
	struct batch_kind others[5];
	struct stand stand;

	for (size_t i = 0; i < COUNT(others); i++)
		others[i] = first;
	others[0].codes = &codes[1];
	others[1].row_base = 1;
	others[2].first = 1;
	others[3].n = 99;
	others[4].wanted = 2048;
	for (size_t i = 0; i < COUNT(others); i++) {
		struct batch_ask *along, *other;

		stand_init(&stand);
		come(&stand, first, 1);
		come(&stand, first, 1);
		other = come(&stand, others[i], 1);
		along = come(&stand, first, 1);
		done(&stand);
		cr_assert_eq(along->state, ASK_UNDER_WAY, "%zu", i);
		cr_assert_eq(other->state, ASK_WAITING, "%zu", i);
		done(&stand);
		cr_assert_eq(other->state, ASK_UNDER_WAY, "%zu", i);
	}
}

Test(vulkan_batch, a_full_batch_does_not_pass_the_one_that_came_first)
{
	struct batch_ask *first;
	struct stand stand;

	stand_init(&stand);
	come(&stand, kind_of(0), 1);
	first = come(&stand, kind_of(1), 1);
	for (size_t i = 0; i < BATCH_QUERIES; i++)
		come(&stand, kind_of(2), 1);
	cr_assert_eq(stand.n_at, 1);
	done(&stand);
	cr_assert_eq(stand.at[0]->asks[0], first);
	/* Now it is the full one's turn. */
	cr_assert_eq(stand.n_at, 2);
	cr_assert_eq(queries_of(stand.at[1]), (size_t)BATCH_QUERIES);
}

Test(vulkan_batch, a_search_of_many_queries_waits_for_one_that_has_room)
{
	struct batch_ask *large, *small;
	struct stand stand;

	stand_init(&stand);
	come(&stand, kind_of(0), 1);
	come(&stand, kind_of(0), 5);
	large = come(&stand, kind_of(0), 4);
	small = come(&stand, kind_of(0), 3);

	/* Somebody finds no room: it is as full as it gets. */
	cr_assert_eq(stand.n_at, 2);
	cr_assert_eq(large->state, ASK_WAITING);
	done(&stand);
	cr_assert_eq(small->state, ASK_WAITING);
	done(&stand);
	cr_assert_eq(large->batch, small->batch);
	cr_assert_eq(queries_of(large->batch), 7);
}

Test(vulkan_batch, the_device_is_free_for_others_while_the_host_reads)
{
	struct batch_ask *first, *second;
	struct stand stand;

	stand_init(&stand);
	first = come(&stand, kind_of(0), 1);
	second = come(&stand, kind_of(0), 1);
	batcher_idle(&stand.batcher, first->batch);
	go(&stand);
	cr_assert_eq(second->state, ASK_UNDER_WAY);
	cr_assert_neq(second->batch, first->batch);

	/* What was found asks for more: that waits for nobody. */
	batcher_again(&stand.batcher, first->batch);
	batcher_end(&stand.batcher, first->batch);
	cr_assert_eq(first->state, ASK_OUT);
	cr_assert_eq(stand.batcher.given, 1);
	batcher_end(&stand.batcher, second->batch);
	cr_assert_eq(stand.batcher.given, 0);
}

Test(vulkan_batch, no_more_batches_than_there_are)
{
	struct stand stand;

	stand_init(&stand);
	for (size_t i = 0; i < BATCHES; i++) {
		struct batch_ask *ask = come(&stand, kind_of(0), 1);

		cr_assert_eq(ask->state, ASK_UNDER_WAY);
		batcher_idle(&stand.batcher, ask->batch);
	}
	cr_assert_eq(come(&stand, kind_of(0), 1)->state, ASK_WAITING);
	done(&stand);
	cr_assert_eq(stand.asks[BATCHES].state, ASK_UNDER_WAY);
}

Test(vulkan_batch, who_leaves_while_waiting_is_not_waited_for)
{
	struct stand stand;

	for (size_t leaves = 1; leaves <= 3; leaves++) {
		stand_init(&stand);
		for (size_t i = 0; i < 4; i++)
			come(&stand, kind_of(0), 1);
		batcher_leave(&stand.batcher, &stand.asks[leaves]);
		cr_assert_eq(stand.asks[leaves].state, ASK_OUT);
		/* The queue's end is where it was. */
		come(&stand, kind_of(0), 1);
		done(&stand);
		cr_assert_eq(stand.at[0]->n_asks, 3);
		for (size_t i = 1; i < stand.n_asks; i++)
			cr_assert_eq(stand.asks[i].state, i == leaves ? ASK_OUT : ASK_UNDER_WAY);
	}
}

Test(vulkan_batch, who_leaves_while_under_way_takes_only_itself_out)
{
	struct stand stand;

	for (size_t leaves = 1; leaves <= 3; leaves++) {
		struct batch *batch;

		stand_init(&stand);
		for (size_t i = 0; i < 4; i++)
			come(&stand, kind_of(0), 1);
		done(&stand);
		batch = stand.at[0];
		batcher_leave(&stand.batcher, &stand.asks[leaves]);

		cr_assert_eq(batch->n_asks, 2);
		/* If it led, the next one does. */
		cr_assert_eq(batch->asks[0], &stand.asks[leaves == 1 ? 2 : 1]);
		cr_assert_eq(batch->asks[1], &stand.asks[leaves == 3 ? 2 : 3]);
		cr_assert(batch->is_given);
		batcher_leave(&stand.batcher, batch->asks[1]);
		batcher_leave(&stand.batcher, batch->asks[0]);
		cr_assert_eq(batch->n_asks, 0);
		come(&stand, kind_of(1), 1);
		cr_assert_eq(stand.asks[4].state, ASK_WAITING);
		done(&stand);
		cr_assert_eq(stand.asks[4].state, ASK_UNDER_WAY);
	}
}

Test(vulkan_batch, who_is_late_does_not_go)
{
	struct batch_ask *late, *other;
	struct stand stand;

	stand_init(&stand);
	come(&stand, kind_of(0), 1);
	late = come(&stand, kind_of(0), 1);
	late->at_ns = stand.now_ns + 50;
	other = come(&stand, kind_of(0), 1);
	stand.now_ns += 49;
	go(&stand);
	cr_assert_eq(late->state, ASK_WAITING);
	stand.now_ns += 1;
	done(&stand);

	cr_assert_eq(late->state, ASK_LATE);
	cr_assert_eq(other->state, ASK_UNDER_WAY);
	cr_assert_eq(other->batch->n_asks, 1);
	batcher_leave(&stand.batcher, late);
	cr_assert_eq(late->state, ASK_OUT);
	/* Under way the deadline is for the one whose it is to look at. */
	other->at_ns = stand.now_ns;
	go(&stand);
	cr_assert_eq(other->state, ASK_UNDER_WAY);
}

/* What must hold after each step of a long run. */
static void check(const struct stand *stand)
{
	const struct batch_ask *ahead[COUNT(codes)] = {NULL};
	size_t waiting = 0;

	for (const struct batch_ask *ask = stand->batcher.first; ask; ask = ask->next)
		waiting++;
	cr_assert(waiting == 0 || stand->n_at > 0, "the device idles");
	cr_assert_leq(stand->n_at, (size_t)BATCHES_GIVEN);
	for (size_t i = 0; i < stand->n_at; i++) {
		const struct batch *batch = stand->at[i];

		cr_assert_leq(queries_of(batch), (size_t)BATCH_QUERIES);
		for (size_t j = 1; j < batch->n_asks; j++)
			cr_assert_eq(batch->asks[j]->kind.codes, batch->asks[0]->kind.codes);
	}
	/* Of a kind nobody is passed by one who came later. All ask for one query. */
	for (size_t i = 0; i < stand->n_asks; i++) {
		const struct batch_ask *ask = &stand->asks[i];
		size_t kind = (size_t)((const int *)ask->kind.codes - codes);

		cr_assert(ask->state != ASK_UNDER_WAY || !ahead[kind], "%zu is passed", i);
		if (ask->state == ASK_WAITING)
			ahead[kind] = ask;
	}
}

Test(vulkan_batch, nobody_is_lost_or_passed_and_the_device_does_not_idle_in_a_long_run)
{
	struct random random = {17};

	for (int run = 0; run < 50; run++) {
		struct stand stand;
		size_t left = 0;

		stand_init(&stand);
		while (stand.n_asks < ASKS) {
			size_t what = random_below(&random, 10), i = stand.n_asks;

			stand.now_ns += (int64_t)random_below(&random, 100);
			if (what < 6) {
				come(&stand, kind_of(random_below(&random, COUNT(codes))), 1);
			} else if (what < 8 && stand.n_at > 0) {
				done(&stand);
			} else if (what == 8 && i > 0) {
				i = random_below(&random, i);
				left += stand.asks[i].state != ASK_OUT;
				batcher_leave(&stand.batcher, &stand.asks[i]);
				go(&stand);
			}
			check(&stand);
		}
		while (stand.n_at > 0)
			done(&stand);
		for (size_t i = 0; i < ASKS; i++)
			cr_assert_eq(stand.asks[i].state, ASK_OUT);
		cr_assert_gt(left, 0);
		cr_assert_eq(stand.batcher.given, 0);
	}
}
