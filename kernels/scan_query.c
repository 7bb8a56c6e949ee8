/* scan_query - the coefficients of the bounds, and why they suffice.
 *
 * Let e = 2^-23 (one float operation in any rounding mode is off by at most e of its result, or by
 * F = 2^-126 where denormals are flushed), Q = |q|, X = |x| and
 *	M = Q X                  INNER_PRODUCT, COSINE
 *	M = 2 Q X + Q^2 + X^2    L2
 * which is the sum of the magnitudes of the terms and above |score|. From the true score v:
 *
 *   the exact score   sums in double: at most (dim / 8 + 7) 2^-53 < 2^-42 of M; then one rounding
 *                     to nearest, 2^-24 M                                         <= 0.51 e M
 *   a                 the sum s: gamma Q X, doubled for L2                   slack's first part
 *                     L2: qq and xx rounded to nearest, 2^-24 of each            <= 0.50 e M
 *                     L2: two subtractions, each of a result <= M (1 + small)    <= 2.01 e M
 *   slack             three products and two sums of positive terms: 3 e slack,
 *                     where slack < 2^-8 M + small                               <= 0.02 e M
 *   a + slack         one sum of a result <= M (1 + 2^-8) + small                <= 1.01 e M
 *
 * together below 4.1 e M = 0.51 * 2^-20 M, and the pad is 2^-20 M: as 2^-20 Q norm (doubled for L2)
 * + 2^-20 xx + 2^-20 qq. "small" are the absolute terms below, which the other half of the pad and
 * their own margin cover. A sum of more than one order, with FMA or without, is within gamma: any
 * tree over dim products rounds each at most dim times, (1 + e)^dim - 1 < 1.01 dim e.
 *
 * Flushing: a component of q that is flushed loses F |x_i|, one of x F |q_i|, in all at most
 * F sqrt(dim) (Q + X); the 2 dim products and sums lose F each; so do norm (times slack_norm, far
 * below Q), xx, qq and the terms of the formula. L2 doubles what s lost. The coefficients carry
 * 2^-124 sqrt(dim) X, 2^-124 sqrt(dim) Q, (dim + 2) 2^-120, the first two doubled for L2: at least
 * four times as much. slack_norm is thus never a denormal itself.
 *
 * Another row: a scanner that reads x' with |x - x'| <= r uses the norm X + r (1 / relative + 2),
 * where relative is the least that slack_norm / Q can be: that adds Q r for q.(x - x') itself, and
 * 2 relative Q r for the gamma of |x'| <= X + r and for 4.1 e of a slack that is greater by Q r.
 *
 * Overflow: whether a float that is too large becomes infinite depends on the rounding mode, and a
 * sum that stopped at FLT_MAX could come back. So where one is possible at all, with the norms that
 * are stored (VECTOR_NORM_MAX, 2^60), slack is infinite: above |q| = 2^66 for inner products, since
 * no partial sum exceeds Q X (1 + gamma) < 2^127, above 2^62 for L2, where M < 2^126.
 */
#include "kernels/scanner.h"
#include "kernels/score.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define GAMMA_PER_TERM (1.01 * 0x1p-23)
#define PAD 0x1p-20
#define PAD_FLUSHED_SUM 0x1p-124
#define PAD_FLUSHED_TERM 0x1p-120
#define ALIGNMENT_BYTES 64

/* Longer queries could leave float. */
#define QUERY_NORM_MAX_PRODUCT 0x1p66
#define QUERY_NORM_MAX_L2 0x1p62

/* The double sums of vector_norm are off by less than 2^-42 of the result. */
#define NORM_UP (1 + 0x1p-40)

/* The least float not below value. */
static float round_up(double value)
{
	float rounded;

	/* The conversion of what is above FLT_MAX depends on the rounding mode: not from here. */
	if (value > (double)FLT_MAX)
		return INFINITY;
	rounded = (float)value;
	return (double)rounded < value ? nextafterf(rounded, INFINITY) : rounded;
}

static const float *copy_aligned(struct arena *arena, const float *query, uint32_t dim,
				 size_t stride)
{
	unsigned char *place = arena_alloc(arena, stride * sizeof(float) + ALIGNMENT_BYTES);
	float *values;

	if (!place)
		return NULL;
	place += -(uintptr_t)place % ALIGNMENT_BYTES;
	values = (float *)(void *)place;
	memcpy(values, query, dim * sizeof(float));
	memset(values + dim, 0, (stride - dim) * sizeof(float));
	return values;
}

status scan_query_init(struct scan_query *ret, struct arena *arena, enum metric metric,
		       const float *query, uint32_t dim)
{
	size_t stride = scan_stride(dim);
	const float *values = copy_aligned(arena, query, dim, stride);
	double q = vector_norm(query, dim) * NORM_UP;
	double relative = GAMMA_PER_TERM * (dim + 2.0) + PAD;
	double flushed = PAD_FLUSHED_SUM * sqrt(dim);
	double terms = PAD_FLUSHED_TERM * (dim + 2.0);

	if (!values)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	*ret = (struct scan_query){
		.values = values, .dim = dim, .stride = stride, .metric = metric};
	if (metric == METRIC_L2) {
		ret->qq = (float)(q * q);
		ret->slack_norm = round_up(2 * (relative * q + flushed));
		ret->slack_xx = (float)PAD;
		ret->slack_abs = round_up(PAD * q * q + 2 * flushed * q + terms);
	} else {
		ret->slack_norm = round_up(relative * q + flushed);
		ret->slack_abs = round_up(flushed * q + terms);
	}
	if (q > (metric == METRIC_L2 ? QUERY_NORM_MAX_L2 : QUERY_NORM_MAX_PRODUCT))
		ret->slack_abs = INFINITY;
	return status_ok();
}

float scan_widen_norm(float norm, double residual, size_t stride)
{
	double dim_min = (double)stride - SCAN_STRIDE_FLOATS + 1;
	double relative = GAMMA_PER_TERM * (dim_min + 2) + PAD;

	return residual > 0 ? round_up((double)norm + residual * (1 / relative + 2)) : norm;
}

void scan_row_norms(const float *vector, uint32_t dim, float *ret_norm, float *ret_square)
{
	double norm = vector_norm(vector, dim);

	*ret_norm = round_up(norm * NORM_UP);
	*ret_square = (float)(norm * norm);
}
