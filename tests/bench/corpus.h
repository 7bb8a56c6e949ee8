/* corpus - the matrices in the folder SLUICE_CORPUS. Whatever fails ends the program. */
#ifndef SLUICE_TESTS_BENCH_CORPUS_H
#define SLUICE_TESTS_BENCH_CORPUS_H

#include "index/segment/sealed.h"

struct matrix {
	uint32_t n, dim;
	float *values; /* [n][dim] of unit length; the heap's */
};

/* corpus_must - ends the program unless s is OK. */
void corpus_must(status s);

/* corpus_path - of a file; in the arena. */
const char *corpus_path(struct arena *arena, const char *name);

void matrix_read(struct matrix *matrix, struct arena *arena, const char *name);

/* The rows nearest to each query, best first: truth_ids.npy. */
struct nearest_rows {
	int32_t *rows; /* [n][width]; the heap's */
	uint32_t width;
};

/* nearest_read - of n queries, which is as many as there are. */
void nearest_read(struct nearest_rows *nearest, struct arena *arena, uint32_t n);

/* matrix_seal - as a segment, with a rotation trained on all of it. */
void matrix_seal(const struct matrix *matrix, const struct sealed_file *file, struct arena *arena,
		 struct sealed **ret);

/* matrix_source - its rows, numbered by their places. */
struct sealed_source matrix_source(const struct matrix *matrix);

#endif
