/* product - three rows by four vectors at a time: their twelve sums fill the registers of AVX2. */
#include "kernels/product.h"

#include <stdbool.h>
#include <string.h>

#define LANES 8
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int whole __attribute__((vector_size(LANES * sizeof(int))));

#define ROWS 3
#define COLUMNS 4

#define INLINE static inline __attribute__((always_inline))

/* By address: registers of such a width are not for everyone to be handed. */
INLINE void load(const float *from, lanes *ret)
{
	memcpy(ret, from, sizeof *ret);
}

/* Adds the products of n values of each, n a multiple of LANES, to the totals. */
INLINE void segment_add(const float *rows, size_t n_rows, const float *const *vectors,
			size_t n_columns, size_t dim, size_t first, size_t n,
			lanes totals[ROWS][COLUMNS])
{
	lanes sums[ROWS][COLUMNS] = {0};

	for (size_t k = first; k < first + n; k += LANES) {
		lanes row[ROWS];

#pragma GCC unroll 3
		for (size_t i = 0; i < n_rows; i++)
			load(rows + i * dim + k, &row[i]);
#pragma GCC unroll 4
		for (size_t j = 0; j < n_columns; j++) {
			lanes x;

			load(vectors[j] + k, &x);
#pragma GCC unroll 3
			for (size_t i = 0; i < n_rows; i++)
				sums[i][j] += row[i] * x;
		}
	}
#pragma GCC unroll 3
	for (size_t i = 0; i < n_rows; i++) {
#pragma GCC unroll 4
		for (size_t j = 0; j < n_columns; j++)
			totals[i][j] += sums[i][j];
	}
}

INLINE float sum_of(const lanes *values)
{
	const lanes v = *values;

	return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* The sums of four values' lanes, as sum_of would have them but for the order: pairs side by side are
 * added, twice, and then the halves. */
INLINE void sums_of(const lanes values[COLUMNS], float ret[COLUMNS])
{
	const whole even = {0, 2, 8, 10, 4, 6, 12, 14}, odd = {1, 3, 9, 11, 5, 7, 13, 15};
	lanes first = __builtin_shuffle(values[0], values[1], even) +
		      __builtin_shuffle(values[0], values[1], odd);
	lanes second = __builtin_shuffle(values[2], values[3], even) +
		       __builtin_shuffle(values[2], values[3], odd);
	lanes all = __builtin_shuffle(first, second, even) + __builtin_shuffle(first, second, odd);

	for (size_t j = 0; j < COLUMNS; j++)
		ret[j] = all[j] + all[j + COLUMNS];
}

/* Row i, vector j at ret[j * stride + i]. Both numbers are constants where this is inlined. */
INLINE void products(const float *rows, size_t n_rows, const float *const *vectors,
		     size_t n_columns, size_t dim, float *ret, size_t stride)
{
	lanes totals[ROWS][COLUMNS] = {0};
	size_t end = dim / LANES * LANES;

	for (size_t k = 0; k < end; k += PRODUCT_SEGMENT)
		segment_add(rows, n_rows, vectors, n_columns, dim, k,
			    end - k < PRODUCT_SEGMENT ? end - k : PRODUCT_SEGMENT, totals);
#pragma GCC unroll 3
	for (size_t i = 0; i < n_rows; i++) {
		float sums[COLUMNS];

		if (n_columns == COLUMNS)
			sums_of(totals[i], sums);
		else
			sums[0] = sum_of(&totals[i][0]);
		for (size_t j = 0; j < n_columns; j++) {
			for (size_t k = end; k < dim; k++)
				sums[j] += rows[i * dim + k] * vectors[j][k];
			ret[j * stride + i] = sums[j];
		}
	}
}

/* Three rows stay near while the vectors pass. */
INLINE void multiply(const float *rows, size_t n_rows, size_t dim, const float *const *vectors,
		     size_t n, float *ret)
{
	size_t i = 0, j;

	for (; i + ROWS <= n_rows; i += ROWS) {
		const float *row = rows + i * dim;

		for (j = 0; j + COLUMNS <= n; j += COLUMNS)
			products(row, ROWS, vectors + j, COLUMNS, dim, ret + j * n_rows + i,
				 n_rows);
		for (; j < n; j++)
			products(row, ROWS, vectors + j, 1, dim, ret + j * n_rows + i, n_rows);
	}
	for (; i < n_rows; i++) {
		for (j = 0; j + COLUMNS <= n; j += COLUMNS)
			products(rows + i * dim, 1, vectors + j, COLUMNS, dim, ret + j * n_rows + i,
				 n_rows);
		for (; j < n; j++)
			products(rows + i * dim, 1, vectors + j, 1, dim, ret + j * n_rows + i,
				 n_rows);
	}
}

/* All that a product asks for. */
INLINE void make(const struct matrix_product *product)
{
	multiply(product->rows, product->n_rows, product->dim, product->vectors, product->n,
		 product->ret);
}

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) static void make_avx2(const struct matrix_product *product)
{
	make(product);
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#else

static void make_avx2(const struct matrix_product *product)
{
	(void)product;
}

static bool has_avx2(void)
{
	return false;
}

#endif

void product_make(const struct matrix_product *product)
{
	if (has_avx2())
		make_avx2(product);
	else
		make(product);
}
