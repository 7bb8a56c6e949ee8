/* rows8_avx2 - four rows at once, 32 bytes of each.
 *
 * vpmaddubsw adds two products of an unsigned and a signed byte in 16 bits and saturates: the
 * unsigned one is the query's magnitude, at most 127, and its sign is put on the row's code by an
 * exclusive or. (vpsignb would spare the bias, and waits on Zen 3 for the units that multiply.) A
 * pair is then at most 2 * 127 * 128, which fits. What stands before a row's codes meets zeros.
 */
#include "kernels/cpu/rows8_kernel.h"

#include <immintrin.h>

#define AT_ONCE 4

/* How far ahead the bounds fetch rows that they will read. */
#define PREFETCH_BYTES 4096
#define LINE_BYTES 64

static inline __m256i load(const void *at)
{
	return _mm256_loadu_si256((const __m256i *)at);
}

/* The sums of four registers. */
static inline __m128i sums_of(const __m256i *sums)
{
	__m256i abcd = _mm256_hadd_epi32(_mm256_hadd_epi32(sums[0], sums[1]),
					 _mm256_hadd_epi32(sums[2], sums[3]));

	return _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1));
}

static inline __m128i dots(const struct rows8_query *query, const unsigned char *const *rows)
{
	size_t n = rows8_bytes(query->dim);
	__m256i sums[AT_ONCE];

	for (size_t r = 0; r < AT_ONCE; r++)
		sums[r] = _mm256_setzero_si256();
	for (size_t i = 0; i < n; i += 32) {
		__m256i magnitudes = load(query->magnitudes + i), flips = load(query->flips + i);

#pragma GCC unroll 4
		for (size_t r = 0; r < AT_ONCE; r++) {
			__m256i codes = _mm256_xor_si256(flips, load(rows[r] + i));
			__m256i pairs = _mm256_maddubs_epi16(magnitudes, codes);

			sums[r] = _mm256_add_epi32(sums[r],
						   _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
		}
	}
	return _mm_add_epi32(sums_of(sums), _mm_set1_epi32(query->bias));
}

/* The sides of four rows. */
struct sides {
	__m128 scale, residual, norm, square;
};

static inline struct sides sides_of(const unsigned char *const *rows)
{
	struct sides sides = {
		_mm_loadu_ps((const float *)(const void *)rows[0]),
		_mm_loadu_ps((const float *)(const void *)rows[1]),
		_mm_loadu_ps((const float *)(const void *)rows[2]),
		_mm_loadu_ps((const float *)(const void *)rows[3]),
	};

	_MM_TRANSPOSE4_PS(sides.scale, sides.residual, sides.norm, sides.square);
	return sides;
}

static inline __m128 times(float factor, __m128 values)
{
	return _mm_mul_ps(_mm_set1_ps(factor), values);
}

/* Four rows: upper bounds, and lower ones. */
static inline __m128 bounds_of(const struct rows8_query *query, const unsigned char *const *rows,
			       __m128 *ret_lower)
{
	struct sides sides = sides_of(rows);
	__m128i products = dots(query, rows);
	__m128 middle = times(query->scale, _mm_mul_ps(_mm_cvtepi32_ps(products), sides.scale));
	__m128 slack = _mm_add_ps(times(query->on_residual, sides.residual),
				  times(query->on_norm, sides.norm));

	if (query->metric == METRIC_L2) {
		middle = _mm_sub_ps(middle, _mm_add_ps(_mm_set1_ps(query->qq), sides.square));
		slack = _mm_add_ps(slack, times(query->on_square, sides.square));
	}
	slack = _mm_add_ps(slack, _mm_set1_ps(query->absolute));
	*ret_lower = _mm_sub_ps(middle, slack);
	return _mm_add_ps(middle, slack);
}

static inline void row_prefetch(const unsigned char *row, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += LINE_BYTES)
		_mm_prefetch((const char *)row + i, _MM_HINT_T0);
	_mm_prefetch((const char *)row + bytes - 1, _MM_HINT_T0);
}

static void bounds(const struct rows8_query *query, const struct rows8_wanted *wanted)
{
	size_t bytes = rows8_bytes(query->dim), n = wanted->n, fetched = 0;
	size_t ahead = AT_ONCE + PREFETCH_BYTES / bytes;

	for (size_t i = 0; i < n; i += AT_ONCE) {
		size_t k = n - i < AT_ONCE ? n - i : AT_ONCE;
		const unsigned char *rows[AT_ONCE];
		float upper[AT_ONCE], lower[AT_ONCE];
		__m128 lowers;

		for (; fetched < n && fetched < i + ahead; fetched++)
			row_prefetch(wanted->rows + wanted->positions[fetched] * bytes, bytes);
		/* Of fewer than four the last stands for those that are not there. */
		for (size_t r = 0; r < AT_ONCE; r++)
			rows[r] = wanted->rows + wanted->positions[i + (r < k ? r : k - 1)] * bytes;
		_mm_storeu_ps(upper, bounds_of(query, rows, &lowers));
		_mm_storeu_ps(lower, lowers);
		for (size_t r = 0; r < k; r++) {
			wanted->upper[i + r] = upper[r];
			if (wanted->lower)
				wanted->lower[i + r] = lower[r];
		}
	}
}

static inline __m128 products_of(const struct rows8_query *query, float scale,
				 const unsigned char *const *rows)
{
	return times(scale, _mm_mul_ps(_mm_cvtepi32_ps(dots(query, rows)), sides_of(rows).scale));
}

static void products(const struct rows8_query *query, float scale, const unsigned char *rows,
		     uint32_t n, float *ret)
{
	size_t bytes = rows8_bytes(query->dim), i = 0;
	const unsigned char *four[AT_ONCE];
	float rest[AT_ONCE];

	for (; i + AT_ONCE <= n; i += AT_ONCE, rows += AT_ONCE * bytes) {
		for (size_t r = 0; r < AT_ONCE; r++)
			four[r] = rows + r * bytes;
		_mm_storeu_ps(ret + i, products_of(query, scale, four));
	}
	if (i == n)
		return;
	/* Of fewer than four the last stands for those that are not there. */
	for (size_t r = 0; r < AT_ONCE; r++)
		four[r] = rows + (r < n - i ? r : n - i - 1) * bytes;
	_mm_storeu_ps(rest, products_of(query, scale, four));
	for (size_t r = 0; i + r < n; r++)
		ret[i + r] = rest[r];
}

const struct rows8_kernel rows8_kernel_avx2 = {bounds, products};
