/* exact_fill - windows of bound keys: one scan, or what indexes propose, for the rows that come first. */
#include "index/cursor/exact_state.h"

/* Rows of a range at most: so the bitmap on hand is 8 KiB, and a dispatch to a device is large. */
#define FILL_RANGE_ROWS 65536

#define FILL_WIDTH_MIN 64

/* What the first scanner had offered before it failed may be offered again, with another bound:
 * the window keeps a row once. */
status exact_fill_range(struct exact *exact, const struct scan_range *range)
{
	const struct deadline *deadline = exact->base.walk->deadline;
	status result;

	if (!range->block)
		return exact_codes_propose(exact, range);
	result = scanner_propose(exact->scanner, &exact->query, range, deadline, &exact->window);
	if (!status_failed(result) || !exact_falls_back(exact, result))
		return result;
	return scanner_propose(exact->scanner_cpu, &exact->query, range, deadline, &exact->window);
}

size_t exact_width(const struct exact *exact)
{
	size_t width = 4 * exact->batch;

	return width < FILL_WIDTH_MIN ? FILL_WIDTH_MIN : width;
}

/* Scans the next range, and goes on behind it. */
static status fill_by_scan(struct exact *exact, uint64_t *place)
{
	uint64_t bitmap[FILL_RANGE_ROWS / 64], n;
	struct scan_range range;

	snapshot_range(exact->snapshot, *place, FILL_RANGE_ROWS, bitmap, &range);
	n = exact_narrow(exact, *place, bitmap, &range);
	TRY(exact_fill_range(exact, &range));
	exact_note_scan(exact, &range, n);
	*place += range.n;
	return status_ok();
}

/* Room for what is asked for and what its bounds let in besides; of a later fill of an approximate
 * walk also for the hits that were given, which are found again. */
static size_t fill_width(const struct exact *exact)
{
	size_t width = exact_width(exact), wanted = 2 * (size_t)exact->depth;

	/* Measured: of twice as many, one window in twenty proves fewer than are expected, and all is read again. */
	if (!(exact->recall > 0))
		wanted = 4 * (size_t)exact->expected;
	if (wanted < width)
		return width;
	return wanted < EXACT_WINDOW_MAX ? wanted : EXACT_WINDOW_MAX;
}

status exact_fill_begin(struct exact *exact)
{
	TRY(exact_window_begin(exact, fill_width(exact), FILL_BOUND_KEYS));
	/* What indexes offer is not bounded from above for sure: then nothing else may be left out for it. */
	if (exact->expected > 0 && !(exact->recall > 0))
		window_expect(&exact->window, exact->expected);
	return status_ok();
}

status exact_fill(struct exact *exact)
{
	uint64_t place = 0, scan_end = exact->recall > 0 ? 0 : UINT64_MAX;

	TRY(exact_fill_begin(exact));
	while (exact_seek(exact, &place)) {
		TRY(exact_wanted(exact));
		if (place >= scan_end)
			TRY(exact_find(exact, &place, &scan_end));
		if (place < scan_end)
			TRY(fill_by_scan(exact, &place));
	}
	window_seal(&exact->window);
	return status_ok();
}
