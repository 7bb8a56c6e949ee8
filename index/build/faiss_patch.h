/* faiss_patch - numbers that FAISS's C interface has no call for, put into an index by way of its own
 * serialisation: it is written to memory, changed there and read back.
 *
 * What is relied on is that FAISS writes a vector of floats as its length and the floats, behind what else
 * identifies it, and "is trained" as a byte of an index's header; the version of FAISS is pinned, and
 * what is not found as expected is an error.
 */
#ifndef SLUICE_INDEX_BUILD_FAISS_PATCH_H
#define SLUICE_INDEX_BUILD_FAISS_PATCH_H

#include "index/build/codebooks.h"
#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <c_api/Index_c.h>

/* faiss_patch_codebooks - makes an empty index with a product quantizer a trained one.
 * *index  is freed, and replaced by the one that was read; left as it is on failure.
 * Heap: twice what the index takes.
 * Fails: INTERNAL RESOURCE_EXHAUSTED */
status faiss_patch_codebooks(FaissIndex **index, const struct codebooks_shape *shape,
			     const float *codebooks, struct arena *arena);

/* faiss_patch_matrix - a matrix in the place of a random one. */
struct faiss_patch_matrix {
	uint32_t rows, columns;
	const float *values; /* [rows][columns]; NULL: the random one stays */
};

/* faiss_patch_matrices - of all RandomRotationMatrix that are in the index, in their order. As
 * faiss_patch_codebooks. */
status faiss_patch_matrices(FaissIndex **index, const struct faiss_patch_matrix *matrices, size_t n,
			    struct arena *arena);

#endif
