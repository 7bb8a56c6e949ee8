/* codes8_scan - blocks of sixteen rows, for all probes while they are at hand. */
#include "kernels/cpu/codes8_tails.h"
#include "kernels/scanner.h"

#include <assert.h>
#include <string.h>

#define ALL_ROWS 0xFFFFU

/* The rows of the block at place that the mask has. */
static void scan_block(struct codes8_scan *scan, uint32_t place, uint32_t rows)
{
	const struct codes8 *codes = scan->range->codes;
	struct window *window = scan->probe->window;
	const struct codes8_query *query = scan->probe->query;
	const unsigned char *block = codes8_block_at(codes, place);
	struct codes8_group group;
	uint32_t left = scan->kernel->head(query, block, window->threshold.score, &group) & rows;

	for (; left; left &= left - 1) {
		uint32_t row = (uint32_t)__builtin_ctz(left);
		float upper = codes8_upper_finite(group.upper[row]);
		struct codes8_full full = codes8_full_begin(query, block, row, group.dots[row]);

		if (codes->shape.tail) {
			codes8_tails_push(scan, (struct codes8_waiting){upper, place + row, full});
			continue;
		}
		window_offer(window, (struct key){upper, scan->range->row_base + place + row});
		window_assure(window, full.middle - full.slack);
	}
}

/* Which rows of the block at place are of the range and visible. */
static uint32_t rows_wanted(const struct codes8_range *range, uint32_t place)
{
	uint32_t begin = place < range->first ? range->first : place, rows, n;
	uint32_t end = range->first + range->n;
	uint64_t bits;
	size_t at;

	n = end - begin < CODES8_ROWS - begin % CODES8_ROWS ? end - begin
							    : CODES8_ROWS - begin % CODES8_ROWS;
	rows = ALL_ROWS >> (CODES8_ROWS - n);
	if (range->visible) {
		at = begin - range->first;
		bits = range->visible[at / 64] >> at % 64;
		if (at % 64 + n > 64)
			bits |= range->visible[at / 64 + 1] << (64 - at % 64);
		rows &= (uint32_t)bits;
	}
	return rows << begin % CODES8_ROWS;
}

/* Rows between two looks at the deadline: whole blocks. */
static uint32_t step_rows(size_t block_bytes)
{
	size_t blocks = SCAN_STEP_BYTES / block_bytes;

	return (uint32_t)(blocks ? blocks : 1) * CODES8_ROWS;
}

/* The blocks that hold rows at place .. end, place at the start of one. */
static void scan_step(struct codes8_scan *scans, size_t n, uint32_t place, uint32_t end)
{
	for (; place < end; place += CODES8_ROWS) {
		uint32_t rows = rows_wanted(scans[0].range, place);

		if (!rows)
			continue;
		for (size_t i = 0; i < n; i++)
			scan_block(&scans[i], place, rows);
	}
}

/* The probes that are still wanted, and where they end up. */
struct crowd {
	struct codes8_scan scans[CODES8_PROBES_MAX]; /* [n] */
	size_t n, places[CODES8_PROBES_MAX];         /* of each, among the probes */
};

static void crowd_begin(struct crowd *crowd, const struct codes8_kernel *scanner,
			struct codes8_probe *probes, size_t n_probes,
			const struct codes8_range *range)
{
	assert(n_probes >= 1 && n_probes <= CODES8_PROBES_MAX);
	assert(range->first + range->n <= range->codes->n);
	crowd->n = n_probes;
	for (size_t i = 0; i < n_probes; i++) {
		struct codes8_scan *scan = &crowd->scans[i];

		crowd->places[i] = i;
		scan->kernel = scanner;
		scan->range = range;
		scan->probe = &probes[i];
		scan->n = 0;
	}
}

static void crowd_end(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->n; i++)
		codes8_tails_settle(&crowd->scans[i], 0);
}

