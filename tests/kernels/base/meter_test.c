/* meter - sums over lanes are what was added, and times lie in their buckets. */
#include "kernels/base/meter.h"

#include <criterion/criterion.h>
#include <pthread.h>

#define N_THREADS 24
#define N_ADDS 2000

static void *add(void *arg)
{
	(void)arg;
	for (int i = 0; i < N_ADDS; i++) {
		meter_add(METER_HITS, 3);
		timer_add(TIMER_COMMIT, 1000);
	}
	return NULL;
}

/* More threads than lanes: some share one. */
Test(meter, counts_what_all_threads_add)
{
	pthread_t threads[N_THREADS];
	struct histogram_reading reading;
	uint64_t before = meter_read(METER_HITS);

	for (size_t i = 0; i < N_THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, add, NULL), 0);
	for (size_t i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);

	cr_assert_eq(meter_read(METER_HITS) - before, 3u * N_THREADS * N_ADDS);
	timer_read(TIMER_COMMIT, &reading);
	cr_assert_eq(reading.n, (uint64_t)N_THREADS * N_ADDS);
	cr_assert_eq(reading.sum_ns, (uint64_t)N_THREADS * N_ADDS * 1000);
}

Test(meter, keeps_meters_apart)
{
	meter_add(METER_COMMITS, 5);

	cr_assert_eq(meter_read(METER_COMMITS), 5);
	cr_assert_eq(meter_read(METER_WRITES), 0);
}

/* A bound belongs to its own bucket, and what is above all of them has one. */
Test(meter, puts_a_time_into_the_first_bucket_that_holds_it)
{
	static struct histogram histogram;
	struct histogram_reading reading;

	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		histogram_add(&histogram, histogram_bounds_ns[i]);
		histogram_add(&histogram, histogram_bounds_ns[i] + 1);
	}
	histogram_add(&histogram, 0);
	histogram_add(&histogram, -5);
	histogram_add(&histogram, INT64_MAX / 2);

	histogram_read(&histogram, &reading);
	cr_assert_eq(reading.counts[0], 3);
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		cr_assert_eq(reading.counts[i], 2, "%zu: %lu", i, reading.counts[i]);
	cr_assert_eq(reading.counts[HISTOGRAM_BOUNDS], 2);
	cr_assert_eq(reading.n, 2u * HISTOGRAM_BOUNDS + 3);
}

Test(meter, has_bounds_that_grow)
{
	for (size_t i = 1; i < HISTOGRAM_BOUNDS; i++)
		cr_assert_lt(histogram_bounds_ns[i - 1], histogram_bounds_ns[i]);
}
