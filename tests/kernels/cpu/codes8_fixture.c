#include "tests/kernels/cpu/codes8_fixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* matrix = matrix (I - 2 v v' / v'v), in double. */
static void reflect(struct random *random, double *matrix, uint32_t dim)
{
	double *v = calloc(dim, sizeof *v), square = 0;

	cr_assert(v);
	for (size_t i = 0; i < dim; i++) {
		v[i] = (double)random_signed(random) + 1e-3;
		square += v[i] * v[i];
	}
	for (size_t i = 0; i < dim; i++) {
		double dot = 0;

		for (size_t j = 0; j < dim; j++)
			dot += matrix[i * dim + j] * v[j];
		for (size_t j = 0; j < dim; j++)
			matrix[i * dim + j] -= 2 * dot / square * v[j];
	}
	free(v);
}

void turned_init(struct turned *turned, struct random *random, uint32_t dim)
{
	double *matrix = calloc((size_t)dim * dim, sizeof *matrix);

	turned->matrix = calloc((size_t)dim * dim, sizeof(float));
	cr_assert(matrix && turned->matrix);
	for (size_t i = 0; i < dim; i++)
		matrix[i * dim + i] = 1;
	reflect(random, matrix, dim);
	reflect(random, matrix, dim);
	for (size_t i = 0; i < (size_t)dim * dim; i++)
		turned->matrix[i] = (float)matrix[i];
	free(matrix);
	cr_assert(!status_failed(codes8_rotation_init(&turned->rotation, turned->matrix, dim)));
}

void turned_finish(struct turned *turned)
{
	free(turned->matrix);
}

static unsigned char *area(size_t size)
{
	unsigned char *memory = aligned_alloc(
		CODES8_ALIGNMENT, (size + CODES8_ALIGNMENT) / CODES8_ALIGNMENT * CODES8_ALIGNMENT);

	cr_assert(memory);
	return memory;
}

void coded_init(struct coded *coded, struct hostile_block *block, enum metric metric, uint32_t head,
		const struct codes8_rotation *rotation)
{
	uint32_t n = block->block.capacity;
	struct codes8_shape shape;
	struct codes8_coder memory;
	SCOPED(codes8_coder) coder = &memory;

	codes8_shape_init(&shape, metric, block->dim, head);
	coded->heads = area(codes8_heads_bytes(&shape, n));
	coded->tails = area(codes8_tails_bytes(&shape, n));
	coded->codes = (struct codes8){shape, coded->heads, coded->tails, n, NULL};
	cr_assert(!status_failed(codes8_coder_init(coder, &shape, rotation)));
	for (uint32_t row = 0; row < n; row += CODES8_ROWS) {
		const float *vectors[CODES8_ROWS];
		uint32_t n_rows = n - row < CODES8_ROWS ? n - row : CODES8_ROWS;

		for (uint32_t i = 0; i < n_rows; i++)
			vectors[i] = hostile_row(block, row + i);
		codes8_encode(coder, vectors, n_rows,
			      coded->heads + row / CODES8_ROWS * shape.block_bytes,
			      coded->tails + row * shape.tail_bytes);
	}
}

void coded_finish(struct coded *coded)
{
	free(coded->heads);
	free(coded->tails);
}

void ask(struct asked *asked, const struct codes8_shape *shape,
	 const struct codes8_rotation *rotation, const float *query)
{
	arena_init(&asked->arena, 1 << 20);
	cr_assert(!status_failed(
		codes8_query_init(&asked->query, &asked->arena, shape, rotation, query)));
}

size_t kernels_all(const struct codes8_kernel *ret[SCANNERS_MAX])
{
	size_t n = 0;

	for (int isa = CODES8_PORTABLE; isa <= CODES8_VNNI; isa++) {
		ret[n] = codes8_scanner((enum codes8_isa)isa);
		if (ret[n])
			n++;
		else
			fprintf(stderr, "SKIPPED codes8 kernel %d: this processor lacks it\n", isa);
	}
	return n;
}
