#include "service/codec/chunk_codec.h"

#include "kernels/base/error_info.h"

#include <criterion/criterion.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(chunk_codec, .init = setup, .fini = teardown);

/* A message of one string field, given by key and value. */
static Sluice__V1__Chunk__MetadataEntry *entry(const char *key, const char *value)
{
	Sluice__V1__Chunk__MetadataEntry *made =
		ARENA_NEW(&arena, Sluice__V1__Chunk__MetadataEntry);

	sluice__v1__chunk__metadata_entry__init(made);
	made->key = arena_copy(&arena, key, strlen(key));
	made->value = ARENA_NEW(&arena, Sluice__V1__MetadataValue);
	sluice__v1__metadata_value__init(made->value);
	made->value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE;
	made->value->string_value = arena_copy(&arena, value, strlen(value));
	return made;
}

Test(chunk_codec, sorts_metadata_and_keeps_the_last_of_a_key_given_twice)
{
	Sluice__V1__Chunk message = SLUICE__V1__CHUNK__INIT;
	Sluice__V1__Chunk__MetadataEntry *entries[] = {
		entry("b", "1"), entry("a", "2"), entry("b", "3"), entry("c", "4"), entry("b", "5"),
	};
	struct chunk chunk;

	message.metadata = entries;
	message.n_metadata = 5;
	cr_assert(!status_failed(chunk_decode(&arena, &message, &chunk)));

	cr_assert_eq(chunk.n_metadata, 3);
	cr_assert(bytes_equal(chunk.metadata[0].key, bytes_of_string("a")));
	cr_assert(bytes_equal(chunk.metadata[1].value.string, bytes_of_string("5")));
	cr_assert(bytes_equal(chunk.metadata[2].key, bytes_of_string("c")));
}

Test(chunk_codec, counts_a_token_for_every_four_bytes_where_the_client_gave_none)
{
	static const struct {
		const char *text;
		uint32_t given, want;
	} cases[] = {{"", 0, 0}, {"a", 0, 1}, {"abcd", 0, 1}, {"abcde", 0, 2}, {"abcde", 9, 9}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Sluice__V1__Chunk message = SLUICE__V1__CHUNK__INIT;
		struct chunk chunk;

		message.text = arena_copy(&arena, cases[i].text, strlen(cases[i].text));
		message.token_count = cases[i].given;
		cr_assert(!status_failed(chunk_decode(&arena, &message, &chunk)));
		cr_assert_eq(chunk.token_count, cases[i].want, "case %zu", i);
	}
}

Test(chunk_codec, gives_back_every_kind_of_value)
{
	const struct bytes labels[] = {bytes_of_string("x"), bytes_of_string("y")};
	const struct metadata metadata[] = {
		{bytes_of_string("b"), {.kind = VALUE_BOOL, .boolean = true}},
		{bytes_of_string("d"), {.kind = VALUE_DOUBLE, .number = -0.5}},
		{bytes_of_string("i"), {.kind = VALUE_INT, .integer = INT64_MIN}},
		{bytes_of_string("l"), {.kind = VALUE_STRING_LIST, .list = {labels, 2}}},
		{bytes_of_string("s"), {.kind = VALUE_STRING, .string = bytes_of_string("text")}},
	};
	const struct chunk chunk = {.id = bytes_of_string("id"),
				    .metadata = metadata,
				    .n_metadata = sizeof metadata / sizeof *metadata};
	Sluice__V1__Chunk message;
	struct chunk back;

	cr_assert(!status_failed(chunk_to_message(&arena, &chunk, READ_RECORD, 0, &message)));
	cr_assert(!status_failed(chunk_decode(&arena, &message, &back)));
	cr_assert_eq(back.n_metadata, chunk.n_metadata);
	cr_assert_eq(back.metadata[0].value.boolean, true);
	cr_assert_float_eq(back.metadata[1].value.number, -0.5, 0);
	cr_assert_eq(back.metadata[2].value.integer, INT64_MIN);
	cr_assert_eq(back.metadata[3].value.list.n, 2);
	cr_assert(bytes_equal(back.metadata[3].value.list.items[1], labels[1]));
	cr_assert(bytes_equal(back.metadata[4].value.string, metadata[4].value.string));
}

Test(chunk_codec, returns_only_what_the_mask_names)
{
	float vector[] = {1, 2};
	const struct chunk chunk = {.id = bytes_of_string("id"),
				    .text = bytes_of_string("text"),
				    .ordinal = 7,
				    .vector = vector};
	Sluice__V1__Chunk message;

	cr_assert(!status_failed(
		chunk_to_message(&arena, &chunk, READ_ID | READ_VECTOR, 2, &message)));
	cr_assert_str_eq(message.id, "id");
	cr_assert_str_eq(message.text, "");
	cr_assert_eq(message.ordinal, 0);
	cr_assert_eq(message.vector->n_values, 2);
	cr_assert(!status_failed(chunk_to_message(&arena, &chunk, READ_TEXT, 2, &message)));
	cr_assert_str_eq(message.id, "");
	cr_assert_null(message.vector);
}

Test(chunk_codec, reads_a_mask_and_names_an_unknown_path)
{
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char id[] = "id", vector[] = "vector", bad[] = "vectors", below[] = "metadata.\xC3\xA4";
	char *paths[] = {id, vector};
	unsigned fields = 0;
	status decoded;

	cr_assert(!status_failed(read_mask_decode(&arena, NULL, &fields)));
	cr_assert_eq(fields, READ_RECORD);
	cr_assert(!status_failed(read_mask_decode(&arena, &mask, &fields)));
	cr_assert_eq(fields, READ_RECORD);
	mask.paths = paths;
	mask.n_paths = 2;
	cr_assert(!status_failed(read_mask_decode(&arena, &mask, &fields)));
	cr_assert_eq(fields, READ_ID | READ_VECTOR);
	paths[1] = bad;
	decoded = read_mask_decode(&arena, &mask, &fields);
	cr_assert_eq(decoded.code, STATUS_INVALID_ARGUMENT);
	cr_assert_str_eq(decoded.detail, "read_mask.paths[1]: \"vectors\" is no field of Chunk");
	paths[1] = below;
	decoded = read_mask_decode(&arena, &mask, &fields);
	cr_assert_str_eq(decoded.detail,
			 "read_mask.paths[1]: \"metadata...\" is no field of Chunk: "
			 "a field comes whole");
	cr_assert_str_eq(decoded.info->metadata[0].value, "read_mask.paths[1]");
}
