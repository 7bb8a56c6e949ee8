/* kmeans - centroids of rows, by calls of FAISS that are short however much there is to do.
 *
 * FAISS compares rows with centroids, and is given so many rows at a time that a call is of some 10^9
 * products; between two calls the work can be cancelled. The rest of an iteration is here (Lloyd's). All distances are
 * Euclidean; values should be about 1 in size.
 */
#ifndef SLUICE_INDEX_BUILD_KMEANS_H
#define SLUICE_INDEX_BUILD_KMEANS_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kmeans_options {
	uint32_t dim, k;
	uint32_t iterations; /* at most: it ends where no row changes its centroid */
	bool spherical;      /* centroids are scaled to unit length */
	bool begun;          /* from the centroids that are there; else from rows */
};

/* kmeans_train - rows [n][dim] finite, n >= k.
 * centroids    [k][dim]. Fewer distinct rows than k leave centroids that are nearly the same.
 * ret_nearest  [n] which centroid each row was nearest to when they were last moved; NULL: not wanted.
 * Looks at the deadline before each call of FAISS. Heap: the centroids once more, 16 bytes a row.
 * Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED INTERNAL (FAISS) */
status kmeans_train(const struct kmeans_options *options, const float *rows, size_t n,
		    const struct deadline *deadline, struct arena *arena, float *centroids,
		    uint32_t *ret_nearest);

/* kmeans_slice - how many rows are compared with k centroids at a time. */
size_t kmeans_slice(size_t dim, size_t k);

#endif
