/* codes8_query - a query as codes, the factors of its bounds, and why they suffice.
 *
 * Let u = 2^-23 (one float operation in any rounding mode is off by at most u of its result, or by
 * F = 2^-126 where denormals are flushed), Q = |q|, and Y = e_h + h + t, which is at least |y|. A
 * residual is at most half a scale a dimension, so E_h <= sqrt(8192) / 254 |p_h| < 0.36 |p_h|, and
 * likewise E_t, e_t and h <= 1.36 |y_h|. A scanner computes, in float and in this order,
 *	m     = ((float)C.c_h s_h) S_h [+ ((float)C.c_t s_t) S_t]
 *	slack = ((on_residual e_h + on_norm h) + on_rest t) + absolute [+ on_tail_residual e_t]
 * The first product is at most 1.4 Q Y, the second 1.9 Q Y, slack 1.4 Q Y. (A part that is coded as
 * zeros has no product, and its E is |p|; with both, slack is below 3 Q Y.) Above q.x lie, at most:
 * three roundings of each product 10 u, their sum 2 u, eight of slack 11.2 u, the last sum 3.3 u,
 * the exact score's own 0.6 u, all of Q Y: 27.1 u. (Without products: 27.6 u.) PAD is 32 u = 2^-18,
 * by way of PAD Q on e_h, h and t; epsilon Q |x| of a rotation likewise. L2 has
 *	m' = m - (qq + xx)   slack' = slack, all factors doubled, + PAD xx; in absolute, PAD qq
 * and rounds qq, xx, their sum, the difference, two terms of slack and the last sum: 7 u (Q^2 + X^2),
 * where PAD has 32.
 * A p that was rotated in float is only within m Q of the one that all this is about. So m Q more is put
 * on |p_h|, |p_t|, E_h and E_t, which are measured of the p at hand; that makes 27.2 u of the 27.1.
 * Denormals: no side value and no factor is one (codes8_round.h), nor a scale, nor (float)C.c s_h,
 * which is 0 or at least 2^-107. So flushing costs F for each of less than 32 operations, and the
 * absolute pad is (dim + 2) 2^-120.
 * Overflow: as in scan_query.c, a query above 2^66 (L2: 2^62) has an infinite absolute. A bound
 * that is then not a number counts as infinite.
 */
#include "kernels/codes8.h"
#include "kernels/codes8_round.h"
#include "kernels/score.h"

#include <assert.h>

#define ZERO_CODE 128

/* Lengths, rounded up. */
struct part_lengths {
	double values, residual;
};

/* codes [size] for n values; behind them, in the same allocation, magnitudes and flips. */
static struct part_lengths part_init(struct codes8_query_part *part, int8_t *codes,
				     const double *values, uint32_t n, uint32_t size)
{
	double largest = codes8_largest(values, n), scale = 0, inverse = 0, residual = 0, norm = 0;
	uint8_t *magnitudes = (uint8_t *)codes + size, *flips = magnitudes + size;

	*part = (struct codes8_query_part){
		.codes = codes, .magnitudes = magnitudes, .flips = flips};
	/* A scale that left float would take all with it; the bounds are infinite then. */
	if (largest >= CODES8_LEAST && largest <= (double)FLT_MAX) {
		part->scale = codes8_float_up(largest / CODES8_CODE_MAX);
		scale = (double)part->scale;
		inverse = 1 / scale;
	}
	for (size_t i = 0; i < size; i++) {
		double value = i < n ? values[i] : 0, left;
		int code = codes8_code(value, inverse);

		left = value - scale * code;
		residual += left * left;
		norm += value * value;
		codes[i] = (int8_t)code;
		magnitudes[i] = (uint8_t)(code < 0 ? -code : code);
		flips[i] = code < 0 ? ZERO_CODE - 1 : ZERO_CODE;
		part->bias -= ZERO_CODE * code;
		part->bias_flipped += code < 0 ? -code : 0;
	}
	return (struct part_lengths){sqrt(norm) * CODES8_NORM_UP, sqrt(residual) * CODES8_NORM_UP};
}

/* off: how far all values together may be from p. */
static void factors_init(struct codes8_query *query, double q, double off, double epsilon,
			 struct part_lengths head, struct part_lengths tail)
{
	bool l2 = query->shape.metric == METRIC_L2;
	double times = l2 ? 2 : 1, pad = (CODES8_PAD + epsilon) * q + off;

	query->on_residual = codes8_factor(times * (head.values + pad));
	query->on_norm = codes8_factor(times * (head.residual + pad));
	query->on_rest_head = codes8_factor(times * (tail.values + pad));
	query->on_rest_full = codes8_factor(times * (tail.residual + pad));
	query->on_tail_residual = codes8_factor(times * (tail.values + tail.residual + 2 * off));
	query->absolute = codes8_absolute(l2, query->shape.dim, q);
	query->head.scale *= (float)times;
	query->tail.scale *= (float)times;
	if (l2) {
		query->qq = (float)(q * q);
		query->on_square = (float)CODES8_PAD;
	}
}

/* p = R q, or q itself. Gives how far it may be off, as a share of |q|. */
static double query_rotate(const struct codes8_rotation *rotation, const float *query, uint32_t dim,
			   double *ret)
{
	assert(!rotation || rotation->dim == dim);
	if (rotation)
		return codes8_rotate_query(rotation, query, ret);
	for (size_t i = 0; i < dim; i++)
		ret[i] = (double)query[i];
	return 0;
}

status codes8_query_init(struct codes8_query *ret, struct arena *arena,
			 const struct codes8_shape *shape, const struct codes8_rotation *rotation,
			 const float *query)
{
	uint32_t dim = shape->dim, n = shape->tail ? shape->head : dim;
	/* The tail's codes begin at a multiple of 64 as well. */
	size_t head_bytes = ((size_t)3 * shape->head + CODES8_ALIGNMENT - 1) / CODES8_ALIGNMENT *
			    CODES8_ALIGNMENT;
	double *values = arena_alloc(arena, sizeof(double) * dim);
	unsigned char *codes =
		arena_alloc(arena, head_bytes + (size_t)3 * shape->tail + CODES8_ALIGNMENT);
	struct part_lengths head, tail;
	double q = vector_norm(query, dim) * CODES8_NORM_UP, off;

	if (!values || !codes)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	codes += -(uintptr_t)codes % CODES8_ALIGNMENT;
	*ret = (struct codes8_query){.shape = *shape};
	off = query_rotate(rotation, query, dim, values);
	head = part_init(&ret->head, (int8_t *)codes, values, n, shape->head);
	tail = part_init(&ret->tail, (int8_t *)codes + head_bytes, values + n, dim - n,
			 shape->tail);
	factors_init(ret, q, off * q, rotation ? rotation->epsilon : 0, head, tail);
	return status_ok();
}
