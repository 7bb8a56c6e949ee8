/* load_schedule - arrivals as a Poisson process has them. */
#include "service/cli/load_schedule.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

#define RATE 1000.0
#define N 200000

/* Fixed seeds: these figures are always the same. */
static void gaps_of(uint64_t seed, double *ret_mean, double *ret_deviation, double *ret_long)
{
	struct load_schedule schedule;
	double sum = 0, squares = 0;
	int64_t last = 0;
	size_t n_long = 0;

	load_schedule_init(&schedule, seed, RATE, 0);
	for (size_t i = 0; i < N; i++) {
		int64_t at = load_schedule_next(&schedule);
		double gap = (double)(at - last) * 1e-9;

		cr_assert_geq(at, last);
		sum += gap;
		squares += gap * gap;
		n_long += gap > 3 / RATE;
		last = at;
	}
	*ret_mean = sum / N;
	*ret_deviation = sqrt(squares / N - *ret_mean * *ret_mean);
	*ret_long = (double)n_long / N;
}

Test(load_schedule, has_exponential_gaps)
{
	double mean, deviation, share;

	gaps_of(1, &mean, &deviation, &share);
	/* Mean and deviation are the same; e^-3 of the gaps are three times as long or longer. */
	cr_assert_float_eq(mean * RATE, 1, 0.01);
	cr_assert_float_eq(deviation * RATE, 1, 0.02);
	cr_assert_float_eq(share, exp(-3), 0.002);
}

Test(load_schedule, has_arrivals_in_a_window_as_poisson_says)
{
	struct load_schedule schedule;
	double n[1000] = {0}, mean = 0, variance = 0;
	int64_t at;

	load_schedule_init(&schedule, 5, RATE, 0);
	while ((at = load_schedule_next(&schedule)) < 10000000000)
		n[at / 10000000]++;
	for (size_t i = 0; i < 1000; i++)
		mean += n[i] / 1000;
	for (size_t i = 0; i < 1000; i++)
		variance += (n[i] - mean) * (n[i] - mean) / 1000;
	/* Ten in a window on average, and the variance is the mean. */
	cr_assert_float_eq(mean, 10, 0.3);
	cr_assert_float_eq(variance / mean, 1, 0.15);
}

Test(load_schedule, begins_at_its_start_and_repeats_itself_by_its_seed)
{
	struct load_schedule a, b, c;
	bool differs = false;

	load_schedule_init(&a, 9, 50, 1000000);
	load_schedule_init(&b, 9, 50, 0);
	load_schedule_init(&c, 10, 50, 0);
	for (int i = 0; i < 100; i++) {
		int64_t at = load_schedule_next(&a);

		cr_assert_eq(at, load_schedule_next(&b) + 1000000);
		differs = differs || at != load_schedule_next(&c) + 1000000;
	}
	cr_assert(differs);
}

Test(load_schedule, picks_by_weight)
{
	static const double weights[] = {8, 0, 2};
	struct load_random random = {11};
	size_t n[3] = {0};

	for (int i = 0; i < 100000; i++)
		n[load_pick(&random, weights, 3)]++;
	cr_assert_eq(n[1], 0);
	cr_assert_float_eq((double)n[0] / 100000, 0.8, 0.01);
}
