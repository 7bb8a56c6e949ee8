/* pca - the principal axes of rows: FAISS finds them, and the matrix is taken out of it.
 *
 * FAISS's PCAMatrix centres, and its C interface does not give the matrix: the linear part is found
 * by applying it to the unit vectors and to zero. It is nearly orthonormal (orthonormal.h).
 */
#ifndef SLUICE_INDEX_BUILD_PCA_H
#define SLUICE_INDEX_BUILD_PCA_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <stddef.h>
#include <stdint.h>

/* pca_find - of rows [n][dim], more than dim and about 1 in size. Costs the cube of the dimension;
 * cannot be interrupted.
 * ret  [dim][dim] the axes as rows, those first along which there is most.
 * Fails: RESOURCE_EXHAUSTED INTERNAL (FAISS) */
status pca_find(const float *rows, size_t n, uint32_t dim, struct arena *arena, double *ret);

#endif
