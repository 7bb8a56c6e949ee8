/* json_schema - keywords from rules; tests/service/schema/parity compares whole schemas with the
 * checker. */
#include "service/schema/contract.h"
#include "service/schema/json_schema_maker.h"
#include "service/schema/regex.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static void open_contract(void)
{
	arena_init(&arena, (size_t)64 << 20);
	cr_assert_not(status_failed(contract_init(&arena)));
}

static void close_contract(void)
{
	arena_finish(&arena);
}

TestSuite(json_schema, .init = open_contract, .fini = close_contract);

/* --- decimals --- */

static const struct {
	uint64_t low, high;
} ranges[] = {
	{0, 0},
	{0, 9},
	{1, 1},
	{7, 12},
	{10, 99},
	{9, 100},
	{1, 1000},
	{123, 45678},
	{199, 201},
	{1000, 1999},
	{4096, 65536},
	{0, UINT32_MAX},
	{UINT32_MAX, (uint64_t)UINT32_MAX * 3},
	{1, UINT64_MAX},
	{UINT64_MAX - 5, UINT64_MAX},
	{10000000000000000000u, UINT64_MAX},
	{9999999999999999999u, 10000000000000000001u},
};

static const struct regex *whole(const struct buffer *pattern)
{
	const struct regex *regex;
	char *text =
		arena_printf(&arena, "^(?:%.*s)$", (int)pattern->size, (const char *)pattern->data);
	status done = regex_compile(&arena, bytes_of_string(text), 0, &regex);

	cr_assert_not(status_failed(done), "%s: %s", text, done.detail);
	return regex;
}

static void want_decimal(const struct regex *regex, uint64_t value, size_t range)
{
	char text[24];
	bool in = value >= ranges[range].low && value <= ranges[range].high;

	snprintf(text, sizeof text, "%" PRIu64, value);
	cr_assert_eq(regex_match(regex, bytes_of_string(text)), in, "%s in range %zu", text, range);
}

Test(json_schema, a_range_of_decimals_is_a_pattern)
{
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		struct buffer pattern = {0};
		const struct regex *regex;

		json_decimals(&pattern, ranges[i].low, ranges[i].high);
		regex = whole(&pattern);
		buffer_finish(&pattern);

		for (uint64_t n = 0; n < 1200; n++) {
			want_decimal(regex, n, i);
			/* Past an end they wrap around: numbers all the same. */
			want_decimal(regex, ranges[i].low + n - 600, i);
			want_decimal(regex, ranges[i].high + n - 600, i);
		}
		cr_assert_not(regex_match(regex, bytes_of_string("")));
		cr_assert_not(regex_match(regex, bytes_of_string("01")));
		cr_assert_not(regex_match(regex, bytes_of_string("18446744073709551616")));
	}
}

static const struct {
	int64_t low, high;
	const char *in, *out;
} signed_ranges[] = {
	{INT64_MIN, INT64_MAX, "-9223372036854775808", "-9223372036854775809"},
	{INT64_MIN, INT64_MAX, "9223372036854775807", "9223372036854775808"},
	{-5, 3, "-5", "-6"},
	{-5, 3, "0", "4"},
	{-5, -2, "-2", "-1"},
	{-5, -2, "-3", "3"},
	{INT64_MIN, INT64_MIN, "-9223372036854775808", "-9223372036854775807"},
	{0, 3, "3", "-3"},
};

Test(json_schema, a_range_below_zero_is_a_pattern_too)
{
	for (size_t i = 0; i < sizeof signed_ranges / sizeof *signed_ranges; i++) {
		struct buffer pattern = {0};
		const struct regex *regex;

		json_signed_decimals(&pattern, signed_ranges[i].low, signed_ranges[i].high);
		regex = whole(&pattern);
		buffer_finish(&pattern);

		cr_assert(regex_match(regex, bytes_of_string(signed_ranges[i].in)), "%zu", i);
		cr_assert_not(regex_match(regex, bytes_of_string(signed_ranges[i].out)), "%zu", i);
	}
}

/* --- patterns --- */

static const struct {
	const char *re2, *ecma; /* NULL: it cannot be said */
} patterns[] = {
	{"", ""},
	{"^[a-z][a-z0-9_-]{0,62}$", "^[a-z][a-z0-9_-]{0,62}$"},
	{"a.b", "a[^\\n]b"},
	{"\\Aa\\z", "^a$"},
	{"\\d+\\w*\\s?", "[0-9]+[0-9A-Za-z_]*[\\t\\n\\f\\r ]?"},
	{"\\D\\W\\S", "[^0-9][^0-9A-Za-z_][^\\t\\n\\f\\r ]"},
	{"[\\d.]", "[0-9.]"},
	{"[\\w-]", "[0-9A-Za-z_-]"},
	{"[\\w-.]", "[0-9A-Za-z_\\-.]"},
	{"[[:alpha:]_]", "[A-Za-z_]"},
	{"[^]a]", "[^\\]a]"},
	{"[[]", "[\\[]"},
	{"(?P<name>a|b)", "(?:a|b)"},
	{"(?:a)(b)", "(?:a)(b)"},
	{"\\Qa.b\\E+", "a\\.b+"},
	{"\\x41\\x{1F600}", "A\xf0\x9f\x98\x80"},
	{"\\101\\.\\-\\/", "A\\.-/"},
	{"a{b}", "a\\{b\\}"},
	{"a{2,}?", "a{2,}?"},
	{"\\a\\t", "\\x07\\x09"},
	{"\\bword\\B", "\\bword\\B"},
	{"\xc3\xbc+", "\xc3\xbc+"},
	{"(?i)a", NULL},
	{"\\pL", NULL},
	{"[\\D]", NULL},
	{"[[:^alpha:]]", NULL},
};

