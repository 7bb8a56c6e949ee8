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

#define LANES 8
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t numbers __attribute__((vector_size(LANES * sizeof(int32_t))));

#define INLINE static inline __attribute__((always_inline))

/* By address, here and below: registers of such a width are not for everyone to be handed. */
INLINE void choose(const numbers *mask, const numbers *a, const numbers *b, numbers *ret)
{
	*ret = (*a & *mask) | (*b & ~*mask);
}

INLINE void lesser(const numbers *a, const numbers *b, numbers *ret)
{
	numbers mask = *a < *b;

	choose(&mask, a, b, ret);
}

/* The least of the lanes, in all of them. */
INLINE void least_spread(numbers *values)
{
	numbers other = __builtin_shuffle(*values, (numbers){4, 5, 6, 7, 0, 1, 2, 3});

	lesser(values, &other, values);
	other = __builtin_shuffle(*values, (numbers){2, 3, 0, 1, 6, 7, 4, 5});
	lesser(values, &other, values);
	other = __builtin_shuffle(*values, (numbers){1, 0, 3, 2, 5, 4, 7, 6});
	lesser(values, &other, values);
}

/* The nearest of 16 codewords, the first of those that are equally near. Squares are not negative, so
 * that their bits are in the order of their values. */
INLINE uint8_t nearest(const float *codewords, uint32_t width, const float *values)
{
	const numbers first = {0, 1, 2, 3, 4, 5, 6, 7}, second = first + LANES;
	const numbers none = first + CODES4_WORDS;
	lanes low = {0}, high = {0};
	numbers bits[2], least, at, mask;

	for (uint32_t j = 0; j < width; j++, codewords += CODES4_WORDS) {
		lanes off;

		memcpy(&off, codewords, sizeof off);
		off = values[j] - off;
		low += off * off;
		memcpy(&off, codewords + LANES, sizeof off);
		off = values[j] - off;
		high += off * off;
	}
	memcpy(&bits[0], &low, sizeof low);
	memcpy(&bits[1], &high, sizeof high);
	lesser(&bits[0], &bits[1], &least);
	least_spread(&least);
	mask = bits[1] == least;
	choose(&mask, &second, &none, &at);
	mask = bits[0] == least;
	choose(&mask, &first, &at, &at);
	least_spread(&at);
	return (uint8_t)at[0];
}

INLINE void groups_encode(const struct codes4_model *model, const float *rotated, uint8_t *ret)
{
	const float *codewords = model->codewords;

	for (uint32_t group = 0; group < model->groups; group++) {
		uint32_t width = model->widths[group];

		ret[group] = width ? nearest(codewords, width, rotated) : 0;
		codewords += (size_t)CODES4_WORDS * width;
		rotated += width;
	}
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) static void groups_encode_avx2(const struct codes4_model *model,
							       const float *rotated, uint8_t *ret)
{
	groups_encode(model, rotated, ret);
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

#else

static void groups_encode_avx2(const struct codes4_model *model, const float *rotated, uint8_t *ret)
{
	groups_encode(model, rotated, ret);
}

static bool has_avx2(void)
{
	return false;
}

#endif

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
	if (has_avx2())
		groups_encode_avx2(model, rotated, ret);
	else
		groups_encode(model, rotated, ret);
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
