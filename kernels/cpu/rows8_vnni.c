/* rows8_vnni - four rows at once, 64 bytes of each.
 *
 * vpdpbusd takes unsigned bytes, the query's magnitudes, and signed ones, the rows' codes with the
 * query's signs put on them by an exclusive or, as in rows8_avx2.c; it adds four products in 32 bits
 * and saturates nothing. A row's bytes are a multiple of 32: of an odd one the last half is read by a
 * mask. Needs AVX512F, BW, VL and VNNI.
 */
#include "kernels/cpu/rows8_kernel.h"

#include <immintrin.h>

#define AT_ONCE 4
#define STEP 64

/* How far ahead the bounds fetch rows that they will read. */
#define PREFETCH_BYTES 4096
#define LINE_BYTES 64

/* The sums of four registers. */
static inline __m128i sums_of(const __m512i *sums)
{
	__m512i ab = _mm512_add_epi32(_mm512_unpacklo_epi32(sums[0], sums[1]),
				      _mm512_unpackhi_epi32(sums[0], sums[1]));
	__m512i cd = _mm512_add_epi32(_mm512_unpacklo_epi32(sums[2], sums[3]),
				      _mm512_unpackhi_epi32(sums[2], sums[3]));
	__m512i abcd =
		_mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
	__m256i half =
		_mm256_add_epi32(_mm512_castsi512_si256(abcd), _mm512_extracti64x4_epi64(abcd, 1));

	return _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
}

static inline __m512i add(__m512i sum, __m512i magnitudes, __m512i flips, __m512i codes)
{
	return _mm512_dpbusd_epi32(sum, magnitudes, _mm512_xor_si512(flips, codes));
}

static inline __m128i dots(const struct rows8_query *query, const unsigned char *const *rows)
{
	size_t n = rows8_bytes(query->dim), i = 0;
	__m512i sums[AT_ONCE];

#pragma GCC unroll 4
	for (size_t r = 0; r < AT_ONCE; r++)
		sums[r] = _mm512_setzero_si512();
	for (; i + STEP <= n; i += STEP) {
		__m512i magnitudes = _mm512_loadu_si512(query->magnitudes + i);
		__m512i flips = _mm512_loadu_si512(query->flips + i);

#pragma GCC unroll 4
		for (size_t r = 0; r < AT_ONCE; r++)
			sums[r] = add(sums[r], magnitudes, flips, _mm512_loadu_si512(rows[r] + i));
	}
	if (i < n) {
		__mmask16 half = 0x00FF;
		__m512i magnitudes = _mm512_maskz_loadu_epi32(half, query->magnitudes + i);
		__m512i flips = _mm512_maskz_loadu_epi32(half, query->flips + i);

#pragma GCC unroll 4
		for (size_t r = 0; r < AT_ONCE; r++)
			sums[r] = add(sums[r], magnitudes, flips,
				      _mm512_maskz_loadu_epi32(half, rows[r] + i));
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
	size_t bytes = rows8_bytes(query->dim);

	for (size_t i = 0; i < n; i += AT_ONCE) {
		size_t k = n - i < AT_ONCE ? n - i : AT_ONCE;
		const unsigned char *four[AT_ONCE];
		float found[AT_ONCE];

		/* Of fewer than four the last stands for those that are not there. */
		for (size_t r = 0; r < AT_ONCE; r++)
			four[r] = rows + (i + (r < k ? r : k - 1)) * bytes;
		_mm_storeu_ps(found, products_of(query, scale, four));
		for (size_t r = 0; r < k; r++)
			ret[i + r] = found[r];
	}
}

const struct rows8_kernel rows8_kernel_vnni = {bounds, products};
