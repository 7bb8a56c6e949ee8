/* Well-known formats, and what is around the rules of a field: required, ignore, items, oneofs, words. */
#include "tests/service/schema/opened.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct field_rules *compiled(struct schema *schema, const char *message,
					  const char *name)
{
	struct schema_message *in = opened_message(schema, message);

	opened_must(schema_compile(schema, in, opened_detail()));
	return opened_field(schema, message, name)->rules;
}

static void expect_format(struct schema *schema, const char *message, const char *name,
			  enum format format)
{
	const struct field_rules *rules = compiled(schema, message, name);
	char id[64], empty_id[80];

	snprintf(id, sizeof id, "%s.%s", rules->type_field->name, name);
	snprintf(empty_id, sizeof empty_id, "%s_empty", id);
	cr_assert_eq(rules->n_rules, 1, "%s", name);
	cr_expect_eq(rules->rules[0].kind, RULE_FORMAT);
	cr_expect_eq(rules->rules[0].format.format, format, "%s", name);
	cr_expect_str_eq(rules->rules[0].id, id);
	cr_expect_str_eq(rules->rules[0].field->name, name);
	if (format == FORMAT_URI_REF)
		cr_expect_null(rules->rules[0].format.empty_id);
	else
		cr_expect_str_eq(rules->rules[0].format.empty_id, empty_id);
}

Test(rules, of_formats_have_an_id_of_their_own_for_what_is_empty)
{
	static const char *const names[] = {
		[FORMAT_EMAIL] = "email",
		[FORMAT_HOSTNAME] = "hostname",
		[FORMAT_IP] = "ip",
		[FORMAT_IPV4] = "ipv4",
		[FORMAT_IPV6] = "ipv6",
		[FORMAT_IP_WITH_PREFIXLEN] = "ip_with_prefixlen",
		[FORMAT_IPV4_WITH_PREFIXLEN] = "ipv4_with_prefixlen",
		[FORMAT_IPV6_WITH_PREFIXLEN] = "ipv6_with_prefixlen",
		[FORMAT_IP_PREFIX] = "ip_prefix",
		[FORMAT_IPV4_PREFIX] = "ipv4_prefix",
		[FORMAT_IPV6_PREFIX] = "ipv6_prefix",
		[FORMAT_URI] = "uri",
		[FORMAT_URI_REF] = "uri_ref",
		[FORMAT_ADDRESS] = "address",
		[FORMAT_UUID] = "uuid",
		[FORMAT_TUUID] = "tuuid",
		[FORMAT_ULID] = "ulid",
		[FORMAT_HOST_AND_PORT] = "host_and_port",
	};
	SCOPED(schema) schema = opened_rules();

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		expect_format(schema, "cases.Formats", names[i], (enum format)i);
	expect_format(schema, "cases.Bytes", "ip", FORMAT_BYTES_IP);
	expect_format(schema, "cases.Bytes", "ipv4", FORMAT_BYTES_IPV4);
	expect_format(schema, "cases.Bytes", "ipv6", FORMAT_BYTES_IPV6);
	expect_format(schema, "cases.Bytes", "uuid", FORMAT_BYTES_UUID);
}

Test(rules, of_headers_are_strict_unless_told_otherwise)
{
	static const struct {
		const char *field, *id, *empty_id;
		enum format format;
		bool strict;
	} cases[] = {
		{"header_name", "string.well_known_regex.header_name",
		 "string.well_known_regex.header_name_empty", FORMAT_HTTP_HEADER_NAME, true},
		{"header_value", "string.well_known_regex.header_value", NULL,
		 FORMAT_HTTP_HEADER_VALUE, true},
		{"loose_name", "string.well_known_regex.header_name",
		 "string.well_known_regex.header_name_empty", FORMAT_HTTP_HEADER_NAME, false},
		{"loose_value", "string.well_known_regex.header_value", NULL,
		 FORMAT_HTTP_HEADER_VALUE, false},
	};
	SCOPED(schema) schema = opened_rules();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rule *rule =
			&compiled(schema, "cases.Formats", cases[i].field)->rules[0];

		cr_expect_str_eq(rule->id, cases[i].id);
		cr_expect_str_eq(rule->field->name, "well_known_regex");
		cr_expect_eq(rule->format.format, cases[i].format);
		cr_expect_eq(rule->format.strict, cases[i].strict);
		if (cases[i].empty_id)
			cr_expect_str_eq(rule->format.empty_id, cases[i].empty_id);
		else
			cr_expect_null(rule->format.empty_id);
	}
}

