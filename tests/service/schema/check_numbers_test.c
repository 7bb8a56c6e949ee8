/* Every rule of numbers, on every type of number. */
#include "tests/service/schema/checked.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* How a type's values are written (encode.h). */
static const struct {
	const char *message, *rules, *prefix;
} types[] = {
	{"Int32", "int32", ""},        {"Int64", "int64", ""},      {"UInt32", "uint32", ""},
	{"UInt64", "uint64", ""},      {"SInt32", "sint32", "z"},   {"SInt64", "sint64", "z"},
	{"Fixed32", "fixed32", "i"},   {"Fixed64", "fixed64", "l"}, {"SFixed32", "sfixed32", "i"},
	{"SFixed64", "sfixed64", "l"}, {"Float", "float", "f"},     {"Double", "double", "d"},
};

struct number_case {
	int field;
	const char *name, *value;
	const char *breaks; /* NULL: accepted */
};

static const struct number_case of_all[] = {
	{1, "equal", "5", NULL},
	{1, "equal", "6", "const"},
	{1, "equal", "0", "const"},
	{2, "one_of", "1", NULL},
	{2, "one_of", "9", NULL},
	{2, "one_of", "2", "in"},
	{3, "none_of", "2", NULL},
	{3, "none_of", "5", "not_in"},
	{4, "below", "9", NULL},
	{4, "below", "10", "lt"},
	{5, "at_most", "10", NULL},
	{5, "at_most", "11", "lte"},
	{6, "above", "11", NULL},
	{6, "above", "10", "gt"},
	{7, "at_least", "10", NULL},
	{7, "at_least", "9", "gte"},
	{8, "within_open", "5", "gt_lt"},
	{8, "within_open", "6", NULL},
	{8, "within_open", "9", NULL},
	{8, "within_open", "10", "gt_lt"},
	{9, "within_low", "4", "gte_lt"},
	{9, "within_low", "5", NULL},
	{9, "within_low", "10", "gte_lt"},
	{10, "within_high", "5", "gt_lte"},
	{10, "within_high", "10", NULL},
	{10, "within_high", "11", "gt_lte"},
	{11, "within", "4", "gte_lte"},
	{11, "within", "5", NULL},
	{11, "within", "10", NULL},
	{11, "within", "11", "gte_lte"},
	/* The lower bound above the upper one: what is between them is out. */
	{12, "outside_open", "4", NULL},
	{12, "outside_open", "5", "gt_lt_exclusive"},
	{12, "outside_open", "10", "gt_lt_exclusive"},
	{12, "outside_open", "11", NULL},
	{13, "outside_low", "5", "gte_lt_exclusive"},
	{13, "outside_low", "10", NULL},
	{13, "outside_low", "4", NULL},
	{14, "outside_high", "5", NULL},
	{14, "outside_high", "6", "gt_lte_exclusive"},
	{14, "outside_high", "10", "gt_lte_exclusive"},
	{15, "outside", "5", NULL},
	{15, "outside", "7", "gte_lte_exclusive"},
	{15, "outside", "10", NULL},
	{16, "at", "5", NULL},
	{16, "at", "4", "gte_lte"},
	{16, "at", "6", "gte_lte"},
};

static void number_case_check(size_t type, const struct number_case *number)
{
	char text[64], says[128] = "";
	const char *said;

	snprintf(text, sizeof text, "%d:%s%s", number->field, types[type].prefix, number->value);
	if (number->breaks)
		snprintf(says, sizeof says, "%s %s.%s", number->name, types[type].rules,
			 number->breaks);
	said = checked_text(&check_limits_strict, types[type].message, text);
	cr_expect_str_eq(said, says, "%s %s: \"%s\", not \"%s\"", types[type].message, text, said,
			 says);
}

Test(check_numbers, rules_hold_for_every_type)
{
	for (size_t type = 0; type < sizeof types / sizeof *types; type++)
		for (size_t i = 0; i < sizeof of_all / sizeof *of_all; i++)
			number_case_check(type, &of_all[i]);
}

