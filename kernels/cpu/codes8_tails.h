/* codes8_tails - full bounds, and the queue of rows whose tails may have to be read for them.
 *
 * A tail is elsewhere in memory and costs several cache lines, so as few as can be are read: rows
 * wait with their head bounds, and those with the best go first. That raises the threshold, which
 * most of the others then do not reach. The order in which rows are offered does not change which of
 * those that are wanted a window holds in the end.
 */
#ifndef SLUICE_KERNELS_CPU_CODES8_TAILS_H
#define SLUICE_KERNELS_CPU_CODES8_TAILS_H

#include "kernels/codes8_round.h"
#include "kernels/cpu/codes8_kernel.h"
#include "kernels/cpu/codes8_scanner.h"

#include <math.h>

/* Rows that wait, 8 KiB of them a probe. More of them would save some tails, and leave the nearest
 * cache: no faster. */
#define CODES8_WAITING_MAX 512

/* An approximation and how far it may be off, over head and tail. */
struct codes8_full {
	float middle, slack;
};

/* One probe's view of a scan. */
struct codes8_scan {
	const struct codes8_kernel *kernel;
	const struct codes8_range *range;
	struct codes8_probe *probe;
	size_t n; /* that wait */
	struct codes8_waiting {
		float upper; /* by the head, finite or +inf */
		uint32_t place;
		struct codes8_full full; /* but for the tail */
	} waiting[CODES8_WAITING_MAX];
};

/* codes8_tails_settle - reads the tails of the best rows that wait, and drops those that need none,
 * until at most `keep` are left. */
void codes8_tails_settle(struct codes8_scan *scan, size_t keep);

static inline void codes8_tails_push(struct codes8_scan *scan, struct codes8_waiting row)
{
	scan->waiting[scan->n++] = row;
	if (scan->n == CODES8_WAITING_MAX)
		codes8_tails_settle(scan, CODES8_WAITING_MAX / 2);
}

/* codes8_full_begin - the part of the full bound that the head gives, whose product is dot. */
static inline struct codes8_full codes8_full_begin(const struct codes8_query *query,
						   const unsigned char *block, size_t row,
						   int32_t dot)
{
	const struct codes8_sides *sides = (const struct codes8_sides *)(const void *)block;
	float scale = codes8_half_float(sides->scale[row]);
	struct codes8_full full = {.middle = ((float)dot * scale) * query->head.scale};

	full.slack = (query->on_residual * codes8_half_float(sides->residual[row]) +
		      query->on_norm * codes8_half_float(sides->norm[row])) +
		     query->on_rest_full * codes8_half_float(sides->rest[row]);
	if (query->shape.metric == METRIC_L2) {
		float square = ((const float *)(const void *)(sides + 1))[row];

		full.middle -= query->qq + square;
		full.slack += query->on_square * square;
	}
	full.slack += query->absolute;
	return full;
}

/* codes8_full_end - the part of the tail, which must be there. */
void codes8_full_end(const struct codes8_kernel *kernel, const struct codes8_query *query,
		     const struct codes8 *codes, uint32_t place, struct codes8_full *full);

static inline const unsigned char *codes8_block_at(const struct codes8 *codes, uint32_t place)
{
	return codes->heads + place / CODES8_ROWS * codes->shape.block_bytes;
}

static inline float codes8_upper_finite(float upper)
{
	return isfinite(upper) ? upper : INFINITY;
}

static inline float codes8_upper_least(float a, float b)
{
	a = codes8_upper_finite(a);
	b = codes8_upper_finite(b);
	return a < b ? a : b;
}

#endif
