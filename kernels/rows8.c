/* rows8 - vectors and queries as codes, the factors of their bounds, and why they suffice.
 *
 * As in codes8_query.c, where one part is all: u = 2^-23, Q = |q|, and Y = e + n, which is at least
 * |x|. A residual is at most half a scale a dimension, so E < 0.36 Q and n < 1.36 |x|. A kernel
 * computes, in float and in this order,
 *	m     = ((float)C.c s) S        slack = (on_residual e + on_norm n) + absolute
 * The product is at most 1.4 Q Y, slack 1.1 Q Y. Above q.x lie, at most: three roundings of the
 * product 4.2 u, four of slack 4.4 u, the last sum 2.5 u, the exact score's own 0.6 u, all of Q Y:
 * 11.7 u, where PAD, on e and n both, has 32. L2 has
 *	m' = m - (qq + square)   slack' = slack, all factors doubled, + PAD square
 * with PAD qq in absolute, and rounds qq, square, their sum, the difference, two terms of slack and
 * the last sum: 7 u of Q^2 + |x|^2, where PAD has 32.
 * Denormals: no side value of a product and no factor is one, nor a scale, nor (float)C.c s, which
 * is 0 or at least 2^-107. So flushing costs 2^-126 for each of less than 32 operations, where the
 * absolute pad has (dim + 2) 2^-120.
 * Overflow: a query above 2^66 (L2: 2^62) has an infinite absolute.
 */
#include "kernels/rows8.h"

#include "kernels/codes8_round.h"
#include "kernels/rows8_sides.h"
#include "kernels/score.h"

#include <stdbool.h>

#define ALIGNMENT 32
#define LANES 8

/* What coding came to. */
struct coded {
	float scale;
	double residual, norm; /* |x - s c|, |s c| */
};

static inline float greater(float a, float b)
{
	return a > b ? a : b;
}

static float largest_of(const float *values, uint32_t n)
{
	float lanes[LANES] = {0}, largest = 0;
	size_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		for (size_t lane = 0; lane < LANES; lane++)
			lanes[lane] = greater(fabsf(values[i + lane]), lanes[lane]);
	}
	for (; i < n; i++)
		largest = greater(fabsf(values[i]), largest);
	for (size_t lane = 0; lane < LANES; lane++)
		largest = greater(lanes[lane], largest);
	return largest;
}

/* The sums of a few values each, so that a compiler can do several at once. */
struct lanes {
	double residuals[LANES];
	int32_t squares[LANES]; /* at most DIMENSION_MAX * 127^2 */
};

/* A value over the scale is at most 127 and a rounding, which is cut off. */
static inline void lanes_encode(struct lanes *lanes, const float *values, double scale,
				double inverse, int8_t *ret)
{
	for (size_t i = 0; i < LANES; i++) {
		double scaled = (double)values[i] * inverse;
		int code = (int)(scaled + (scaled < 0 ? -0.5 : 0.5));
		double left = (double)values[i] - scale * code;

		lanes->residuals[i] += left * left;
		lanes->squares[i] += code * code;
		ret[i] = (int8_t)code;
	}
}

static struct coded values_encode(const float *values, uint32_t n, int8_t *ret)
{
	float largest = largest_of(values, n), rest[LANES] = {0};
	double scale, inverse, residual = 0;
	struct coded coded = {0};
	struct lanes lanes = {0};
	int8_t codes[LANES];
	int32_t squares = 0;
	size_t i = 0;

	if ((double)largest >= CODES8_LEAST)
		coded.scale = codes8_float_up((double)largest / CODES8_CODE_MAX);
	scale = (double)coded.scale;
	inverse = scale > 0 ? 1 / scale : 0;
	for (; i + LANES <= n; i += LANES)
		lanes_encode(&lanes, values + i, scale, inverse, ret + i);
	if (i < n) {
		memcpy(rest, values + i, (n - i) * sizeof *rest);
		lanes_encode(&lanes, rest, scale, inverse, codes);
		memcpy(ret + i, codes, n - i);
	}
	for (size_t lane = 0; lane < LANES; lane++) {
		residual += lanes.residuals[lane];
		squares += lanes.squares[lane];
	}
	coded.residual = sqrt(residual) * CODES8_NORM_UP;
	coded.norm = scale * sqrt((double)squares) * CODES8_NORM_UP;
	return coded;
}

void rows8_encode(enum metric metric, uint32_t dim, const float *vector, unsigned char *ret)
{
	struct rows8_sides sides = {0};
	struct coded coded;

	memset(ret, 0, rows8_bytes(dim));
	coded = values_encode(vector, dim, (int8_t *)ret + sizeof sides);
	sides.scale = coded.scale;
	sides.residual = codes8_float_up(coded.residual);
	sides.norm = codes8_float_up(coded.norm);
	if (metric == METRIC_L2) {
		double norm = vector_norm(vector, dim);

		sides.square = (float)(norm * norm);
	}
	memcpy(ret, &sides, sizeof sides);
}

static void factors_init(struct rows8_query *query, double q, double residual)
{
	bool l2 = query->metric == METRIC_L2;
	double times = l2 ? 2 : 1, pad = CODES8_PAD * q;

	query->scale *= (float)times;
	query->on_residual = codes8_factor(times * (q + pad));
	query->on_norm = codes8_factor(times * (residual + pad));
	query->absolute = codes8_absolute(l2, query->dim, q);
	if (l2) {
		query->qq = (float)(q * q);
		query->on_square = (float)CODES8_PAD;
	}
}

static void signs_split(struct rows8_query *query, size_t size, uint8_t *magnitudes, uint8_t *flips)
{
	int32_t bias = 0;

	for (size_t i = 0; i < size; i++) {
		int code = query->codes[i];

		magnitudes[i] = (uint8_t)(code < 0 ? -code : code);
		flips[i] = code < 0 ? UINT8_MAX : 0;
		bias += code < 0 ? -code : 0;
	}
	query->magnitudes = magnitudes;
	query->flips = flips;
	query->bias = bias;
}

status rows8_query_init(struct rows8_query *ret, struct arena *arena, enum metric metric,
			uint32_t dim, const float *query)
{
	size_t size = rows8_bytes(dim);
	unsigned char *codes = arena_alloc(arena, 3 * size + ALIGNMENT);
	struct coded coded;

	if (!codes)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	codes += -(uintptr_t)codes % ALIGNMENT;
	memset(codes, 0, size);
	coded = values_encode(query, dim, (int8_t *)codes + sizeof(struct rows8_sides));
	*ret = (struct rows8_query){
		.metric = metric,
		.dim = dim,
		.codes = (const int8_t *)codes,
		.scale = coded.scale,
	};
	signs_split(ret, size, codes + size, codes + 2 * size);
	factors_init(ret, vector_norm(query, dim) * CODES8_NORM_UP, coded.residual);
	return status_ok();
}
