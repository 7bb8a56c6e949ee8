/* codes4 - a rotation in 16 bits, rows to codes, codes to blocks. */
#include "kernels/codes4.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void codes4_rotation_round(uint32_t dim, uint32_t kept, const float *rotation, int16_t *ret)
{
	size_t stride = codes4_stride(dim);

	for (size_t row = 0; row < kept; row++, rotation += dim, ret += stride) {
		for (size_t i = 0; i < stride; i++) {
			/* A row of length 1 may have a value that is off by the last bit. */
			float value = i < dim ? fmaxf(-1, fminf(1, rotation[i])) : 0;

			ret[i] = (int16_t)lrintf(value * CODES4_ONE);
		}
	}
}

/* The nearest of 16 codewords, the first of those that are equally near. */
static uint8_t nearest(const float *codewords, uint32_t width, const float *values)
{
	float squares[CODES4_WORDS] = {0};
	uint8_t best = 0;

	for (uint32_t j = 0; j < width; j++, codewords += CODES4_WORDS) {
		for (size_t i = 0; i < CODES4_WORDS; i++) {
			float off = values[j] - codewords[i];

			squares[i] += off * off;
		}
	}
	for (uint8_t i = 1; i < CODES4_WORDS; i++)
		best = squares[i] < squares[best] ? i : best;
	return best;
}

/* -|x|^2, less its mean, as 8 bits. */
static uint8_t square_code(const struct codes4_model *model, float square)
{
	float steps =
		model->square_step > 0 ? (square - model->square_low) / model->square_step : 0;

	return (uint8_t)lrintf(fmaxf(0, fminf(UINT8_MAX, steps)));
}

void codes4_encode(const struct codes4_model *model, const float *rotated, float square,
		   uint8_t *ret)
{
	const float *codewords = model->codewords;

	for (uint32_t group = 0; group < model->groups; group++) {
		uint32_t width = model->widths[group];

		ret[group] = width ? nearest(codewords, width, rotated) : 0;
		codewords += (size_t)CODES4_WORDS * width;
		rotated += width;
	}
	if (model->metric == METRIC_L2) {
		uint8_t code = square_code(model, square);

		ret[model->groups - 2] = code / CODES4_WORDS;
		ret[model->groups - 1] = code % CODES4_WORDS;
	}
}

void codes4_pack(const struct codes4_model *model, const uint8_t *codes, uint32_t n,
		 unsigned char *ret)
{
	assert(n <= CODES4_ROWS);
	memset(ret, 0, codes4_block_bytes(model));
	for (size_t row = 0; row < n; row++, codes += model->groups) {
		for (size_t pair = 0; pair < model->groups / 2; pair++)
			ret[pair * CODES4_ROWS + row] =
				(unsigned char)(codes[2 * pair] | codes[2 * pair + 1] << 4);
	}
}
