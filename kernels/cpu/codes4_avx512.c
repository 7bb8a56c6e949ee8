/* codes4_avx512 - 64 bytes at once: two pairs of groups of a block's 32 rows, the first pair's in the
 * lower half of a register, the second's in the upper. In the end the halves are added.
 *
 * Sums in bytes and in 16 bits as codes4_avx2.c has them. Needs AVX512F, BW and VL.
 */
#include "kernels/cpu/codes4_kernel.h"

#include "kernels/cpu/codes4_tables.h"

#include <immintrin.h>

/* Lanes of 16 bytes of four tables one after the other: each of the first codes twice, 0 0 2 2, and each
 * of the second, 1 1 3 3. */
#define FIRST_LANES 0xA0
#define SECOND_LANES 0xF5

static inline __m512i load(const void *at)
{
	return _mm512_loadu_si512(at);
}

/* The tables of two pairs. */
struct tables {
	__m512i first, second;
};

static inline struct tables tables_of(const uint8_t *table)
{
	__m512i four = load(table);

	return (struct tables){_mm512_shuffle_i64x2(four, four, FIRST_LANES),
			       _mm512_shuffle_i64x2(four, four, SECOND_LANES)};
}

/* Of one pair: the upper half adds nothing. */
static inline struct tables tables_of_last(const uint8_t *table)
{
	__m512i two =
		_mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)table));

	/* Lanes 0 0 2 2 and 1 1 2 2: lane 2 is zeros. */
	return (struct tables){_mm512_shuffle_i64x2(two, two, 0xA0),
			       _mm512_shuffle_i64x2(two, two, 0xA5)};
}

/* The levels of two groups of each pair, added in bytes: at most 2 * (CODES4_LEVELS - 1). */
static inline __m512i levels_of(struct tables tables, __m512i codes)
{
	__m512i low = _mm512_set1_epi8(0x0F);

	return _mm512_add_epi8(
		_mm512_shuffle_epi8(tables.first, _mm512_and_si512(codes, low)),
		_mm512_shuffle_epi8(tables.second,
				    _mm512_and_si512(_mm512_srli_epi16(codes, 4), low)));
}

/* Of a block: even and odd rows together as they lie, and the odd ones alone. */
struct pair_sums {
	__m512i both, odd;
};

static inline void levels_add(struct pair_sums *sums, __m512i levels)
{
	sums->both = _mm512_add_epi16(sums->both, levels);
	sums->odd = _mm512_add_epi16(sums->odd, _mm512_srli_epi16(levels, 8));
}

/* Adds the pairs from .. end of n blocks; from is even. n is 1 or 2, which the compiler knows. */
static inline void pairs_add(const struct codes4_query *query, const unsigned char *block, size_t n,
			     size_t from, size_t end, struct pair_sums *sums)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS, i = from;
	const uint8_t *table = query->tables + 2UL * CODES4_WORDS * from;

	block += from * CODES4_ROWS;
	for (; i + 4 <= end; i += 4, table += 8UL * CODES4_WORDS, block += 4UL * CODES4_ROWS) {
		struct tables first = tables_of(table);
		struct tables second = tables_of(table + 4UL * CODES4_WORDS);

#pragma GCC unroll 2
		for (size_t k = 0; k < n; k++) {
			const unsigned char *codes = block + k * block_bytes;

			levels_add(&sums[k], _mm512_add_epi8(levels_of(first, load(codes)),
							     levels_of(second, load(codes + 64))));
		}
	}
	if (i + 2 <= end) {
		struct tables tables = tables_of(table);

#pragma GCC unroll 2
		for (size_t k = 0; k < n; k++)
			levels_add(&sums[k], levels_of(tables, load(block + k * block_bytes)));
		i += 2;
		table += 4UL * CODES4_WORDS;
		block += 2UL * CODES4_ROWS;
	}
#pragma GCC unroll 2
	for (size_t k = 0; i < end && k < n; k++) {
		__m256i codes = _mm256_loadu_si256(
			(const __m256i *)(const void *)(block + k * block_bytes));

		levels_add(&sums[k],
			   levels_of(tables_of_last(table), _mm512_zextsi256_si512(codes)));
	}
}

/* Of 16 even and 16 odd rows. */
struct row_sums {
	__m256i even, odd;
};

static inline __m256i halves_added(__m512i sums)
{
	return _mm256_add_epi16(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64(sums, 1));
}

static inline struct row_sums rows_of(struct pair_sums sums)
{
	__m256i odd = halves_added(sums.odd);

	return (struct row_sums){
		_mm256_sub_epi16(halves_added(sums.both), _mm256_slli_epi16(odd, 8)), odd};
}

