/* jsonl - lines that are chunks, lines that are not, and the way there and back. */
#include "service/cli/jsonl.h"

#include <criterion/criterion.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define READ(arena, line, ret) jsonl_read((arena), bytes_of_string(line), (ret))

Test(jsonl, reads_every_field)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	Sluice__V1__Chunk chunk;
	status read;

	arena_init(arena, 1 << 20);
	read = READ(arena,
		    "{\"id\": \"a#1\", \"document_id\": \"a\", \"ordinal\": 7, \"text\": "
		    "\"caf\\u00e9\", "
		    "\"token_count\": 3, \"vector\": [1, -0.5, 1e-3], \"metadata\": {\"s\": \"x\", "
		    "\"i\": -9223372036854775808, \"d\": 2.0, \"e\": 1e3, \"b\": true, "
		    "\"l\": [\"p\", \"q\"]}}",
		    &chunk);

	cr_assert(!status_failed(read), "%s", read.detail);
	cr_assert_str_eq(chunk.id, "a#1");
	cr_assert_str_eq(chunk.document_id, "a");
	cr_assert_str_eq(chunk.text, "caf\xc3\xa9");
	cr_assert_eq(chunk.ordinal, 7);
	cr_assert_eq(chunk.token_count, 3);
	cr_assert_eq(chunk.vector->n_values, 3);
	cr_assert(chunk.vector->values[2] == 1e-3F);
	cr_assert_eq(chunk.n_metadata, 6);
	for (size_t i = 0; i < chunk.n_metadata; i++) {
		const Sluice__V1__MetadataValue *value = chunk.metadata[i]->value;
		char key = chunk.metadata[i]->key[0];

		/* The cases are the field numbers: string, int, double, bool, string_list. */
		cr_assert_eq(value->kind_case, key == 's'   ? 1
					       : key == 'i' ? 2
					       : key == 'b' ? 4
					       : key == 'l' ? 5
							    : 3);
		if (key == 'i')
			cr_assert_eq(value->int_value, INT64_MIN);
		if (key == 'l')
			cr_assert_str_eq(value->string_list->values[1], "q");
	}
}

static const struct {
	const char *line, *want; /* a part of the detail */
} bad[] = {
	{"", "bad JSON"},
	{"nonsense", "bad JSON"},
	{"{\"id\": \"a\"} {}", "bad JSON"},
	{"[1]", "must be a JSON object"},
	{"{}", "no id"},
	{"{\"id\": \"\"}", "no id"},
	{"{\"id\": 5}", "id must be a string"},
	{"{\"id\": null}", "id must be a string"},
	{"{\"id\": \"a\", \"id\": \"b\"}", "bad JSON"},
	{"{\"id\": \"a\\u0000b\"}", "bad JSON"},
	{"{\"id\": \"\xff\"}", "bad JSON"},
	{"{\"id\": \"a\", \"titel\": \"x\"}", "\"titel\" is no field"},
	{"{\"id\": \"a\", \"ordinal\": -1}", "ordinal must be"},
	{"{\"id\": \"a\", \"ordinal\": 4294967296}", "ordinal must be"},
	{"{\"id\": \"a\", \"ordinal\": 1.5}", "ordinal must be"},
	{"{\"id\": \"a\", \"token_count\": \"3\"}", "token_count must be"},
	{"{\"id\": \"a\", \"text\": []}", "text must be a string"},
	{"{\"id\": \"a\", \"vector\": []}", "vector must be an array"},
	{"{\"id\": \"a\", \"vector\": \"1\"}", "vector must be an array"},
	{"{\"id\": \"a\", \"vector\": [1, null]}", "vector[1] is not a number"},
	{"{\"id\": \"a\", \"vector\": [1e39]}", "vector[0] is too large"},
	{"{\"id\": \"a\", \"vector\": [1e999]}", "bad JSON"},
	{"{\"id\": \"a\", \"vector\": [NaN]}", "bad JSON"},
	{"{\"id\": \"a\", \"metadata\": []}", "metadata must be an object"},
	{"{\"id\": \"a\", \"metadata\": {\"k\": null}}", "metadata k must be"},
	{"{\"id\": \"a\", \"metadata\": {\"k\": {}}}", "metadata k must be"},
	{"{\"id\": \"a\", \"metadata\": {\"k\": [\"x\", 1]}}", "metadata k[1] must be a string"},
	{"{\"id\": \"a\", \"metadata\": {\"k\": 9223372036854775808}}", "bad JSON"},
};

