/* axes_apply - a product of two matrices, in blocks that stay in registers: four rows by two axes, each
 * sum in lanes that the compiler need not be allowed to make.
 */
#include "index/build/axes.h"

#include <string.h>

#define LANES 4
#define BLOCK_ROWS 4
#define BLOCK_AXES 2

typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static inline lanes load(const float *from)
{
	lanes values;

	memcpy(&values, from, sizeof values);
	return values;
}

static inline float sum_of(lanes values)
{
	return (values[0] + values[1]) + (values[2] + values[3]);
}

static float dot(const float *a, const float *b, size_t dim)
{
	lanes sum = {0};
	size_t i = 0;
	float rest = 0;

	for (; i + LANES <= dim; i += LANES)
		sum += load(a + i) * load(b + i);
	for (; i < dim; i++)
		rest += a[i] * b[i];
	return sum_of(sum) + rest;
}

static void block(const float *axes, const float *rows, size_t dim, size_t n_kept, float *ret)
{
	lanes sums[BLOCK_ROWS][BLOCK_AXES] = {0};
	size_t i = 0;

	for (; i + LANES <= dim; i += LANES) {
		lanes a = load(axes + i), b = load(axes + dim + i);

		for (size_t r = 0; r < BLOCK_ROWS; r++) {
			lanes row = load(rows + r * dim + i);

			sums[r][0] += row * a;
			sums[r][1] += row * b;
		}
	}
	for (size_t r = 0; r < BLOCK_ROWS; r++) {
		float rest[BLOCK_AXES] = {0};

		for (size_t j = i; j < dim; j++) {
			rest[0] += rows[r * dim + j] * axes[j];
			rest[1] += rows[r * dim + j] * axes[dim + j];
		}
		ret[r * n_kept] = sum_of(sums[r][0]) + rest[0];
		ret[r * n_kept + 1] = sum_of(sums[r][1]) + rest[1];
	}
}

void axes_apply(const float *matrix, uint32_t n_kept, uint32_t dim, const float *rows, size_t n,
		float *ret)
{
	size_t n_blocks = n / BLOCK_ROWS * BLOCK_ROWS, k = 0;

	/* Two axes stay in the first cache while all rows go by. */
	for (; k + BLOCK_AXES <= n_kept; k += BLOCK_AXES) {
		for (size_t row = 0; row < n_blocks; row += BLOCK_ROWS)
			block(matrix + k * dim, rows + row * dim, dim, n_kept,
			      ret + row * n_kept + k);
	}
	for (size_t row = 0; row < n; row++) {
		for (size_t at = row < n_blocks ? k : 0; at < n_kept; at++)
			ret[row * n_kept + at] = dot(matrix + at * dim, rows + row * dim, dim);
	}
}
