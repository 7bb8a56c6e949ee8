/* How much to read is looked up, and how wide the groups are is worked out. */
#include "index/ann/lists_build.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <math.h>

static struct lists_table table;

/* Settings that rise with depth and recall; the last recall is out of reach for a thousand. */
static void make(void)
{
	static const uint32_t keeps[LISTS_DEPTHS] = {50, 500, 5000};

	for (uint32_t row = 0; row < LISTS_DEPTHS; row++) {
		for (uint32_t column = 0; column < LISTS_TARGETS; column++)
			table.settings[row][column] = (struct lists_setting){
				.z = 0.1F * (float)(row + column + 1),
				.share = 0.04F * (float)(row + column),
				.keep = keeps[row],
			};
	}
	table.settings[2][LISTS_TARGETS - 1].keep = 0;
}

TestSuite(lists_table, .init = make);

Test(lists_table, gives_what_was_measured_for_the_next_higher_recall)
{
	static const struct {
		uint32_t depth;
		double recall;
		uint32_t row, column;
	} cases[] = {
		{1, .5, 0, 0},   {10, .8, 0, 0},   {10, .81, 0, 1}, {10, (double).95F, 0, 3},
		{10, .96, 0, 4}, {10, .999, 0, 6}, {100, .9, 1, 2}, {1000, .99, 2, 5},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct lists_setting *wanted = &table.settings[cases[i].row][cases[i].column];
		struct lists_setting setting;

		cr_assert(lists_choose(&table, cases[i].depth, cases[i].recall, 1, &setting));
		cr_assert_eq(setting.z, wanted->z, "case %zu", i);
		cr_assert_eq(setting.keep, wanted->keep, "case %zu", i);
		cr_assert_eq(setting.share, wanted->share, "case %zu", i);
	}
}

Test(lists_table, lies_between_its_depths)
{
	struct lists_setting setting;

	for (uint32_t depth = 11; depth < 100; depth++) {
		cr_assert(lists_choose(&table, depth, .8, 1, &setting));
		cr_assert(setting.keep > 50 && setting.keep <= 500);
		cr_assert(setting.z > 0.1F && setting.z < 0.2F);
	}
}

Test(lists_table, takes_a_share_of_the_rows_for_a_greater_depth)
{
	struct lists_setting all, some;

	cr_assert(lists_choose(&table, 100, .8, 1, &all));
	cr_assert(lists_choose(&table, 10, .8, 0.1, &some));
	cr_assert_float_eq(some.z, all.z, 1e-6F);
	cr_assert_eq(some.keep, all.keep / 10);
}

Test(lists_table, does_not_reach_everything)
{
	static const struct {
		uint32_t depth;
		double recall, share;
	} cases[] = {{4097, .8, 1}, {10, .9999, 1}, {1000, .999, 1}, {10, .8, 0.0024}, {10, .8, 0}};
	struct lists_setting setting;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_assert(!lists_choose(&table, cases[i].depth, cases[i].recall, cases[i].share,
					&setting),
			  "case %zu", i);
	/* Reaching it would take nearly all rows. */
	table.settings[1][0].share = 0.9F;
	cr_assert(!lists_choose(&table, 100, .8, 1, &setting));
}

Test(lists_table, wants_more_of_rows_than_of_questions)
{
	for (uint32_t column = 0; column < LISTS_TARGETS; column++) {
		double target = lists_target(column);

		for (uint32_t row = 0; row < LISTS_DEPTHS; row++)
			cr_assert_gt(lists_margin_z(row, column), 0);
		cr_assert_gt(lists_margin_recall(target), target);
		cr_assert_lt(lists_margin_recall(target), 1);
	}
}

static double cost_of(const float *variances, uint32_t n_axes, const uint32_t *widths, uint32_t n)
{
	double cost = 0;
	uint32_t at = 0;

	for (uint32_t group = 0; group < n; group++) {
		double logs = 0, width = widths[group];

		for (uint32_t i = 0; i < widths[group]; i++)
			logs += log((double)variances[at++]);
		cost += width * exp(logs / width - 8 * M_LN2 / width);
	}
	for (; at < n_axes; at++)
		cost += (double)variances[at];
	return cost;
}

/* The least cost of any widths, of groups from `group` on. */
static double least_cost(const float *variances, uint32_t n_axes, uint32_t *widths, uint32_t group,
			 uint32_t n)
{
	uint32_t used = 0;
	double least = INFINITY;

	if (group == n)
		return cost_of(variances, n_axes, widths, n);
	for (uint32_t i = 0; i < group; i++)
		used += widths[i];
	for (widths[group] = 1; used + widths[group] + (n - group - 1) <= n_axes; widths[group]++) {
		uint32_t kept = widths[group];
		double cost = least_cost(variances, n_axes, widths, group + 1, n);

		widths[group] = kept;
		least = cost < least ? cost : least;
	}
	return least;
}

Test(lists_table, groups_are_as_wide_as_is_best)
{
	struct random random = {3};

	for (size_t i = 0; i < 60; i++) {
		uint32_t n_axes = 2 + (uint32_t)random_below(&random, 9), kept, widths[12], any[12];
		uint32_t n = 1 + (uint32_t)random_below(&random, n_axes < 5 ? n_axes : 5);
		float variances[12];
		double best;

		variances[0] = 1;
		for (size_t k = 1; k < n_axes; k++)
			variances[k] =
				variances[k - 1] * (0.3F + 0.35F * (1 + random_signed(&random)));
		cr_assert(!status_failed(lists_widths(variances, n_axes, n, widths, &kept)));
		best = least_cost(variances, n_axes, any, 0, n);
		cr_assert_leq(kept, n_axes);
		cr_assert_leq(cost_of(variances, n_axes, widths, n), best * (1 + 1e-9));
	}
}
