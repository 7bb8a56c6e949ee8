/* random - numbers from a fixed seed, the same on every run. */
#ifndef SLUICE_TESTS_KERNELS_RANDOM_H
#define SLUICE_TESTS_KERNELS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* random - all that it needs to go on; any seed but 0. */
struct random {
	uint64_t state;
};

static inline uint64_t random_bits(struct random *random)
{
	random->state ^= random->state << 13;
	random->state ^= random->state >> 7;
	random->state ^= random->state << 17;
	return random->state * UINT64_C(0x2545F4914F6CDD1D);
}

/* random_below - 0 .. n - 1. */
static inline size_t random_below(struct random *random, size_t n)
{
	return (size_t)((random_bits(random) >> 32) * n >> 32);
}

/* random_signed - evenly from -1 to 1. */
static inline float random_signed(struct random *random)
{
	return (float)(int32_t)(random_bits(random) >> 32) * 0x1p-31F;
}

#endif
