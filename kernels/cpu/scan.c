/* scan - groups of sixteen rows, in steps between two looks at the deadline.
 *
 * Vectors are read once each; all else here is small beside that. Of a group with few visible rows
 * the others are not read; of one with many all are, since a row alone costs what two do together.
 */
#include "kernels/cpu/scan.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define GROUP 16
#define GROUP_ALL 0xFFFFU

/* Of a group: the approximations and how far they may be off. */
struct group {
	float middle[GROUP], slack[GROUP];
};

/* Rows at place .. place + n, n <= GROUP, those in the mask; the others' values are arbitrary. */
static void group_fill(struct group *group, dots_fn *dots, const struct scan_query *query,
		       const struct scan_block *block, size_t place, size_t n, uint32_t mask)
{
	const float *rows = block->vectors + place * block->stride;
	float norm[GROUP] = {0}, square[GROUP] = {0};

	if (2 * (size_t)__builtin_popcount(mask) >= n) {
		dots(query->values, rows, block->stride, n, group->middle);
	} else {
		memset(group->middle, 0, sizeof group->middle);
		for (uint32_t left = mask; left; left &= left - 1) {
			size_t i = (size_t)__builtin_ctz(left);

			dots(query->values, rows + i * block->stride, block->stride, 1,
			     &group->middle[i]);
		}
	}
	memcpy(norm, block->norms + place, n * sizeof(float));
	if (query->metric != METRIC_L2) {
		for (size_t i = 0; i < GROUP; i++)
			group->slack[i] = query->slack_norm * norm[i] + query->slack_abs;
		return;
	}
	memcpy(square, block->squares + place, n * sizeof(float));
	for (size_t i = 0; i < GROUP; i++) {
		group->middle[i] = 2 * group->middle[i] - query->qq - square[i];
		group->slack[i] = query->slack_norm * norm[i] + query->slack_xx * square[i] +
				  query->slack_abs;
	}
}

/* Which upper bounds are not below score; what is not finite is in any case. */
static uint32_t group_above(const struct group *group, float score)
{
	uint32_t above = 0;

	for (size_t i = 0; i < GROUP; i++) {
		float upper = group->middle[i] + group->slack[i];
		bool below = (upper < score) & (upper >= -FLT_MAX);

		above |= (uint32_t)!below << i;
	}
	return above;
}

static float bound_upper(const struct group *group, size_t i)
{
	float upper = group->middle[i] + group->slack[i];

	return isfinite(upper) ? upper : INFINITY;
}

static float bound_lower(const struct group *group, size_t i)
{
	float lower = group->middle[i] - group->slack[i];

	return isfinite(lower) ? lower : -INFINITY;
}

/* The visible bits of the group at row first of the range; first is a multiple of GROUP. */
static uint32_t group_visible(const struct scan_range *range, size_t first, size_t n)
{
	uint32_t all = n == GROUP ? GROUP_ALL : (1U << n) - 1;

	if (!range->visible)
		return all;
	return (uint32_t)(range->visible[first / 64] >> first % 64) & all;
}

static void group_propose(const struct group *group, uint32_t rows, uint64_t row,
			  struct window *window)
{
	uint32_t left = group_above(group, window->threshold.score) & rows;

	for (; left; left &= left - 1) {
		size_t i = (size_t)__builtin_ctz(left);

		window_offer(window, (struct key){bound_upper(group, i), row + i});
	}
}

/* Rows between two looks at the deadline: a multiple of GROUP, since even the longest rows are
 * a multiple of so many in a step. */
static size_t step_rows(const struct scan_block *block)
{
	size_t rows = SCAN_STEP_BYTES / (block->stride * sizeof(float)) / GROUP * GROUP;

	return rows ? rows : GROUP;
}

static size_t at_most(size_t n, size_t most)
{
	return n < most ? n : most;
}

status cpu_scan_propose(dots_fn *dots, const struct scan_query *query,
			const struct scan_range *range, const struct deadline *deadline,
			struct window *window)
{
	size_t step = step_rows(range->block);

	for (size_t at = 0; at < range->n; at += GROUP) {
		size_t n = at_most(range->n - at, GROUP), place = range->first + at;
		uint32_t visible = group_visible(range, at, n);
		struct group group;

		if (at % step == 0)
			TRY(deadline_check(deadline));
		if (!visible)
			continue;
		group_fill(&group, dots, query, range->block, place, n, visible);
		group_propose(&group, visible, range->row_base + place, window);
	}
	return status_ok();
}

status cpu_scan_bounds(dots_fn *dots, const struct scan_query *query,
		       const struct scan_range *range, const struct deadline *deadline,
		       struct cpu_scan_bounds_out out)
{
	size_t step = step_rows(range->block);

	for (size_t at = 0; at < range->n; at += GROUP) {
		size_t n = at_most(range->n - at, GROUP), place = range->first + at;
		uint32_t all = n == GROUP ? GROUP_ALL : (1U << n) - 1;
		struct group group;

		if (at % step == 0)
			TRY(deadline_check(deadline));
		group_fill(&group, dots, query, range->block, place, n, all);
		for (size_t i = 0; i < n; i++) {
			out.upper[at + i] = bound_upper(&group, i);
			out.lower[at + i] = bound_lower(&group, i);
		}
	}
	return status_ok();
}
