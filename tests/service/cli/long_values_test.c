#include "kernels/base/bytes.h"
#include "service/cli/long_values.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(long_values, .init = setup, .fini = teardown);

/* A chunk whose one metadata field is a string. */
static Sluice__V1__Chunk *chunk_with(char *value)
{
	Sluice__V1__Chunk *chunk = ARENA_NEW(&arena, Sluice__V1__Chunk);
	Sluice__V1__Chunk__MetadataEntry *entry =
		ARENA_NEW(&arena, Sluice__V1__Chunk__MetadataEntry);

	sluice__v1__chunk__init(chunk);
	sluice__v1__chunk__metadata_entry__init(entry);
	entry->key = arena_copy(&arena, "title", 5);
	entry->value = ARENA_NEW(&arena, Sluice__V1__MetadataValue);
	sluice__v1__metadata_value__init(entry->value);
	entry->value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE;
	entry->value->string_value = value;
	chunk->metadata = ARENA_ARRAY(&arena, Sluice__V1__Chunk__MetadataEntry *, 1);
	chunk->metadata[0] = entry;
	chunk->n_metadata = 1;
	return chunk;
}

/* prefix, then so many times the unit. */
static char *repeat(const char *prefix, const char *unit, size_t n)
{
	char *text = arena_calloc(&arena, strlen(prefix) + n * strlen(unit) + 1, 1);
	char *end = stpcpy(text, prefix);

	for (size_t i = 0; i < n; i++)
		end = stpcpy(end, unit);
	return text;
}

static const struct {
	const char *prefix, *unit;
	size_t n, want;
} cases[] = {
	{"", "x", 4095, 4095},
	{"", "x", 4096, 4096},
	{"", "x", 4097, 4096},
	{"", "\u00e9", 2049, 4096},
	{"x", "\u00e9", 2049, 4095},
	{"x", "\u20ac", 3000, 4096},
	{"xy", "\U0001f600", 3000, 4094},
};

Test(long_values, cuts_at_the_end_of_a_character)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct long_values values = {0};
		char *text = repeat(cases[i].prefix, cases[i].unit, cases[i].n);
		size_t size = strlen(text);

		cr_assert(!status_failed(long_values_apply(&values, &arena, 7, chunk_with(text))));
		cr_assert_eq(strlen(text), cases[i].want, "case %zu: %zu", i, strlen(text));
		cr_assert_eq(values.n_cut, (uint64_t)(size > cases[i].want), "case %zu", i);
		cr_assert(bytes_is_utf8(bytes_of_string(text)), "case %zu", i);
	}
}

Test(long_values, remembers_the_first)
{
	struct long_values values = {0};

	cr_assert(!status_failed(
		long_values_apply(&values, &arena, 3, chunk_with(repeat("", "x", 5000)))));
	cr_assert(!status_failed(
		long_values_apply(&values, &arena, 9, chunk_with(repeat("", "x", 6000)))));
	cr_assert_eq(values.n_cut, 2);
	cr_assert_eq(values.first.line, 3);
	cr_assert_eq(values.first.size_bytes, 5000);
	cr_assert_str_eq(values.first.key, "title");
}

Test(long_values, stops_where_it_is_told_to)
{
	struct long_values values = {0};
	char *text = repeat("", "x", 5420);
	status applied;

	cr_assert(!status_failed(long_values_parse(&arena, "stop", &values)));
	applied = long_values_apply(&values, &arena, 1, chunk_with(text));
	cr_assert_eq(applied.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(applied.detail, "title"));
	cr_assert_not_null(strstr(applied.detail, "5420"));
	cr_assert_eq(strlen(text), 5420);
	cr_assert_eq(long_values_parse(&arena, "maybe", &values).code, STATUS_INVALID_ARGUMENT);
}
