/* corpus - see corpus.h. */
#include "tests/bench/corpus.h"

#include "kernels/score.h"
#include "service/cli/npy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

void corpus_must(status s)
{
	if (!status_failed(s))
		return;
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, s.detail);
	exit(1);
}

const char *corpus_path(struct arena *arena, const char *name)
{
	return arena_printf(arena, "%s/%s", getenv("SLUICE_CORPUS"), name);
}

void matrix_read(struct matrix *matrix, struct arena *arena, const char *name)
{
	SCOPED(npy) npy = NULL;

	corpus_must(npy_open_vectors(arena, corpus_path(arena, name), &npy));
	matrix->n = (uint32_t)npy_header_of(npy)->rows;
	matrix->dim = npy_header_of(npy)->columns;
	matrix->values = calloc((size_t)matrix->n * matrix->dim, sizeof(float));
	if (!matrix->values)
		abort();
	for (uint32_t row = 0; row < matrix->n; row++) {
		float *at = matrix->values + (size_t)row * matrix->dim;

		corpus_must(npy_read_floats(npy, row, at));
		vector_normalise(at, matrix->dim);
	}
}

static uint64_t row_number(const void *context, uint32_t place)
{
	(void)context;
	return place;
}

static const float *row_vector(const void *context, uint32_t place, float *scratch)
{
	const struct matrix *matrix = context;

	(void)scratch;
	return matrix->values + (size_t)place * matrix->dim;
}

struct sealed_source matrix_source(const struct matrix *matrix)
{
	return (struct sealed_source){matrix->n, row_number, row_vector, matrix};
}
