/* scan - a walk over a range of rows, sixteen at a time: products, bounds, window. */
#ifndef SLUICE_KERNELS_CPU_SCAN_H
#define SLUICE_KERNELS_CPU_SCAN_H

#include "kernels/cpu/kernel.h"
#include "kernels/scanner.h"

/* As scanner_propose. Fails: DEADLINE_EXCEEDED CANCELLED */
status cpu_scan_propose(dots_fn *dots, const struct scan_query *query,
			const struct scan_range *range, const struct deadline *deadline,
			struct window *window);

/* Where bounds go: both [range->n]. */
struct cpu_scan_bounds_out {
	float *upper, *lower;
};

/* As scanner_bounds. Fails: DEADLINE_EXCEEDED CANCELLED */
status cpu_scan_bounds(dots_fn *dots, const struct scan_query *query,
		       const struct scan_range *range, const struct deadline *deadline,
		       struct cpu_scan_bounds_out out);

#endif
