#include "tests/kernels/cpu/codes4_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void *memory(size_t size)
{
	void *found = calloc(1, size ? size : 1);

	cr_assert(found);
	return found;
}

/* The first n rows of a reflection. */
static void rows_draw(struct random *random, uint32_t n, uint32_t dim, float *ret)
{
	double *normal = memory(dim * sizeof *normal), squares = 0;

	for (size_t i = 0; i < dim; i++) {
		normal[i] = (double)random_signed(random);
		squares += normal[i] * normal[i];
	}
	for (size_t row = 0; row < n; row++) {
		for (size_t i = 0; i < dim; i++)
			ret[row * dim + i] =
				(float)((row == i) - 2 * normal[row] * normal[i] / squares);
	}
	free(normal);
}

void drawn_init(struct drawn *drawn, struct random *random, enum metric metric, uint32_t groups,
		uint32_t width_max, uint32_t more)
{
	uint32_t real = metric == METRIC_L2 ? groups - 2 : groups, kept = 0, dim;

	drawn->widths = memory(groups * sizeof *drawn->widths);
	for (size_t i = 0; i < real; i++)
		kept += drawn->widths[i] = 1 + (uint32_t)random_below(random, width_max);
	dim = kept + more;
	drawn->matrix = memory((size_t)kept * dim * sizeof(float));
	drawn->rotation = memory(kept * codes4_stride(dim) * sizeof(int16_t));
	drawn->codewords = memory((size_t)kept * 16 * sizeof(float));
	rows_draw(random, kept, dim, drawn->matrix);
	codes4_rotation_round(dim, kept, drawn->matrix, drawn->rotation);
	for (size_t i = 0; i < (size_t)kept * 16; i++)
		drawn->codewords[i] = random_signed(random);
	drawn->model = (struct codes4_model){
		.metric = metric,
		.dim = dim,
		.kept = kept,
		.groups = groups,
		.widths = drawn->widths,
		.rotation = drawn->rotation,
		.codewords = drawn->codewords,
		.square_low = -0.5F,
		.square_step = 1.0F / 255,
	};
}

void drawn_finish(struct drawn *drawn)
{
	free(drawn->widths);
	free(drawn->matrix);
	free(drawn->rotation);
	free(drawn->codewords);
}

unsigned char *packed_draw(struct random *random, const struct codes4_model *model, uint32_t n,
			   uint8_t *ret_codes)
{
	unsigned char *blocks = memory(codes4_bytes(model, n));

	for (size_t i = 0; i < (size_t)n * model->groups; i++)
		ret_codes[i] = (uint8_t)random_below(random, 16);
	for (uint32_t row = 0; row < n; row += CODES4_ROWS)
		codes4_pack(model, ret_codes + (size_t)row * model->groups,
			    n - row < CODES4_ROWS ? n - row : CODES4_ROWS,
			    blocks + row / CODES4_ROWS * codes4_block_bytes(model));
	return blocks;
}

size_t kernels_all(const struct codes4_kernel *ret[SCANNERS_MAX])
{
	size_t n = 0;

	for (int isa = CODES4_PORTABLE; isa <= CODES4_AVX512; isa++) {
		ret[n] = codes4_scanner((enum codes4_isa)isa);
		n += ret[n] != NULL;
	}
	return n;
}
