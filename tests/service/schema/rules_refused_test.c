/* Annotations that are not understood are refused by name: none is passed over. */
#include "tests/service/schema/opened.h"

#include <criterion/criterion.h>

struct refusal {
	const char *message;
	enum status_code code;
	const char *told; /* in the detail, behind file and message */
};

static void expect_refused(struct schema *schema, const struct refusal *refusal)
{
	struct schema_message *message = opened_message(schema, refusal->message);
	status s = schema_compile(schema, message, opened_detail());

	cr_assert_eq(s.code, refusal->code, "%s: %s", refusal->message,
		     s.detail ? s.detail : "compiled");
	cr_expect(strstr(s.detail, "refused.proto: "), "%s", s.detail);
	cr_expect(strstr(s.detail, refusal->message), "%s", s.detail);
	cr_expect(strstr(s.detail, refusal->told), "%s: %s", refusal->told, s.detail);
	cr_expect_not(message->compiled);
}

static void expect_all_refused(const struct refusal *all, size_t n)
{
	SCOPED(schema) schema = opened_rules();

	for (size_t i = 0; i < n; i++)
		expect_refused(schema, &all[i]);
}

#define EXPECT_ALL_REFUSED(all) expect_all_refused((all), sizeof(all) / sizeof *(all))

Test(rules_refused, cel_is_not_supported)
{
	static const struct refusal all[] = {
		{"cases.refused.FieldCel", STATUS_UNIMPLEMENTED, ".value: cel: CEL"},
		{"cases.refused.FieldCelExpression", STATUS_UNIMPLEMENTED,
		 ".value: cel_expression: CEL"},
		{"cases.refused.MessageCel", STATUS_UNIMPLEMENTED, "MessageCel: cel: CEL"},
		{"cases.refused.MessageCelExpression", STATUS_UNIMPLEMENTED, "cel_expression"},
		{"cases.refused.ItemCel", STATUS_UNIMPLEMENTED,
		 ".values: repeated.items.cel_expression: CEL"},
		{"cases.refused.Predefined", STATUS_UNIMPLEMENTED, ".value: int32: CEL"},
	};

	EXPECT_ALL_REFUSED(all);
}

Test(rules_refused, rules_of_another_type_do_not_fit)
{
	static const struct refusal all[] = {
		{"cases.refused.StringOnNumber", STATUS_INVALID_ARGUMENT, ".value: string: "},
		{"cases.refused.OtherNumber", STATUS_INVALID_ARGUMENT, "takes sint32"},
		{"cases.refused.RepeatedOnSingular", STATUS_INVALID_ARGUMENT, ".value: repeated: "},
		{"cases.refused.SingularOnRepeated", STATUS_INVALID_ARGUMENT, "takes repeated"},
		{"cases.refused.MapOnRepeated", STATUS_INVALID_ARGUMENT, ".value: map: "},
		{"cases.refused.RepeatedOnMap", STATUS_INVALID_ARGUMENT, "takes map"},
		{"cases.refused.ListOfLists", STATUS_INVALID_ARGUMENT, "repeated.items.repeated: "},
		{"cases.refused.KeyOfOtherType", STATUS_INVALID_ARGUMENT, "map.keys.string: "},
		{"cases.refused.ValueOfOtherType", STATUS_INVALID_ARGUMENT, "map.values.int32: "},
		{"cases.refused.TypedMessage", STATUS_INVALID_ARGUMENT, ".value: string: "},
		{"cases.refused.OtherWrapper", STATUS_INVALID_ARGUMENT, "takes int64"},
		{"cases.refused.DurationOnAny", STATUS_INVALID_ARGUMENT, "takes any"},
		{"cases.refused.TypedGroup", STATUS_INVALID_ARGUMENT, ".value: string: "},
	};

	EXPECT_ALL_REFUSED(all);
}

Test(rules_refused, operands_have_to_mean_something)
{
	static const struct refusal all[] = {
		{"cases.refused.BadPattern", STATUS_INVALID_ARGUMENT, ".value: string.pattern: "},
		{"cases.refused.BadBytesPattern", STATUS_INVALID_ARGUMENT,
		 ".value: repeated.items.bytes.pattern: "},
		{"cases.refused.BoundOfNan", STATUS_INVALID_ARGUMENT, "double.gt: NaN"},
		{"cases.refused.UniqueMessages", STATUS_INVALID_ARGUMENT, "repeated.unique: "},
		{"cases.refused.OneofWithoutFields", STATUS_INVALID_ARGUMENT, "oneof: no field"},
		{"cases.refused.OneofUnknownField", STATUS_INVALID_ARGUMENT, "oneof: b is no"},
		{"cases.refused.OneofDoubledField", STATUS_INVALID_ARGUMENT, "oneof: a is named"},
	};

	EXPECT_ALL_REFUSED(all);
}

Test(rules_refused, messages_that_reach_a_refused_one_are_too)
{
	SCOPED(schema) schema = opened_rules();
	struct schema_message *reaches = opened_message(schema, "cases.refused.Reaches");
	struct schema_message *spared = opened_message(schema, "cases.refused.Spared");
	status s = schema_compile(schema, reaches, opened_detail());

	cr_expect_eq(s.code, STATUS_INVALID_ARGUMENT);
	cr_expect(strstr(s.detail, "cases.refused.BadPattern.value"), "%s", s.detail);
	cr_expect_not(reaches->compiled);
	/* What is never looked into does no harm. */
	opened_must(schema_compile(schema, spared, opened_detail()));
	cr_expect(spared->compiled);
}

