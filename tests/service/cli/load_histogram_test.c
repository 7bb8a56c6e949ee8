/* load_histogram - what is known of values in it, and that nothing is lost when two become one. */
#include "service/cli/load_histogram.h"

#include "service/cli/load_schedule.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

static struct load_histogram histogram, other, whole;

static void clear(void)
{
	histogram = other = whole = (struct load_histogram){0};
}

TestSuite(load_histogram, .init = clear);

Test(load_histogram, is_off_by_one_part_in_256_at_most)
{
	/* Around every power of two, where a bucket ends, and between. */
	for (int bit = 0; bit < 43; bit++) {
		int64_t power = INT64_C(1) << bit;
		int64_t values[] = {power - 1, power, power + 1, power + power / 3};

		for (size_t i = 0; i < 4; i++) {
			double error;

			histogram = (struct load_histogram){0};
			load_histogram_add(&histogram, values[i], 1);
			/* The largest would be given as it is. */
			load_histogram_add(&histogram, LOAD_HISTOGRAM_VALUE_MAX, 1);
			error = fabs((double)(load_histogram_at(&histogram, 0.5) - values[i]));
			cr_assert_leq(error * 256, (double)values[i], "%lld: off by %g",
				      (long long)values[i], error);
			if (values[i] < 256)
				cr_assert_eq(error, 0);
		}
	}
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

Test(load_histogram, gives_the_percentiles_of_a_sort)
{
	enum { N = 20000 };
	static int64_t values[N];
	struct load_random random = {7};
	static const double shares[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};

	for (size_t i = 0; i < N; i++) {
		values[i] = (int64_t)exp(load_random_share(&random) * 25);
		load_histogram_add(&histogram, values[i], 1);
	}
	qsort(values, N, sizeof *values, compare);

	for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
		size_t rank = (size_t)ceil(shares[i] * N);
		int64_t wanted = values[rank ? rank - 1 : 0];
		int64_t found = load_histogram_at(&histogram, shares[i]);

		cr_assert_leq(llabs(found - wanted) * 256, wanted, "%g: %lld, not %lld", shares[i],
			      (long long)found, (long long)wanted);
	}
	cr_assert_eq(load_histogram_at(&histogram, 1), values[N - 1]);
}

Test(load_histogram, of_parts_merges_to_that_of_all)
{
	struct load_random random = {3};

	for (int i = 0; i < 5000; i++) {
		int64_t value = (int64_t)(load_random_next(&random) >> (20 + i % 40));

		load_histogram_add(i % 3 ? &histogram : &other, value, 1 + (uint64_t)i % 2);
		load_histogram_add(&whole, value, 1 + (uint64_t)i % 2);
	}
	load_histogram_merge(&histogram, &other);

	cr_assert_eq(histogram.n, whole.n);
	cr_assert_eq(histogram.max, whole.max);
	cr_assert_float_eq(histogram.sum, whole.sum, whole.sum * 1e-9);
	cr_assert_arr_eq(histogram.buckets, whole.buckets, sizeof whole.buckets);
}

Test(load_histogram, takes_what_is_out_of_range_and_gives_zero_where_there_is_none)
{
	cr_assert_eq(load_histogram_at(&histogram, 0.5), 0);
	cr_assert_eq(load_histogram_mean(&histogram), 0);
	load_histogram_add(&histogram, 5, 0);
	cr_assert_eq(histogram.n, 0);
	load_histogram_add(&histogram, -5, 1);
	cr_assert_eq(load_histogram_at(&histogram, 0.5), 0);
	load_histogram_add(&histogram, INT64_MAX, 1);
	cr_assert_eq(load_histogram_at(&histogram, 1), INT64_MAX);
	cr_assert_eq(histogram.n, 2);
}
