/* condition - one condition, one value, whether it passes. */
#include "index/filter/filter.h"

#include <criterion/criterion.h>

static struct value text(const char *string)
{
	return (struct value){.kind = VALUE_STRING, .string = bytes_of_string(string)};
}

static struct value integer(int64_t number)
{
	return (struct value){.kind = VALUE_INT, .integer = number};
}

static struct value number(double of)
{
	return (struct value){.kind = VALUE_DOUBLE, .number = of};
}

static struct value boolean(bool of)
{
	return (struct value){.kind = VALUE_BOOL, .boolean = of};
}

static bool is_equal(struct value operand, struct value value)
{
	const struct condition condition = {
		.test = CONDITION_ANY_OF_VALUES, .values = &operand, .n_values = 1};

	return condition_passes(&condition, &value);
}

Test(condition, equality_is_within_a_kind_but_for_numbers)
{
	cr_assert(is_equal(text("a"), text("a")));
	cr_assert_not(is_equal(text("a"), text("ab")));
	cr_assert(is_equal(integer(1), number(1.0)));
	cr_assert_not(is_equal(number(0x1p53), integer((INT64_C(1) << 53) + 1)));
	cr_assert(is_equal(boolean(false), boolean(false)));
	cr_assert_not(is_equal(boolean(true), integer(1)));
	cr_assert_not(is_equal(text("1"), integer(1)));
}

static bool is_between(struct bound low, struct bound high, struct value value)
{
	const struct condition condition = {.test = CONDITION_RANGE, .low = low, .high = high};

	return condition_passes(&condition, &value);
}

Test(condition, a_range_has_its_bounds_or_has_them_not)
{
	const struct bound none = {0};
	const struct bound from = {BOUND_INCLUDED, integer(1)},
			   above = {BOUND_EXCLUDED, integer(1)};
	const struct bound to = {BOUND_INCLUDED, number(2.5)},
			   below = {BOUND_EXCLUDED, number(2.5)};

	cr_assert(is_between(from, none, integer(1)));
	cr_assert_not(is_between(above, none, integer(1)));
	cr_assert(is_between(none, to, number(2.5)));
	cr_assert_not(is_between(none, below, number(2.5)));
	cr_assert(is_between(above, below, integer(2)));
	cr_assert_not(is_between(from, to, text("2")));
	cr_assert_not(is_between(from, to, boolean(true)));
}

Test(condition, strings_compare_bytewise)
{
	const struct bound none = {0};
	const struct bound from = {BOUND_INCLUDED, text("ab")}, below = {BOUND_EXCLUDED, text("b")};

	cr_assert(is_between(from, below, text("ab")));
	cr_assert(is_between(from, below, text("ab\x01")));
	cr_assert_not(is_between(from, below, text("a")));
	cr_assert_not(is_between(from, below, text("b")));
	cr_assert(is_between(from, none, text("\xC3\xA4")));
}

Test(condition, a_list_passes_where_a_label_does)
{
	struct bytes labels[] = {bytes_of_string("x"), bytes_of_string("ab")};
	struct value list = {.kind = VALUE_STRING_LIST, .list = {labels, 2}};
	struct value none = {.kind = VALUE_STRING_LIST, .list = {labels, 0}};
	const struct condition prefix = {.test = CONDITION_PREFIX, .prefix = bytes_of_string("a")};

	cr_assert(condition_passes(&prefix, &list));
	cr_assert_not(condition_passes(&prefix, &none));
	cr_assert(is_equal(text("x"), list));
}

Test(condition, presence_is_of_whatever_value)
{
	const struct condition there = {.test = CONDITION_EXISTS};
	const struct condition absent = {.test = CONDITION_EXISTS, .absent = true};
	struct value value = boolean(false);

	cr_assert(condition_passes(&there, &value));
	cr_assert_not(condition_passes(&there, NULL));
	cr_assert(condition_passes(&absent, NULL));
	cr_assert_not(condition_passes(&absent, &value));
}

Test(condition, a_chunk_without_the_field_fails_every_other_test)
{
	const struct condition prefix = {.test = CONDITION_PREFIX, .prefix = bytes_of_string("a")};

	cr_assert_not(condition_passes(&prefix, NULL));
}