Test(json_schema, a_pattern_is_spelled_for_ecma)
{
	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		const char *made = json_pattern(&arena, bytes_of_string(patterns[i].re2));

		if (patterns[i].ecma)
			cr_assert_str_eq(made, patterns[i].ecma, "%s", patterns[i].re2);
		else
			cr_assert_null(made, "%s: %s", patterns[i].re2, made);
	}
}

/* --- printing --- */

static const char *printed(json_t *value)
{
	struct buffer text = {0};
	const char *ret;

	json_print(value, 0, &text);
	ret = arena_copy(&arena, text.data, text.size);
	buffer_finish(&text);
	json_decref(value);
	return ret;
}

Test(json_schema, numbers_and_texts_are_printed_short_and_exact)
{
	cr_assert_str_eq(printed(json_real(0.999)), "0.999");
	cr_assert_str_eq(printed(json_real(0x1p64)), "18446744073709551616");
	cr_assert_str_eq(printed(json_real(1.0 / 3)), "0.3333333333333333");
	cr_assert_str_eq(printed(json_integer(INT64_MIN)), "-9223372036854775808");
	cr_assert_str_eq(printed(json_string("a\"\\\n\x01\xc3\xbc")),
			 "\"a\\\"\\\\\\n\\u0001\xc3\xbc\"");
	cr_assert_str_eq(printed(json_pack("{s:[i,i]}", "a", 1, 2)), "{\"a\": [1, 2]}");
	cr_assert_str_eq(printed(json_pack("{s:i,s:{}}", "a", 1, "b")),
			 "{\n  \"a\": 1,\n  \"b\": {}\n}");
}

/* --- messages --- */

static json_t *schema_of(const char *name, enum json_dialect dialect)
{
	struct buffer text = {0};
	json_t *ret;
	status done = json_schema_print(contract_message(name), dialect, &arena, &text);

	cr_assert_not(status_failed(done), "%s", done.detail);
	ret = json_loadb((const char *)text.data, text.size, JSON_DECODE_INT_AS_REAL, NULL);
	buffer_finish(&text);
	cr_assert_not_null(ret);
	return ret;
}

/* What stands at a path of members, parted by slashes, as text; "nothing" where there is none. */
static const char *at(const json_t *value, const char *path)
{
	char *copy = arena_printf(&arena, "%s", path), *next;

	for (char *name = strtok_r(copy, "/", &next); name; name = strtok_r(NULL, "/", &next))
		value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name))
					     : json_object_get(value, name);
	return value ? printed(json_incref((json_t *)(uintptr_t)value)) : "nothing";
}

