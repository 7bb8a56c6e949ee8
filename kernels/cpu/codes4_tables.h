/* codes4_tables - a query's tables in plain C, of which a compiler makes good use of whatever
 * instructions it may: each kernel includes this.
 */
#ifndef SLUICE_KERNELS_CPU_CODES4_TABLES_H
#define SLUICE_KERNELS_CPU_CODES4_TABLES_H

#include "kernels/cpu/codes4_kernel.h"

static inline float codes4_lesser(float a, float b)
{
	return a < b ? a : b;
}

static inline float codes4_greater(float a, float b)
{
	return a > b ? a : b;
}

/* The least of 16 values, and the greatest. */
static inline void codes4_extremes(const float *values, float *ret_least, float *ret_greatest)
{
	float least[8], greatest[8];

	for (size_t i = 0; i < 8; i++) {
		least[i] = codes4_lesser(values[i], values[i + 8]);
		greatest[i] = codes4_greater(values[i], values[i + 8]);
	}
	for (size_t half = 4; half > 0; half /= 2) {
		for (size_t i = 0; i < half; i++) {
			least[i] = codes4_lesser(least[i], least[i + half]);
			greatest[i] = codes4_greater(greatest[i], greatest[i + half]);
		}
	}
	*ret_least = least[0];
	*ret_greatest = greatest[0];
}

static inline struct codes4_span codes4_products(const struct codes4_model *model,
						 const float *rotated, float *ret)
{
	const float *codewords = model->codewords;
	struct codes4_span span = {0};

	for (size_t group = 0; group < model->groups; group++, ret += CODES4_WORDS) {
		float products[CODES4_WORDS] = {0}, least, greatest;

		for (size_t j = 0; j < model->widths[group]; j++, codewords += CODES4_WORDS) {
			float value = *rotated++;

			for (size_t i = 0; i < CODES4_WORDS; i++)
				products[i] += value * codewords[i];
		}
		codes4_extremes(products, &least, &greatest);
		for (size_t i = 0; i < CODES4_WORDS; i++)
			ret[i] = products[i] - least;
		span.bias += (double)least;
		span.range = codes4_greater(span.range, greatest - least);
	}
	return span;
}

static inline void codes4_levels(const float *products, size_t n, float inverse, uint8_t *ret)
{
	for (size_t i = 0; i < n; i++)
		ret[i] = (uint8_t)(int)(products[i] * inverse + 0.5F);
}

#endif