Test(check_numbers, negative_ones_are_below_zero)
{
	static const struct check_case cases[] = {
		{"Int32", "5:-1", ""},
		{"Int32", "7:-1", "at_least int32.gte"},
		{"Int32", "5:-2147483648", ""},
		{"Int64", "5:-9223372036854775808", ""},
		{"Int64", "7:9223372036854775807", ""},
		{"SInt32", "5:z-2147483648", ""},
		{"SInt32", "7:z-1", "at_least sint32.gte"},
		{"SInt64", "5:z-9223372036854775808", ""},
		{"SFixed32", "5:i-1", ""},
		{"SFixed64", "5:l-1", ""},
		{"SFixed64", "7:l-1", "at_least sfixed64.gte"},
		/* The same bytes without a sign. */
		{"UInt64", "5:-1", "at_most uint64.lte"},
		{"UInt64", "7:18446744073709551615", ""},
		{"Fixed32", "5:i-1", "at_most fixed32.lte"},
		{"Fixed64", "5:l-1", "at_most fixed64.lte"},
		{"Float", "5:f-1", ""},
		{"Double", "7:d-1e300", "at_least double.gte"},
	};

	CHECK_CASES(cases);
}

Test(check_numbers, a_varint_is_cut_to_the_bits_of_its_type)
{
	static const struct check_case cases[] = {
		{"Int32", "1:4294967301", ""}, /* 2^32 + 5 */
		{"UInt32", "1:4294967301", ""},
		{"SInt32", "1:4294967306", ""}, /* zigzag 5 is 10 */
		{"Int32", "5:4294967295", ""},  /* -1 */
		{"Int64", "1:4294967301", "equal int64.const"},
	};

	CHECK_CASES(cases);
}

Test(check_numbers, nan_keeps_no_rule_but_being_none_of_others)
{
	static const struct check_case cases[] = {
		{"Double", "1:dnan", "equal double.const"},
		{"Double", "18:dnan", "equal_nan double.const"},
		{"Double", "2:dnan", "one_of double.in"},
		{"Double", "3:dnan", ""},
		{"Double", "4:dnan", "below double.lt"},
		{"Double", "5:dnan", "at_most double.lte"},
		{"Double", "6:dnan", "above double.gt"},
		{"Double", "7:dnan", "at_least double.gte"},
		{"Double", "8:dnan", "within_open double.gt_lt"},
		{"Double", "11:dnan", "within double.gte_lte"},
		{"Double", "12:dnan", "outside_open double.gt_lt_exclusive"},
		{"Double", "15:dnan", "outside double.gte_lte_exclusive"},
		{"Double", "17:dnan", "finite double.finite"},
		{"Float", "1:fnan", "equal float.const"},
		{"Float", "4:fnan", "below float.lt"},
		{"Float", "17:fnan", "finite float.finite"},
		{"Float", "17:f-nan", "finite float.finite"},
	};

	CHECK_CASES(cases);
}

Test(check_numbers, infinities_are_in_order_and_not_finite)
{
	static const struct check_case cases[] = {
		{"Double", "4:d-inf", ""},
		{"Double", "4:dinf", "below double.lt"},
		{"Double", "7:dinf", ""},
		{"Double", "7:d-inf", "at_least double.gte"},
		{"Double", "17:dinf", "finite double.finite"},
		{"Double", "17:d-inf", "finite double.finite"},
		{"Double", "17:d1.7976931348623157e308", ""},
		{"Double", "17:d-0.0", ""},
		{"Float", "17:finf", "finite float.finite"},
		{"Float", "17:f-inf", "finite float.finite"},
		{"Float", "17:f3.4028234663852886e38", ""},
		{"Float", "15:f5", ""},
		{"Float", "15:f5.0000005", "outside float.gte_lte_exclusive"},
	};

	CHECK_CASES(cases);
}

Test(check_numbers, several_fields_are_told_of_at_once)
{
	static const struct check_case cases[] = {
		{"Int32", "", ""},
		{"Int32", "1:4 4:10 7:9 3:5",
		 "at_least int32.gte; below int32.lt; equal int32.const; none_of int32.not_in"},
		/* Of one that comes twice the last counts. */
		{"Int32", "1:4 1:5", ""},
		{"Int32", "1:5 1:4", "equal int32.const"},
	};

	CHECK_CASES(cases);
}