/* A field's options byte for byte, for what no .proto here has. */
static const struct field_rules *compiled_raw(struct schema *schema, const char *name,
					      struct bytes options)
{
	struct schema_field *field = opened_field(schema, "cases.Strings", name);
	const struct field_rules *rules;

	field->options = options;
	opened_must(rules_compile_field(schema, field, opened_detail(), &rules));
	return rules;
}

Test(rules, of_protobuf_names_are_formats)
{
	static const char plain[] = "\xBA\x48\x05\x72\x03\xA8\x02\x01";
	static const char dotted[] = "\xBA\x48\x05\x72\x03\xB0\x02\x01";
	SCOPED(schema) schema = opened_rules();
	const struct rule *rule;

	rule = compiled_raw(schema, "equal", bytes_of(plain, sizeof plain - 1))->rules;
	cr_expect_eq(rule->format.format, FORMAT_PROTOBUF_FQN);
	cr_expect_str_eq(rule->id, "string.protobuf_fqn");
	cr_expect_str_eq(rule->format.empty_id, "string.protobuf_fqn_empty");
	rule = compiled_raw(schema, "equal", bytes_of(dotted, sizeof dotted - 1))->rules;
	cr_expect_eq(rule->format.format, FORMAT_PROTOBUF_DOT_FQN);
	cr_expect_str_eq(rule->id, "string.protobuf_dot_fqn");
}

Test(rules, that_are_examples_are_none)
{
	static const char example[] = "\xBA\x48\x06\x72\x04\x92\x02\x01x";
	SCOPED(schema) schema = opened_rules();

	cr_expect_eq(compiled_raw(schema, "len", bytes_of(example, sizeof example - 1))->n_rules,
		     0);
}

Test(rules, that_are_switched_off_are_none)
{
	SCOPED(schema) schema = opened_rules();

	cr_expect_eq(compiled(schema, "cases.Formats", "off")->n_rules, 0);
	cr_expect_null(compiled(schema, "cases.refused.Plain", "value"));
}

Test(rules, of_items_keys_and_values_know_where_they_stand)
{
	SCOPED(schema) schema = opened_rules();
	const struct field_rules *list = compiled(schema, "cases.Lists", "few_positive");
	const struct field_rules *map = compiled(schema, "cases.Maps", "both");

	cr_expect_str_eq(list->type_field->name, "repeated");
	cr_expect_null(list->outer);
	cr_expect_eq(list->items->outer, list);
	cr_expect_str_eq(list->items->place->name, "items");
	cr_expect_str_eq(list->items->type_field->name, "int32");
	cr_expect_str_eq(list->items->rules[0].id, "int32.gt");
	cr_expect_eq(map->keys->outer, map);
	cr_expect_str_eq(map->keys->place->name, "keys");
	cr_expect_eq(map->keys->rules[0].range.high.scalar.sint, 0);
	cr_expect_str_eq(map->keys->rules[0].id, "int64.lt");
	cr_expect_str_eq(map->values->place->name, "values");
	cr_expect_str_eq(map->values->rules[0].id, "int32.gt");
}

Test(rules, of_finite_items_alone_are_marked)
{
	SCOPED(schema) schema = opened_rules();

	cr_expect(compiled(schema, "cases.Lists", "finite")->items->only_finite);
	cr_expect(compiled(schema, "cases.Lists", "doubles")->items->only_finite);
	cr_expect_not(compiled(schema, "cases.Lists", "finite")->only_finite);
	cr_expect_not(compiled(schema, "cases.Lists", "in_range")->items->only_finite);
}

