/* codes8_round - rounding up, for what bounds are made of, and the pads of bounds. Internal to codes8
 * and rows8, which say why these suffice.
 *
 * What is not zero never becomes a denormal, which a processor might flush.
 */
#ifndef SLUICE_KERNELS_CODES8_ROUND_H
#define SLUICE_KERNELS_CODES8_ROUND_H

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Sums of up to DIMENSION_MAX squares in double are off by less than 2^-39 of the result. */
#define CODES8_NORM_UP (1 + 0x1p-38)

/* A part whose largest value is below this is coded as zeros: its residual says it all, and no
 * scale comes near the denormals. */
#define CODES8_LEAST 0x1p-100

#define CODES8_CODE_MAX 127

#define CODES8_PAD 0x1p-18
#define CODES8_PAD_FLUSHED 0x1p-120
#define CODES8_QUERY_NORM_MAX_PRODUCT 0x1p66
#define CODES8_QUERY_NORM_MAX_L2 0x1p62

/* The least float, not a denormal, that is not below value >= 0. */
static inline float codes8_float_up(double value)
{
	float rounded;

	if (value > (double)FLT_MAX)
		return INFINITY;
	rounded = (float)value;
	if ((double)rounded < value)
		rounded = nextafterf(rounded, INFINITY);
	return rounded > 0 && rounded < FLT_MIN ? FLT_MIN : rounded;
}

/* As codes8_float_up, but never 0: a factor that is flushed would take its whole product along. */
static inline float codes8_factor(double value)
{
	return fmaxf(codes8_float_up(value), FLT_MIN);
}

/* By how much every bound of a query of length q is wider, whatever the row. */
static inline float codes8_absolute(bool l2, uint32_t dim, double q)
{
	float absolute = codes8_factor(CODES8_PAD_FLUSHED * (dim + 2.0));

	if (q > (l2 ? CODES8_QUERY_NORM_MAX_L2 : CODES8_QUERY_NORM_MAX_PRODUCT))
		return INFINITY;
	return l2 ? codes8_factor((double)absolute + CODES8_PAD * q * q) : absolute;
}

/* The upper half of the least float with an empty lower half that is not below value >= 0. */
static inline uint16_t codes8_half_up(double value)
{
	float rounded = codes8_float_up(value);
	uint32_t bits;

	memcpy(&bits, &rounded, sizeof bits);
	return (uint16_t)((bits + 0xFFFF) >> 16);
}

static inline float codes8_half_float(uint16_t half)
{
	uint32_t bits = (uint32_t)half << 16;
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline double codes8_largest(const double *values, size_t n)
{
	double largest = 0;

	for (size_t i = 0; i < n; i++)
		largest = fabs(values[i]) > largest ? fabs(values[i]) : largest;
	return largest;
}

/* The whole number nearest to value * inverse, or one beside it: the error is measured. */
static inline int codes8_code(double value, double inverse)
{
	double scaled = value * inverse;
	int code = (int)(scaled + (scaled < 0 ? -0.5 : 0.5));

	if (code > CODES8_CODE_MAX)
		return CODES8_CODE_MAX;
	return code < -CODES8_CODE_MAX ? -CODES8_CODE_MAX : code;
}

#endif
