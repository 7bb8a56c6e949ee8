/* faiss_file - the vectors and ids in a file that FAISS wrote (write_index), row by row.
 *
 * Reads the format itself. FAISS's own reader trusts a file: a length that a flipped bit made huge is
 * allocated, an offset followed. And its C interface cannot give back the vectors of an IVF whose ids
 * are not 0 to n - 1. Here every length is checked against the size of the file before anything is
 * read or allocated by it, nothing is held but the ids of an IVF, and FAISS is not linked.
 *
 * Kinds: Flat (IxFI IxF2 IxFl), SQ8, SQ8 with one range, 8 bits as they are, SQfp16 and SQbf16 (IxSQ),
 * HNSW over one of them (IHNf IHNs), IVFFlat (IwFl), and IDMap and IDMap2 (IxMp IxM2) over any.
 * What a flip does to the numbers of a vector cannot be seen: the format has no checksum.
 * Not thread safe: one user of a file at a time.
 */
#ifndef SLUICE_SERVICE_CLI_FAISS_FILE_H
#define SLUICE_SERVICE_CLI_FAISS_FILE_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <stdint.h>

#define FAISS_DIMENSION_MAX (1U << 20)

struct faiss_shape {
	uint64_t rows;      /* at least 1 */
	uint32_t dimension; /* 1 to FAISS_DIMENSION_MAX */
	bool inner_product; /* else L2 */
};

struct faiss_file;

/* faiss_file_open - reads all but the vectors. Heap: 16 bytes for each vector of an IVF, else next to
 * nothing.
 * path  borrowed. arena  owns details, of this and of later calls; they name the path.
 * Fails: UNAVAILABLE where the file cannot be read, INVALID_ARGUMENT where it is no index, damaged,
 * empty, or of a kind or metric that is not read, RESOURCE_EXHAUSTED */
status faiss_file_open(struct arena *arena, const char *path, struct faiss_file **ret);
void faiss_file_close(struct faiss_file *file);

SCOPE_DEFINE(faiss_file, faiss_file_close)

const struct faiss_shape *faiss_file_shape(const struct faiss_file *file);
const char *faiss_file_path(const struct faiss_file *file);

/* faiss_file_read - row  below rows: in the order in which vectors were added, or, of an IVF, by id.
 * ret_id  FAISS's id of it. ret  [dimension] what its code decodes to.
 * Fails: UNAVAILABLE where reading fails */
status faiss_file_read(struct faiss_file *file, uint64_t row, int64_t *ret_id, float *ret);

#endif