Test(rules, say_when_a_value_is_required_or_ignored)
{
	SCOPED(schema) schema = opened_rules();
	const struct field_rules *required = compiled(schema, "cases.RequiredImplicit", "number");

	cr_expect(required->required);
	cr_expect_str_eq(required->required_field->name, "required");
	cr_expect_null(required->type_field);
	cr_expect_eq(compiled(schema, "cases.Ignored", "always_checked")->ignore,
		     IGNORE_UNSPECIFIED);
	cr_expect_eq(compiled(schema, "cases.Ignored", "if_zero")->ignore, IGNORE_IF_ZERO_VALUE);
	cr_expect_eq(compiled(schema, "cases.Ignored", "never_checked")->ignore, IGNORE_ALWAYS);
	cr_expect_eq(compiled(schema, "cases.Lists", "whatever")->items->ignore, IGNORE_ALWAYS);
	/* Named in the message's oneof, which says when it is looked at. */
	cr_expect_eq(compiled(schema, "cases.AtMostOne", "b")->ignore, IGNORE_IF_ZERO_VALUE);
}

Test(rules, of_messages_name_the_fields_of_their_oneofs)
{
	SCOPED(schema) schema = opened_rules();
	struct schema_message *at_most = opened_message(schema, "cases.AtMostOne");
	struct schema_message *exactly = opened_message(schema, "cases.ExactlyOne");
	struct schema_message *choice = opened_message(schema, "cases.Choice");

	opened_must(schema_compile(schema, at_most, opened_detail()));
	opened_must(schema_compile(schema, exactly, opened_detail()));
	opened_must(schema_compile(schema, choice, opened_detail()));

	cr_assert_eq(at_most->rules->n_oneofs, 1);
	cr_expect_not(at_most->rules->oneofs[0].required);
	cr_expect_str_eq(at_most->rules->oneofs[0].names, "a, b, c");
	cr_expect_eq(at_most->rules->oneofs[0].fields[2], &at_most->fields[2]);
	cr_expect(exactly->rules->oneofs[0].required);
	cr_expect(choice->oneofs[0].required);
	cr_expect_null(choice->rules);
}

Test(rules, tell_in_words_what_is_allowed)
{
	static const struct {
		const char *message, *field, *text;
	} cases[] = {
		{"cases.Int32", "equal", "exactly 5"},
		{"cases.Int32", "none_of", "none of [1, 5, 9]"},
		{"cases.Int32", "within", "at least 5 and at most 10"},
		{"cases.Int32", "outside_open", "greater than 10 or less than 5"},
		{"cases.Float", "finite", "a finite number"},
		{"cases.Strings", "one_of", "one of [\"a\", \"b\xC3\xBC\", \"\"]"},
		{"cases.Strings", "len", "exactly 3 characters"},
		{"cases.Strings", "max_bytes", "at most 4 bytes"},
		{"cases.Strings", "pattern", "text that matches ^[a-z]+[0-9]?$"},
		{"cases.Strings", "prefix", "text beginning with \"pre\""},
		{"cases.Bytes", "suffix", "bytes ending with 0xff"},
		{"cases.Bytes", "min_len", "at least 3 bytes"},
		{"cases.Formats", "email", "an email address"},
		{"cases.Enums", "equal", "exactly COLOUR_BLUE (5)"},
		{"cases.Enums", "defined", "a value of cases.Colour"},
		{"cases.Booleans", "no", "exactly false"},
		{"cases.AtLeast", "pairs", "at least 1 pair"},
		{"cases.Durations", "at_least", "at least -1.0000005s"},
		{"cases.Timestamps", "above", "greater than 1970-01-01T00:00:00.000001Z"},
		{"cases.Timestamps", "around", "a time within 60.0000005s of now"},
		{"cases.Masks", "equal", "exactly [\"a\", \"b\"]"},
		{"cases.Masks", "none_of", "no path of [\"a\", \"b.c\"]"},
		{"cases.Anys", "none_of", "none of [\"type.example/a.A\"]"},
	};
	SCOPED(schema) schema = opened_rules();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_str_eq(compiled(schema, cases[i].message, cases[i].field)->rules[0].text,
				 cases[i].text);
}
