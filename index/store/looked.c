/* looked - a set of rows for each run, found by halving. */
#include "index/store/looked.h"

#include <stdlib.h>
#include <string.h>

struct looked_run {
	uint64_t first_row;
	struct rows *rows;
};

void looked_finish(struct looked *looked)
{
	for (size_t i = 0; i < looked->n; i++)
		rows_close(looked->runs[i].rows);
	free(looked->runs);
	*looked = (struct looked){0};
}

/* Of the first run that is not below. */
static size_t find_run(const struct looked *looked, uint64_t first_row)
{
	size_t low = 0, high = looked->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (looked->runs[middle].first_row < first_row)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static status make_room(struct looked *looked)
{
	size_t n_max = looked->n_max ? 2 * looked->n_max : 4;
	struct looked_run *runs;

	if (looked->n < looked->n_max)
		return status_ok();
	runs = reallocarray(looked->runs, n_max, sizeof *runs);
	if (!runs)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a filter");
	looked->runs = runs;
	looked->n_max = n_max;
	return status_ok();
}

status looked_in_run(struct looked *looked, uint64_t first_row, struct rows **ret)
{
	size_t at = find_run(looked, first_row);
	struct rows *rows = NULL;

	if (at < looked->n && looked->runs[at].first_row == first_row) {
		*ret = looked->runs[at].rows;
		return status_ok();
	}
	TRY(make_room(looked));
	TRY(rows_open(&rows));
	memmove(&looked->runs[at + 1], &looked->runs[at], (looked->n - at) * sizeof *looked->runs);
	looked->runs[at] = (struct looked_run){first_row, rows};
	looked->n++;
	*ret = rows;
	return status_ok();
}
