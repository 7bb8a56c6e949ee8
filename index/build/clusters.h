/* clusters - centroids of rows, and which one a row is nearest to: by FAISS.
 *
 * FAISS's C interface cannot be interrupted, so k-means is run an iteration at a time, each from the
 * centroids that the one before left behind, and rows are assigned in slices that the caller cuts.
 * All distances are Euclidean; between rows and centroids of unit length that is the order of cosines.
 * Values should be about 1 in size: sums of squares must stay within float.
 */
#ifndef SLUICE_INDEX_BUILD_CLUSTERS_H
#define SLUICE_INDEX_BUILD_CLUSTERS_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clusters_options {
	uint32_t dim, k;
	uint32_t iterations;
	/* Before them so many over the first n_early rows, where these are more than k: centroids that
	 * are still far from where they will be need fewer. */
	uint32_t iterations_early;
	size_t n_early;
	uint32_t threads; /* at most; 0: build_threads */
	bool spherical;   /* centroids are scaled to unit length */
};

/* clusters_train - k-means.
 * rows           [n][dim] finite, n >= k. Fewer distinct rows than k leave centroids that are nearly
 *                the same, and some that no row is nearest to.
 * ret_centroids  [k][dim]
 * Looks at the deadline between iterations, of about n k dim products each. Heap: the centroids
 * thrice and 12 bytes a row.
 * Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED INTERNAL (FAISS) */
status clusters_train(const struct clusters_options *options, const float *rows, size_t n,
		      const struct deadline *deadline, struct arena *arena, float *ret_centroids);

/* Above so many centroids a graph over them (HNSW) finds the nearest, nearly always. */
#define CLUSTERS_FLAT_MAX 4096

struct clusters;

/* clusters_open - to find the nearest of centroids [k][dim], which are borrowed.
 * Fails: RESOURCE_EXHAUSTED INTERNAL (FAISS) */
status clusters_open(const float *centroids, uint32_t k, uint32_t dim, struct arena *arena,
		     struct clusters **ret);
void clusters_close(struct clusters *clusters); /* NULL is fine */

/* clusters_assign - rows  [n][dim] finite. ret  [n] below k.
 * Fails: RESOURCE_EXHAUSTED INTERNAL (FAISS) */
status clusters_assign(const struct clusters *clusters, const float *rows, size_t n,
		       struct arena *arena, uint32_t *ret);

/* clusters_assign_twice - also a second centroid for each row, among those nearest to it, for queries
 * that the first is far from: a query misses a row where the row's residual lies along it, so the
 * second residual is to be short, and at a right angle to the first. Least is
 *   |r2|^2 + (r1.r2)^2 / |r1|^2
 * (Orthogonality-amplified residuals: Sun, Simcha, Dopson, Guo, Kumar, "SOAR: Improved Indexing for
 * Approximate Nearest Neighbor Search", NeurIPS 2023.)
 * ret_first, ret_second  [n] below k, and different where k > 1. Heap: 1 MiB.
 * Fails: RESOURCE_EXHAUSTED INTERNAL (FAISS) */
status clusters_assign_twice(const struct clusters *clusters, const float *rows, size_t n,
			     struct arena *arena, uint32_t *ret_first, uint32_t *ret_second);

SCOPE_DEFINE(clusters, clusters_close)

#endif
