/* load_histogram - buckets of a relative width, found by the leading bit. */
#include "service/cli/load_histogram.h"

#include <math.h>

#define SUB_BITS LOAD_HISTOGRAM_SUB_BITS

/* How far the values of a bucket are shifted: bucket = (shift << SUB_BITS) + (value >> shift), where
 * value >> shift has SUB_BITS + 1 bits, or fewer and shift is 0. So the numbers have no gap. */
static unsigned shift_of(uint64_t value)
{
	unsigned bits = value ? 64 - (unsigned)__builtin_clzll(value) : 0;

	return bits > SUB_BITS + 1 ? bits - (SUB_BITS + 1) : 0;
}

static int64_t middle_of(size_t bucket)
{
	size_t row = bucket >> SUB_BITS;
	unsigned shift = row > 1 ? (unsigned)row - 1 : 0;
	int64_t low = (int64_t)(bucket - ((size_t)shift << SUB_BITS)) << shift;

	return low + ((INT64_C(1) << shift) >> 1);
}

void load_histogram_add(struct load_histogram *histogram, int64_t value, uint64_t times)
{
	uint64_t kept;
	unsigned shift;

	if (!times)
		return;
	value = value < 0 ? 0 : value;
	kept = (uint64_t)(value > LOAD_HISTOGRAM_VALUE_MAX ? LOAD_HISTOGRAM_VALUE_MAX : value);
	shift = shift_of(kept);
	histogram->buckets[((size_t)shift << SUB_BITS) + (size_t)(kept >> shift)] += times;
	histogram->n += times;
	histogram->sum += (double)value * (double)times;
	if (value > histogram->max)
		histogram->max = value;
}

void load_histogram_merge(struct load_histogram *into, const struct load_histogram *from)
{
	for (size_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
	into->n += from->n;
	into->sum += from->sum;
	if (from->max > into->max)
		into->max = from->max;
}

int64_t load_histogram_at(const struct load_histogram *histogram, double share)
{
	uint64_t wanted, seen = 0;

	if (!histogram->n)
		return 0;
	wanted = (uint64_t)ceil(share * (double)histogram->n);
	if (wanted >= histogram->n)
		return histogram->max;
	for (size_t i = 0; i < LOAD_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= wanted && seen) {
			int64_t middle = middle_of(i);

			return middle < histogram->max ? middle : histogram->max;
		}
	}
	return histogram->max;
}

double load_histogram_mean(const struct load_histogram *histogram)
{
	return histogram->n ? histogram->sum / (double)histogram->n : 0;
}
