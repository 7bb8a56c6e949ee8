/* number - ints and doubles in one order. */
#include "index/filter/number.h"

#include <math.h>

#define SIGN_BIT ((uint64_t)1 << 63)

/* Sorts, as an unsigned word, as the doubles do. */
static uint64_t sortable(double number)
{
	uint64_t bits;

	number += 0.0; /* -0 is 0 */
	memcpy(&bits, &number, sizeof bits);
	return bits & SIGN_BIT ? ~bits : bits | SIGN_BIT;
}

/* The greatest double not above an int, and what is missing. 2^63 itself is no int, so where the
 * conversion rounds up to it the comparison must come before the conversion back. */
static double floor_of(int64_t integer, uint16_t *ret_rest)
{
	double rounded = (double)integer;

	if (rounded >= 0x1p63 || (int64_t)rounded > integer)
		rounded = nextafter(rounded, -INFINITY);
	*ret_rest = (uint16_t)((uint64_t)integer - (uint64_t)(int64_t)rounded);
	return rounded;
}

struct number_key number_key_of(const struct value *value)
{
	struct number_key key;
	uint16_t rest = 0;
	double number = value->kind == VALUE_INT ? floor_of(value->integer, &rest) : value->number;

	store_u64_be(key.bytes, sortable(number));
	key.bytes[8] = (uint8_t)(rest >> 8);
	key.bytes[9] = (uint8_t)rest;
	return key;
}

int number_compare(const struct value *a, const struct value *b)
{
	struct number_key x = number_key_of(a), y = number_key_of(b);

	return memcmp(x.bytes, y.bytes, sizeof x.bytes);
}
