/* Products of any shape are as exact as they say. */
#include "kernels/product.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

static double length_of(const float *values, size_t n)
{
	double squares = 0;

	for (size_t i = 0; i < n; i++)
		squares += (double)values[i] * (double)values[i];
	return sqrt(squares);
}

static double dot(const float *a, const float *b, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)a[i] * (double)b[i];
	return sum;
}

Test(product, is_within_its_rounding_in_every_shape)
{
	enum { rows_max = 7, vectors_max = 9, dim_max = 700 };
	static const uint32_t dims[] = {1, 7, 8, 9, 15, 16, 120, 127, 128, 129, 136, 384, 700};
	static float rows[rows_max * dim_max], vectors[vectors_max * dim_max];
	static float found[vectors_max * rows_max + 1];
	struct random random = {4};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		rows[i] = random_signed(&random);
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		vectors[i] = random_signed(&random) + 0.5F;
	for (size_t turn = 0; turn < sizeof dims / sizeof *dims * rows_max * vectors_max; turn++) {
		uint32_t dim = dims[turn / rows_max / vectors_max];
		size_t n_rows = turn % rows_max + 1, n = turn / rows_max % vectors_max + 1;
		const float *some[vectors_max];
		const struct matrix_product product = {rows, n_rows, dim, some, n, found};

		for (size_t j = 0; j < n; j++)
			some[j] = vectors + j * dim;
		found[n * n_rows] = 77;
		product_make(&product);
		cr_assert_eq(found[n * n_rows], 77);
		for (size_t i = 0; i < n_rows * n; i++) {
			const float *row = rows + i % n_rows * dim, *vector = some[i / n_rows];
			double off = fabs((double)found[i] - dot(row, vector, dim));

			cr_assert_leq(off,
				      product_rounding(dim) * length_of(row, dim) *
					      length_of(vector, dim),
				      "%u: %zu of %zu x %zu", dim, i, n_rows, n);
		}
	}
}
