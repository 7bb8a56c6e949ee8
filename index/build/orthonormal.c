/* orthonormal - by rows, in lanes that the compiler need not be allowed to make. */
#include "index/build/orthonormal.h"

#include <math.h>
#include <stddef.h>

#define LANES 8

static double dot(const double *a, const double *b, size_t dim)
{
	double lanes[LANES] = {0}, sum = 0;
	size_t whole = dim / LANES * LANES;

	for (size_t i = 0; i < whole; i += LANES) {
		for (size_t lane = 0; lane < LANES; lane++)
			lanes[lane] += a[i + lane] * b[i + lane];
	}
	for (size_t lane = 0; lane < LANES; lane++)
		sum += lanes[lane];
	for (size_t i = whole; i < dim; i++)
		sum += a[i] * b[i];
	return sum;
}

bool orthonormal_make(double *matrix, uint32_t dim)
{
	for (size_t i = 0; i < dim; i++) {
		double *row = matrix + i * dim, norm;

		for (size_t j = 0; j < i; j++) {
			const double *before = matrix + j * dim;
			double shared = dot(row, before, dim);

			for (size_t k = 0; k < dim; k++)
				row[k] -= shared * before[k];
		}
		norm = sqrt(dot(row, row, dim));
		/* One pass is enough where little is taken off. */
		if (!(norm > 0.5))
			return false;
		for (size_t k = 0; k < dim; k++)
			row[k] /= norm;
	}
	return true;
}
