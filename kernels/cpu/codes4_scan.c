/* codes4_scan - a list, 32 rows at a time, and which kernel this processor can run. */
#include "kernels/cpu/codes4_kernel.h"

#include <assert.h>
#include <math.h>

#define ROWS_AT_ONCE ((size_t)2 * CODES4_ROWS)
#define LINE_BYTES 64
#define SUM_MAX ((CODES4_LEVELS - 1) * CODES4_GROUPS_MAX)

/* The greatest sum that does not reach the threshold, or one a little less. -1: any may reach it.
 *
 * A score is shift + scale * sum, in float: within 2^-23 of the magnitudes of its terms, in any
 * rounding mode, plus a denormal. The distance to the threshold is lessened by more than that. */
static int16_t sum_above(float shift, float scale, float threshold)
{
	double reach = fabs((double)shift) + (double)scale * SUM_MAX;
	double distance = ((double)threshold - (double)shift) - (reach * 0x1p-22 + 0x1p-140);

	if (!(distance > 0))
		return -1;
	if (distance >= (double)scale * (SUM_MAX + 1))
		return SUM_MAX;
	return (int16_t)(ceil(distance / (double)scale) - 1);
}

/* What rows have to be above: the first pairs alone where they tell enough. Any sum of the others that
 * is likely at all would not lift such a row. */
static struct codes4_bar bar_of(const struct codes4_query *query, float shift, float threshold)
{
	struct codes4_bar bar = {.above = sum_above(shift, query->scale, threshold)};
	int above_first = bar.above - query->rest;

	if (query->first > 0 && above_first >= query->first_least) {
		bar.first = query->first;
		bar.above_first = (int16_t)above_first;
	}
	return bar;
}

/* Which of the 64 rows from place on are of the range. */
static uint64_t rows_wanted(uint64_t place, uint64_t first, uint64_t end)
{
	uint64_t rows = UINT64_MAX;

	if (place < first)
		rows <<= first - place;
	if (end - place < ROWS_AT_ONCE)
		rows &= UINT64_MAX >> (ROWS_AT_ONCE - (end - place));
	return rows;
}

static void rows_offer(const struct codes4_range *range, float shift, float scale, uint32_t place,
		       uint64_t rows, const uint16_t *sums, struct window *window)
{
	for (; rows; rows &= rows - 1) {
		uint32_t at = (uint32_t)__builtin_ctzll(rows);
		struct key key = {shift + scale * (float)sums[at], place + at};

		if (!key_before(key, window->threshold))
			continue;
		if (!range->visible || range->visible(range->context, place + at))
			window_offer(window, key);
	}
}

/* What is read of n blocks: of most no more than the first pairs. */
static void blocks_fetch(const struct codes4_query *query, const unsigned char *block, size_t n)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS;
	size_t bytes = query->first > 0 ? (size_t)query->first * CODES4_ROWS : block_bytes;

	for (size_t k = 0; k < n; k++, block += block_bytes) {
		for (size_t i = 0; i < bytes; i += LINE_BYTES)
			__builtin_prefetch(block + i);
	}
}

void codes4_fetch(const struct codes4_query *query, const struct codes4_range *range)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS;

	if (range->n > 0)
		blocks_fetch(query, range->codes + range->first / CODES4_ROWS * block_bytes,
			     range->first % CODES4_ROWS + range->n > CODES4_ROWS ? 2 : 1);
}

void codes4_scan(const struct codes4_kernel *scanner, const struct codes4_query *query,
		 const struct codes4_range *range, struct window *window)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS;
	uint64_t end = (uint64_t)range->first + range->n, place = range->first / CODES4_ROWS;
	const unsigned char *block = range->codes + place * block_bytes;
	float shift = range->base + query->bias, threshold = window->threshold.score;
	struct codes4_bar bar = bar_of(query, shift, threshold);
	_Alignas(32) uint16_t sums[ROWS_AT_ONCE];

	for (place *= CODES4_ROWS; range->n > 0 && place < end; place += ROWS_AT_ONCE) {
		size_t n = end - place > CODES4_ROWS ? 2 : 1;
		uint64_t rows;

		/* Of the two that are next, if they are. Lists are short: by the time that a processor
		 * sees where they go they have ended. */
		if (end - place > ROWS_AT_ONCE)
			blocks_fetch(query, block + 2 * block_bytes, 2);
		rows = scanner->sums(query, block, n, bar, sums) &
		       rows_wanted(place, range->first, end);
		block += n * block_bytes;
		if (!rows)
			continue;
		rows_offer(range, shift, query->scale, (uint32_t)place, rows, sums, window);
		if (threshold != window->threshold.score) {
			threshold = window->threshold.score;
			bar = bar_of(query, shift, threshold);
		}
	}
}

