/* codes8_rotation - the rotation that gathers the energy of a segment in its first dimensions.
 *
 * R is whatever a principal component analysis gave, made orthonormal and rounded to float. It need
 * not be perfect: epsilon says how far p.y may be from q.x, and every bound is that much wider.
 */
#ifndef SLUICE_KERNELS_CODES8_ROTATION_H
#define SLUICE_KERNELS_CODES8_ROTATION_H

#include "kernels/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* codes8_rotation - as a segment stores it. */
struct codes8_rotation {
	const float *matrix; /* [dim][dim], row i gives dimension i of y; borrowed */
	uint32_t dim;
	/* |p.y - q.x| <= epsilon |q| |x| for p and y as codes8_rotate makes them. */
	double epsilon;
};

/* codes8_rotation_init - measures |R^T R - I|; costs dim^3 / 2 products, about a second for 1,024
 * dimensions. A segment stores epsilon and fills the struct itself when it is opened.
 * Fails: INVALID_ARGUMENT where the matrix is off by more than one part in 1,024 */
status codes8_rotation_init(struct codes8_rotation *ret, const float *matrix, uint32_t dim);

/* codes8_rotate - y = R x, in double and not rounded further.
 * vectors  [n] of [dim] finite. ret  [n][dim]. Four vectors cost little more than one. */
void codes8_rotate(const struct codes8_rotation *rotation, const float *const *vectors, size_t n,
		   double *ret);

/* codes8_rotate_rows - the same of rows that are to be coded, in float where their lengths allow: much
 * faster. Gives m: each y is at most m |x| from R x; 0: no further than codes8_rotate's.
 * ret  [n][dim]. room  [n][dim] */
double codes8_rotate_rows(const struct codes8_rotation *rotation, const float *const *vectors,
			  size_t n, float *room, double *ret);

/* codes8_rotate_query - as codes8_rotate_rows, of one vector, which needs no room.
 * ret  [dim] */
double codes8_rotate_query(const struct codes8_rotation *rotation, const float *query, double *ret);

#define CODES8_HEAD_STEP 32

/* Of the energy, what the head holds. More: fewer tails are read, and more bytes of every row. For
 * the ten best of 99,920 text embeddings of 384 dimensions this is a head of 192, with 0.9% of the
 * tails read; 160 (3.5%) and 224 (0.2%) cost 9 and 16% more time, 128 (10%) far more. */
#define CODES8_HEAD_SHARE 0.90

/* codes8_head_choose - the least head, a multiple of CODES8_HEAD_STEP or dim itself, that holds
 * `share` of the energy.
 * energy  [dim] the sum of y[i]^2 over a sample of rows. For codes8_shape_init: dim is no tail. */
uint32_t codes8_head_choose(const double *energy, uint32_t dim, double share);

#endif
