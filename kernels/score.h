/* score - the exact score: its one definition, the same bits on every machine.
 *
 * Products of the stored values in double, summed in eight lanes (value i goes to lane i mod 8)
 * added as ((0+1)+(2+3))+((4+5)+(6+7)), rounded once to float; zero is always +0. The product of
 * two floats is exact in double, so inner products are the same with or without FMA. L2 takes
 * t = (double)q - (double)x, adds t*t with each product rounded, and negates the sum; score.c is
 * built with -ffp-contract=off for that.
 */
#ifndef SLUICE_KERNELS_SCORE_H
#define SLUICE_KERNELS_SCORE_H

#include "kernels/metric.h"

#include <stdbool.h>
#include <stdint.h>

/* score_exact - query against one stored vector, both [dim]. COSINE is the inner product: both
 * are of unit length already. Never NaN where all values are finite; may be infinite. */
float score_exact(enum metric metric, const float *query, const float *vector, uint32_t dim);

/* vector_norm - the length, in double over the same lanes. */
double vector_norm(const float *vector, uint32_t dim);

/* vector_normalise - scales to unit length: each value divided by the norm in double and rounded
 * once. False, and nothing done, for the zero vector. */
bool vector_normalise(float *vector, uint32_t dim);

/* vector_is_finite - no NaN and no infinity. */
bool vector_is_finite(const float *vector, uint32_t dim);

/* Above this length a stored vector is refused (VECTOR_OUT_OF_RANGE): INNER_PRODUCT and L2. */
#define VECTOR_NORM_MAX 0x1p60

#endif
