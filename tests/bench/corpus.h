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

/* matrix_source - its rows, numbered by their places. */
struct sealed_source matrix_source(const struct matrix *matrix);

#endif
