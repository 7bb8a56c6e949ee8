/* rotation - the principal axes of rows, trained by FAISS and made exact here.
 *
 * What FAISS found (pca.h) is made orthonormal in double and rounded once. What is left of the
 * deviation is measured (codes8_rotation_init) and covered by every bound, so that a bad training can
 * make scans slower and never an answer wrong.
 */
#ifndef SLUICE_INDEX_BUILD_ROTATION_H
#define SLUICE_INDEX_BUILD_ROTATION_H

#include "index/segment/sealed.h"
#include "kernels/base/deadline.h"
#include "kernels/base/status.h"

/* A rotation of more dimensions would cost a query more than the scan saves, and its training
 * minutes. */
#define ROTATION_DIM_MAX 2048

/* Of fewer rows than so many for each dimension there is no rotation. */
#define ROTATION_ROWS_PER_DIM 4

struct rotation {
	struct codes8_rotation codes; /* of it; points to matrix */
	float *matrix;                /* [dim][dim] owned; NULL: none */
	uint32_t head;                /* as for codes8_shape_init */
};

/* rotation_train - from a sample of the rows. None (and no head) where there are too few rows or
 * too many dimensions, where all rows are alike, or where it gathers nothing: that is no failure.
 * Heap while it works: 8,192 vectors (more above 2,048 dimensions: none) and three matrices. Takes
 * about dim^3 / 10^9 * 12 seconds of one core; FAISS cannot be interrupted in the greater part of it.
 * Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED INTERNAL (FAISS) */
status rotation_train(const struct sealed_source *source, uint32_t dim,
		      const struct deadline *deadline, struct arena *arena, struct rotation *ret);
void rotation_finish(struct rotation *rotation); /* NULL, and all zero, are fine */

/* rotation_coding - what sealed_write takes; borrows the rotation. */
static inline struct sealed_coding rotation_coding(const struct rotation *rotation)
{
	return (struct sealed_coding){
		.rotation = rotation->matrix ? &rotation->codes : NULL,
		.head = rotation->head,
	};
}

SCOPE_DEFINE(rotation, rotation_finish)

#endif
