/* codes4_avx2 - 32 rows at once: the tables are shuffled by the codes.
 *
 * Levels are below 64, so four of them add up in a byte. Of the bytes of even and of odd rows, two
 * side by side, one 16-bit sum takes both as they lie, another the odd ones alone, which at the end
 * are taken off the first.
 */
#include "kernels/cpu/codes4_kernel.h"

#include "kernels/cpu/codes4_tables.h"

#include <immintrin.h>

static inline __m256i load(const void *at)
{
	return _mm256_loadu_si256((const __m256i *)at);
}

static inline __m256i table_of(const uint8_t *table)
{
	return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)(const void *)table));
}

/* The levels of two groups, added in bytes. The product shifts by four bits: on Zen 3 shifts wait
 * for the units that shuffle. */
static inline __m256i pair_levels(__m256i first, __m256i second, __m256i codes)
{
	__m256i low = _mm256_set1_epi8(0x0F);
	__m256i high = _mm256_mulhi_epu16(codes, _mm256_set1_epi16(0x1000));

	return _mm256_add_epi8(_mm256_shuffle_epi8(first, _mm256_and_si256(codes, low)),
			       _mm256_shuffle_epi8(second, _mm256_and_si256(high, low)));
}

/* Of a block: even and odd rows together as they lie, and the odd ones alone. */
struct pair_sums {
	__m256i both, odd;
};

static inline void levels_add(struct pair_sums *sums, __m256i levels)
{
	sums->both = _mm256_add_epi16(sums->both, levels);
	sums->odd = _mm256_add_epi16(sums->odd, _mm256_srli_epi16(levels, 8));
}

static inline __m256i even_of(struct pair_sums sums)
{
	return _mm256_sub_epi16(sums.both, _mm256_slli_epi16(sums.odd, 8));
}

/* Which rows of a block are above. */
static inline uint32_t rows_above(struct pair_sums sums, int16_t above)
{
	__m256i least = _mm256_set1_epi16(above);
	__m256i passed = _mm256_blendv_epi8(_mm256_cmpgt_epi16(even_of(sums), least),
					    _mm256_cmpgt_epi16(sums.odd, least),
					    _mm256_set1_epi16((short)0xFF00));

	return (uint32_t)_mm256_movemask_epi8(passed);
}

/* All sums in the order of rows. */
static inline void sums_store(struct pair_sums sums, uint16_t *ret)
{
	__m256i even = even_of(sums), low = _mm256_unpacklo_epi16(even, sums.odd);
	__m256i high = _mm256_unpackhi_epi16(even, sums.odd), *at = (__m256i *)(void *)ret;

	_mm256_storeu_si256(at, _mm256_permute2x128_si256(low, high, 0x20));
	_mm256_storeu_si256(at + 1, _mm256_permute2x128_si256(low, high, 0x31));
}

/* Adds the pairs from .. end of n blocks; from is even. n is 1 or 2, which the compiler knows. Two
 * blocks share the loads of tables: a seventh faster. */
static inline void pairs_add(const struct codes4_query *query, const unsigned char *block, size_t n,
			     size_t from, size_t end, struct pair_sums *sums)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS, i = from;
	const uint8_t *table = query->tables + 2UL * CODES4_WORDS * from;

	block += from * CODES4_ROWS;
	for (; i + 2 <= end; i += 2, table += 4UL * CODES4_WORDS, block += 2UL * CODES4_ROWS) {
		__m256i tables[4] = {table_of(table), table_of(table + CODES4_WORDS),
				     table_of(table + 2UL * CODES4_WORDS),
				     table_of(table + 3UL * CODES4_WORDS)};

#pragma GCC unroll 2
		for (size_t k = 0; k < n; k++) {
			const unsigned char *codes = block + k * block_bytes;

			levels_add(&sums[k],
				   _mm256_add_epi8(pair_levels(tables[0], tables[1], load(codes)),
						   pair_levels(tables[2], tables[3],
							       load(codes + CODES4_ROWS))));
		}
	}
#pragma GCC unroll 2
	for (size_t k = 0; i < end && k < n; k++)
		levels_add(&sums[k], pair_levels(table_of(table), table_of(table + CODES4_WORDS),
						 load(block + k * block_bytes)));
}

/* The pairs behind the first of one block; rows: those that passed. */
static inline uint32_t block_end(const struct codes4_query *query, const unsigned char *block,
				 struct codes4_bar bar, struct pair_sums sums, uint32_t rows,
				 uint16_t *ret)
{
	if (!rows)
		return 0;
	pairs_add(query, block, 1, bar.first, query->groups / 2, &sums);
	rows &= rows_above(sums, bar.above);
	if (rows)
		sums_store(sums, ret);
	return rows;
}

