/* codebooks - what a product quantizer codes rows by: their coordinates in groups, and centroids of each
 * group.
 */
#ifndef SLUICE_INDEX_BUILD_CODEBOOKS_H
#define SLUICE_INDEX_BUILD_CODEBOOKS_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct codebooks_shape {
	uint32_t dim, groups; /* dim is a multiple of groups */
	uint32_t bits;        /* 2^bits centroids of each group */
};

/* codebooks_floats - of all groups, as FAISS has them: [groups][2^bits][dim / groups]. */
static inline size_t codebooks_floats(const struct codebooks_shape *shape)
{
	return (size_t)shape->dim << shape->bits;
}

struct codebooks_options {
	struct codebooks_shape shape;
	uint32_t iterations;
	bool begun; /* from the codebooks that are there */
};

/* codebooks_train - of rows [n][dim] finite and about 1 in size, at least 2^bits of them.
 * codebooks  [codebooks_floats]
 * ret_coded  [n][dim] what rows become by being coded; NULL: not wanted. It may not be rows.
 * Looks at the deadline as kmeans_train does. Heap: a group's part of rows, and 20 bytes a row.
 * Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED INTERNAL (FAISS) */
status codebooks_train(const struct codebooks_options *options, const float *rows, size_t n,
		       const struct deadline *deadline, struct arena *arena, float *codebooks,
		       float *ret_coded);

#endif