static const struct {
	const char *message;
	enum json_dialect dialect;
	const char *path, *want;
} wanted[] = {
	{"SearchRequest", JSON_FULL, "required", "[\"collection\"]"},
	{"SearchRequest", JSON_FULL, "oneOf/1/required", "[\"chunkId\"]"},
	{"SearchRequest", JSON_FULL, "additionalProperties", "false"},
	{"SearchRequest", JSON_FULL, "properties/chunkId/maxLength", "512"},
	{"SearchRequest", JSON_FULL, "properties/collection/description",
	 "\"The name of the collection.\""},
	{"SearchRequest", JSON_FULL, "properties/limit/anyOf/0/minimum", "1"},
	{"SearchRequest", JSON_FULL, "properties/maxHitsPerMessage/maximum", "1024"},
	{"SearchRequest", JSON_FULL, "properties/filter/$ref", "\"#/$defs/Filter\""},
	{"Accuracy", JSON_FULL, "properties/recallTarget/maximum", "0.999"},
	{"Filter", JSON_FULL, "properties/allOf/maxItems", "64"},
	{"DocumentIds", JSON_FULL, "properties/ids/uniqueItems", "true"},
	{"DocumentIds", JSON_FULL, "required", "[\"ids\"]"},
	{"Chunk", JSON_FULL, "properties/metadata/propertyNames/pattern",
	 "\"^[a-z][a-z0-9_]{0,62}$\""},
	{"Chunk", JSON_FULL, "properties/metadata/maxProperties", "64"},
	{"Collection", JSON_FULL, "properties/metric/enum",
	 "[\"METRIC_COSINE\", \"METRIC_INNER_PRODUCT\", \"METRIC_L2\"]"},
	{"Collection", JSON_FULL, "required", "[\"name\", \"dimension\", \"metric\"]"},
	{"IndexOptions", JSON_FULL, "required", "nothing"},
	{"IndexOptions", JSON_FULL, "properties/defaultRecallTarget/anyOf/0/enum", "[0]"},
	{"ListCursorsRequest", JSON_FULL, "properties/collection/anyOf/0/enum", "[\"\"]"},
	{"CreateCollectionRequest", JSON_FULL, "required", "[\"collection\"]"},
	{"ValueRange", JSON_FULL, "oneOf/2/not/anyOf/0/required", "[\"gt\"]"},
	{"Summary", JSON_FULL, "properties/elapsed/type", "\"string\""},
	{"SearchRequest", JSON_MCP, "oneOf", "nothing"},
	{"SearchRequest", JSON_MCP, "description", "\"Exactly one of vector and chunkId.\""},
	{"SearchRequest", JSON_MCP, "properties/limit/type", "\"integer\""},
	{"SearchRequest", JSON_MCP, "$defs/Condition/oneOf/0/required", "[\"equalTo\"]"},
	{"SearchRequest", JSON_OPENAI, "properties/limit/type", "[\"integer\", \"null\"]"},
	{"SearchRequest", JSON_OPENAI, "properties/filter/anyOf/1/type", "\"null\""},
	{"SearchRequest", JSON_OPENAI, "$defs/Condition/anyOf/0/required",
	 "[\"field\", \"equalTo\"]"},
	{"Chunk", JSON_OPENAI, "properties/metadata/type", "[\"array\", \"null\"]"},
	{"Chunk", JSON_OPENAI, "properties/metadata/items/required", "[\"key\", \"value\"]"},
	{"SearchRequest", JSON_ANTHROPIC, "properties/maxHitsPerMessage/description",
	 "\"0: the server decides. At most 1024.\""},
	{"DocumentIds", JSON_ANTHROPIC, "properties/ids/minItems", "1"},
	{"DocumentIds", JSON_ANTHROPIC, "properties/ids/maxItems", "nothing"},
	{"DocumentIds", JSON_ANTHROPIC, "properties/ids/description",
	 "\"1 to 1024 items. No two are the same.\""},
};

Test(json_schema, rules_become_keywords_or_sentences)
{
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const char *name = arena_printf(&arena, "sluice.v1.%s", wanted[i].message);
		json_t *schema = schema_of(name, wanted[i].dialect);

		cr_assert_str_eq(at(schema, wanted[i].path), wanted[i].want, "%s %s",
				 wanted[i].message, wanted[i].path);
		json_decref(schema);
	}
}

/* --- memory --- */

static size_t allocations, failing_at;

static void *failing_malloc(size_t size)
{
	return ++allocations == failing_at ? NULL : malloc(size);
}

static status print_with_failure(enum json_dialect dialect, size_t n, struct buffer *text)
{
	status done;

	allocations = 0;
	failing_at = n;
	json_set_alloc_funcs(failing_malloc, free);
	done = json_schema_print(contract_message("sluice.v1.CreateCollectionRequest"), dialect,
				 &arena, text);
	json_set_alloc_funcs(malloc, free);
	return done;
}

/* A table of jansson's that cannot grow goes on as it is: then nothing may be missing. */
Test(json_schema, says_so_where_any_allocation_fails)
{
	static const enum json_dialect dialects[] = {JSON_FULL, JSON_OPENAI, JSON_ANTHROPIC};

	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
		struct buffer whole_text = {0};
		size_t n;

		cr_assert_not(status_failed(print_with_failure(dialects[i], 0, &whole_text)));
		n = allocations;
		cr_assert_gt(n, 100);
		for (size_t k = 1; k <= n; k++) {
			struct buffer text = {0};
			status done = print_with_failure(dialects[i], k, &text);

			if (status_failed(done))
				cr_assert_eq(done.code, STATUS_RESOURCE_EXHAUSTED, "%zu", k);
			else
				cr_assert(bytes_equal(bytes_of(text.data, text.size),
						      bytes_of(whole_text.data, whole_text.size)),
					  "allocation %zu of %zu", k, n);
			buffer_finish(&text);
			arena_reset(&arena);
		}
		buffer_finish(&whole_text);
	}
}

Test(json_schema, a_message_that_holds_itself_is_refused_in_strict_modes)
{
	const struct schema_message *struct_value =
		contract_message("google.protobuf.DescriptorProto");
	struct buffer text = {0};

	cr_assert_not_null(struct_value);
	cr_assert_eq(json_schema_print(struct_value, JSON_OPENAI, &arena, &text).code,
		     STATUS_UNIMPLEMENTED);
	cr_assert_not(status_failed(json_schema_print(struct_value, JSON_FULL, &arena, &text)));
	buffer_finish(&text);
}