void codes4_scores(const struct codes4_kernel *scanner, const struct codes4_query *query,
		   const unsigned char *codes, uint32_t n, float base, float *ret)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS;
	const struct codes4_bar no_bar = {.above = -1};
	float shift = base + query->bias;
	_Alignas(32) uint16_t sums[ROWS_AT_ONCE];

	for (size_t first = 0; first < n; first += ROWS_AT_ONCE) {
		size_t rows = n - first < ROWS_AT_ONCE ? n - first : ROWS_AT_ONCE;

		(void)scanner->sums(query, codes + first / CODES4_ROWS * block_bytes,
				    rows > CODES4_ROWS ? 2 : 1, no_bar, sums);
		for (size_t i = 0; i < rows; i++)
			ret[first + i] = shift + query->scale * (float)sums[i];
	}
}

void codes4_sums(const struct codes4_kernel *scanner, const struct codes4_query *query,
		 const unsigned char *codes, uint32_t n, uint16_t *ret)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS;
	const struct codes4_bar no_bar = {.above = -1};

	for (size_t first = 0; first < n; first += ROWS_AT_ONCE)
		(void)scanner->sums(query, codes + first / CODES4_ROWS * block_bytes,
				    n - first > CODES4_ROWS ? 2 : 1, no_bar, ret + first);
}

/* Rows that are looked at together: most are none of them above. */
#define SUMS_AT_ONCE 32

static bool any_is_above(const uint16_t *sums, size_t n, int16_t above)
{
	uint16_t found = 0;

	for (size_t i = 0; i < n; i++)
		found |= (uint16_t)((int16_t)sums[i] > above);
	return found;
}

void codes4_scan_sums(const struct codes4_query *query, const struct codes4_range *range,
		      const uint16_t *sums, struct window *window)
{
	uint64_t end = (uint64_t)range->first + range->n;
	float shift = range->base + query->bias;

	for (uint64_t place = range->first; place < end; place += SUMS_AT_ONCE) {
		size_t n = end - place < SUMS_AT_ONCE ? end - place : SUMS_AT_ONCE;
		int16_t above = sum_above(shift, query->scale, window->threshold.score);
		uint64_t rows = 0;

		if (!any_is_above(sums + place, n, above))
			continue;
		for (size_t i = 0; i < n; i++)
			rows |= (uint64_t)((int16_t)sums[place + i] > above) << i;
		rows_offer(range, shift, query->scale, (uint32_t)place, rows, sums + place, window);
	}
}

static bool is_there(enum codes4_isa isa)
{
#if defined(__x86_64__)
	if (isa == CODES4_AVX512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		       __builtin_cpu_supports("avx512vl");
	if (isa == CODES4_AVX2)
		return __builtin_cpu_supports("avx2");
#endif
	return isa == CODES4_PORTABLE;
}

const struct codes4_kernel *codes4_scanner(enum codes4_isa isa)
{
	static const struct codes4_kernel *const kernels[] = {
		[CODES4_PORTABLE] = &codes4_kernel_portable,
		[CODES4_AVX2] = &codes4_kernel_avx2,
		[CODES4_AVX512] = &codes4_kernel_avx512,
	};

	if (isa == CODES4_BEST)
		for (isa = CODES4_AVX512; !is_there(isa); isa--)
			continue;
	return is_there(isa) ? kernels[isa] : NULL;
}

const char *codes4_scanner_name(const struct codes4_kernel *scanner)
{
	return scanner->name;
}
