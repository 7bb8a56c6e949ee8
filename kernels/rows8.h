/* rows8 - vectors as bytes, row by row, with bounds that can be proven: for rows that are looked at
 * one by one. (codes8.h has the layout for reading all of them.)
 *
 * x ~ s c with whole c from -127 to 127, not rotated. Beside the codes stand s, and rounded up
 * e = |x - s c| and n = |s c|, and for L2 |x|^2. A query is coded alike (S, C, E). Then, as in
 * codes8.h,
 *   q.x = S s C.c +- (|q| e + E n)
 * and for L2 twice that, less |q|^2 + |x|^2; pads cover the arithmetic in float. A bound that is
 * not finite counts as infinite.
 * A row takes rows8_bytes, a multiple of 32: float s, e, n, square; then the codes, zeros behind
 * dim.
 */
#ifndef SLUICE_KERNELS_ROWS8_H
#define SLUICE_KERNELS_ROWS8_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "kernels/metric.h"

#include <stddef.h>
#include <stdint.h>

static inline size_t rows8_bytes(uint32_t dim)
{
	return (16 + (size_t)dim + 31) / 32 * 32;
}

/* rows8_encode - vector  [dim] finite, of a length up to VECTOR_NORM_MAX.
 * ret  [rows8_bytes(dim)] */
void rows8_encode(enum metric metric, uint32_t dim, const float *vector, unsigned char *ret);

struct rows8_query {
	enum metric metric;
	uint32_t dim;
	/* [rows8_bytes] each, 32-byte aligned, the arena's: the codes as rows have them, with zeros
	 * before and behind; and as magnitudes, and as flips that turn c into -c - 1 where the
	 * query's code is negative. */
	const int8_t *codes;
	const uint8_t *magnitudes, *flips;
	int32_t bias; /* C.c = bias + the sum of magnitude (c ^ flip) */
	float scale, on_residual, on_norm, on_square, absolute, qq;
};

/* rows8_query_init - Fails: RESOURCE_EXHAUSTED */
status rows8_query_init(struct rows8_query *ret, struct arena *arena, enum metric metric,
			uint32_t dim, const float *query);

enum rows8_isa { ROWS8_BEST, ROWS8_PORTABLE, ROWS8_AVX2, ROWS8_VNNI };
struct rows8_kernel;
const struct rows8_kernel *rows8_scanner(enum rows8_isa isa); /* as codes4_scanner */

/* rows8_bounds - of rows positions[i], i < n, in rows that begin with row 0; what is not in the
 * cache yet is fetched ahead. ret_upper, ret_lower  [n]; lower may be NULL. The same bits in every
 * kernel. */
void rows8_bounds(const struct rows8_kernel *scanner, const struct rows8_query *query,
		  const unsigned char *rows, const uint32_t *positions, uint32_t n,
		  float *ret_upper, float *ret_lower);

/* rows8_products - q.x, about, of rows 0 .. n one after the other: for centroids. ret  [n] */
void rows8_products(const struct rows8_kernel *scanner, const struct rows8_query *query,
		    const unsigned char *rows, uint32_t n, float *ret);

#endif