/* The next rows of the range, place at the start of a block; gives where it stopped. */
static uint32_t crowd_step(struct crowd *crowd, const struct codes8_range *range, uint32_t place)
{
	uint32_t step = step_rows(range->codes->shape.block_bytes), end = range->first + range->n;
	uint32_t stop = end - place < step ? end : place + step;

	scan_step(crowd->scans, crowd->n, place, stop);
	return stop;
}

status codes8_propose(const struct codes8_kernel *scanner, struct codes8_probe *probes,
		      size_t n_probes, const struct codes8_range *range,
		      const struct deadline *deadline)
{
	uint32_t place = range->first / CODES8_ROWS * CODES8_ROWS, end = range->first + range->n;
	struct crowd crowd;

	crowd_begin(&crowd, scanner, probes, n_probes, range);
	while (range->n > 0 && place < end) {
		TRY(deadline_check(deadline));
		place = crowd_step(&crowd, range, place);
	}
	crowd_end(&crowd);
	return status_ok();
}

/* Those whose time is up are let go. What waits of one that goes is not wanted. */
static void crowd_thin(struct crowd *crowd, const struct deadline *const *deadlines, status *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < crowd->n; i++) {
		size_t place = crowd->places[i];

		ret[place] = deadline_check(deadlines[place]);
		if (status_failed(ret[place]))
			continue;
		if (n < i) {
			struct codes8_scan *to = &crowd->scans[n], *from = &crowd->scans[i];

			to->probe = from->probe;
			to->n = from->n;
			memcpy(to->waiting, from->waiting, from->n * sizeof *from->waiting);
			crowd->places[n] = place;
		}
		n++;
	}
	crowd->n = n;
}

void codes8_propose_together(const struct codes8_kernel *scanner, struct codes8_probe *probes,
			     size_t n_probes, const struct codes8_range *range,
			     const struct deadline *const *deadlines, status *ret)
{
	uint32_t place = range->first / CODES8_ROWS * CODES8_ROWS, end = range->first + range->n;
	struct crowd crowd;

	crowd_begin(&crowd, scanner, probes, n_probes, range);
	for (size_t i = 0; i < n_probes; i++)
		ret[i] = status_ok();
	while (range->n > 0 && place < end) {
		crowd_thin(&crowd, deadlines, ret);
		if (crowd.n == 0)
			return;
		place = crowd_step(&crowd, range, place);
	}
	crowd_end(&crowd);
}

/* Both bounds of the rows of the block at place that are of the range. */
static void bounds_block(const struct codes8_kernel *scanner, const struct codes8_query *query,
			 const struct codes8_range *range, uint32_t place,
			 struct codes8_bounds_out out)
{
	const unsigned char *block = codes8_block_at(range->codes, place);
	struct codes8_group group;

	scanner->head(query, block, -INFINITY, &group);
	for (uint32_t row = 0; row < CODES8_ROWS; row++) {
		uint32_t at = place + row - range->first;
		struct codes8_full full;
		float lower;

		if (place + row < range->first || at >= range->n)
			continue;
		full = codes8_full_begin(query, block, row, group.dots[row]);
		if (range->codes->shape.tail)
			codes8_full_end(scanner, query, range->codes, place + row, &full);
		lower = full.middle - full.slack;
		out.upper[at] = codes8_upper_least(group.upper[row], full.middle + full.slack);
		out.lower[at] = isfinite(lower) ? lower : -INFINITY;
	}
}

status codes8_bounds(const struct codes8_kernel *scanner, const struct codes8_query *query,
		     const struct codes8_range *range, const struct deadline *deadline,
		     struct codes8_bounds_out out)
{
	const struct codes8_shape *shape = &range->codes->shape;
	uint32_t begin = range->first / CODES8_ROWS * CODES8_ROWS, end = range->first + range->n;
	uint32_t step = step_rows(shape->block_bytes + CODES8_ROWS * shape->tail_bytes);

	assert(end <= range->codes->n && end >= range->first);
	for (uint32_t place = begin; range->n > 0 && place < end; place += CODES8_ROWS) {
		if ((place - begin) % step == 0)
			TRY(deadline_check(deadline));
		bounds_block(scanner, query, range, place, out);
	}
	return status_ok();
}
