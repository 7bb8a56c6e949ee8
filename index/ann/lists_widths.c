/* lists_widths - by dynamic programming: the cheapest way to cut the first e axes into m groups, from
 * the cheapest ways to cut fewer into m - 1.
 *
 * A group of w axes whose variances have the geometric mean g costs w g 2^(-8/w): the distortion of a
 * Gaussian at 4 bits for w values. An axis that is dropped costs its variance.
 */
#include "index/ann/lists_build.h"

#include <math.h>
#include <stdlib.h>

/* An axis of no variance would be worth any number of others. */
#define VARIANCE_LEAST 1e-9 /* of all */

struct plan {
	uint32_t n_axes, n_groups;
	double *costs; /* [n_axes + 1][CODES4_WIDTH_MAX + 1] owned; of the group that ends there */
	double *least; /* [2][n_axes + 1] owned; with one group fewer, and now */
	uint8_t *widths; /* [n_groups + 1][n_axes + 1] owned; of the last group */
	double *tails;   /* [n_axes + 1] owned; what dropping the rest costs */
};

static void plan_finish(struct plan *plan)
{
	free(plan->costs);
	free(plan->least);
	free(plan->widths);
	free(plan->tails);
}

SCOPE_DEFINE(plan, plan_finish)

static status plan_init(struct plan *plan, const float *variances)
{
	size_t columns = (size_t)plan->n_axes + 1;
	double all = 0;

	plan->costs = calloc(columns * (CODES4_WIDTH_MAX + 1), sizeof *plan->costs);
	plan->least = calloc(columns * 2, sizeof *plan->least);
	plan->widths = calloc(columns * (plan->n_groups + 1), sizeof *plan->widths);
	plan->tails = calloc(columns, sizeof *plan->tails);
	if (!plan->costs || !plan->least || !plan->widths || !plan->tails)
		return building_no_memory();
	for (size_t i = plan->n_axes; i-- > 0;) {
		all += (double)variances[i];
		plan->tails[i] = all;
	}
	for (size_t end = 1; end < columns; end++) {
		double logs = 0;

		for (size_t width = 1; width <= CODES4_WIDTH_MAX && width <= end; width++) {
			double least = all > 0 ? all * VARIANCE_LEAST : 1;

			logs += log(fmax((double)variances[end - width], least));
			plan->costs[end * (CODES4_WIDTH_MAX + 1) + width] =
				(double)width *
				exp(logs / (double)width - 8 * M_LN2 / (double)width);
		}
	}
	return status_ok();
}

/* Ways to cut into one group more. */
static void plan_step(struct plan *plan, uint32_t group)
{
	size_t columns = (size_t)plan->n_axes + 1;
	const double *before = plan->least + (group - 1) % 2 * columns;
	double *now = plan->least + group % 2 * columns;

	for (size_t end = 0; end < columns; end++) {
		const double *costs = plan->costs + end * (CODES4_WIDTH_MAX + 1);

		now[end] = INFINITY;
		for (size_t width = 1; width <= CODES4_WIDTH_MAX && width <= end; width++) {
			double cost = before[end - width] + costs[width];

			if (cost < now[end]) {
				now[end] = cost;
				plan->widths[group * columns + end] = (uint8_t)width;
			}
		}
	}
}

status lists_widths(const float *variances, uint32_t n_axes, uint32_t n_groups,
		    uint32_t *ret_widths, uint32_t *ret_kept)
{
	SCOPED(plan) plan = &(struct plan){.n_axes = n_axes, .n_groups = n_groups};
	size_t columns = (size_t)n_axes + 1, best = n_groups;
	const double *least;

	TRY(plan_init(plan, variances));
	for (size_t end = 1; end < columns; end++)
		plan->least[end] = INFINITY;
	for (uint32_t group = 1; group <= n_groups; group++)
		plan_step(plan, group);
	least = plan->least + n_groups % 2 * columns;
	for (size_t end = n_groups; end < columns; end++) {
		if (least[end] + plan->tails[end] < least[best] + plan->tails[best])
			best = end;
	}
	*ret_kept = (uint32_t)best;
	for (uint32_t group = n_groups; group > 0; group--) {
		ret_widths[group - 1] = plan->widths[group * columns + best];
		best -= ret_widths[group - 1];
	}
	return status_ok();
}
