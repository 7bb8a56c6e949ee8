#include "tests/index/cursor/ramp.h"

#include <criterion/criterion.h>

static const struct {
	uint64_t source, place;
	size_t batch;
	size_t batches; /* that come out */
} cases[] = {
	{0, 0, 3, 0}, /* nothing at all */
	{1, 0, 3, 0}, /* only that one */
	{6, 0, 3, 2}, /* first of a batch */
	{6, 1, 3, 3}, /* inside: in two parts */
	{6, 2, 3, 2}, /* last of a batch */
	{6, 3, 3, 2}, /* first of a later one */
	{6, 5, 3, 2}, /* last of all */
	{6, 9, 3, 2}, /* not there */
	{3, 1, 1, 2}, /* a batch of its own */
	{3, 2, 1, 2}, /* the same at the end */
};

Test(without, leaves_out_that_place_and_no_other)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct ramp ramp;
		size_t batches = 0;
		uint64_t due = 0;

		ramp_init(&ramp, cases[i].source, cases[i].batch);
		{
			SCOPED(cursor) cursor = NULL;
			struct hit_batch batch;

			cr_assert(
				!status_failed(without_open(&ramp.base, cases[i].place, &cursor)));
			for (; cursor_next(cursor, &batch) == STEP_BATCH; batches++) {
				cr_assert_geq(batch.n, 1, "case %zu", i);
				for (size_t j = 0; j < batch.n; j++, due++) {
					due += due == cases[i].place;
					cr_assert_eq(batch.hits[j].place, due, "case %zu", i);
				}
			}
		}

		due += due == cases[i].place && due < cases[i].source;
		cr_assert_eq(due, cases[i].source, "case %zu", i);
		cr_assert_eq(batches, cases[i].batches, "case %zu", i);
		cr_assert_eq(ramp.freed, 1, "case %zu", i);
		cr_assert_eq(ramp.walk.stop, STOP_EXHAUSTED, "case %zu", i);
	}
}
