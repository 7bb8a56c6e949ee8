/* codes8_rows - rows and queries to measure with, their rotation, and their codes.
 *
 * With SLUICE_CORPUS the vectors and queries of that folder, else made-up ones whose energy falls
 * off as that of text embeddings does. All of unit length. Whatever fails ends the program.
 */
#ifndef SLUICE_TESTS_BENCH_CODES8_ROWS_H
#define SLUICE_TESTS_BENCH_CODES8_ROWS_H

#include "kernels/codes8.h"
#include "kernels/scanner.h"

struct bench_rows {
	const char *source;
	struct scan_block block;
	float *vectors, *norms, *squares; /* owned; what the block points to */
	float *queries;                   /* [n_queries][dim] */
	uint32_t n, dim, n_queries;
	size_t size_bytes; /* of the vectors */
};

/* rows_open - n and dim say what to make up; the corpus has its own. */
void rows_open(struct bench_rows *rows, uint32_t n, uint32_t dim);
void rows_close(struct bench_rows *rows);

/* rotation_train - by FAISS's PCAMatrix over a sample of rows, made orthonormal again.
 * ret_matrix  the caller's to free. ret_energy  [dim] of the same sample. */
void rotation_train(const struct bench_rows *rows, float **ret_matrix, struct codes8_rotation *ret,
		    double *ret_energy);

/* codes_make - all rows with so long a head; rotation may be NULL. Gives the seconds it took. */
double codes_make(const struct bench_rows *rows, const struct codes8_rotation *rotation,
		  uint32_t head, struct codes8 *ret);
void codes_free(struct codes8 *codes);

#endif
