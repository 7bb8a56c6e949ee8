/* axes_apply - a product of two matrices, a few rows at a time. */
#include "index/build/axes.h"

#include "kernels/product.h"

/* Rows that stay in the first cache while the axes go by. */
#define AT_ONCE 16

void axes_apply(const float *matrix, uint32_t n_kept, uint32_t dim, const float *rows, size_t n,
		float *ret)
{
	for (size_t first = 0; first < n; first += AT_ONCE) {
		const float *some[AT_ONCE];
		struct matrix_product product = {
			.rows = matrix,
			.n_rows = n_kept,
			.dim = dim,
			.vectors = some,
			.n = n - first < AT_ONCE ? n - first : AT_ONCE,
			.ret = ret + first * n_kept,
		};

		for (size_t i = 0; i < product.n; i++)
			some[i] = rows + (first + i) * dim;
		product_make(&product);
	}
}
