/* codes8_tails - full bounds, and the queue of rows whose tails may have to be read for them.
 *
 * A tail is elsewhere in memory and costs several cache lines, so as few as can be are read: rows
 * wait with their head bounds, and those with the best go first. That raises the threshold, which
 * most of the others then do not reach. The order in which rows are offered does not change what a
 * window holds in the end.
 */
#ifndef SLUICE_KERNELS_CPU_CODES8_TAILS_H
#define SLUICE_KERNELS_CPU_CODES8_TAILS_H

#include "kernels/cpu/codes8_kernel.h"
#include "kernels/cpu/codes8_scanner.h"

#include <math.h>

/* Rows that wait. Twice as many wait half as long for nothing, and are sorted out twice as often. */
#define CODES8_WAITING_MAX 512

/* One probe's view of a scan. */
struct codes8_scan {
	const struct codes8_kernel *kernel;
	const struct codes8_range *range;
	struct codes8_probe *probe;
	size_t n; /* that wait */
	struct codes8_waiting {
		float upper; /* by the head, finite or +inf */
		uint32_t place;
		int32_t dot; /* of the head */
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

/* An approximation and how far it may be off, over head and tail. */
struct codes8_full {
	float middle, slack;
};

/* codes8_full_bound - dot is the product of the heads. Reads the row's tail, if there is one. */
struct codes8_full codes8_full_bound(const struct codes8_kernel *kernel,
				     const struct codes8_query *query, const struct codes8 *codes,
				     uint32_t place, int32_t dot);

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
