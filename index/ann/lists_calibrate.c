/* lists_calibrate - what has to be read for which recall, from what walks were measured to find. */
#include "index/ann/lists_measure.h"

#include <math.h>

/* A row that is kept costs as much as reading so many in the first stage: it is fetched from memory,
 * bounded, and in the way of the threshold. */
#define ROWS_PER_KEPT 70

struct calibrating {
	double n;         /* rows */
	double deviation; /* of the building */
	struct lists_measures measures;
};

/* Of values at the steps, the one at z. */
static double value_at(const double *values, double z)
{
	size_t step = 1;
	double low, high;

	while (step + 1 < LISTS_STEPS && z > (double)lists_step((uint32_t)(step)))
		step++;
	low = (double)lists_step((uint32_t)(step - 1));
	high = (double)lists_step((uint32_t)(step));
	if (z >= high)
		return values[step];
	return z <= low ? values[step - 1]
			: values[step - 1] +
				  (values[step] - values[step - 1]) * (z - low) / (high - low);
}

/* The least z that reaches the sum of recalls, between two that were tried; NAN: none does. */
static double z_find(const struct lists_measured *measured, double recall)
{
	size_t step = 0;
	double before, now;

	while (step < LISTS_STEPS && measured->recall[step] < recall)
		step++;
	if (step == LISTS_STEPS)
		return NAN;
	if (step == 0)
		return (double)lists_step((uint32_t)(0));
	before = measured->recall[step - 1];
	now = measured->recall[step];
	return (double)lists_step((uint32_t)(step - 1)) +
	       ((double)lists_step((uint32_t)(step)) - (double)lists_step((uint32_t)(step - 1))) *
		       (recall - before) / (now - before);
}

/* Between a number kept that was measured and the next there are so many that are not. */
#define KEEP_PARTS 6

/* Misses go down with some power of the number kept. */
static double recall_between(double few, double many, double n_probes, double t)
{
	/* Less than a few probes can tell from none. */
	double least = n_probes / 1000;

	return n_probes + least -
	       exp((1 - t) * log(fmax(n_probes - few, 0) + least) +
		   t * log(fmax(n_probes - many, 0) + least));
}

static void measured_between(const struct lists_measured *few, const struct lists_measured *many,
			     double n_probes, double t, struct lists_measured *ret)
{
	for (size_t step = 0; step < LISTS_STEPS; step++) {
		ret->recall[step] =
			recall_between(few->recall[step], many->recall[step], n_probes, t);
		ret->read[step] = (1 - t) * few->read[step] + t * many->read[step];
	}
}

/* What both kinds need where so many are kept. Returns whether they reach it. */
static bool setting_find(const struct calibrating *calibrating, uint32_t row, uint32_t column,
			 uint32_t keep, const struct lists_measured measured[LISTS_KINDS],
			 struct lists_setting *ret)
{
	double target = lists_target(column), z = -INFINITY;
	double share = 0, n = calibrating->n;

	for (size_t kind = 0; kind < LISTS_KINDS; kind++) {
		double n_probes = calibrating->measures.n_probes[kind][row];

		if (measured[kind].recall[LISTS_STEPS - 1] < lists_margin_recall(target) * n_probes)
			return false;
		z = fmax(z, z_find(&measured[kind], target * n_probes));
	}
	z += lists_margin_z(row, column) * calibrating->deviation;
	for (size_t kind = 0; kind < LISTS_KINDS; kind++)
		share += value_at(measured[kind].read, z) /
			 calibrating->measures.n_probes[kind][row] / n / LISTS_KINDS;
	*ret = (struct lists_setting){.z = (float)z, .share = (float)share, .keep = keep};
	return true;
}

/* Part `part` of the way from a number kept to the next. */
static bool setting_try(const struct calibrating *calibrating, uint32_t row, uint32_t column,
			uint32_t keep, uint32_t part, struct lists_setting *ret)
{
	uint32_t next = part > 0 ? keep + 1 : keep;
	double t = (double)part / KEEP_PARTS, few = lists_keep(row, keep),
	       many = lists_keep(row, next);
	struct lists_measured measured[LISTS_KINDS];

	for (size_t kind = 0; kind < LISTS_KINDS; kind++)
		measured_between(&calibrating->measures.of[kind][row][keep],
				 &calibrating->measures.of[kind][row][next],
				 calibrating->measures.n_probes[kind][row], t, &measured[kind]);
	return setting_find(calibrating, row, column, (uint32_t)ceil(few * pow(many / few, t)),
			    measured, ret);
}

static void setting_choose(const struct calibrating *calibrating, uint32_t row, uint32_t column,
			   struct lists_setting *ret)
{
	double least = INFINITY, n = calibrating->n;
	uint32_t n_keeps = 0;
	struct lists_setting setting;

	while (n_keeps < LISTS_KEEPS && lists_keep(row, n_keeps))
		n_keeps++;
	for (uint32_t i = 0; i <= (n_keeps - 1) * KEEP_PARTS; i++) {
		double cost;

		if (!setting_try(calibrating, row, column, i / KEEP_PARTS, i % KEEP_PARTS,
				 &setting))
			continue;
		cost = (double)setting.share * n + (double)setting.keep * ROWS_PER_KEPT;
		if (cost < least) {
			least = cost;
			*ret = setting;
		}
	}
	/* One miss in a thousand is less than so few probes can tell from none. */
	if (column == LISTS_TARGETS - 1)
		ret->keep *= 2;
}

status lists_calibrate(struct building *building, const struct lists *lists,
		       struct lists_table *ret)
{
	struct calibrating calibrating = {.n = lists->shape.n,
					  .deviation = (double)building->deviation};
	const struct lists_measures *measures = &calibrating.measures;

	TRY(lists_measure(building, lists, &calibrating.measures));
	*ret = (struct lists_table){0};
	for (uint32_t row = 0; row < LISTS_DEPTHS; row++) {
		for (uint32_t column = 0;
		     column < LISTS_TARGETS && measures->n_probes[LISTS_KIND_ROW][row] > 0 &&
		     measures->n_probes[LISTS_KIND_MIXED][row] > 0;
		     column++)
			setting_choose(&calibrating, row, column, &ret->settings[row][column]);
	}
	return status_ok();
}
