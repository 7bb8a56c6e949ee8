/* halves - see the header. */
#include "kernels/vulkan/halves.h"

#include "kernels/float16.h"
#include "kernels/vulkan/number.h"

/* The least that is not a denormal, and the largest, with its sign to come. */
#define NORMAL_MIN 0x1p-14F
#define LARGEST 0x7bff

/* As of CODES8_NORM_UP: sums of so many squares in double are off by less. */
#define LENGTH_UP (1 + 0x1p-38)

/* Adds the square of what is lost. */
static uint16_t half_of(float value, double *lost)
{
	uint32_t bits = float_bits(value), exponent = bits >> 23 & 255;
	uint16_t sign = (uint16_t)(bits >> 16 & 0x8000), half;
	double seen, left;

	if (bits << 1 == 0)
		return sign;
	/* A half as it is, and no denormal. */
	if ((bits & 0x1fff) == 0 && exponent > 112 && exponent < 143)
		return (uint16_t)(sign | (exponent - 112) << 10 | (bits >> 13 & 1023));
	half = fabsf(value) < FLOAT16_MAX ? float16_narrow(value) : (uint16_t)(sign | LARGEST);
	seen = (double)float16_widen(half);
	/* Of a denormal as much as there is: it is nearer to the value than zero. */
	left = fabs(seen) < (double)NORMAL_MIN ? (double)value : (double)value - seen;
	*lost += left * left;
	return half;
}

double halves_fill(const float *values, size_t n, uint16_t *ret)
{
	double lost = 0;

	for (size_t i = 0; i < n; i++)
		ret[i] = half_of(values[i], &lost);
	return sqrt(lost) * LENGTH_UP;
}
