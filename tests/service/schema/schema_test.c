/* What a schema is of a FileDescriptorSet: proto3, proto2, editions, and bytes that are none. */
#include "tests/service/schema/opened.h"

#include <criterion/criterion.h>
#include <math.h>

#define EVERYTHING "cases.described.Everything"
#define OLD "cases.two.Old"

Test(schema, finds_messages_fields_and_enums)
{
	SCOPED(schema) schema = opened_described();
	struct schema_message *message = opened_message(schema, EVERYTHING);
	const struct schema_enum *shade = schema_enum(schema, "cases.described.Shade");

	cr_expect_str_eq(message->name, "Everything");
	cr_expect_str_eq(message->file, "described.proto");
	cr_expect_str_eq(opened_message(schema, EVERYTHING ".Nested")->name, "Nested");
	cr_expect_eq(schema_field_by_number(message, 4000)->number, 4000);
	cr_expect_str_eq(schema_field_by_number(message, 4000)->name, "far");
	cr_expect_str_eq(schema_field_by_number(message, 1)->name, "first_number");
	cr_expect_null(schema_field_by_number(message, 12));
	cr_expect_null(schema_field_by_number(message, 3999));
	cr_expect_null(schema_field_by_name(message, "none"));
	cr_expect_null(schema_message(schema, "cases.described.None"));
	cr_expect_null(schema_enum(schema, EVERYTHING));
	cr_expect_str_eq(schema_enum(schema, EVERYTHING ".Nested.Depth")->values[0].name,
			 "DEPTH_UNSPECIFIED");
	cr_expect_eq(opened_field(schema, EVERYTHING, "shade")->enumeration, shade);
	cr_expect(schema_enum_has(shade, -2));
	cr_expect_not(schema_enum_has(shade, 1));
	cr_expect_str_eq(shade->values[2].name, "SHADE_LIGHT");
}

Test(schema, lists_messages_by_name)
{
	SCOPED(schema) schema = opened_described();
	struct schema_message **messages;
	size_t n;

	messages = schema_messages(schema, &n);
	cr_assert_gt(n, 10);
	for (size_t i = 1; i < n; i++)
		cr_expect_lt(strcmp(messages[i - 1]->full_name, messages[i]->full_name), 0);
}

Test(schema, knows_presence_and_kind_of_proto3_fields)
{
	static const struct {
		const char *name;
		bool presence, repeated, map, optional;
	} cases[] = {
		{"far", false, false, false, false},   {"maybe", true, false, false, true},
		{"nested", true, false, false, false}, {"names", false, true, false, false},
		{"pairs", false, true, true, false},   {"a", true, false, false, false},
		{"any", true, false, false, false},
	};
	SCOPED(schema) schema = opened_described();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct schema_field *field = opened_field(schema, EVERYTHING, cases[i].name);

		cr_expect_eq(field->presence, cases[i].presence, "%s", field->name);
		cr_expect_eq(field->repeated, cases[i].repeated, "%s", field->name);
		cr_expect_eq(field->map, cases[i].map, "%s", field->name);
		cr_expect_eq(field->proto3_optional, cases[i].optional, "%s", field->name);
		cr_expect_str_eq(field->container->full_name, EVERYTHING);
	}
	cr_expect(opened_field(schema, EVERYTHING, "far")->verify_utf8);
	cr_expect_eq(opened_field(schema, EVERYTHING, "any")->message->well_known, WELL_KNOWN_ANY);
	cr_expect_eq(opened_field(schema, EVERYTHING, "wrapped")->message->well_known,
		     WELL_KNOWN_WRAPPER);
}

Test(schema, gives_oneofs_without_those_of_optional)
{
	SCOPED(schema) schema = opened_described();
	struct schema_message *message = opened_message(schema, EVERYTHING);

	cr_assert_eq(message->n_oneofs, 1);
	cr_expect_str_eq(message->oneofs[0].name, "choice");
	cr_assert_eq(message->oneofs[0].n_fields, 2);
	cr_expect_str_eq(message->oneofs[0].fields[1]->name, "b");
	cr_expect_eq(message->oneofs[0].fields[1]->oneof, &message->oneofs[0]);
	cr_expect_null(opened_field(schema, EVERYTHING, "maybe")->oneof);
}

Test(schema, gives_json_names)
{
	SCOPED(schema) schema = opened_described();

	cr_expect_str_eq(opened_field(schema, EVERYTHING, "first_number")->json_name,
			 "firstNumber");
	cr_expect_str_eq(opened_field(schema, EVERYTHING, "odd")->json_name, "@odd");
}

