#include "tests/index/cursor/ramp.h"

#include <criterion/criterion.h>
#include <math.h>

/* Scores are 0 0 -1 -1 -2 -2 ..., batches of three. */
static const struct {
	uint64_t source;
	float min_score;
	uint64_t want;
	int asked;
	enum stop_reason stop;
} cases[] = {
	{9, 1, 0, 1, STOP_MIN_SCORE},         {9, 0, 2, 1, STOP_MIN_SCORE},
	{9, -0.5F, 2, 1, STOP_MIN_SCORE},     {9, -1, 4, 2, STOP_MIN_SCORE},
	{9, -2, 6, 3, STOP_MIN_SCORE},        {9, -4, 9, 4, STOP_EXHAUSTED},
	{9, -INFINITY, 9, 4, STOP_EXHAUSTED}, {9, INFINITY, 0, 1, STOP_MIN_SCORE},
	{0, 0, 0, 1, STOP_EXHAUSTED},         {2, 0, 2, 2, STOP_EXHAUSTED},
};

Test(floor, ends_before_the_first_hit_below)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ramp ramp;
		uint64_t got = 0;

		ramp_init(&ramp, cases[i].source, 3);
		{
			SCOPED(cursor) cursor = NULL;
			struct hit_batch batch;

			cr_assert(!status_failed(
				floor_open(&ramp.base, cases[i].min_score, &cursor)));
			while (cursor_next(cursor, &batch) == STEP_BATCH) {
				cr_assert_geq(batch.n, 1, "case %zu", i);
				for (size_t j = 0; j < batch.n; j++, got++)
					cr_assert_eq(batch.hits[j].place, got, "case %zu", i);
			}
		}

		cr_assert_eq(got, cases[i].want, "case %zu", i);
		cr_assert_eq(ramp.asked, cases[i].asked, "case %zu", i);
		cr_assert_eq(ramp.freed, 1, "case %zu", i);
		cr_assert_eq(ramp.walk.stop, cases[i].stop, "case %zu", i);
	}
}
