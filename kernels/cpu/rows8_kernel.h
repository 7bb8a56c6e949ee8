/* rows8_kernel - what the files for instruction sets give.
 *
 * All give the same bits: products are whole numbers, and the few float operations of a bound are
 * done in one order and never contracted (-ffp-contract=off).
 */
#ifndef SLUICE_KERNELS_CPU_ROWS8_KERNEL_H
#define SLUICE_KERNELS_CPU_ROWS8_KERNEL_H

#include "kernels/rows8.h"
#include "kernels/rows8_sides.h"

/* Of a few rows, and where their bounds go; lower may be NULL. */
struct rows8_wanted {
	const unsigned char *rows;
	const uint32_t *positions; /* [n] */
	uint32_t n;
	float *upper, *lower;
};

struct rows8_kernel {
	/* Bounds that are not finite are left as they are. */
	void (*bounds)(const struct rows8_query *query, const struct rows8_wanted *wanted);
	/* scale  of the query, for products. */
	void (*products)(const struct rows8_query *query, float scale, const unsigned char *rows,
			 uint32_t n, float *ret);
};

extern const struct rows8_kernel rows8_kernel_portable, rows8_kernel_avx2, rows8_kernel_vnni;

#endif
