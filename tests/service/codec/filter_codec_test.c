/* filter_codec - a message becomes the filter that it says, and what it may not say is refused. */
#include "service/codec/filter_codec.h"

#include "kernels/base/error_info.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct collection_config config = {
	.name = "docs",
	.n_fields = 2,
	.fields = {{"lang", VALUE_STRING, false}, {"size", VALUE_INT, false}},
};

static void setup(void)
{
	arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(filter_codec, .init = setup, .fini = teardown);

static Sluice__V1__MetadataValue value_of(Sluice__V1__MetadataValue__KindCase kind)
{
	Sluice__V1__MetadataValue value = SLUICE__V1__METADATA_VALUE__INIT;

	value.kind_case = kind;
	if (kind == SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE)
		value.string_value = (char *)"en";
	return value;
}

static Sluice__V1__Condition condition_of(const char *field, Sluice__V1__Condition__TestCase test)
{
	Sluice__V1__Condition condition = SLUICE__V1__CONDITION__INIT;

	condition.field = (char *)(uintptr_t)field;
	condition.test_case = test;
	return condition;
}

/* A filter whose all_of is this one condition. */
static status decode_one(Sluice__V1__Condition *condition, struct filter *ret)
{
	Sluice__V1__Filter message = SLUICE__V1__FILTER__INIT;

	message.all_of = &condition;
	message.n_all_of = 1;
	return filter_decode(&arena, &message, &config, ret);
}

Test(filter_codec, finds_the_field_and_takes_the_operand)
{
	Sluice__V1__MetadataValue operand = value_of(SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE);
	Sluice__V1__Condition condition =
		condition_of("size", SLUICE__V1__CONDITION__TEST_EQUAL_TO);
	struct filter filter;

	condition.equal_to = &operand;
	cr_assert(!status_failed(decode_one(&condition, &filter)));

	cr_assert_eq(filter.n_all_of, 1);
	cr_assert_eq(filter.all_of[0].field, 1);
	cr_assert_eq(filter.all_of[0].n_values, 1);
	cr_assert(bytes_equal(filter.all_of[0].values[0].string, bytes_of_string("en")));
}

Test(filter_codec, turns_exists_false_into_absence)
{
	Sluice__V1__Condition condition = condition_of("lang", SLUICE__V1__CONDITION__TEST_EXISTS);
	struct filter filter;

	cr_assert(!status_failed(decode_one(&condition, &filter)));

	cr_assert_eq(filter.all_of[0].test, CONDITION_EXISTS);
	cr_assert(filter.all_of[0].absent);
}

Test(filter_codec, tells_which_bounds_are_within)
{
	Sluice__V1__MetadataValue one = value_of(SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE);
	Sluice__V1__MetadataValue two = value_of(SLUICE__V1__METADATA_VALUE__KIND_DOUBLE_VALUE);
	Sluice__V1__ValueRange range = SLUICE__V1__VALUE_RANGE__INIT;
	Sluice__V1__Condition condition = condition_of("size", SLUICE__V1__CONDITION__TEST_RANGE);
	struct filter filter;

	range.gt = &one;
	range.lte = &two;
	condition.range = &range;
	cr_assert(!status_failed(decode_one(&condition, &filter)));

	cr_assert_eq(filter.all_of[0].low.kind, BOUND_EXCLUDED);
	cr_assert_eq(filter.all_of[0].high.kind, BOUND_INCLUDED);
	cr_assert_eq(filter.all_of[0].high.value.kind, VALUE_DOUBLE);
}

Test(filter_codec, takes_no_filter_for_everything)
{
	struct filter filter;
	status s;

	cr_assert(!status_failed(filter_decode(&arena, NULL, &config, &filter)));
	cr_assert(filter_is_empty(&filter));

	s = filter_refuse_empty(&arena, &filter);
	cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT);
	cr_assert_eq(s.info->reason, REASON_EMPTY_FILTER);
}

Test(filter_codec, names_the_field_that_is_not_declared)
{
	Sluice__V1__Condition condition = condition_of("size_", SLUICE__V1__CONDITION__TEST_EXISTS);
	struct filter filter;
	status s = decode_one(&condition, &filter);

	cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT);
	cr_assert_eq(s.info->reason, REASON_FIELD_NOT_DECLARED);
	cr_assert_str_eq(s.info->violations[0].field, "filter.all_of[0].field");
	cr_assert_str_eq(s.detail, "filter.all_of[0].field: collection \"docs\" declares no field "
				   "\"size_\"");
}

Test(filter_codec, refuses_a_list_as_an_operand)
{
	Sluice__V1__MetadataValue operand = value_of(SLUICE__V1__METADATA_VALUE__KIND_STRING_LIST);
	Sluice__V1__Condition condition =
		condition_of("lang", SLUICE__V1__CONDITION__TEST_EQUAL_TO);
	struct filter filter;
	status s;

	condition.equal_to = &operand;
	s = decode_one(&condition, &filter);

	cr_assert_eq(s.info->reason, REASON_SCHEMA_VIOLATION);
	cr_assert_str_eq(s.info->violations[0].field, "filter.all_of[0].equal_to");
}

Test(filter_codec, refuses_a_range_without_sense)
{
	Sluice__V1__MetadataValue text = value_of(SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE);
	Sluice__V1__MetadataValue number = value_of(SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE);
	Sluice__V1__MetadataValue yes = value_of(SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE);
	Sluice__V1__ValueRange ranges[3];

	for (size_t i = 0; i < 3; i++)
		sluice__v1__value_range__init(&ranges[i]);
	ranges[1].gte = &text;
	ranges[1].lt = &number;
	ranges[2].lt = &yes;
	for (size_t i = 0; i < 3; i++) {
		Sluice__V1__Condition condition =
			condition_of("size", SLUICE__V1__CONDITION__TEST_RANGE);
		struct filter filter;
		status s;

		condition.range = &ranges[i];
		s = decode_one(&condition, &filter);
		cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT, "range %zu", i);
		cr_assert_str_eq(s.info->violations[0].field,
				 i == 2 ? "filter.all_of[0].range.lt" : "filter.all_of[0].range");
	}
}
