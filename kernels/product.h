/* product - every row of a matrix times every vector, in float: for vectors that come by the thousand.
 *
 * A sum runs in lanes, in chains of PRODUCT_SEGMENT / 8 products, and the chains are then added up. So
 * with whatever instructions and in whatever rounding mode it is off by at most
 * product_rounding(dim) |row| |vector|, and by what underflows: 2 dim 2^-126.
 * The bits differ from one processor to another: this is for what is measured or proven afterwards.
 */
#ifndef SLUICE_KERNELS_PRODUCT_H
#define SLUICE_KERNELS_PRODUCT_H

#include <stddef.h>
#include <stdint.h>

/* Of a vector, that its chains take at a time. */
#define PRODUCT_SEGMENT 128

/* Of one chain: its products and sums; of the chains; of the lanes; of what is behind the last eight. */
static inline double product_rounding(uint32_t dim)
{
	uint32_t chain = (dim < PRODUCT_SEGMENT ? dim : PRODUCT_SEGMENT) / 8 + 1;
	uint32_t chains = (dim + PRODUCT_SEGMENT - 1) / PRODUCT_SEGMENT;

	return (chain + chains + 3 + dim % 8) * 0x1p-23 * 1.001;
}

struct matrix_product {
	const float *rows; /* [n_rows][dim] */
	size_t n_rows, dim;
	const float *const *vectors; /* [n] of [dim] */
	size_t n;
	float *ret; /* [n][n_rows] */
};

/* product_make - sixteen vectors at a time, of up to 384 dimensions, stay in the first cache. */
void product_make(const struct matrix_product *product);

#endif
