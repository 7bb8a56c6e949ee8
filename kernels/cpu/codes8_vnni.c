/* codes8_vnni - sixteen rows to a register of AVX-512, four dimensions of each in one instruction.
 *
 * vpdpbusd takes unsigned bytes, the rows' codes + 128, and signed ones, the query's: what the 128
 * add up to is the query's bias.
 */
#include "kernels/cpu/codes8_kernel.h"

#include <immintrin.h>

static inline __m512i four_of(const int8_t *bytes)
{
	int32_t four;

	__builtin_memcpy(&four, bytes, sizeof four);
	return _mm512_set1_epi32(four);
}

/* A group of four dimensions; the prefetch is for a block to come. */
static inline __m512i group_add(__m512i sums, const int8_t *query, const unsigned char *codes)
{
	_mm_prefetch((const char *)((uintptr_t)codes + CODES8_PREFETCH_BYTES), _MM_HINT_T0);
	return _mm512_dpbusd_epi32(sums, _mm512_loadu_si512(codes), four_of(query));
}

static inline __m512 half_floats(const uint16_t *halves)
{
	__m256i sixteen = _mm256_load_si256((const __m256i *)(const void *)halves);

	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(sixteen), 16));
}

static inline __m512 bounds(const struct codes8_query *query, const struct codes8_sides *sides,
			    __m512i dots)
{
	__m512 middle =
		_mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(dots), half_floats(sides->scale)),
			      _mm512_set1_ps(query->head.scale));
	__m512 slack = _mm512_add_ps(
		_mm512_mul_ps(_mm512_set1_ps(query->on_residual), half_floats(sides->residual)),
		_mm512_mul_ps(_mm512_set1_ps(query->on_norm), half_floats(sides->norm)));

	slack = _mm512_add_ps(slack, _mm512_mul_ps(_mm512_set1_ps(query->on_rest_head),
						   half_floats(sides->rest)));
	if (query->shape.metric == METRIC_L2) {
		__m512 squares = _mm512_loadu_ps(sides + 1);

		middle = _mm512_sub_ps(middle, _mm512_add_ps(_mm512_set1_ps(query->qq), squares));
		slack = _mm512_add_ps(slack,
				      _mm512_mul_ps(_mm512_set1_ps(query->on_square), squares));
	}
	return _mm512_add_ps(middle, _mm512_add_ps(slack, _mm512_set1_ps(query->absolute)));
}

static uint32_t head(const struct codes8_query *query, const unsigned char *block, float threshold,
		     struct codes8_group *ret)
{
	const unsigned char *codes = block + query->shape.codes_offset;
	const int8_t *factors = query->head.codes;
	__m512i sums[4] = {_mm512_set1_epi32(query->head.bias), _mm512_setzero_si512(),
			   _mm512_setzero_si512(), _mm512_setzero_si512()};
	size_t i = 0, n = query->shape.head;
	__m512 upper;
	uint32_t above;

	for (; i + 16 <= n; i += 16, codes += 256) {
#pragma GCC unroll 4
		for (size_t j = 0; j < 4; j++)
			sums[j] = group_add(sums[j], factors + i + 4 * j, codes + 64 * j);
	}
	for (; i < n; i += 4, codes += 64)
		sums[0] = group_add(sums[0], factors + i, codes);
	sums[0] = _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]),
				   _mm512_add_epi32(sums[2], sums[3]));
	upper = bounds(query, (const struct codes8_sides *)(const void *)block, sums[0]);
	above = _mm512_cmp_ps_mask(upper, _mm512_set1_ps(threshold), _CMP_NLT_UQ);
	if (above) {
		_mm512_store_si512(ret->dots, sums[0]);
		_mm512_store_ps(ret->upper, upper);
	}
	return above;
}

static int32_t tail(const struct codes8_query *query, const unsigned char *codes)
{
	const int8_t *factors = query->tail.codes;
	__m512i sums = _mm512_setzero_si512();

	for (size_t i = 0; i < query->shape.tail; i += 64)
		sums = _mm512_dpbusd_epi32(sums, _mm512_loadu_si512(codes + i),
					   _mm512_load_si512(factors + i));
	return _mm512_reduce_add_epi32(sums) + query->tail.bias;
}

const struct codes8_kernel codes8_kernel_vnni = {"cpu:vnni", head, tail};
