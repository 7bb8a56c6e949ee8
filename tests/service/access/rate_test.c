/* rate - who may begin a call now, and how long the others wait. */
#include "service/access/rate.h"

#include <criterion/criterion.h>

#define SECOND INT64_C(1000000000)
#define NOW (100 * SECOND)

static struct rates *rates;

static void setup(void)
{
	rates = rates_open();
	cr_assert_not_null(rates);
}

static void teardown(void)
{
	rates_close(rates);
}

TestSuite(rate, .init = setup, .fini = teardown);

/* How many of at most 1000 may begin at once. */
static int take_all(uint64_t caller, struct rate_limit limit, int64_t now_ns)
{
	int n = 0;

	while (n < 1000 && rates_take(rates, caller, limit, now_ns) == 0)
		n++;
	return n;
}

static const struct {
	struct rate_limit limit;
	int at_once, a_second_later;
} limits[] = {
	{{1, 1}, 1, 1},         {{1, 0}, 1, 1},       {{10, 0}, 10, 10},
	{{10, 3}, 3, 3},        {{2, 7}, 7, 2},       {{100, 1}, 1, 1},
	{{100, 250}, 250, 100}, {{0, 0}, 1000, 1000}, {{0, 5}, 1000, 1000},
};

Test(rate, lets_a_burst_through_and_then_so_many_a_second)
{
	for (uint64_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		cr_assert_eq(take_all(i, limits[i].limit, NOW), limits[i].at_once, "case %d",
			     (int)i);
		cr_assert_eq(take_all(i, limits[i].limit, NOW + SECOND), limits[i].a_second_later,
			     "case %d", (int)i);
		/* After a rest all of it, and no more. */
		cr_assert_eq(take_all(i, limits[i].limit, NOW + 999 * SECOND), limits[i].at_once,
			     "case %d", (int)i);
	}
}

Test(rate, says_how_long_to_wait_and_means_it)
{
	const struct rate_limit limit = {4, 2};

	cr_assert_eq(take_all(1, limit, NOW), 2);
	cr_assert_eq(rates_take(rates, 1, limit, NOW), SECOND / 4);
	/* Asking costs nothing. */
	cr_assert_eq(rates_take(rates, 1, limit, NOW), SECOND / 4);
	cr_assert_eq(rates_take(rates, 1, limit, NOW + SECOND / 4 - 1), 1);
	cr_assert_eq(rates_take(rates, 1, limit, NOW + SECOND / 4), 0);
	cr_assert_eq(rates_take(rates, 1, limit, NOW + SECOND / 4), SECOND / 4);
}

Test(rate, is_each_callers_own)
{
	const struct rate_limit limit = {1, 5};

	for (uint64_t caller = 0; caller < 2000; caller++)
		cr_assert_eq(take_all(caller, limit, NOW), 5);
	cr_assert_eq(take_all(1999, limit, NOW), 0);
}

/* All in one row, more than it holds: some begin anew, none is refused what it has. */
Test(rate, forgets_whoever_is_the_fullest)
{
	const struct rate_limit limit = {1, 10};

	for (uint64_t i = 0; i < 8; i++)
		for (uint64_t n = 0; n <= i; n++)
			cr_assert_eq(rates_take(rates, i << 32, limit, NOW), 0);
	cr_assert_eq(take_all(UINT64_C(8) << 32, limit, NOW), 10);
	cr_assert_eq(take_all(UINT64_C(7) << 32, limit, NOW), 2);
	cr_assert_eq(take_all(UINT64_C(0) << 32, limit, NOW), 10);
}

static const struct {
	const char *text;
	bool is;
	struct rate_limit limit;
} texts[] = {
	{"50", true, {50, 0}},       {"0", true, {0, 0}},
	{"50/200", true, {50, 200}}, {"1000000/1000000", true, {1000000, 1000000}},
	{"", false, {0, 0}},         {"/", false, {0, 0}},
	{"50/", false, {0, 0}},      {"/50", false, {0, 0}},
	{"50/0", false, {0, 0}},     {"-1", false, {0, 0}},
	{"1.5", false, {0, 0}},      {"50 ", false, {0, 0}},
	{"1000001", false, {0, 0}},  {"99999999999999999999", false, {0, 0}},
	{"5/5/5", false, {0, 0}},
};

Test(rate, reads_what_it_is_told)
{
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct rate_limit limit = {0, 0};

		cr_assert_eq(rate_read(texts[i].text, &limit), texts[i].is, "%s", texts[i].text);
		cr_assert_eq(limit.per_second, texts[i].limit.per_second, "%s", texts[i].text);
		cr_assert_eq(limit.burst, texts[i].limit.burst, "%s", texts[i].text);
	}
}

Test(rate, knows_which_lets_more_through)
{
	cr_assert(rate_is_above((struct rate_limit){0, 0}, (struct rate_limit){9, 9}));
	cr_assert_not(rate_is_above((struct rate_limit){9, 9}, (struct rate_limit){0, 0}));
	cr_assert_not(rate_is_above((struct rate_limit){0, 0}, (struct rate_limit){0, 0}));
	cr_assert(rate_is_above((struct rate_limit){10, 1}, (struct rate_limit){9, 9}));
	cr_assert(rate_is_above((struct rate_limit){9, 10}, (struct rate_limit){9, 9}));
	cr_assert_not(rate_is_above((struct rate_limit){9, 9}, (struct rate_limit){9, 9}));
}
