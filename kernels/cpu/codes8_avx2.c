/* codes8_avx2 - eight rows to a register, two registers at once.
 *
 * vpmaddubsw adds two products of an unsigned and a signed byte in 16 bits and saturates: so the
 * unsigned one is the query's magnitude, at most 127, and its sign is put on the row's code by an
 * exclusive or that takes the offset of 128 off as well. A pair is then at most 2 * 127 * 128,
 * which fits. What -c - 1 lacks to -c is the query's bias_flipped.
 */
#include "kernels/cpu/codes8_kernel.h"

#include <immintrin.h>

static inline __m256i quarter_sums(__m256i magnitudes, __m256i flips, const unsigned char *codes)
{
	__m256i signed_codes =
		_mm256_xor_si256(flips, _mm256_loadu_si256((const __m256i *)(const void *)codes));

	return _mm256_madd_epi16(_mm256_maddubs_epi16(magnitudes, signed_codes),
				 _mm256_set1_epi16(1));
}

static inline __m256i four_of(const uint8_t *bytes)
{
	int32_t four;

	__builtin_memcpy(&four, bytes, sizeof four);
	return _mm256_set1_epi32(four);
}

static inline __m256 half_floats(const uint16_t *halves)
{
	__m128i eight = _mm_load_si128((const __m128i *)(const void *)halves);

	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(eight), 16));
}

/* Upper bounds of rows 8 * half .. 8 * half + 8. */
static inline __m256 bounds(const struct codes8_query *query, const struct codes8_sides *sides,
			    size_t half, __m256i dots)
{
	size_t row = 8 * half;
	__m256 middle = _mm256_mul_ps(
		_mm256_mul_ps(_mm256_cvtepi32_ps(dots), half_floats(sides->scale + row)),
		_mm256_set1_ps(query->head.scale));
	__m256 slack = _mm256_add_ps(
		_mm256_mul_ps(_mm256_set1_ps(query->on_residual),
			      half_floats(sides->residual + row)),
		_mm256_mul_ps(_mm256_set1_ps(query->on_norm), half_floats(sides->norm + row)));

	slack = _mm256_add_ps(slack, _mm256_mul_ps(_mm256_set1_ps(query->on_rest_head),
						   half_floats(sides->rest + row)));
	if (query->shape.metric == METRIC_L2) {
		__m256 squares = _mm256_load_ps((const float *)(const void *)(sides + 1) + row);

		middle = _mm256_sub_ps(middle, _mm256_add_ps(_mm256_set1_ps(query->qq), squares));
		slack = _mm256_add_ps(slack,
				      _mm256_mul_ps(_mm256_set1_ps(query->on_square), squares));
	}
	return _mm256_add_ps(middle, _mm256_add_ps(slack, _mm256_set1_ps(query->absolute)));
}

static uint32_t head(const struct codes8_query *query, const unsigned char *block, float threshold,
		     struct codes8_group *ret)
{
	const struct codes8_sides *sides = (const struct codes8_sides *)(const void *)block;
	const unsigned char *codes = block + query->shape.codes_offset;
	__m256i low = _mm256_set1_epi32(query->head.bias_flipped), high = low;
	__m256 upper_low, upper_high, least = _mm256_set1_ps(threshold);
	uint32_t above;

	for (size_t i = 0; i < query->shape.head; i += 4, codes += 64) {
		__m256i magnitudes = four_of(query->head.magnitudes + i);
		__m256i flips = four_of(query->head.flips + i);

		_mm_prefetch((const char *)((uintptr_t)codes + CODES8_PREFETCH_BYTES), _MM_HINT_T0);
		low = _mm256_add_epi32(low, quarter_sums(magnitudes, flips, codes));
		high = _mm256_add_epi32(high, quarter_sums(magnitudes, flips, codes + 32));
	}
	upper_low = bounds(query, sides, 0, low);
	upper_high = bounds(query, sides, 1, high);
	above = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(upper_low, least, _CMP_NLT_UQ)) |
		(uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(upper_high, least, _CMP_NLT_UQ)) << 8;
	if (above) {
		_mm256_store_si256((__m256i *)(void *)ret->dots, low);
		_mm256_store_si256((__m256i *)(void *)(ret->dots + 8), high);
		_mm256_store_ps(ret->upper, upper_low);
		_mm256_store_ps(ret->upper + 8, upper_high);
	}
	return above;
}

static inline __m256i bytes_of(const uint8_t *bytes)
{
	return _mm256_load_si256((const __m256i *)(const void *)bytes);
}

static int32_t tail(const struct codes8_query *query, const unsigned char *codes)
{
	const struct codes8_query_part *part = &query->tail;
	__m256i even = _mm256_setzero_si256(), odd = even;
	__m128i four;

	for (size_t i = 0; i < query->shape.tail; i += 64) {
		even = _mm256_add_epi32(even, quarter_sums(bytes_of(part->magnitudes + i),
							   bytes_of(part->flips + i), codes + i));
		odd = _mm256_add_epi32(odd, quarter_sums(bytes_of(part->magnitudes + i + 32),
							 bytes_of(part->flips + i + 32),
							 codes + i + 32));
	}
	even = _mm256_add_epi32(even, odd);
	four = _mm_add_epi32(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1));
	four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(1, 0, 3, 2)));
	four = _mm_add_epi32(four, _mm_shuffle_epi32(four, _MM_SHUFFLE(2, 3, 0, 1)));
	return _mm_cvtsi128_si32(four) + part->bias_flipped;
}

const struct codes8_kernel codes8_kernel_avx2 = {"cpu:avx2", head, tail};
