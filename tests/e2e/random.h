/* random - numbers from a fixed seed, the same on every run. */
#ifndef SLUICE_TESTS_E2E_RANDOM_H
#define SLUICE_TESTS_E2E_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
	uint64_t state; /* any seed */
};

static inline uint64_t random_bits(struct random *random)
{
	uint64_t bits = random->state += UINT64_C(0x9E3779B97F4A7C15);

	bits = (bits ^ bits >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	bits = (bits ^ bits >> 27) * UINT64_C(0x94D049BB133111EB);
	return bits ^ bits >> 31;
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
