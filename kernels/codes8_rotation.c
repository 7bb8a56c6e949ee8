/* codes8_rotation - products of a matrix in double, and how far it is from a rotation.
 *
 * With d = |R^T R - I| (measured by its Frobenius norm, which is above the spectral one):
 *   q.x - Rq.Rx = -q.(R^T R - I)x, at most d |q| |x|;
 *   a value of y is a sum of dim products, each exact in double, so that rounding costs at most
 *   dim 2^-52 |R_i| |x| in any mode, and |y - Rx| <= n |x| with n = dim 2^-52 |R|_F,
 *   |R|_F <= sqrt(dim (1 + d)). It comes twice (p and y), and each meets a vector of length
 *   sqrt(1 + d) (1 + n) at most: 3 n covers both.
 * Nothing underflows: the least product of two floats is 2^-298.
 * In float |y - Rx| <= m |x|, with m = product_rounding |R|_F, and what underflows: 2 dim 2^-126 a value
 * at most, dim^1.5 2^-125 in all. |x| is at least FLOAT_LEAST there, so that is less than 2^-40 |x|, for
 * which m has room. Above FLOAT_MOST sums might leave float. Whoever uses such a y counts m |x| as
 * part of what its code is off by; and a query p that is made so, m |q|. m is below 2^-10.
 * Measured, of 384 dimensions: a query takes 24 us in double and 10 in float.
 * epsilon |q| |x| is used with |x| bounded by lengths of rotated vectors, which may be shorter by
 * sqrt(1 - d) (1 - n), and d is at most 2^-10: hence a hundredth more.
 */
#include "kernels/codes8_rotation.h"

#include "kernels/product.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define DEVIATION_MAX 0x1p-10

/* The largest value of a vector that is rotated in float. */
#define FLOAT_LEAST 0x1p-60F
#define FLOAT_MOST 0x1p61F

/* Half a register of AVX-512, one of AVX2, two of SSE2. */
#define LANES 4
typedef float lanes_of_float __attribute__((vector_size(LANES * sizeof(float))));
typedef double lanes_of_double __attribute__((vector_size(LANES * sizeof(double))));

#define INLINE static inline __attribute__((always_inline))

INLINE void load(const float *at, lanes_of_double *ret)
{
	lanes_of_float narrow;

	memcpy(&narrow, at, sizeof narrow);
	*ret = __builtin_convertvector(narrow, lanes_of_double);
}

/* The products of n_rows rows of dim floats, one after another, with n_columns vectors. Both
 * numbers are constants where this is inlined.
 * ret  row i, vector j at ret[j * stride + i]. */
INLINE void products(const float *rows, size_t n_rows, const float *const *vectors,
		     size_t n_columns, size_t dim, double *ret, size_t stride)
{
	lanes_of_double sums[4][4] = {0};
	size_t whole = dim / LANES * LANES;

	for (size_t k = 0; k < whole; k += LANES) {
		lanes_of_double row[4];

#pragma GCC unroll 4
		for (size_t i = 0; i < n_rows; i++)
			load(rows + i * dim + k, &row[i]);
#pragma GCC unroll 4
		for (size_t j = 0; j < n_columns; j++) {
			lanes_of_double x;

			load(vectors[j] + k, &x);
#pragma GCC unroll 4
			for (size_t i = 0; i < n_rows; i++)
				sums[i][j] += row[i] * x;
		}
	}
	for (size_t i = 0; i < n_rows; i++) {
		for (size_t j = 0; j < n_columns; j++) {
			const lanes_of_double *lanes = &sums[i][j];
			double total = ((*lanes)[0] + (*lanes)[1]) + ((*lanes)[2] + (*lanes)[3]);

			for (size_t k = whole; k < dim; k++)
				total += (double)rows[i * dim + k] * (double)vectors[j][k];
			ret[j * stride + i] = total;
		}
	}
}

/* The products of n_rows rows with n vectors: row i, vector j at ret[j * n_rows + i]. */
INLINE void multiply(const float *rows, size_t n_rows, size_t dim, const float *const *vectors,
		     size_t n, double *ret)
{
	size_t i = 0;

	/* Three rows stay near while all vectors pass: with four of these their sums, twelve, fill the
	 * registers. */
	for (; n >= 4 && i + 3 <= n_rows; i += 3) {
		const float *row = rows + i * dim;
		size_t j = 0;

		for (; j + 4 <= n; j += 4)
			products(row, 3, vectors + j, 4, dim, ret + j * n_rows + i, n_rows);
		for (; j < n; j++)
			products(row, 3, vectors + j, 1, dim, ret + j * n_rows + i, n_rows);
	}
	for (; n < 4 && i + 4 <= n_rows; i += 4) {
		for (size_t j = 0; j < n; j++)
			products(rows + i * dim, 4, vectors + j, 1, dim, ret + j * n_rows + i,
				 n_rows);
	}
	for (; i < n_rows; i++) {
		for (size_t j = 0; j < n; j++)
			products(rows + i * dim, 1, vectors + j, 1, dim, ret + j * n_rows + i,
				 n_rows);
	}
}