Test(jsonl, says_what_is_wrong_with_a_line)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		Sluice__V1__Chunk chunk;
		status read;

		arena_init(arena, 1 << 20);
		read = READ(arena, bad[i].line, &chunk);

		cr_assert_eq(read.code, STATUS_INVALID_ARGUMENT, "case %zu", i);
		cr_assert_not_null(strstr(read.detail, bad[i].want), "case %zu: %s", i,
				   read.detail);
	}
}

Test(jsonl, gives_up_where_the_arena_is_full)
{
	static const char line[] =
		"{\"id\": \"a\", \"text\": \"some text\", \"metadata\": {\"k\": [\"x\"]}, "
		"\"vector\": [1, 2, 3, 4, 5, 6, 7, 8, 9]}";

	for (size_t cap = 0; cap < 600; cap += 16) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		Sluice__V1__Chunk chunk;
		status read;

		arena_init(arena, cap);
		read = READ(arena, line, &chunk);

		cr_assert(!status_failed(read) == !arena->exhausted, "cap %zu", cap);
	}
}

static const char *const round_trips[] = {
	"{\"id\": \"a\"}",
	"{\"id\": \"a\", \"ordinal\": 3}",
	"{\"id\": \"a\", \"document_id\": \"d\", \"ordinal\": 0}",
	"{\"id\": \"a\\\"\\\\\\n\\r\\t\\u0001\\u007f/ü\", \"text\": \"日本\"}",
	"{\"id\": \"a\", \"token_count\": 4294967295}",
	"{\"id\": \"a\", \"metadata\": {\"d\": 2.0}}",
	"{\"id\": \"a\", \"metadata\": {\"d\": 0.1}}",
	"{\"id\": \"a\", \"metadata\": {\"d\": 1e+300}}",
	"{\"id\": \"a\", \"metadata\": {\"d\": -0.0}}",
	"{\"id\": \"a\", \"metadata\": {\"i\": 2}}",
	"{\"id\": \"a\", \"metadata\": {\"i\": -9223372036854775808}}",
	"{\"id\": \"a\", \"metadata\": {\"b\": false}}",
	"{\"id\": \"a\", \"metadata\": {\"l\": [\"x\", \"y\"]}}",
	"{\"id\": \"a\", \"metadata\": {\"l\": []}}",
	"{\"id\": \"a\", \"vector\": [1, -0.5, 0.1, 1.4013e-45, 3.4028235e+38]}",
};

Test(jsonl, writes_a_line_as_it_was_read)
{
	for (size_t i = 0; i < sizeof round_trips / sizeof *round_trips; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct buffer bytes = {0};
		SCOPED(buffer) buffer = &bytes;
		Sluice__V1__Chunk chunk;

		arena_init(arena, 1 << 20);
		cr_assert(!status_failed(READ(arena, round_trips[i], &chunk)), "case %zu", i);
		jsonl_write(buffer, &chunk);
		buffer_append_u8(buffer, '\0');

		cr_assert_str_eq((const char *)buffer->data, round_trips[i]);
	}
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

Test(jsonl, numbers_read_back_as_the_same_bits)
{
	uint64_t state = 20240229;

	for (size_t i = 0; i < 20000; i++) {
		uint64_t bits = next_random(&state);
		uint32_t half = (uint32_t)bits;
		struct buffer bytes = {0};
		SCOPED(buffer) buffer = &bytes;
		double number;
		float small;

		memcpy(&number, &bits, sizeof number);
		memcpy(&small, &half, sizeof small);
		if (!isfinite(number) || !isfinite(small))
			continue;
		json_write_double(buffer, number);
		buffer_append_u8(buffer, '\0');
		cr_assert(strtod((const char *)buffer->data, NULL) == number);
		cr_assert_not_null(strpbrk((const char *)buffer->data, ".e"));

		buffer->size = 0;
		json_write_float(buffer, small);
		buffer_append_u8(buffer, '\0');
		cr_assert(strtof((const char *)buffer->data, NULL) == small);
	}
}

Test(jsonl, reads_a_vector_alone)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	Sluice__V1__Vector *vector;

	arena_init(arena, 65536);
	cr_assert(!status_failed(jsonl_read_vector(arena, bytes_of_string("[1, 2.5]"), &vector)));
	cr_assert_eq(vector->n_values, 2);
	cr_assert(status_failed(jsonl_read_vector(arena, bytes_of_string("1, 2"), &vector)));
	cr_assert(status_failed(jsonl_read_vector(arena, bytes_of_string("{}"), &vector)));
}