Test(schema, gives_comments)
{
	SCOPED(schema) schema = opened_described();
	const struct schema_message *message = opened_message(schema, EVERYTHING);
	const struct schema_enum *shade = schema_enum(schema, "cases.described.Shade");
	const struct schema_service *asker = schema_service(schema, "cases.described.Asker");

	cr_expect_str_eq(message->comment, "Has one of\n  everything.");
	cr_expect_str_eq(opened_field(schema, EVERYTHING, "first_number")->comment,
			 "The first field,\nin two lines.");
	cr_expect_str_eq(opened_field(schema, EVERYTHING, "b")->comment, "The other.");
	cr_expect_null(opened_field(schema, EVERYTHING, "maybe")->comment);
	cr_expect_str_eq(message->oneofs[0].comment, "Which of them.");
	cr_expect_str_eq(opened_message(schema, EVERYTHING ".Nested")->comment,
			 "In front of a nested message.");
	cr_expect_str_eq(shade->comment, "A shade.");
	cr_expect_str_eq(shade->values[0].comment, "Not said.");
	cr_expect_null(shade->values[1].comment);
	cr_expect_str_eq(asker->comment, "Asks.");
	cr_expect_str_eq(asker->methods[0].comment, "One question.");
}

Test(schema, gives_services)
{
	SCOPED(schema) schema = opened_described();
	const struct schema_service *asker = schema_service(schema, "cases.described.Asker");

	cr_assert_eq(asker->n_methods, 2);
	cr_expect_str_eq(asker->methods[0].name, "Ask");
	cr_expect_str_eq(asker->methods[0].output->full_name, EVERYTHING ".Nested");
	cr_expect(asker->methods[0].server_streams);
	cr_expect_not(asker->methods[0].client_streams);
	cr_expect(asker->methods[1].client_streams);
	cr_expect_null(schema_service(schema, "cases.described.None"));
}

Test(schema, reads_defaults_of_proto2)
{
	SCOPED(schema) schema = opened_described();
	struct bytes text = opened_field(schema, OLD, "text")->default_value.bytes;
	struct bytes raw = opened_field(schema, OLD, "raw")->default_value.bytes;

	cr_expect(opened_field(schema, OLD, "minus")->has_default);
	cr_expect_not(opened_field(schema, OLD, "needed")->has_default);
	cr_expect_eq(opened_field(schema, OLD, "minus")->default_value.sint, -5);
	cr_expect_eq(opened_field(schema, OLD, "large")->default_value.uint, UINT64_MAX);
	cr_expect_float_eq(opened_field(schema, OLD, "pi")->default_value.number, 3.5, 0.0);
	cr_expect(isinf(opened_field(schema, OLD, "endless")->default_value.number));
	cr_expect_eq(opened_field(schema, OLD, "yes")->default_value.uint, 1);
	cr_expect_eq(opened_field(schema, OLD, "colour")->default_value.sint, 4);
	cr_expect(bytes_equal(text, bytes_of_string("a\"b")));
	cr_expect(bytes_equal(raw, bytes_of("\1\xFF\n\"z", 5)));
}

Test(schema, knows_what_only_proto2_has)
{
	SCOPED(schema) schema = opened_described();
	const struct schema_field *needed = opened_field(schema, OLD, "needed");
	const struct schema_field *added = schema_extension(schema, OLD, 100);

	cr_expect(needed->label_required);
	cr_expect(needed->presence);
	cr_expect_not(opened_field(schema, OLD, "text")->verify_utf8);
	cr_expect_eq(opened_field(schema, OLD, "part")->type, SCHEMA_GROUP);
	cr_expect_str_eq(opened_field(schema, OLD, "parts")->message->full_name, OLD ".Parts");
	cr_expect_str_eq(added->name, "added");
	cr_expect(added->presence);
	cr_expect_str_eq(added->container->full_name, OLD);
	cr_expect(schema_extension(schema, OLD, 101)->repeated);
	cr_expect_null(schema_extension(schema, OLD, 102));
}

#define OUTER "cases.editions.Outer"

Test(schema, follows_features_of_editions)
{
	SCOPED(schema) schema = opened_editions();

	cr_expect_not(opened_field(schema, OUTER, "implicit")->presence);
	cr_expect(opened_field(schema, OUTER, "explicit")->presence);
	cr_expect(opened_field(schema, OUTER, "required")->label_required);
	cr_expect(opened_field(schema, OUTER, "verified")->verify_utf8);
	cr_expect_not(opened_field(schema, OUTER, "unverified")->verify_utf8);
	cr_expect_eq(opened_field(schema, OUTER, "delimited")->type, SCHEMA_GROUP);
	cr_expect_eq(opened_field(schema, OUTER, "items")->type, SCHEMA_GROUP);
	cr_expect_eq(opened_field(schema, OUTER, "prefixed")->type, SCHEMA_MESSAGE);
	cr_expect_eq(opened_field(schema, OUTER, "pairs")->type, SCHEMA_MESSAGE);
	cr_expect_eq(opened_field(schema, OUTER ".PairsEntry", "value")->type, SCHEMA_MESSAGE);
	cr_expect(opened_field(schema, OUTER, "a")->presence);
	cr_expect_eq(opened_field(schema, "cases.editions.Inner", "number")->default_value.sint,
		     -7);
}