/* What both functions below take. */
struct wide_product {
	const float *rows;
	size_t n_rows, dim;
	const float *const *vectors;
	size_t n;
	double *ret; /* [n][n_rows] */
};

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) static void wide_avx2(const struct wide_product *product)
{
	multiply(product->rows, product->n_rows, product->dim, product->vectors, product->n,
		 product->ret);
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#else

static void wide_avx2(const struct wide_product *product)
{
	(void)product;
}

static bool has_avx2(void)
{
	return false;
}

#endif

static void wide_make(const struct wide_product *product)
{
	if (has_avx2())
		wide_avx2(product);
	else
		multiply(product->rows, product->n_rows, product->dim, product->vectors, product->n,
			 product->ret);
}

void codes8_rotate(const struct codes8_rotation *rotation, const float *const *vectors, size_t n,
		   double *ret)
{
	struct wide_product product = {
		.rows = rotation->matrix,
		.n_rows = rotation->dim,
		.dim = rotation->dim,
		.vectors = vectors,
		.n = n,
		.ret = ret,
	};

	wide_make(&product);
}

static bool fits_float(const float *vector, size_t dim)
{
	float largest = 0;

	for (size_t i = 0; i < dim; i++) {
		float value = fabsf(vector[i]);

		largest = value > largest ? value : largest;
	}
	return largest >= FLOAT_LEAST && largest <= FLOAT_MOST;
}

/* m of what is made in float. */
static double float_rounding(size_t dim)
{
	return product_rounding((uint32_t)dim) * sqrt((double)dim) * 1.01;
}

double codes8_rotate_rows(const struct codes8_rotation *rotation, const float *const *vectors,
			  size_t n, float *room, double *ret)
{
	size_t dim = rotation->dim, n_fitting = 0;
	const struct matrix_product product = {
		.rows = rotation->matrix,
		.n_rows = dim,
		.dim = dim,
		.vectors = vectors,
		.n = n,
		.ret = room,
	};

	while (n_fitting < n && fits_float(vectors[n_fitting], dim))
		n_fitting++;
	if (n_fitting < n) {
		codes8_rotate(rotation, vectors, n, ret);
		return 0;
	}
	product_make(&product);
	for (size_t i = 0; i < n * dim; i++)
		ret[i] = (double)room[i];
	return float_rounding(dim);
}

/* Of a query: values that are made at once. */
#define QUERY_STEP 512

double codes8_rotate_query(const struct codes8_rotation *rotation, const float *query, double *ret)
{
	float room[QUERY_STEP];
	size_t dim = rotation->dim;
	struct matrix_product product = {.dim = dim, .vectors = &query, .n = 1, .ret = room};

	if (!fits_float(query, dim)) {
		codes8_rotate(rotation, &query, 1, ret);
		return 0;
	}
	for (size_t i = 0; i < dim; i += QUERY_STEP) {
		product.rows = rotation->matrix + i * dim;
		product.n_rows = dim - i < QUERY_STEP ? dim - i : QUERY_STEP;
		product_make(&product);
		for (size_t j = 0; j < product.n_rows; j++)
			ret[i + j] = (double)room[j];
	}
	return float_rounding(dim);
}

#define TILE_ROWS 64
#define TILE_COLUMNS 16

/* The squared deviations from I among rows i .. and j .. of R R^T, j >= i; both of the pair. */
static double tile_deviation(const float *matrix, size_t dim, size_t i, size_t j)
{
	const float *vectors[TILE_COLUMNS];
	double found[TILE_COLUMNS][TILE_ROWS], total = 0;
	size_t columns = dim - i < TILE_COLUMNS ? dim - i : TILE_COLUMNS;
	size_t rows = dim - j < TILE_ROWS ? dim - j : TILE_ROWS;
	struct wide_product product = {
		.rows = matrix + j * dim,
		.n_rows = rows,
		.dim = dim,
		.vectors = vectors,
		.n = columns,
		.ret = &found[0][0],
	};

	for (size_t c = 0; c < columns; c++)
		vectors[c] = matrix + (i + c) * dim;
	wide_make(&product);
	for (size_t c = 0; c < columns; c++) {
		for (size_t r = 0; r < rows; r++) {
			double off = (&found[0][0])[c * rows + r] - (i + c == j + r);

			if (j + r >= i + c)
				total += (j + r > i + c ? 2 : 1) * off * off;
		}
	}
	return total;
}

/* |R R^T - I|, which for a square matrix is |R^T R - I|, and whose rows are side by side. */
static double deviation_measure(const float *matrix, uint32_t dim)
{
	double total = 0, rounding = (double)dim * dim * 0x1p-51;

	for (size_t i = 0; i < dim; i += TILE_COLUMNS) {
		for (size_t j = i; j < dim; j += TILE_ROWS)
			total += tile_deviation(matrix, dim, i, j);
	}
	return sqrt(total) * (1 + 0x1p-20) + rounding;
}

status codes8_rotation_init(struct codes8_rotation *ret, const float *matrix, uint32_t dim)
{
	double deviation = deviation_measure(matrix, dim);
	double rounding = 1.01 * dim * sqrt(dim) * 0x1p-52;

	if (!(deviation <= DEVIATION_MAX))
		return status_make(STATUS_INVALID_ARGUMENT, "the matrix is not orthonormal");
	*ret = (struct codes8_rotation){
		.matrix = matrix,
		.dim = dim,
		.epsilon = (deviation + 3 * rounding) * 1.01,
	};
	return status_ok();
}

uint32_t codes8_head_choose(const double *energy, uint32_t dim, double share)
{
	double total = 0, held = 0;
	uint32_t head = 0;

	for (size_t i = 0; i < dim; i++)
		total += energy[i];
	while (head < dim && (head % CODES8_HEAD_STEP != 0 || head == 0 || held < share * total))
		held += energy[head++];
	return head;
}
