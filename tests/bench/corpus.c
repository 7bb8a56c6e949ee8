/* corpus - see corpus.h. */
#include "tests/bench/corpus.h"

#include "index/build/rotation.h"
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

void nearest_read(struct nearest_rows *nearest, struct arena *arena, uint32_t n)
{
	SCOPED(npy) npy = NULL;

	corpus_must(npy_open(arena, corpus_path(arena, "truth_ids.npy"), &npy));
	nearest->width = npy_header_of(npy)->columns;
	nearest->rows = calloc((size_t)n * nearest->width, sizeof *nearest->rows);
	if (!nearest->rows || npy_header_of(npy)->rows != n)
		abort();
	for (uint32_t row = 0; row < n; row++)
		corpus_must(
			npy_read_integers(npy, row, nearest->rows + (size_t)row * nearest->width));
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

void matrix_seal(const struct matrix *matrix, const struct sealed_file *file, struct arena *arena,
		 struct sealed **ret)
{
	const struct sealed_source source = matrix_source(matrix);
	SCOPED(rotation) rotation = &(struct rotation){0};
	struct sealed_coding coding;

	corpus_must(rotation_train(&source, matrix->dim, NULL, arena, rotation));
	coding = rotation_coding(rotation);
	corpus_must(sealed_write(file, &source, &coding, NULL, arena));
	corpus_must(sealed_open(file, arena, ret));
}
