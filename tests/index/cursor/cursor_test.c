/* What cursor_next and cursor_close keep for every stage. */
#include "tests/index/cursor/ramp.h"

#include <criterion/criterion.h>

static void chain(struct ramp *ramp, struct cursor **ret)
{
	struct cursor *cursor = NULL;

	cr_assert(!status_failed(without_open(&ramp->base, 1, &cursor)));
	cr_assert(!status_failed(floor_open(cursor, -3, &cursor)));
	cr_assert(!status_failed(limit_open(cursor, 5, &cursor)));
	*ret = cursor;
}

Test(cursor, opening_a_chain_asks_for_nothing)
{
	struct ramp ramp;

	ramp_init(&ramp, 20, 4);
	{
		SCOPED(cursor) cursor = NULL;

		chain(&ramp, &cursor);
		cr_assert_eq(cursor->walk, &ramp.walk);
	}

	cr_assert_eq(ramp.asked, 0);
	cr_assert_eq(ramp.freed, 1);
}

Test(cursor, stages_compose)
{
	static const uint64_t want[] = {0, 2, 3, 4, 5};
	struct hit_batch batch;
	struct ramp ramp;
	SCOPED(cursor) cursor = NULL;
	size_t n = 0;

	ramp_init(&ramp, 20, 4);
	chain(&ramp, &cursor);
	while (cursor_next(cursor, &batch) == STEP_BATCH)
		for (size_t i = 0; i < batch.n; i++, n++)
			cr_assert_eq(batch.hits[i].place, want[n]);

	cr_assert_eq(n, 5);
	cr_assert_eq(ramp.walk.stop, STOP_LIMIT);
	cr_assert_eq(ramp.asked, 2);
}

Test(cursor, a_failure_goes_down_the_chain_and_stays)
{
	struct hit_batch batch;
	struct ramp ramp;
	SCOPED(cursor) cursor = NULL;

	ramp_init(&ramp, 20, 1);
	ramp.fail_at = 2;
	chain(&ramp, &cursor);

	cr_assert_eq(cursor_next(cursor, &batch), STEP_BATCH);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(cursor_next(cursor, &batch), STEP_FAIL);
		cr_assert_eq(cursor->status.code, STATUS_DATA_LOSS);
		cr_assert_str_eq(cursor->status.detail, "as told");
	}
	cr_assert_eq(ramp.asked, 2);
	cr_assert_eq(ramp.walk.stop, STOP_NONE);
}

Test(cursor, an_end_stays_and_is_not_asked_for_again)
{
	struct hit_batch batch;
	struct ramp ramp;
	SCOPED(cursor) cursor = NULL;

	ramp_init(&ramp, 0, 1);
	chain(&ramp, &cursor);

	for (int i = 0; i < 3; i++)
		cr_assert_eq(cursor_next(cursor, &batch), STEP_END);
	cr_assert_eq(ramp.asked, 1);
	cr_assert_eq(ramp.walk.stop, STOP_EXHAUSTED);
}

Test(cursor, closing_nothing_is_fine)
{
	cursor_close(NULL);
}
