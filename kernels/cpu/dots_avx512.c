/* dots_avx512 - four rows at once, a register each, and two where the stride allows it. */
#include "kernels/cpu/kernel.h"

#include <immintrin.h>
#include <stdint.h>

/* The address may lie behind the block: a prefetch never faults. */
static inline void prefetch(const float *at)
{
	_mm_prefetch((const char *)((uintptr_t)at + PREFETCH_FLOATS * sizeof(float)), _MM_HINT_T0);
}

/* Folds a register to a quarter; sums stay what they are. */
static inline __m128 fold(__m512 a)
{
	__m128 low = _mm_add_ps(_mm512_castps512_ps128(a), _mm512_extractf32x4_ps(a, 1));
	__m128 high = _mm_add_ps(_mm512_extractf32x4_ps(a, 2), _mm512_extractf32x4_ps(a, 3));

	return _mm_add_ps(low, high);
}

static inline __m128 sums_of(__m512 a, __m512 b, __m512 c, __m512 d)
{
	return _mm_hadd_ps(_mm_hadd_ps(fold(a), fold(b)), _mm_hadd_ps(fold(c), fold(d)));
}

static inline void dots_4(const float *query, const float *rows, size_t stride, float *ret)
{
	const float *row[4] = {rows, rows + stride, rows + 2 * stride, rows + 3 * stride};
	__m512 even[4], odd[4];
	size_t i = 0;

	for (int r = 0; r < 4; r++)
		even[r] = odd[r] = _mm512_setzero_ps();
	for (; stride - i >= 32; i += 32) {
		__m512 q_even = _mm512_load_ps(query + i), q_odd = _mm512_load_ps(query + i + 16);

#pragma GCC unroll 8
		for (size_t line = 0; line < 8; line++)
			prefetch(rows + 4 * i + 16 * line);
#pragma GCC unroll 4
		for (int r = 0; r < 4; r++) {
			even[r] = _mm512_fmadd_ps(q_even, _mm512_load_ps(row[r] + i), even[r]);
			odd[r] = _mm512_fmadd_ps(q_odd, _mm512_load_ps(row[r] + i + 16), odd[r]);
		}
	}
	if (i < stride) {
		__m512 q = _mm512_load_ps(query + i);

		for (int r = 0; r < 4; r++)
			even[r] = _mm512_fmadd_ps(q, _mm512_load_ps(row[r] + i), even[r]);
	}
	for (int r = 0; r < 4; r++)
		even[r] = _mm512_add_ps(even[r], odd[r]);
	_mm_storeu_ps(ret, sums_of(even[0], even[1], even[2], even[3]));
}

static inline float dot_1(const float *query, const float *row, size_t stride)
{
	__m512 even = _mm512_setzero_ps(), odd = even;
	size_t i = 0;

	for (; stride - i >= 32; i += 32) {
		even = _mm512_fmadd_ps(_mm512_load_ps(query + i), _mm512_load_ps(row + i), even);
		odd = _mm512_fmadd_ps(_mm512_load_ps(query + i + 16), _mm512_load_ps(row + i + 16),
				      odd);
	}
	if (i < stride)
		even = _mm512_fmadd_ps(_mm512_load_ps(query + i), _mm512_load_ps(row + i), even);
	even = _mm512_add_ps(even, odd);
	return _mm_cvtss_f32(sums_of(even, even, even, even));
}

void dots_avx512(const float *query, const float *rows, size_t stride, size_t n, float *ret)
{
	size_t i = 0;

	for (; n - i >= 4; i += 4)
		dots_4(query, rows + i * stride, stride, ret + i);
	for (; i < n; i++)
		ret[i] = dot_1(query, rows + i * stride, stride);
}
