/* dots_avx2 - four rows at once, two registers each: eight chains hide the latency of the FMA, and
 * a load of the query serves four rows.
 */
#include "kernels/cpu/kernel.h"

#include <immintrin.h>
#include <stdint.h>

/* The address may lie behind the block: a prefetch never faults. */
static inline void prefetch(const float *at)
{
	_mm_prefetch((const char *)((uintptr_t)at + PREFETCH_FLOATS * sizeof(float)), _MM_HINT_T0);
}

/* The sum of each of four registers. */
static inline __m128 sums_of(__m256 a, __m256 b, __m256 c, __m256 d)
{
	__m256 ab = _mm256_hadd_ps(a, b), cd = _mm256_hadd_ps(c, d);
	__m256 abcd = _mm256_hadd_ps(ab, cd);

	return _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1));
}

static inline void dots_4(const float *query, const float *rows, size_t stride, float *ret)
{
	const float *row[4] = {rows, rows + stride, rows + 2 * stride, rows + 3 * stride};
	__m256 low[4], high[4];

	for (int r = 0; r < 4; r++)
		low[r] = high[r] = _mm256_setzero_ps();
	for (size_t i = 0; i < stride; i += 16) {
		__m256 q_low = _mm256_load_ps(query + i), q_high = _mm256_load_ps(query + i + 8);

#pragma GCC unroll 4
		for (size_t line = 0; line < 4; line++)
			prefetch(rows + 4 * i + 16 * line);
#pragma GCC unroll 4
		for (int r = 0; r < 4; r++) {
			low[r] = _mm256_fmadd_ps(q_low, _mm256_load_ps(row[r] + i), low[r]);
			high[r] = _mm256_fmadd_ps(q_high, _mm256_load_ps(row[r] + i + 8), high[r]);
		}
	}
	for (int r = 0; r < 4; r++)
		low[r] = _mm256_add_ps(low[r], high[r]);
	_mm_storeu_ps(ret, sums_of(low[0], low[1], low[2], low[3]));
}

static inline float dot_1(const float *query, const float *row, size_t stride)
{
	__m256 low = _mm256_setzero_ps(), high = low;

	for (size_t i = 0; i < stride; i += 16) {
		low = _mm256_fmadd_ps(_mm256_load_ps(query + i), _mm256_load_ps(row + i), low);
		high = _mm256_fmadd_ps(_mm256_load_ps(query + i + 8), _mm256_load_ps(row + i + 8),
				       high);
	}
	low = _mm256_add_ps(low, high);
	return _mm_cvtss_f32(sums_of(low, low, low, low));
}

void dots_avx2(const float *query, const float *rows, size_t stride, size_t n, float *ret)
{
	size_t i = 0;

	for (; n - i >= 4; i += 4)
		dots_4(query, rows + i * stride, stride, ret + i);
	for (; i < n; i++)
		ret[i] = dot_1(query, rows + i * stride, stride);
}
