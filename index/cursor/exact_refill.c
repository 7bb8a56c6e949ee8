/* exact_refill - windows of true keys: the rows that come next by these.
 *
 * One scan with both bounds, a step at a time. Most rows are passed over by a bound: those that
 * were given, and those that cannot be among the window's. The others are scored exactly.
 */
#include "index/cursor/exact_state.h"

#include <math.h>

#define REFILL_STEP_ROWS 4096

/* 33 KiB, on the stack. */
struct refill_step {
	uint64_t place;
	struct scan_range range;
	uint64_t bitmap[REFILL_STEP_ROWS / 64];
	float upper[REFILL_STEP_ROWS], lower[REFILL_STEP_ROWS];
};

static status refill_bounds(struct exact *exact, struct refill_step *step)
{
	const struct deadline *deadline = exact->base.walk->deadline;
	status result;

	if (!step->range.block)
		return exact_codes_bounds(exact, &step->range, step->upper, step->lower);
	result = scanner_bounds(exact->scanner, &exact->query, &step->range, deadline, step->upper,
				step->lower);
	if (!status_failed(result) || !exact_falls_back(exact, result))
		return result;
	return scanner_bounds(exact->scanner_cpu, &exact->query, &step->range, deadline,
			      step->upper, step->lower);
}

static bool is_visible(const struct scan_range *range, uint32_t i)
{
	return !range->visible || (range->visible[i / 64] >> (i % 64) & 1);
}

/* Whether the bounds alone say that row i is not of this window. A bound that is not finite says
 * nothing. */
static bool passes_over(const struct exact *exact, const struct refill_step *step, uint32_t i)
{
	struct key bound = {step->upper[i], step->place + i};

	if (exact->has_last && isfinite(step->lower[i]) && step->lower[i] > exact->last.score)
		return true;
	return isfinite(bound.score) && !key_before(bound, exact->window.threshold);
}

static status refill_rows(struct exact *exact, const struct refill_step *step)
{
	for (uint32_t i = 0; i < step->range.n; i++) {
		struct key key = {0, step->place + i};

		if (!is_visible(&step->range, i) || passes_over(exact, step, i))
			continue;
		TRY(exact_score(exact, key.row, &key.score));
		if (!exact->has_last || key_before(exact->last, key))
			window_offer(&exact->window, key);
	}
	return status_ok();
}

/* So few rows of a step are left that their exact scores cost less than the bounds of all. */
static bool is_sparse(const struct exact *exact, const struct refill_step *step, uint64_t n)
{
	return exact->gathers || (exact->places && n * 8 < step->range.n);
}

static status refill_sparsely(struct exact *exact, const struct refill_step *step)
{
	for (uint32_t i = 0; i < step->range.n; i++) {
		struct key key = {0, step->place + i};

		if (!is_visible(&step->range, i))
			continue;
		TRY(exact_score(exact, key.row, &key.score));
		if (!exact->has_last || key_before(exact->last, key))
			window_offer(&exact->window, key);
	}
	return status_ok();
}

status exact_refill(struct exact *exact)
{
	const size_t width = 4 * exact->width;
	struct refill_step step;
	uint64_t n;

	TRY(exact_window_begin(exact, width < EXACT_WINDOW_MAX ? width : EXACT_WINDOW_MAX,
			       FILL_TRUE_KEYS));
	for (step.place = 0; exact_seek(exact, &step.place); step.place += step.range.n) {
		TRY(exact_wanted(exact));
		snapshot_range(exact->snapshot, step.place, REFILL_STEP_ROWS, step.bitmap,
			       &step.range);
		n = exact_narrow(exact, step.place, step.bitmap, &step.range);
		if (is_sparse(exact, &step, n)) {
			TRY(refill_sparsely(exact, &step));
			continue;
		}
		TRY(refill_bounds(exact, &step));
		TRY(refill_rows(exact, &step));
		exact_note_scan(exact, &step.range, n);
	}
	window_seal(&exact->window);
	return status_ok();
}