/* The options of a field, byte for byte: what protoc would not write. */
static status compile_raw(struct schema *schema, const char *field, const void *bytes, size_t size)
{
	struct schema_field *to = opened_field(schema, "cases.refused.Plain", field);
	const struct field_rules *rules;

	to->options = bytes_of(bytes, size);
	return rules_compile_field(schema, to, opened_detail(), &rules);
}

/* Field 1159 with a length in front. */
#define RULES "\xBA\x48"

Test(rules_refused, bytes_that_are_no_known_rule)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *told;
	} cases[] = {
#define CASE(bytes, told) {bytes, sizeof(bytes) - 1, told}
		CASE(RULES "\x03\xD8\x01\x02", "ignore: 2 is not known"),
		CASE(RULES "\x03\xD8\x01\x07", "ignore: 7 is not known"),
		CASE(RULES "\x03\xF0\x01\x01", "field 30 of buf.validate.FieldRules"),
		CASE(RULES "\x05\x1A\x03\xF8\x01\x01", "int32: field 31 of "),
		CASE(RULES "\x04\x1A\x02\x15\x01", "int32: the annotation does not parse"),
		CASE(RULES "\x07\x1A\x05\x0D\x01\x02\x03\x04", "const is not encoded as its type"),
		CASE(RULES "\x06\x1A\x04\x10\x01\x18\x02", "lt and lte do not go together"),
		CASE(RULES "\x04\x1A\x00\x22\x00", "int32 and int64 do not go together"),
		CASE(RULES "\x02\x1B\x1C", "int32 is not encoded as its type"),
		CASE(RULES "\x01\x1A", "does not parse"),
		CASE("\xB8\x48\x01", "the annotation is no message"),
#undef CASE
	};
	SCOPED(schema) schema = opened_rules();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		status s = compile_raw(schema, "value", cases[i].bytes, cases[i].size);

		cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT, "%s", cases[i].told);
		cr_expect(strstr(s.detail, cases[i].told), "%s: %s", cases[i].told, s.detail);
		cr_expect(strstr(s.detail, "refused.proto: cases.refused.Plain.value: "), "%s",
			  s.detail);
	}
}

Test(rules_refused, a_rule_split_over_the_options_is_one)
{
	static const char split[] = RULES "\x04\x1A\x02\x20\x01" RULES "\x04\x1A\x02\x10\x09";
	static const char packed[] = RULES "\x06\x1A\x04\x32\x02\x05\x07";
	SCOPED(schema) schema = opened_rules();
	struct schema_field *field = opened_field(schema, "cases.refused.Plain", "value");
	const struct field_rules *rules;

	field->options = bytes_of(split, sizeof split - 1);
	opened_must(rules_compile_field(schema, field, opened_detail(), &rules));
	cr_assert_eq(rules->n_rules, 1);
	cr_expect_str_eq(rules->rules[0].id, "int32.gt_lt");

	field->options = bytes_of(packed, sizeof packed - 1);
	opened_must(rules_compile_field(schema, field, opened_detail(), &rules));
	cr_assert_eq(rules->rules[0].set.n, 2);
	cr_expect_eq(rules->rules[0].set.members[1].scalar.sint, 7);
}

Test(rules_refused, options_of_others_are_none_of_ours)
{
	/* deprecated = true, a group 1000 of someone, the predefined rules of field 1160. */
	static const char others[] = "\x18\x01\xC3\x3E\x08\x01\xC4\x3E\xC2\x48\x00";
	SCOPED(schema) schema = opened_rules();
	struct schema_field *field = opened_field(schema, "cases.refused.Plain", "value");
	const struct field_rules *rules;

	field->options = bytes_of(others, sizeof others - 1);
	opened_must(rules_compile_field(schema, field, opened_detail(), &rules));
	cr_expect_null(rules);
}

Test(rules_refused, a_oneof_with_an_unknown_rule)
{
	static const char unknown[] = RULES "\x02\x10\x01";
	SCOPED(schema) schema = opened_rules();
	struct schema_message *plain = opened_message(schema, "cases.refused.Plain");
	status s;

	plain->oneofs[0].options = bytes_of(unknown, sizeof unknown - 1);
	s = schema_compile(schema, plain, opened_detail());
	cr_expect_eq(s.code, STATUS_INVALID_ARGUMENT);
	cr_expect(strstr(s.detail, "cases.refused.Plain.choice: field 2 of "), "%s", s.detail);
}

/* Whatever a byte of an annotation is turned into, it compiles or is refused. */
Test(rules_refused, survives_any_byte)
{
	static const char all[] = RULES "\x2B\x72\x29\x10\x02\x32\x03\x61\x2B\x62\x52\x01\x78"
					"\x60\x01\xC0\x01\x01\xC8\x01\x00\x9A\x01\x00"
					"\x18\x05\x3A\x01\x61\x42\x01\x62\x4A\x01\x63\x92\x02\x01"
					"\x64\xA0\x01\x05";
	uint8_t bytes[sizeof all - 1];
	SCOPED(schema) schema = opened_rules();
	struct schema_field *field = opened_field(schema, "cases.Strings", "equal");
	const struct field_rules *rules;

	for (size_t i = 0; i < sizeof bytes; i++)
		for (unsigned value = 0; value < 256; value++) {
			status s;

			memcpy(bytes, all, sizeof bytes);
			bytes[i] = (uint8_t)value;
			field->options = bytes_of(bytes, sizeof bytes);
			s = rules_compile_field(schema, field, opened_detail(), &rules);
			cr_assert(!status_failed(s) || s.code == STATUS_INVALID_ARGUMENT ||
				  s.code == STATUS_UNIMPLEMENTED);
		}
}
