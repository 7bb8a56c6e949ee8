/* codes8 - vectors as bytes: a layout to scan fast, with bounds that can be proven.
 *
 * A vector, perhaps rotated by R, is y = R x, cut into a head (its first dimensions, where a good R
 * has gathered the energy) and a tail. Each part is coded by itself: y_h ~ s_h c_h, y_t ~ s_t c_t,
 * with whole c from -127 to 127. Beside the codes stand, all rounded up,
 *   e_h = |y_h - s_h c_h|   h = |s_h c_h|   t = |y_t|   e_t = |y_t - s_t c_t|
 * A query is coded alike: p = R q ~ (S_h C_h, S_t C_t) with errors E_h and E_t. The products C.c
 * are whole numbers, exact in 32 bits up to DIMENSION_MAX, so that
 *   q.x <= S_h s_h C_h.c_h + |p_h| e_h + E_h h + |p_t| t                                  (head)
 *   q.x  = S_h s_h C_h.c_h + S_t s_t C_t.c_t
 *	    +- (|p_h| e_h + E_h h + |p_t| e_t + E_t (t + e_t))                           (full)
 * since p.y - SC.sc = p.(y - sc) + (p - SC).sc for each part, and Cauchy-Schwarz. For L2 both are
 * doubled, and |q|^2 + |x|^2 taken off. A row's upper bound is the lesser of head and full: the
 * tail, which costs the bytes, is read only of rows whose head bound reaches the threshold.
 * codes8_query.c has the pads for a rotation that is not quite one and for arithmetic in float.
 *
 * Two areas, flat, without pointers, little-endian, at multiples of 64 bytes:
 *   heads  blocks of 16 rows, shape.block_bytes each (a multiple of 64):
 *	      0  s_h [16], then e_h, h, t [16] each: the upper halves of floats
 *	    128  L2 only: float |x|^2 [16]
 *	   then  codes [head / 4][16][4]: four dimensions of a row side by side, as c + 128
 *   tails  rows of shape.tail_bytes each (a multiple of 8): float s_t, float e_t, then c + 128
 *	    [tail]. None where tail is 0. Rows up to a multiple of 16 have their place.
 * Dimensions behind dim, and rows behind the last in a block, are coded as zeros.
 */
#ifndef SLUICE_KERNELS_CODES8_H
#define SLUICE_KERNELS_CODES8_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"
#include "kernels/codes8_rotation.h"
#include "kernels/metric.h"

#include <stddef.h>
#include <stdint.h>

#define CODES8_ROWS 16
#define CODES8_ALIGNMENT 64

/* Of floats of which the upper half is kept. */
struct codes8_sides {
	uint16_t scale[CODES8_ROWS], residual[CODES8_ROWS], norm[CODES8_ROWS], rest[CODES8_ROWS];
};

/* codes8_shape - what the layout depends on. A segment stores dim, metric and head. */
struct codes8_shape {
	enum metric metric;
	uint32_t dim;
	uint32_t head;       /* coded dimensions, a multiple of 4 */
	uint32_t tail;       /* likewise, a multiple of 64; 0: all is in the head */
	size_t codes_offset; /* of a block's codes */
	size_t block_bytes, tail_bytes;
};

/* codes8_shape_init - head a multiple of CODES8_HEAD_STEP as codes8_head_choose gives it; 0, or
 * dim and more: no tail. dim from 1 to DIMENSION_MAX. */
void codes8_shape_init(struct codes8_shape *ret, enum metric metric, uint32_t dim, uint32_t head);

static inline size_t codes8_heads_bytes(const struct codes8_shape *shape, size_t n_rows)
{
	return (n_rows + CODES8_ROWS - 1) / CODES8_ROWS * shape->block_bytes;
}

static inline size_t codes8_tails_bytes(const struct codes8_shape *shape, size_t n_rows)
{
	return (n_rows + CODES8_ROWS - 1) / CODES8_ROWS * CODES8_ROWS * shape->tail_bytes;
}

/* codes8 - the codes of n rows, as a mapped segment has them. Borrowed; never change. */
struct codes8 {
	struct codes8_shape shape;
	const unsigned char *heads; /* [codes8_heads_bytes] */
	const unsigned char *tails; /* [codes8_tails_bytes]; unused where tail is 0 */
	uint32_t n;
	struct codes8_seat *seat; /* scanner.h; NULL: devices take no copy */
};

struct codes8_seat;

/* codes8_coder - what it takes to code rows. The rotation is borrowed. */
struct codes8_coder {
	struct codes8_shape shape;
	const struct codes8_rotation *rotation; /* NULL: none */
	double *rotated;                        /* [CODES8_ROWS][dim] owned */
	float *room;                            /* [CODES8_ROWS][dim] owned */
};

/* codes8_coder_init - Fails: RESOURCE_EXHAUSTED */
status codes8_coder_init(struct codes8_coder *coder, const struct codes8_shape *shape,
			 const struct codes8_rotation *rotation);
void codes8_coder_finish(struct codes8_coder *coder); /* NULL, and all zero, are fine */

/* codes8_encode - one block.
 * vectors    [n] of [dim], finite, of a length up to VECTOR_NORM_MAX; 1 <= n <= CODES8_ROWS.
 * ret_head   [block_bytes] 4-byte aligned at least.
 * ret_tails  [CODES8_ROWS * tail_bytes] likewise; unused where tail is 0. */
void codes8_encode(struct codes8_coder *coder, const float *const *vectors, size_t n,
		   unsigned char *ret_head, unsigned char *ret_tails);

/* codes8_query - one query, coded once for all segments of a shape and rotation. Hot, hence open;
 * only scanners read it. What one part needs for its products: */
struct codes8_query_part {
	const int8_t *codes; /* 64-byte aligned, as long as the rows' */
	/* The same as magnitudes, and as flips that turn c + 128 into c where the code is not
	 * negative, and into -c - 1 where it is. */
	const uint8_t *magnitudes, *flips;
	int32_t bias;         /* C.c = bias + the sum of code (c + 128) */
	int32_t bias_flipped; /* C.c = bias_flipped + the sum of magnitude ((c + 128) ^ flip) */
	float scale;
};

struct codes8_query {
	struct codes8_shape shape;
	struct codes8_query_part head, tail;
	/* Factors of the rows' e_h, h, t in both bounds, and of e_t, |x|^2. */
	float on_residual, on_norm, on_rest_head, on_rest_full, on_tail_residual, on_square;
	float absolute, qq;
};

/* codes8_query_init - query [dim], of unit length already under COSINE; what is kept is the
 * arena's, about 3 bytes a dimension and, while it works, 8 more. A rotation costs dim^2.
 * Fails: RESOURCE_EXHAUSTED */
status codes8_query_init(struct codes8_query *ret, struct arena *arena,
			 const struct codes8_shape *shape, const struct codes8_rotation *rotation,
			 const float *query);

SCOPE_DEFINE(codes8_coder, codes8_coder_finish)

#endif
