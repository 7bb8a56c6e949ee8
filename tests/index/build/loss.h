/* loss - what the second centroid of a row is to make least, as index/build/nearest.h writes it down. */
#ifndef SLUICE_TESTS_INDEX_BUILD_LOSS_H
#define SLUICE_TESTS_INDEX_BUILD_LOSS_H

#include <stddef.h>

/* loss_of - |r2|^2 + (r1.r2)^2 / |r1|^2 of the residuals of a row; all of dim numbers. */
static inline double loss_of(const float *row, const float *first, const float *second, size_t dim)
{
	double square = 0, product = 0, firsts = 0;

	for (size_t i = 0; i < dim; i++) {
		double one = (double)row[i] - (double)first[i];
		double two = (double)row[i] - (double)second[i];

		square += two * two;
		product += one * two;
		firsts += one * one;
	}
	return square + (firsts > 0 ? product * product / firsts : 0);
}

#endif
