/* load_schedule - when calls are to begin, and of which kind they are, whatever the server does.
 *
 * Arrivals are a Poisson process: the gaps between them are independent and exponential, as those of
 * many users who do not know of each other. N processes of a share of the rate each, with seeds of
 * their own, are together one of the whole rate. The same seed gives the same arrivals.
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_SCHEDULE_H
#define SLUICE_SERVICE_CLI_LOAD_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

struct load_random {
	uint64_t state;
};

/* load_random_next - 64 random bits (splitmix64, by Sebastiano Vigna). */
uint64_t load_random_next(struct load_random *random);
/* load_random_share - from 0 to below 1. */
double load_random_share(struct load_random *random);

struct load_schedule {
	struct load_random random;
	int64_t start_ns;
	double gap_ns; /* on average */
	double at_ns;  /* of the last arrival, since the start */
};

/* load_schedule_init - rate  a second, above 0. start_ns  on clock_ns. */
void load_schedule_init(struct load_schedule *schedule, uint64_t seed, double rate,
			int64_t start_ns);
/* load_schedule_next - when the next call is to begin, on clock_ns. */
int64_t load_schedule_next(struct load_schedule *schedule);

/* load_pick - an index below n, each as often as its weight says; one of the weights is above 0. */
size_t load_pick(struct load_random *random, const double *weights, size_t n);

#endif
