/* load_schedule - exponential gaps. */
#include "service/cli/load_schedule.h"

#include <math.h>

uint64_t load_random_next(struct load_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

double load_random_share(struct load_random *random)
{
	return (double)(load_random_next(random) >> 11) * 0x1p-53;
}

void load_schedule_init(struct load_schedule *schedule, uint64_t seed, double rate,
			int64_t start_ns)
{
	*schedule = (struct load_schedule){
		.random = {seed},
		.start_ns = start_ns,
		.gap_ns = 1e9 / rate,
	};
}

int64_t load_schedule_next(struct load_schedule *schedule)
{
	/* Summed up in double and rounded when given out: no drift over any number of arrivals. */
	schedule->at_ns -= log1p(-load_random_share(&schedule->random)) * schedule->gap_ns;
	return schedule->start_ns + (int64_t)schedule->at_ns;
}

size_t load_pick(struct load_random *random, const double *weights, size_t n)
{
	double sum = 0, at;
	size_t last = 0;

	for (size_t i = 0; i < n; i++)
		sum += weights[i];
	at = load_random_share(random) * sum;
	for (size_t i = 0; i < n; i++) {
		if (weights[i] <= 0)
			continue;
		last = i;
		if (at < weights[i])
			break;
		at -= weights[i];
	}
	return last;
}
