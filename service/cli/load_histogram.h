/* load_histogram - how often a time was how long, to one part in 256, in fixed memory.
 *
 * Log-linear: below 256 each value has a bucket of its own; above, each power of two is cut into 128
 * buckets of the same width. A value is known as the middle of its bucket, so it is off by at most
 * 1/256 of itself, whatever the range. Two of them merge by adding up their buckets, which loses
 * nothing. All zero is empty. (As HdrHistogram, by Gil Tene, with 7 bits and no resizing.)
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_HISTOGRAM_H
#define SLUICE_SERVICE_CLI_LOAD_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define LOAD_HISTOGRAM_SUB_BITS 7
/* 2^43 ns are more than two hours. What is longer counts as that. */
#define LOAD_HISTOGRAM_VALUE_MAX ((INT64_C(1) << 43) - 1)
#define LOAD_HISTOGRAM_BUCKETS                                                                     \
	((size_t)(43 - LOAD_HISTOGRAM_SUB_BITS + 1) << LOAD_HISTOGRAM_SUB_BITS)

struct load_histogram {
	uint64_t n;
	int64_t max; /* as it was added */
	double sum;
	uint64_t buckets[LOAD_HISTOGRAM_BUCKETS];
};

/* load_histogram_add - a value times times; one below zero counts as zero. */
void load_histogram_add(struct load_histogram *histogram, int64_t value, uint64_t times);

void load_histogram_merge(struct load_histogram *into, const struct load_histogram *from);

/* load_histogram_at - the value that the share of all, 0 to 1, does not pass; 0 where there is none.
 * The largest is exact, and none is given that is larger. */
int64_t load_histogram_at(const struct load_histogram *histogram, double share);

double load_histogram_mean(const struct load_histogram *histogram);

#endif
