/* score - eight lanes as one value, for which the compiler uses what registers there are.
 *
 * Built with -ffp-contract=off and without -ffast-math: which instructions are used cannot change
 * a bit. The AVX2 twin is the same lines compiled for wider registers.
 */
#include "kernels/score.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__FAST_MATH__)
#error "the exact score is the same bits everywhere: not with -ffast-math"
#endif

#define LANES 8

enum term { TERM_PRODUCT, TERM_SQUARED_DIFFERENCE };

/* Half of the lanes: a register of AVX2, two of SSE2. */
#define HALF (LANES / 2)
typedef float half_of_float __attribute__((vector_size(HALF * sizeof(float))));
typedef double half_of_double __attribute__((vector_size(HALF * sizeof(double))));

static inline __attribute__((always_inline)) void terms_add(half_of_double *sum, enum term term,
							    const float *q, const float *x)
{
	half_of_float narrow_q, narrow_x;
	half_of_double wide_q, wide_x;

	memcpy(&narrow_q, q, sizeof narrow_q);
	memcpy(&narrow_x, x, sizeof narrow_x);
	wide_q = __builtin_convertvector(narrow_q, half_of_double);
	wide_x = __builtin_convertvector(narrow_x, half_of_double);
	if (term == TERM_SQUARED_DIFFERENCE) {
		wide_q -= wide_x;
		wide_x = wide_q;
	}
	*sum += wide_q * wide_x;
}

static inline __attribute__((always_inline)) double sum_lanes(enum term term, const float *query,
							      const float *vector, uint32_t dim)
{
	half_of_double low = {0}, high = {0};
	size_t i = 0, left;

	for (; dim - i >= LANES; i += LANES) {
		terms_add(&low, term, query + i, vector + i);
		terms_add(&high, term, query + i + HALF, vector + i + HALF);
	}
	left = dim - i;
	if (left) {
		/* Adding +0 to a lane, which never is -0, changes nothing. */
		float q[LANES] = {0}, x[LANES] = {0};

		memcpy(q, query + i, left * sizeof(float));
		memcpy(x, vector + i, left * sizeof(float));
		terms_add(&low, term, q, x);
		terms_add(&high, term, q + HALF, x + HALF);
	}
	return ((low[0] + low[1]) + (low[2] + low[3])) +
	       ((high[0] + high[1]) + (high[2] + high[3]));
}

#define SUM_DEFINE(name, attributes)                                                               \
	attributes static double name(enum term term, const float *query, const float *vector,     \
				      uint32_t dim)                                                \
	{                                                                                          \
		if (term == TERM_PRODUCT)                                                          \
			return sum_lanes(TERM_PRODUCT, query, vector, dim);                        \
		return sum_lanes(TERM_SQUARED_DIFFERENCE, query, vector, dim);                     \
	}

SUM_DEFINE(sum_plain, )

#if defined(__x86_64__)

SUM_DEFINE(sum_avx2, __attribute__((target("avx2"))))

static double sum(enum term term, const float *query, const float *vector, uint32_t dim)
{
	if (__builtin_cpu_supports("avx2"))
		return sum_avx2(term, query, vector, dim);
	return sum_plain(term, query, vector, dim);
}

#else

static double sum(enum term term, const float *query, const float *vector, uint32_t dim)
{
	return sum_plain(term, query, vector, dim);
}

#endif

float score_exact(enum metric metric, const float *query, const float *vector, uint32_t dim)
{
	double total;

	if (metric == METRIC_L2)
		total = -sum(TERM_SQUARED_DIFFERENCE, query, vector, dim);
	else
		total = sum(TERM_PRODUCT, query, vector, dim);
	/* Adding zero turns -0, also one that rounding made, into +0. */
	return (float)total + 0.0F;
}

double vector_norm(const float *vector, uint32_t dim)
{
	/* Neither overflows nor vanishes: a float's square is well inside double. */
	return sqrt(sum(TERM_PRODUCT, vector, vector, dim));
}

bool vector_normalise(float *vector, uint32_t dim)
{
	double norm = vector_norm(vector, dim);

	if (norm == 0)
		return false;
	for (size_t i = 0; i < dim; i++)
		vector[i] = (float)((double)vector[i] / norm);
	return true;
}

bool vector_is_finite(const float *vector, uint32_t dim)
{
	const uint32_t exponent = 0x7F800000;
	uint32_t bad = 0;

	for (size_t i = 0; i < dim; i++) {
		uint32_t bits;

		memcpy(&bits, &vector[i], sizeof bits);
		bad |= (bits & exponent) == exponent;
	}
	return bad == 0;
}
