/* pca - FAISS's PCAMatrix, trained and applied. */
#include "index/build/pca.h"

#include "index/build/faiss_failure.h"
#include "index/build/threads.h"
#include "kernels/base/error_info.h"
#include "kernels/base/scope.h"

#include <c_api/VectorTransform_c.h>

#include <stdlib.h>
#include <string.h>

/* Unit vectors applied at once. */
#define SLICE 64

struct transform {
	FaissPCAMatrix *faiss;
	float *room; /* [2 * SLICE + 1][dim] owned: what it is applied to, and what comes of that */
};

static void transform_finish(struct transform *transform)
{
	if (transform->faiss)
		faiss_VectorTransform_free(transform->faiss);
	free(transform->room);
}

SCOPE_DEFINE(transform, transform_finish)

/* Column c of the matrix is what unit vector c becomes, less what zero does. */
static void matrix_take(const struct transform *transform, size_t dim, double *ret)
{
	float *in = transform->room, *out = in + SLICE * dim, *zero = out + SLICE * dim;

	memset(in, 0, SLICE * dim * sizeof *in);
	faiss_VectorTransform_apply_noalloc(transform->faiss, 1, in, zero);
	for (size_t first = 0; first < dim; first += SLICE) {
		size_t n = dim - first < SLICE ? dim - first : SLICE;

		memset(in, 0, SLICE * dim * sizeof *in);
		for (size_t i = 0; i < n; i++)
			in[i * dim + first + i] = 1;
		faiss_VectorTransform_apply_noalloc(transform->faiss, (idx_t)n, in, out);
		for (size_t i = 0; i < n; i++) {
			for (size_t row = 0; row < dim; row++)
				ret[row * dim + first + i] =
					(double)out[i * dim + row] - (double)zero[row];
		}
	}
}

status pca_find(const float *rows, size_t n, uint32_t dim, struct arena *arena, double *ret)
{
	SCOPED(transform) transform = &(struct transform){0};

	transform->room = malloc(sizeof(float) * (2 * SLICE + 1) * dim);
	if (!transform->room)
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to find axes"),
				 REASON_MEMORY_LIMIT);
	build_threads_bound();
	if (faiss_PCAMatrix_new_with(&transform->faiss, (int)dim, (int)dim, 0, 0) ||
	    faiss_VectorTransform_train(transform->faiss, (idx_t)n, rows))
		return faiss_failure(arena, STATUS_INTERNAL, "finding axes");
	matrix_take(transform, dim, ret);
	return status_ok();
}
