/* codes4_scan - a list, 32 rows at a time, and which kernel this processor can run. */
#include "kernels/cpu/codes4_kernel.h"

#include <assert.h>
#include <math.h>

#define ROWS_AT_ONCE ((size_t)2 * CODES4_ROWS)
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

void codes4_scan(const struct codes4_kernel *scanner, const struct codes4_query *query,
		 const struct codes4_range *range, struct window *window)
{
	size_t block_bytes = (size_t)query->groups / 2 * CODES4_ROWS;
	uint64_t end = (uint64_t)range->first + range->n, place = range->first / CODES4_ROWS;
	const unsigned char *block = range->codes + place * block_bytes;
	float shift = range->base + query->bias, threshold = window->threshold.score;
	int16_t above = sum_above(shift, query->scale, threshold);
	_Alignas(32) uint16_t sums[ROWS_AT_ONCE];

	for (place *= CODES4_ROWS; range->n > 0 && place < end; place += ROWS_AT_ONCE) {
		size_t n = end - place > CODES4_ROWS ? 2 : 1;
		uint64_t rows = scanner->sums(query, block, n, above, sums) &
				rows_wanted(place, range->first, end);

		block += n * block_bytes;
		if (!rows)
			continue;
		rows_offer(range, shift, query->scale, (uint32_t)place, rows, sums, window);
		if (threshold != window->threshold.score) {
			threshold = window->threshold.score;
			above = sum_above(shift, query->scale, threshold);
		}
	}
}

const struct codes4_kernel *codes4_scanner(enum codes4_isa isa)
{
#if defined(__x86_64__)
	bool avx2 = __builtin_cpu_supports("avx2");
#else
	bool avx2 = false;
#endif

	switch (isa) {
	case CODES4_BEST:
		return avx2 ? &codes4_kernel_avx2 : &codes4_kernel_portable;
	case CODES4_PORTABLE:
		return &codes4_kernel_portable;
	case CODES4_AVX2:
		return avx2 ? &codes4_kernel_avx2 : NULL;
	}
	return NULL;
}

const char *codes4_scanner_name(const struct codes4_kernel *scanner)
{
	return scanner->name;
}
