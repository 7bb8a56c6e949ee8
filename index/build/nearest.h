/* nearest - which centroids a row is nearest to: by some of its coordinates first, and of those that are near
 * by these, exactly.
 *
 * Along the principal axes of rows a third of the coordinates tells most of a distance. So all centroids
 * are compared along the first axes, and NEAREST_KEPT of them in full. All distances are Euclidean; values
 * should be about 1 in size. What is found of a row does not depend on the rows beside it.
 */
#ifndef SLUICE_INDEX_BUILD_NEAREST_H
#define SLUICE_INDEX_BUILD_NEAREST_H

#include "kernels/base/scope.h"
#include "kernels/base/status.h"
#include "kernels/window.h"

#include <stdint.h>

/* Rows that are compared at a time. */
#define NEAREST_ROWS 24

#define NEAREST_KEPT 32

/* nearest_axes - what rows are seen along: matrix  [n][dim] orthonormal rows, borrowed; NULL: themselves,
 * and n is dim. */
struct nearest_axes {
	const float *matrix;
	uint32_t n, dim;
};

struct nearest {
	uint32_t k, dim, n_axes;
	const float *centroids; /* [k][dim] borrowed; NULL: they are known along the axes alone */
	float *axes;            /* panels; owned; NULL: none */
	float *panels;          /* of centroids along the axes; owned */
	float *squares;         /* [k] owned; half of them along the axes */
	float *full_squares;    /* [k] owned; half of them */
};

/* nearest_init - of centroids [k][dim], which are borrowed. Heap: them again, along the axes.
 * Fails: RESOURCE_EXHAUSTED */
status nearest_init(struct nearest *nearest, const struct nearest_axes *axes,
		    const float *centroids, uint32_t k);

/* nearest_init_along - of centroids [k][axes->n] along the axes. Fails: RESOURCE_EXHAUSTED */
status nearest_init_along(struct nearest *nearest, const struct nearest_axes *axes,
			  const float *centroids, uint32_t k);
void nearest_finish(struct nearest *nearest); /* all zero is fine */

/* nearest_room - what a thread needs to find them. */
struct nearest_room {
	float *rows;     /* [NEAREST_ROWS][dim] owned; for the caller to fill */
	float *along;    /* [NEAREST_ROWS][n_axes in whole panels] owned */
	float *products; /* [NEAREST_ROWS][NEAREST_CHUNK] owned */
	struct window windows[NEAREST_ROWS];
};

/* nearest_room_init - Heap: some 300 KiB. Fails: RESOURCE_EXHAUSTED */
status nearest_room_init(struct nearest_room *room, const struct nearest *nearest);
void nearest_room_finish(struct nearest_room *room); /* all zero is fine */

/* nearest_along - rows [n][dim] along the axes: ret [n][n_axes]. n  up to NEAREST_ROWS. */
void nearest_along(const struct nearest *nearest, struct nearest_room *room, const float *rows,
		   size_t n, float *ret);

/* nearest_find_along - of rows [n][n_axes] along the axes, any number: ret [n] the nearest by these. */
void nearest_find_along(const struct nearest *nearest, struct nearest_room *room,
			const float *along, size_t n, uint32_t *ret);

/* nearest_find - of the first n of room->rows.
 * ret  [n]. ret_second  [n] also another centroid, among those nearest, for queries that the first is far
 * from: a query misses a row where the row's residual lies along it, so the second residual is to be short,
 * and at a right angle to the first. Least is
 *   |r2|^2 + (r1.r2)^2 / |r1|^2
 * (Orthogonality-amplified residuals: Sun, Simcha, Dopson, Guo, Kumar, "SOAR: Improved Indexing for
 * Approximate Nearest Neighbor Search", NeurIPS 2023.) Different from the first where k > 1. NULL: no
 * second is wanted. */
void nearest_find(const struct nearest *nearest, struct nearest_room *room, size_t n, uint32_t *ret,
		  uint32_t *ret_second);

SCOPE_DEFINE(nearest, nearest_finish)
SCOPE_DEFINE(nearest_room, nearest_room_finish)

#endif