static inline uint64_t blocks_sum(const struct codes4_query *query, const unsigned char *block,
				  size_t n, struct codes4_bar bar, uint16_t *ret)
{
	size_t pairs = query->groups / 2;
	struct pair_sums sums[2];
	uint64_t rows = 0;

#pragma GCC unroll 2
	for (size_t k = 0; k < n; k++)
		sums[k].both = sums[k].odd = _mm256_setzero_si256();
	if (bar.first > 0) {
		uint32_t passed[2] = {0};

		pairs_add(query, block, n, 0, bar.first, sums);
#pragma GCC unroll 2
		for (size_t k = 0; k < n; k++)
			passed[k] = rows_above(sums[k], bar.above_first);
		if (!(passed[0] | passed[1]))
			return 0;
#pragma GCC unroll 2
		for (size_t k = 0; k < n; k++)
			rows |= (uint64_t)block_end(query, block + k * pairs * CODES4_ROWS, bar,
						    sums[k], passed[k], ret + k * CODES4_ROWS)
				<< k * CODES4_ROWS;
		return rows;
	}
	pairs_add(query, block, n, 0, pairs, sums);
#pragma GCC unroll 2
	for (size_t k = 0; k < n; k++) {
		uint32_t passed = rows_above(sums[k], bar.above);

		if (passed)
			sums_store(sums[k], ret + k * CODES4_ROWS);
		rows |= (uint64_t)passed << k * CODES4_ROWS;
	}
	return rows;
}

static uint64_t sums(const struct codes4_query *query, const unsigned char *block, size_t n,
		     struct codes4_bar bar, uint16_t *ret)
{
	return n == 2 ? blocks_sum(query, block, 2, bar, ret)
		      : blocks_sum(query, block, 1, bar, ret);
}

/* The sums of four registers. */
static inline __m128i sums_of(__m256i a, __m256i b, __m256i c, __m256i d)
{
	__m256i abcd = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));

	return _mm_add_epi32(_mm256_castsi256_si128(abcd), _mm256_extracti128_si256(abcd, 1));
}

static void rotate(const struct codes4_model *model, const int16_t *query, int32_t *ret)
{
	size_t stride = codes4_stride(model->dim), n = model->kept, i = 0;
	const int16_t *row = model->rotation;

	for (; i + 4 <= n; i += 4, row += 4 * stride) {
		__m256i sum[4];

		for (size_t r = 0; r < 4; r++)
			sum[r] = _mm256_setzero_si256();
		for (size_t j = 0; j < stride; j += 16) {
			__m256i values = load(query + j);

#pragma GCC unroll 4
			for (size_t r = 0; r < 4; r++)
				sum[r] = _mm256_add_epi32(
					sum[r],
					_mm256_madd_epi16(values, load(row + r * stride + j)));
		}
		_mm_storeu_si128((__m128i *)(void *)(ret + i),
				 sums_of(sum[0], sum[1], sum[2], sum[3]));
	}
	for (; i < n; i++, row += stride) {
		__m256i sum = _mm256_setzero_si256();

		for (size_t j = 0; j < stride; j += 16)
			sum = _mm256_add_epi32(sum,
					       _mm256_madd_epi16(load(query + j), load(row + j)));
		ret[i] = _mm_cvtsi128_si32(sums_of(sum, sum, sum, sum));
	}
}

/* As codes4_extremes has it. */
static inline float least_of(__m256 eight)
{
	__m128 four = _mm_min_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));

	four = _mm_min_ps(four, _mm_movehl_ps(four, four));
	return _mm_cvtss_f32(_mm_min_ss(four, _mm_movehdup_ps(four)));
}

static inline float greatest_of(__m256 eight)
{
	__m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));

	four = _mm_max_ps(four, _mm_movehl_ps(four, four));
	return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}

static struct codes4_span products(const struct codes4_model *model, const float *rotated,
				   float *ret)
{
	const float *codewords = model->codewords;
	struct codes4_span span = {0};

	for (size_t group = 0; group < model->groups; group++, ret += CODES4_WORDS) {
		const float *end = rotated + model->widths[group];
		__m256 first = _mm256_setzero_ps(), second = first;
		float least, greatest;

		for (; rotated < end; rotated++, codewords += CODES4_WORDS) {
			__m256 value = _mm256_broadcast_ss(rotated);

			first = _mm256_add_ps(first,
					      _mm256_mul_ps(value, _mm256_loadu_ps(codewords)));
			second = _mm256_add_ps(
				second, _mm256_mul_ps(value, _mm256_loadu_ps(codewords + 8)));
		}
		least = least_of(_mm256_min_ps(first, second));
		greatest = greatest_of(_mm256_max_ps(first, second));
		_mm256_storeu_ps(ret, _mm256_sub_ps(first, _mm256_set1_ps(least)));
		_mm256_storeu_ps(ret + 8, _mm256_sub_ps(second, _mm256_set1_ps(least)));
		span.bias += (double)least;
		span.range = codes4_greater(span.range, greatest - least);
	}
	return span;
}

const struct codes4_kernel codes4_kernel_avx2 = {"cpu:avx2", sums, rotate, products, codes4_levels};
