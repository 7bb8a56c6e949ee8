#include "tests/bench/codes8_rows.h"

#include "kernels/base/deadline.h"
#include "kernels/score.h"
#include "service/cli/npy.h"
#include "tests/bench/faiss_peer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define SAMPLE_ROWS 20000
#define MADE_UP_QUERIES 500
#define HUGE_PAGE ((size_t)2 << 20)

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "codes8: %s\n", what);
	exit(1);
}

/* On huge pages where the system has them to give. */
static void *allocate(size_t size)
{
	void *memory = aligned_alloc(HUGE_PAGE, (size + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE);

	must(memory, "memory");
	(void)madvise(memory, size, MADV_HUGEPAGE);
	memset(memory, 0, size);
	return memory;
}

static void rows_allocate(struct bench_rows *rows)
{
	size_t stride = scan_stride(rows->dim);

	rows->size_bytes = rows->n * stride * sizeof(float);
	rows->vectors = allocate(rows->size_bytes);
	rows->norms = allocate(rows->n * sizeof(float));
	rows->squares = allocate(rows->n * sizeof(float));
	rows->queries = allocate((size_t)rows->n_queries * rows->dim * sizeof(float));
	rows->block = (struct scan_block){
		.vectors = rows->vectors,
		.norms = rows->norms,
		.squares = rows->squares,
		.stride = stride,
		.capacity = rows->n,
	};
}

static float draw(void)
{
	static uint64_t state = 1;
	float sum = 0;

	for (int i = 0; i < 4; i++) {
		state = state * 6364136223846793005U + 1442695040888963407U;
		sum += (float)(int32_t)(state >> 32) * 0x1p-31F;
	}
	return sum;
}

static void make_up(float *ret, uint32_t dim)
{
	for (size_t i = 0; i < dim; i++)
		ret[i] = draw() / sqrtf(1 + (float)i * 40 / (float)dim);
}

static void matrix_open(struct arena *arena, const char *name, struct npy **ret)
{
	char *path = arena_printf(arena, "%s/%s", getenv("SLUICE_CORPUS"), name);

	must(path && !status_failed(npy_open_vectors(arena, path, ret)), path);
}

static void rows_read(struct bench_rows *rows)
{
	struct arena arena;
	struct npy *vectors = NULL, *queries = NULL;

	arena_init(&arena, 1 << 20);
	matrix_open(&arena, "vectors.npy", &vectors);
	matrix_open(&arena, "queries.npy", &queries);
	rows->n = (uint32_t)npy_header_of(vectors)->rows;
	rows->dim = npy_header_of(vectors)->columns;
	rows->n_queries = (uint32_t)npy_header_of(queries)->rows;
	must(npy_header_of(queries)->columns == rows->dim, "queries of another dimension");
	rows_allocate(rows);
	for (size_t i = 0; i < rows->n; i++)
		must(!status_failed(
			     npy_read_floats(vectors, i, rows->vectors + i * rows->block.stride)),
		     "vectors.npy");
	for (size_t i = 0; i < rows->n_queries; i++)
		must(!status_failed(npy_read_floats(queries, i, rows->queries + i * rows->dim)),
		     "queries.npy");
	npy_close(vectors);
	npy_close(queries);
	arena_finish(&arena);
}

void rows_open(struct bench_rows *rows, uint32_t n, uint32_t dim)
{
	rows->source = getenv("SLUICE_CORPUS") ? "corpus" : "made up";
	if (getenv("SLUICE_CORPUS")) {
		rows_read(rows);
	} else {
		rows->n = n;
		rows->dim = dim;
		rows->n_queries = MADE_UP_QUERIES;
		rows_allocate(rows);
		for (size_t i = 0; i < n; i++)
			make_up(rows->vectors + i * rows->block.stride, dim);
		for (size_t i = 0; i < rows->n_queries; i++)
			make_up(rows->queries + i * dim, dim);
	}
	for (size_t i = 0; i < rows->n; i++) {
		float *vector = rows->vectors + i * rows->block.stride;

		must(vector_normalise(vector, rows->dim), "a zero vector");
		scan_row_norms(vector, rows->dim, &rows->norms[i], &rows->squares[i]);
	}
	for (size_t i = 0; i < rows->n_queries; i++)
		must(vector_normalise(rows->queries + i * rows->dim, rows->dim), "a zero query");
}

void rows_close(struct bench_rows *rows)
{
	free(rows->vectors);
	free(rows->norms);
	free(rows->squares);
	free(rows->queries);
}

/* Gram and Schmidt, over what is almost orthonormal. */
static void orthonormalise(double *matrix, size_t dim)
{
	for (size_t i = 0; i < dim; i++) {
		double *row = matrix + i * dim, norm = 0;

		for (size_t j = 0; j < i; j++) {
			const double *other = matrix + j * dim;
			double dot = 0;

			for (size_t k = 0; k < dim; k++)
				dot += row[k] * other[k];
			for (size_t k = 0; k < dim; k++)
				row[k] -= dot * other[k];
		}
		for (size_t k = 0; k < dim; k++)
			norm += row[k] * row[k];
		for (size_t k = 0; k < dim; k++)
			row[k] /= sqrt(norm);
	}
}

void rotation_train(const struct bench_rows *rows, float **ret_matrix, struct codes8_rotation *ret,
		    double *ret_energy)
{
	size_t dim = rows->dim, n = rows->n < SAMPLE_ROWS ? rows->n : SAMPLE_ROWS;
	float *sample = allocate(n * dim * sizeof(float));
	double *matrix = allocate(dim * dim * sizeof(double)), *rotated;

	/* From all over: neighbours are of one document. */
	for (size_t i = 0; i < n; i++)
		memcpy(sample + i * dim, rows->vectors + i * rows->n / n * rows->block.stride,
		       dim * sizeof(float));
	faiss_pca_train(sample, n, dim, matrix);
	orthonormalise(matrix, dim);
	*ret_matrix = allocate(dim * dim * sizeof(float));
	for (size_t i = 0; i < dim * dim; i++)
		(*ret_matrix)[i] = (float)matrix[i];
	must(!status_failed(codes8_rotation_init(ret, *ret_matrix, rows->dim)),
	     "the rotation is none");
	memset(ret_energy, 0, dim * sizeof(double));
	rotated = matrix;
	for (size_t i = 0; i < n; i++) {
		const float *vector = sample + i * dim;

		codes8_rotate(ret, &vector, 1, rotated);
		for (size_t k = 0; k < dim; k++)
			ret_energy[k] += rotated[k] * rotated[k];
	}
	free(sample);
	free(matrix);
}

double codes_make(const struct bench_rows *rows, const struct codes8_rotation *rotation,
		  uint32_t head, struct codes8 *ret)
{
	struct codes8_coder coder;
	unsigned char *heads, *tails;
	int64_t start_ns;

	*ret = (struct codes8){.n = rows->n};
	codes8_shape_init(&ret->shape, METRIC_COSINE, rows->dim, head);
	ret->heads = heads = allocate(codes8_heads_bytes(&ret->shape, rows->n));
	ret->tails = tails = allocate(codes8_tails_bytes(&ret->shape, rows->n) + 1);
	must(!status_failed(codes8_coder_init(&coder, &ret->shape, rotation)), "memory");
	start_ns = clock_ns();
	for (uint32_t i = 0; i < rows->n; i += CODES8_ROWS) {
		const float *vectors[CODES8_ROWS];
		uint32_t n = rows->n - i < CODES8_ROWS ? rows->n - i : CODES8_ROWS;

		for (size_t j = 0; j < n; j++)
			vectors[j] = rows->vectors + (i + j) * rows->block.stride;
		codes8_encode(&coder, vectors, n, heads + i / CODES8_ROWS * ret->shape.block_bytes,
			      tails + i * ret->shape.tail_bytes);
	}
	codes8_coder_finish(&coder);
	return (double)(clock_ns() - start_ns) * 1e-9;
}

void codes_free(struct codes8 *codes)
{
	/* They were allocated above. */
	free((void *)(uintptr_t)codes->heads);
	free((void *)(uintptr_t)codes->tails);
}
