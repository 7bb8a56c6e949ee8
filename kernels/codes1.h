/* codes1 - int8 codes thinned to their signs: a bit a dimension, with bounds that can be proven.
 *
 * A head's y ~ s c of codes8.h becomes a sigma, with sigma the signs of c (zero counts as positive) and
 * a = s mean |c|, which makes |s c - a sigma| least. Beside the bits stand, rounded up, what stands
 * beside codes:
 *   e' = e_h + |s c - a sigma|   h' = |a sigma|   t = |y_t|
 * so that the head's bound of codes8.h holds with these, for the same coded query and by the same
 * proof; there is no tail, t is in both bounds. The products C.sigma are sums of bitcounts, over the
 * eight bit planes of C: whole numbers.
 *
 * When it is used: as a first stage where a device is short of memory, by whoever bounds what it leaves
 * by other means. It takes a byte for eight dimensions and at most 12 for a row, a sixth of what codes
 * take. What it leaves is much: for sign bits e' is 0.6 |y|, whatever the dimension. Of 99,920 text
 * embeddings of 384 dimensions 87% have an upper bound above the tenth best score of a question (0.52 on
 * average), and 99.9% above the hundredth; nearly all of them fall away only where scores of 0.8 and more
 * are asked for. So no walk asks for it: exactly as it could, the processor's int8 scan of what it leaves
 * takes as long as that of everything. (Signs as estimates, without a proof, are another matter.)
 *
 * Blocks of 16 rows, as of codes8: the same sides, then words [words][16], 32 dimensions of a row each.
 */
#ifndef SLUICE_KERNELS_CODES1_H
#define SLUICE_KERNELS_CODES1_H

#include "kernels/codes8.h"

/* Bit planes of a query's codes; the last one weighs -128. */
#define CODES1_PLANES 8

static inline uint32_t codes1_words(const struct codes8_shape *shape)
{
	return (shape->head + 31) / 32;
}

static inline size_t codes1_block_bytes(const struct codes8_shape *shape)
{
	return shape->codes_offset + (size_t)codes1_words(shape) * CODES8_ROWS * sizeof(uint32_t);
}

#define CODES1_BLOCK_BYTES_MAX                                                                     \
	(sizeof(struct codes8_sides) + CODES8_ROWS * (sizeof(float) + DIMENSION_MAX / 8))

/* codes1_thin - a block of codes to one of signs. block [block_bytes], ret [codes1_block_bytes], both
 * 4-byte aligned. */
void codes1_thin(const struct codes8_shape *shape, const unsigned char *block, unsigned char *ret);

/* codes1_planes - of a query: ret [codes1_words][CODES1_PLANES]. Gives the sum of its codes C, so that
 * C.sigma is twice what the planes' bits in common with sigma weigh, less this. */
int32_t codes1_planes(const struct codes8_query *query, uint32_t *ret);

/* codes1_bounds - both bounds of rows first .. first + n: ret_upper, ret_lower [n]. What other scanners
 * must agree with.
 * planes  as codes1_planes gives it, and sum.
 * blocks  of signs, of the query's shape. */
struct codes1_scan {
	const struct codes8_query *query;
	const uint32_t *planes;
	int32_t sum;
	const unsigned char *blocks;
	uint32_t first, n;
};

void codes1_bounds(const struct codes1_scan *scan, float *ret_upper, float *ret_lower);

#endif
