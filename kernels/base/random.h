/* random - numbers without a pattern, the same on every run: samples and starts of a training, which must come out
 * alike wherever an index is built. Not for secrets, nor where many draws have to look independent.
 */
#ifndef SLUICE_KERNELS_BASE_RANDOM_H
#define SLUICE_KERNELS_BASE_RANDOM_H

#include <stdint.h>

/* random_next - the next of a sequence, of which the upper half is the better one (a linear congruential generator
 * with the constants of Donald Knuth's MMIX). state  any seed. */
static inline uint64_t random_next(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state;
}

#endif
