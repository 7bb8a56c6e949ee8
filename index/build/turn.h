/* turn - rotations that are learnt from rows, as FAISS's OPQ and ITQ learn theirs, in steps that are short.
 *
 * By turns the rows are rotated, what coding would make of them is taken as given, and the rotation that brings
 * the rows nearest to that is found: the polar factor of a matrix of their products.
 * (Ge, He, Ke, Sun, "Optimized Product Quantization", PAMI 2014. Gong, Lazebnik, "Iterative Quantization:
 * A Procrustean Approach to Learning Binary Codes", CVPR 2011.)
 */
#ifndef SLUICE_INDEX_BUILD_TURN_H
#define SLUICE_INDEX_BUILD_TURN_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct turn_options {
	uint32_t dim, kept; /* to so many dimensions, at most dim */
	/* Codes of 8 bits for so many groups of coordinates, a divisor of kept, of centred rows; 0: the
	 * sign of each coordinate, of rows as they are. */
	uint32_t groups;
};

#define TURN_ROWS_MIN 256

/* turn_learn - rows [n][dim] finite and about 1 in size, at least TURN_ROWS_MIN.
 * ret  [kept][dim] orthonormal rows
 * Looks at the deadline every 10^9 products or so. Heap: the rows thrice, and four matrices.
 * Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED INTERNAL (FAISS) */
status turn_learn(const struct turn_options *options, const float *rows, size_t n,
		  const struct deadline *deadline, struct arena *arena, float *ret);

/* turn_apply - to rows [n][dim]: ret [n][kept]. Fails: DEADLINE_EXCEEDED CANCELLED */
status turn_apply(const struct turn_options *options, const float *turn, const float *rows,
		  size_t n, const struct deadline *deadline, float *ret);

#endif
