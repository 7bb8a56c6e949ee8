#include "tests/index/cursor/ramp.h"

#include <criterion/criterion.h>

static const struct {
	uint64_t source, limit, want;
	int asked;
	enum stop_reason stop;
} cases[] = {
	{0, 5, 0, 1, STOP_EXHAUSTED}, {5, 0, 0, 0, STOP_LIMIT},
	{5, 1, 1, 1, STOP_LIMIT},     {5, 3, 3, 2, STOP_LIMIT},
	{5, 4, 4, 2, STOP_LIMIT},     {5, 5, 5, 3, STOP_LIMIT},
	{3, 9, 3, 3, STOP_EXHAUSTED}, {4, UINT64_MAX, 4, 3, STOP_EXHAUSTED},
};

Test(limit, hands_on_so_many_hits_and_asks_for_no_more)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ramp ramp;
		uint64_t got = 0;

		ramp_init(&ramp, cases[i].source, 2);
		{
			SCOPED(cursor) cursor = NULL;
			struct hit_batch batch;

			cr_assert(!status_failed(limit_open(&ramp.base, cases[i].limit, &cursor)));
			while (cursor_next(cursor, &batch) == STEP_BATCH)
				got += batch.n;
			cr_assert_eq(cursor_next(cursor, &batch), STEP_END, "case %zu", i);
		}

		cr_assert_eq(got, cases[i].want, "case %zu", i);
		cr_assert_eq(ramp.asked, cases[i].asked, "case %zu", i);
		cr_assert_eq(ramp.freed, 1, "case %zu", i);
		cr_assert_eq(ramp.walk.stop, cases[i].stop, "case %zu", i);
	}
}

Test(limit, says_so_with_the_hit_that_reaches_it)
{
	struct hit_batch batch;
	struct ramp ramp;
	SCOPED(cursor) cursor = NULL;

	ramp_init(&ramp, 10, 2);
	cr_assert(!status_failed(limit_open(&ramp.base, 3, &cursor)));

	cr_assert_eq(cursor_next(cursor, &batch), STEP_BATCH);
	cr_assert_eq(ramp.walk.stop, STOP_NONE);
	cr_assert_eq(cursor_next(cursor, &batch), STEP_BATCH);
	cr_assert_eq(batch.n, 1);
	cr_assert_eq(ramp.walk.stop, STOP_LIMIT);
}
