/* lists_table - looking a setting up. */
#include "index/ann/lists_table.h"

#include <math.h>

/* The fewest that are kept for a depth: what the scores of the first stage are good for. */
#define KEEP_FACTOR 2

/* Beyond the deepest row of the table, where its z is still good: the deeper, the less z takes. */
#define DEPTH_MAX 4096

/* How the part that is read grows with the depth there: measured, between a tenth and a half. */
#define SHARE_EXPONENT 0.4

/* Targets that were floats. */
#define SLACK 1e-5

static const uint32_t depths[LISTS_DEPTHS] = {10, 100, 1000};
static const double targets[LISTS_TARGETS] = {.80, .85, .90, .95, .97, .99, .999};

/* What questions needed, and a little: over that corpus, and over a tenth of it nine times more, a little
 * changed. */
static const double margins[LISTS_DEPTHS][LISTS_TARGETS] = {
	{0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.8},
	{0.25, 0.25, 0.3, 0.5, 0.55, 0.75, 1},
	{0.25, 0.25, 0.3, 0.4, 0.45, 0.7, 1},
};

uint32_t lists_depth(uint32_t row)
{
	return depths[row];
}

double lists_target(uint32_t column)
{
	return targets[column];
}

double lists_margin_z(uint32_t row, uint32_t column)
{
	return margins[row][column];
}

double lists_margin_recall(double target)
{
	return 1 - 0.25 * (1 - target);
}

static bool column_of(double recall, uint32_t *ret)
{
	for (uint32_t column = 0; column < LISTS_TARGETS; column++) {
		if (recall <= targets[column] + SLACK) {
			*ret = column;
			return true;
		}
	}
	return false;
}

/* a where t is 0, b where it is 1. */
static double between(double a, double b, double t)
{
	return a + (b - a) * t;
}

/* Of a depth that is so many times the deepest. */
static void setting_deepen(struct lists_setting *setting, double times)
{
	setting->keep = (uint32_t)ceil(setting->keep * times);
	setting->share = (float)((double)setting->share * pow(times, SHARE_EXPONENT));
}

static bool setting_at(const struct lists_table *table, double depth, uint32_t column,
		       struct lists_setting *ret)
{
	const struct lists_setting *low, *high;
	uint32_t row = 0;
	double t;

	if (depth > DEPTH_MAX)
		return false;
	while (row + 1 < LISTS_DEPTHS && depth > depths[row])
		row++;
	high = &table->settings[row][column];
	if (high->keep == 0)
		return false;
	*ret = *high;
	if (depth > depths[row])
		setting_deepen(ret, depth / depths[row]);
	if (row == 0 || depth >= depths[row])
		return true;
	low = &table->settings[row - 1][column];
	if (low->keep == 0)
		return true;
	t = log(depth / depths[row - 1]) / log((double)depths[row] / depths[row - 1]);
	*ret = (struct lists_setting){
		.z = (float)between((double)low->z, (double)high->z, t),
		.share = (float)between((double)low->share, (double)high->share, t),
		.keep = (uint32_t)ceil(exp(between(log(low->keep), log(high->keep), t))),
	};
	return true;
}

bool lists_choose(const struct lists_table *table, uint32_t depth, double recall, double share,
		  struct lists_setting *ret)
{
	struct lists_setting setting;
	uint32_t column, least = depth < 10 ? 10 * KEEP_FACTOR : depth * KEEP_FACTOR;

	if (!(share > 0) || !column_of(recall, &column) ||
	    !setting_at(table, depth / share, column, &setting))
		return false;
	if ((double)setting.share > LISTS_SHARE_MAX)
		return false;
	/* Of the rows that were kept when all counted, so many would have counted. */
	if (share < 1)
		setting.keep = (uint32_t)ceil(setting.keep * share);
	if (setting.keep < least)
		setting.keep = least;
	*ret = setting;
	return true;
}
