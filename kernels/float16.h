/* float16 - IEEE binary16, as vectors may be stored: in plain arithmetic, the same bits on every
 * machine. Rows that are scored exactly are few, so that the speed does not matter.
 */
#ifndef SLUICE_KERNELS_FLOAT16_H
#define SLUICE_KERNELS_FLOAT16_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* The largest magnitude that is stored; above it is infinity. */
#define FLOAT16_MAX 65504.0F

/* float16_widen - the value of a half; exact. */
static inline float float16_widen(uint16_t half)
{
	uint32_t sign = (uint32_t)(half >> 15) << 31, exponent = half >> 10 & 31;
	uint32_t bits = sign | (exponent + 112) << 23 | (uint32_t)(half & 1023) << 13;
	float value;

	if (exponent == 0) {
		value = (float)(half & 1023) * 0x1p-24F;
		return sign ? -value : value;
	}
	if (exponent == 31)
		bits |= UINT32_C(255) << 23;
	memcpy(&value, &bits, sizeof value);
	return value;
}

/* float16_narrow - the nearest half, of two the even one; above FLOAT16_MAX infinity. value is no
 * NaN. */
static inline uint16_t float16_narrow(float value)
{
	uint16_t sign = signbit(value) ? 0x8000 : 0;
	float magnitude = fabsf(value), unit = 0x1p-24F;
	uint32_t bits, steps;

	memcpy(&bits, &magnitude, sizeof bits);
	/* The step of halves where the value lies: at least that of the denormals. */
	if (bits >> 23 > 113)
		unit = ldexpf(1, (int)(bits >> 23) - 137);
	if (!(magnitude < 65520.0F))
		return sign | 0x7C00;
	/* Below 2^11 steps, so that nearbyintf is exact but for the one rounding. A step too many
	 * carries into the exponent, as it should. */
	steps = (uint32_t)nearbyintf(magnitude / unit);
	if (unit > 0x1p-24F)
		steps += ((bits >> 23) - 113) << 10;
	return (uint16_t)(sign | steps);
}

#endif
