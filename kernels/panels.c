/* panels - six vectors by a panel at a time: their twelve sums leave room for a panel's row in the registers of
 * AVX2.
 */
#include "kernels/panels.h"

#include <stdbool.h>
#include <string.h>

#define LANES 8
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

#define VECTORS 6

#define INLINE static inline __attribute__((always_inline))

void panels_make(const float *rows, size_t n_rows, size_t dim, float *ret)
{
	for (size_t first = 0; first < n_rows; first += PANEL_ROWS) {
		size_t n = n_rows - first < PANEL_ROWS ? n_rows - first : PANEL_ROWS;

		for (size_t k = 0; k < dim; k++, ret += PANEL_ROWS) {
			for (size_t i = 0; i < PANEL_ROWS; i++)
				ret[i] = i < n ? rows[(first + i) * dim + k] : 0;
		}
	}
}

/* n is a constant where this is inlined. ret  vector j's sums at ret[j * stride] */
INLINE void tile(const float *panel, const float *vectors, size_t n, size_t dim, float *ret,
		 size_t stride)
{
	lanes low[VECTORS] = {0}, high[VECTORS] = {0};

	for (size_t k = 0; k < dim; k++, panel += PANEL_ROWS) {
		lanes first, second;

		memcpy(&first, panel, sizeof first);
		memcpy(&second, panel + LANES, sizeof second);
#pragma GCC unroll 6
		for (size_t j = 0; j < n; j++) {
			low[j] += first * vectors[j * dim + k];
			high[j] += second * vectors[j * dim + k];
		}
	}
#pragma GCC unroll 6
	for (size_t j = 0; j < n; j++) {
		memcpy(ret + j * stride, &low[j], sizeof low[j]);
		memcpy(ret + j * stride + LANES, &high[j], sizeof high[j]);
	}
}

/* One panel, all vectors. */
INLINE void sweep(const struct panels_product *product, const float *panel, float *ret)
{
	size_t dim = product->dim, stride = product->n_panels * PANEL_ROWS, j = 0;
	const float *vectors = product->vectors;

	for (; j + VECTORS <= product->n; j += VECTORS)
		tile(panel, vectors + j * dim, VECTORS, dim, ret + j * stride, stride);
	for (; j + 2 <= product->n; j += 2)
		tile(panel, vectors + j * dim, 2, dim, ret + j * stride, stride);
	for (; j < product->n; j++)
		tile(panel, vectors + j * dim, 1, dim, ret + j * stride, stride);
}

INLINE void multiply(const struct panels_product *product)
{
	for (size_t i = 0; i < product->n_panels; i++)
		sweep(product, product->panels + i * product->dim * PANEL_ROWS,
		      product->ret + i * PANEL_ROWS);
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) static void multiply_avx2(const struct panels_product *product)
{
	multiply(product);
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#else

static void multiply_avx2(const struct panels_product *product)
{
	multiply(product);
}

static bool has_avx2(void)
{
	return false;
}

#endif

void panels_multiply(const struct panels_product *product)
{
	if (has_avx2())
		multiply_avx2(product);
	else
		multiply(product);
}
