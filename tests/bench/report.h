/* report - numbers of many rounds as the few that are printed. */
#ifndef SLUICE_TESTS_BENCH_REPORT_H
#define SLUICE_TESTS_BENCH_REPORT_H

#include <stddef.h>
#include <stdlib.h>

static inline int compare_doubles(const void *a, const void *b)
{
	const double *x = (const double *)a, *y = (const double *)b;

	return (*x > *y) - (*x < *y);
}

/* median - sorts values [n], n >= 1: then the first is the least and the last the greatest. */
static inline double median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, compare_doubles);
	return values[n / 2];
}

#endif
