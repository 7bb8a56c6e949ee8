/* axes - the principal axes of rows, as many as it takes, in calls of about a second.
 *
 * FAISS finds them (PCAMatrix); its call costs the cube of the dimension and cannot be interrupted. So
 * beyond AXES_AT_ONCE dimensions these are cut into groups, each group's axes found, the best of each
 * kept so that AXES_AT_ONCE are left, and the axes of these found: nearly the best, and orthonormal.
 */
#ifndef SLUICE_INDEX_BUILD_AXES_H
#define SLUICE_INDEX_BUILD_AXES_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stddef.h>
#include <stdint.h>

#define AXES_AT_ONCE 512

/* axes - orthonormal rows, those first along which there is most. */
struct axes {
	uint32_t n, dim;  /* n: dim, or AXES_AT_ONCE if that is less */
	float *matrix;    /* [n][dim] owned */
	float *variances; /* [n] owned; mean squares along each, about 0 */
};

/* axes_find - of rows [n_rows][dim], finite and about 1 in size; they are not centred. Any number of
 * rows: what they do not say is made up, with variances that say so.
 * Heap: the rows once more where there are more dimensions, and three matrices.
 * Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED INTERNAL (FAISS) */
status axes_find(const float *rows, size_t n_rows, uint32_t dim, const struct deadline *deadline,
		 struct arena *arena, struct axes *ret);
void axes_finish(struct axes *axes); /* NULL, and all zero, are fine */

/* axes_apply - the first n_kept coordinates of rows in the axes.
 * matrix  [n_kept][dim]. rows  [n][dim]. ret  [n][n_kept] */
void axes_apply(const float *matrix, uint32_t n_kept, uint32_t dim, const float *rows, size_t n,
		float *ret);

SCOPE_DEFINE(axes, axes_finish)

#endif
