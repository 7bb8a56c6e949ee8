/* npy - matrices in NumPy's .npy files: read row by row, and written.
 *
 * Reads versions 1, 2 and 3, little-endian, in C order, of one dimension (one row) or two. A file
 * is untrusted: its header is checked against its size before anything is allocated by it.
 * Not thread safe: one user of a file at a time.
 */
#ifndef SLUICE_SERVICE_CLI_NPY_H
#define SLUICE_SERVICE_CLI_NPY_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <stdint.h>

enum npy_type { NPY_FLOAT32, NPY_FLOAT16, NPY_INT32 };

#define NPY_COLUMNS_MAX (1U << 20)
#define NPY_HEADER_MAX_BYTES 65536

struct npy_header {
	enum npy_type type;
	uint64_t rows;
	uint32_t columns; /* 1 to NPY_COLUMNS_MAX */
	uint64_t data_at; /* offset of the first number in the file */
};

/* What a matrix is wanted for: vectors are float32 or float16. */
enum npy_use { NPY_ANYTHING, NPY_VECTORS };

/* npy_header_parse - start  the first bytes of a file, NPY_HEADER_MAX_BYTES or the whole of it.
 * file_bytes  the size of the file; the numbers must fill it to its end.
 * arena  owns the detail. Fails: INVALID_ARGUMENT */
status npy_header_parse(struct arena *arena, struct bytes start, uint64_t file_bytes,
			enum npy_use use, struct npy_header *ret);

struct npy;

/* npy_open - Fails: NOT_FOUND and the like where the file cannot be read, INVALID_ARGUMENT where
 * it is no matrix; details name the path. arena  owns details, of this and of later calls. */
status npy_open(struct arena *arena, const char *path, struct npy **ret);
/* npy_open_vectors - the same; INVALID_ARGUMENT for a file of integers too. */
status npy_open_vectors(struct arena *arena, const char *path, struct npy **ret);
void npy_close(struct npy *npy);

SCOPE_DEFINE(npy, npy_close)

const struct npy_header *npy_header_of(const struct npy *npy);
/* npy_path - as given to npy_open. */
const char *npy_path(const struct npy *npy);

/* npy_read_floats - row  below rows. ret  [columns]; float16 becomes float32 exactly.
 * Fails: INVALID_ARGUMENT for a file of integers, UNAVAILABLE where reading fails */
status npy_read_floats(struct npy *npy, uint64_t row, float *ret);

/* npy_read_integers - ret  [columns]. Fails: INVALID_ARGUMENT for a file of floats, UNAVAILABLE */
status npy_read_integers(struct npy *npy, uint64_t row, int32_t *ret);

/* half_to_float - the value of an IEEE 754 binary16, exact, subnormals, infinities and NaN too. */
float half_to_float(uint16_t half);

/* A float32 file in the making: open, rows, finish. One that is closed before finish is left with
 * a header of no rows. */
struct npy_writer;

status npy_writer_open(struct arena *arena, const char *path, uint32_t columns,
		       struct npy_writer **ret);
/* npy_writer_append - values  [columns]. */
status npy_writer_append(struct npy_writer *writer, const float *values);
/* npy_writer_finish - writes the number of rows into the header. */
status npy_writer_finish(struct npy_writer *writer);
void npy_writer_close(struct npy_writer *writer);

SCOPE_DEFINE(npy_writer, npy_writer_close)

#endif