/* A FileDescriptorSet of one file, by hand. */
#define FILE_OF(size, body)                                                                        \
	"\x0A" size "\x0A\x01"                                                                     \
	"f" body

Test(schema, refuses_sets_by_name)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *told;
	} cases[] = {
#define CASE(size, body, told) {FILE_OF(size, body), sizeof(FILE_OF(size, body)) - 1, told}
		CASE("\x06", "\x22\x01\x0A", "f: a message: a varint is cut off"),
		CASE("\x08",
		     "\x22\x03\x0A\x01"
		     "1",
		     "\"1\" is not a name"),
		CASE("\x0D",
		     "\x22\x03\x0A\x01"
		     "M\x22\x03\x0A\x01"
		     "M",
		     "M is declared twice"),
		CASE("\x11",
		     "\x22\x0C\x0A\x01"
		     "M\x12\x07\x0A\x01"
		     "a\x18\x00\x28\x05",
		     "M.a: number 0"),
		CASE("\x15",
		     "\x22\x10\x0A\x01"
		     "M\x12\x0B\x0A\x01"
		     "a\x18\x01\x28\x0B\x32\x02.N",
		     "f: M.a: the set has no type \".N\""),
		CASE("\x13",
		     "\x22\x0E\x0A\x01"
		     "M\x12\x09\x0A\x01"
		     "a\x18\x01\x28\x05\x48\x00",
		     "M.a is in a oneof"),
		CASE("\x13",
		     "\x22\x0E\x0A\x01"
		     "M\x12\x09\x0A\x01"
		     "a\x18\x01\x28\x05\x20\x04",
		     "label 4"),
		CASE("\x0B",
		     "\x62\x06"
		     "proto9",
		     "syntax \"proto9\""),
		CASE("\x10",
		     "\x62\x08"
		     "editions\x70\xFF\x7F",
		     "edition 16383"),
		CASE("\x06", "\x12\x01.", "\".\" is not a package"),
#undef CASE
		{"\x0A\x00", 2, "a file without a name"},
		{"\x0A\x05", 2, "a value is longer"},
		{"\x0C", 1, "a group ends"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		SCOPED(schema) schema = NULL;
		status s = schema_open(bytes_of(cases[i].bytes, cases[i].size), opened_detail(),
				       &schema);

		cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT, "%zu: %s", i, cases[i].told);
		cr_expect(strstr(s.detail, cases[i].told), "%zu: %s, not %s", i, cases[i].told,
			  s.detail);
	}
}

/* A message in a message in a message, each named M, deep in one file. */
static struct bytes nested_make(uint8_t *at, size_t end, size_t depth)
{
	size_t start = end;

	for (size_t i = 0; i < depth; i++) {
		size_t inner = end - start;

		/* name, and what was made so far as its nested message */
		start -= 3;
		memcpy(at + start, "\x0A\x01M", 3);
		inner += 3;
		start -= 3;
		at[start] = i + 1 < depth ? 0x1A : 0x22;
		at[start + 1] = (uint8_t)(0x80 | (inner & 0x7F));
		at[start + 2] = (uint8_t)(inner >> 7);
	}
	return bytes_of(at + start, end - start);
}

Test(schema, refuses_messages_nested_too_deep)
{
	static const struct {
		size_t depth;
		enum status_code code;
	} cases[] = {
		{32, STATUS_OK}, {33, STATUS_INVALID_ARGUMENT}, {600, STATUS_INVALID_ARGUMENT}};
	static uint8_t set[4096];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes file = nested_make(set, sizeof set, cases[i].depth);
		uint8_t *head = set + sizeof set - file.size - 6;
		SCOPED(schema) schema = NULL;
		status s;

		memcpy(head + 3,
		       "\x0A\x01"
		       "f",
		       3);
		head[0] = 0x0A;
		head[1] = (uint8_t)(0x80 | ((file.size + 3) & 0x7F));
		head[2] = (uint8_t)((file.size + 3) >> 7);
		s = schema_open(bytes_of(head, file.size + 6), opened_detail(), &schema);
		cr_expect_eq(s.code, cases[i].code, "%zu: %s", cases[i].depth,
			     s.detail ? s.detail : "");
	}
}
