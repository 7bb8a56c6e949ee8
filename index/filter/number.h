/* number - ints and doubles in one order, exactly.
 *
 * A key is the greatest double that is not above the number, as a big-endian word that sorts as
 * doubles do, and behind it how much is missing, a whole number below 2^11: so the int 2^53 + 1
 * lies between the doubles 2^53 and 2^53 + 2 and is equal to neither, and 1 is equal to 1.0. Zero
 * has one key.
 */
#ifndef SLUICE_INDEX_FILTER_NUMBER_H
#define SLUICE_INDEX_FILTER_NUMBER_H

#include "index/chunk.h"

#define NUMBER_KEY_BYTES 10

struct number_key {
	uint8_t bytes[NUMBER_KEY_BYTES]; /* sorts as the numbers do under memcmp */
};

static inline bool value_is_number(const struct value *value)
{
	return value->kind == VALUE_INT || value->kind == VALUE_DOUBLE;
}

/* number_key_of - value  an int, or a double that is not NaN. */
struct number_key number_key_of(const struct value *value);

/* number_compare - below, equal to or above 0 as a is below, equal to or above b. */
int number_compare(const struct value *a, const struct value *b);

#endif
