/* Which segments are to be merged, by their lengths and by what of them is gone. */
#include "index/merging_plan.h"
#include "tests/index/segment/sealed_fixture.h"

#include <criterion/criterion.h>

#define SEAL_ROWS 10
#define ROWS_MAX 200
#define SEGMENTS_MAX 12

/* Rows die at this generation. */
#define DEATH 5

static const struct sealed_made_of made_of = {.metric = METRIC_L2, .dim = 2, .n = ROWS_MAX};

struct plan {
	const char *what;
	struct {
		uint32_t n, gone;
	} segments[SEGMENTS_MAX]; /* up to one of no rows */
	bool none;
	size_t first, end;
};

/* With SEAL_ROWS tiers begin at 10 (and below), 40 and 160 rows. */
static const struct plan plans[] = {
	{.what = "nothing", .none = true},
	{"three of a tier", {{10, 0}, {10, 0}, {10, 0}}, .none = true},
	{"four of a tier", {{10, 0}, {39, 0}, {20, 0}, {11, 0}}, .end = 4},
	{"those with fewer rows are of the lowest", {{1, 0}, {2, 0}, {9, 0}, {30, 0}}, .end = 4},
	{"all that lie side by side", {{10, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}}, .end = 5},
	{"a larger one between them", {{10, 0}, {10, 0}, {40, 0}, {10, 0}, {10, 0}}, .none = true},
	{"behind a larger one",
	 {{160, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}},
	 .first = 1,
	 .end = 5},
	{"before a larger one", {{10, 0}, {10, 0}, {10, 0}, {10, 0}, {40, 0}}, .end = 4},
	{"with smaller ones between them",
	 {{40, 0}, {10, 0}, {50, 0}, {159, 0}, {10, 0}, {40, 0}},
	 .end = 6},
	{"smaller ones alone are too few",
	 {{40, 0}, {10, 0}, {40, 0}, {10, 0}, {40, 0}, {10, 0}},
	 .none = true},
	{"the lowest tier goes first",
	 {{40, 0}, {40, 0}, {40, 0}, {40, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}},
	 .first = 4,
	 .end = 8},
	{"of the highest there are", {{160, 0}, {200, 0}, {160, 0}, {160, 0}}, .end = 4},
	{"a quarter gone is not thin", {{20, 5}}, .none = true},
	{"more than that is", {{20, 6}}, .end = 1},
	{"all gone", {{40, 0}, {20, 20}}, .first = 1, .end = 2},
	{"thin ones side by side", {{40, 0}, {20, 12}, {20, 12}, {10, 0}}, .first = 1, .end = 3},
	{"thin ones apart", {{20, 12}, {40, 0}, {20, 12}}, .end = 1},
	{"thin ones up to a higher tier's rows", {{40, 15}, {40, 15}, {40, 15}}, .end = 1},
	{"tiers before thin ones",
	 {{40, 40}, {10, 0}, {10, 0}, {10, 0}, {10, 0}},
	 .first = 1,
	 .end = 5},
};

/* A segment of the first n rows, of which the first ones are gone. */
static struct stratum *make(struct room *room, uint64_t id, uint32_t n, uint32_t gone)
{
	struct sealed_file file = room_file(room, id);
	struct sealed_source source = room_source(room);
	struct sealed *sealed;
	struct stratum *stratum;

	source.n = n;
	cr_assert_not(
		status_failed(sealed_write(&file, &source, &room->coding, NULL, &room->arena)));
	sealed = room_open(room, id);
	for (uint32_t place = 0; place < gone; place++)
		sealed_kill(sealed, place, DEATH);
	stratum = stratum_make(sealed);
	cr_assert_not_null(stratum);
	return stratum;
}

static struct strata *lay(struct room *room, const struct plan *plan)
{
	struct stratum *items[SEGMENTS_MAX];
	struct strata *strata = NULL;
	size_t n = 0;

	for (; n < SEGMENTS_MAX && plan->segments[n].n; n++)
		items[n] = make(room, n, plan->segments[n].n, plan->segments[n].gone);
	cr_assert_not(status_failed(strata_make(items, n, &strata)));
	for (size_t i = 0; i < n; i++)
		stratum_release(items[i]);
	return strata;
}

static void check(const struct plan *plan, const struct strata *strata, uint64_t horizon, bool none)
{
	size_t first = 0, end = 0;
	bool any = merging_plan(strata, horizon, SEAL_ROWS, &first, &end);

	cr_assert_eq(any, !none, "%s", plan->what);
	if (none)
		return;
	cr_assert_eq(first, plan->first, "%s: from %zu", plan->what, first);
	cr_assert_eq(end, plan->end, "%s: up to %zu", plan->what, end);
}

Test(merging_plan, takes_tiers_and_then_what_is_thin)
{
	struct room room;

	room_init(&room, &made_of, 1);
	for (size_t i = 0; i < COUNT(plans); i++) {
		SCOPED(strata) strata = lay(&room, &plans[i]);

		check(&plans[i], strata, DEATH, plans[i].none);
	}
	room_finish(&room);
}

/* Somebody may still see them. */
Test(merging_plan, knows_nothing_of_deaths_behind_the_horizon)
{
	const struct plan thin = {.what = "thin", .segments = {{20, 20}, {20, 12}}, .end = 2};
	struct room room;

	room_init(&room, &made_of, 2);
	{
		SCOPED(strata) strata = lay(&room, &thin);

		check(&thin, strata, DEATH - 1, true);
		check(&thin, strata, DEATH, false);
	}
	room_finish(&room);
}

/* What is planned is merged, and planned anew, until nothing is left: a row moves once a tier. */
Test(merging_plan, comes_to_rest_with_few_segments)
{
	const struct plan least = {.what = "least", .segments = {{10, 0}}};
	SCOPED(strata) strata = NULL;
	struct room room;
	uint64_t n_moved = 0, id = 100;

	room_init(&room, &made_of, 3);
	strata = lay(&room, &least);
	for (int i = 1; i < 20; i++) {
		struct stratum *one = make(&room, id++, SEAL_ROWS, 0);
		struct strata *more = NULL;
		size_t first, end;

		cr_assert_not(
			status_failed(strata_replace(strata, strata->n, strata->n, one, &more)));
		stratum_release(one);
		strata_release(strata);
		strata = more;
		while (merging_plan(strata, 0, SEAL_ROWS, &first, &end)) {
			uint64_t rows = strata_begin(strata, end) - strata_begin(strata, first);
			struct stratum *merged = make(&room, id++, (uint32_t)rows, 0);

			n_moved += rows;
			cr_assert_not(
				status_failed(strata_replace(strata, first, end, merged, &more)));
			stratum_release(merged);
			strata_release(strata);
			strata = more;
		}
		cr_assert_leq(strata->n, 3 * 3);
	}
	cr_assert_eq(strata_places(strata), 20 * SEAL_ROWS);
	/* Once from tier 0 to tier 1, and once to tier 2. */
	cr_assert_leq(n_moved, 2 * 20 * SEAL_ROWS);
	strata_release(TAKE(strata));
	room_finish(&room);
}