/* Which rows of a block are above. */
static inline uint32_t rows_above(struct row_sums sums, int16_t above)
{
	__m256i least = _mm256_set1_epi16(above);
	__m256i passed = _mm256_blendv_epi8(_mm256_cmpgt_epi16(sums.even, least),
					    _mm256_cmpgt_epi16(sums.odd, least),
					    _mm256_set1_epi16((short)0xFF00));

	return (uint32_t)_mm256_movemask_epi8(passed);
}

/* All sums in the order of rows. */
static inline void sums_store(struct row_sums sums, uint16_t *ret)
{
	__m256i low = _mm256_unpacklo_epi16(sums.even, sums.odd);
	__m256i high = _mm256_unpackhi_epi16(sums.even, sums.odd);
	__m256i *at = (__m256i *)(void *)ret;

	_mm256_storeu_si256(at, _mm256_permute2x128_si256(low, high, 0x20));
	_mm256_storeu_si256(at + 1, _mm256_permute2x128_si256(low, high, 0x31));
}

/* The pairs behind the first of one block; rows: those that passed. */
static inline uint32_t block_end(const struct codes4_query *query, const unsigned char *block,
				 struct codes4_bar bar, struct pair_sums sums, uint32_t rows,
				 uint16_t *ret)
{
	struct row_sums found;

	if (!rows)
		return 0;
	pairs_add(query, block, 1, bar.first, query->groups / 2, &sums);
	found = rows_of(sums);
	rows &= rows_above(found, bar.above);
	if (rows)
		sums_store(found, ret);
	return rows;
}

static inline uint64_t blocks_sum(const struct codes4_query *query, const unsigned char *block,
				  size_t n, struct codes4_bar bar, uint16_t *ret)
{
	size_t pairs = query->groups / 2, first = bar.first > 0 ? bar.first : pairs;
	int16_t above = bar.first > 0 ? bar.above_first : bar.above;
	struct pair_sums sums[2];
	uint64_t rows = 0;

#pragma GCC unroll 2
	for (size_t k = 0; k < n; k++)
		sums[k].both = sums[k].odd = _mm512_setzero_si512();
	pairs_add(query, block, n, 0, first, sums);
#pragma GCC unroll 2
	for (size_t k = 0; k < n; k++) {
		struct row_sums found = rows_of(sums[k]);
		uint32_t passed = rows_above(found, above);

		if (bar.first > 0)
			passed = block_end(query, block + k * pairs * CODES4_ROWS, bar, sums[k],
					   passed, ret + k * CODES4_ROWS);
		else if (passed)
			sums_store(found, ret + k * CODES4_ROWS);
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

/* The first 32 of 64 bytes; the rest is 0. */
static inline __m512i load_half(const int16_t *at)
{
	return _mm512_zextsi256_si512(_mm256_loadu_si256((const __m256i *)(const void *)at));
}

static void rotate(const struct codes4_model *model, const int16_t *query, int32_t *ret)
{
	size_t stride = codes4_stride(model->dim), whole = stride / 32 * 32;
	const int16_t *row = model->rotation;

	for (size_t i = 0; i < model->kept; i++, row += stride) {
		__m512i sum = _mm512_setzero_si512(), other = sum;
		size_t j = 0;

		for (; j + 64 <= whole; j += 64) {
			sum = _mm512_add_epi32(sum,
					       _mm512_madd_epi16(load(query + j), load(row + j)));
			other = _mm512_add_epi32(
				other, _mm512_madd_epi16(load(query + j + 32), load(row + j + 32)));
		}
		if (j < whole)
			sum = _mm512_add_epi32(sum,
					       _mm512_madd_epi16(load(query + j), load(row + j)));
		if (whole < stride)
			other = _mm512_add_epi32(other, _mm512_madd_epi16(load_half(query + whole),
									  load_half(row + whole)));
		ret[i] = _mm512_reduce_add_epi32(_mm512_add_epi32(sum, other));
	}
}

/* As codes4_products has it, each product rounded before it is added. */
static struct codes4_span products(const struct codes4_model *model, const float *rotated,
				   float *ret)
{
	const float *codewords = model->codewords;
	struct codes4_span span = {0};

	for (size_t group = 0; group < model->groups; group++, ret += CODES4_WORDS) {
		const float *end = rotated + model->widths[group];
		__m512 sum = _mm512_setzero_ps();
		float least, greatest;

		for (; rotated < end; rotated++, codewords += CODES4_WORDS)
			sum = _mm512_add_ps(sum, _mm512_mul_ps(_mm512_set1_ps(*rotated),
							       _mm512_loadu_ps(codewords)));
		least = _mm512_reduce_min_ps(sum);
		greatest = _mm512_reduce_max_ps(sum);
		_mm512_storeu_ps(ret, _mm512_sub_ps(sum, _mm512_set1_ps(least)));
		span.bias += (double)least;
		span.range = codes4_greater(span.range, greatest - least);
	}
	return span;
}

const struct codes4_kernel codes4_kernel_avx512 = {"cpu:avx512", sums, rotate, products,
						   codes4_levels};
