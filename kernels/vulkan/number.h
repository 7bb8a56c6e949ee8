/* number - whole numbers, as counting rows and workgroups needs them, and what floats are made of. */
#ifndef SLUICE_KERNELS_VULKAN_NUMBER_H
#define SLUICE_KERNELS_VULKAN_NUMBER_H

#include <stdint.h>
#include <string.h>

static inline uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The smallest whole number not below a / b. */
static inline uint32_t quotient_up(uint64_t a, uint64_t b)
{
	return (uint32_t)((a + b - 1) / b);
}

static inline uint32_t float_bits(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof bits);
	return bits;
}

#endif
