/* arguments - options and names in any order, and what is said about mistakes. */
#include "service/cli/arguments.h"

#include "service/cli/words.h"

#include <criterion/criterion.h>

static const struct option options[] = {
	{"limit", OPTION_VALUE, "N  hits"},
	{"json", OPTION_FLAG, "  as JSON"},
	{"field", OPTION_REPEATED, "name:type  a field"},
};

static const struct option_list list = {options, 3};

#define WORDS_MAX 8

static status parse(struct arguments *arguments, struct arena *arena, const char *const *words)
{
	static char *copies[WORDS_MAX];
	size_t n = 0;

	while (words[n]) {
		copies[n] = (char *)(uintptr_t)words[n];
		n++;
	}
	*arguments = (struct arguments){.arena = arena, .command = "search"};
	return arguments_parse(arguments, (struct words){copies, n}, &list, 1);
}

static const struct {
	const char *words[WORDS_MAX];
	const char *limit; /* NULL: not given */
	bool json;
	size_t n_names;
	const char *last_name;
} good[] = {
	{{NULL}, NULL, false, 0, NULL},
	{{"a", "b"}, NULL, false, 2, "b"},
	{{"--limit", "5", "a"}, "5", false, 1, "a"},
	{{"a", "--limit=5", "--json"}, "5", true, 1, "a"},
	{{"--json", "a", "--limit", "--json"}, "--json", true, 1, "a"},
	{{"--limit="}, "", false, 0, NULL},
	{{"--", "--json", "-x"}, NULL, false, 2, "-x"},
	{{"-"}, NULL, false, 1, "-"},
	{{"--field=a:int", "--field", "b:bool"}, NULL, false, 0, NULL},
};

Test(arguments, takes_options_and_names_in_any_order)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct arguments arguments;
		const char *limit;

		arena_init(arena, 65536);
		cr_assert(!status_failed(parse(&arguments, arena, good[i].words)), "case %zu", i);
		limit = arguments_value(&arguments, "limit");

		cr_assert_eq(!limit, !good[i].limit, "case %zu", i);
		if (limit)
			cr_assert_str_eq(limit, good[i].limit);
		cr_assert_eq(arguments_has(&arguments, "json"), good[i].json, "case %zu", i);
		cr_assert_eq(arguments.n_names, good[i].n_names, "case %zu", i);
		if (good[i].last_name)
			cr_assert_str_eq(arguments.names[arguments.n_names - 1], good[i].last_name);
		cr_assert(!arguments.misused);
	}
}

static const struct {
	const char *words[WORDS_MAX];
	const char *want;
} bad[] = {
	{{"--limt", "5"}, "unknown option --limt; did you mean --limit?"},
	{{"--limt=5"}, "unknown option --limt; did you mean --limit?"},
	{{"--whatever"}, "unknown option --whatever; see sluice help search"},
	{{"-n"}, "unknown option -n; options have two dashes, see sluice help search"},
	{{"--limit"}, "--limit needs a value"},
	{{"--json=yes"}, "--json takes no value"},
	{{"--json", "--json"}, "--json is given twice"},
	{{"--limit=1", "--limit=2"}, "--limit is given twice"},
	{{"--faiss=k"}, "--faiss is not served by this version"},
};

Test(arguments, says_what_is_wrong)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct arguments arguments;
		status parsed;

		arena_init(arena, 65536);
		parsed = parse(&arguments, arena, bad[i].words);

		cr_assert(status_failed(parsed), "case %zu", i);
		cr_assert_str_eq(parsed.detail, bad[i].want);
		cr_assert(arguments.misused);
	}
}

static const struct {
	const char *text;
	bool whole;  /* is a whole number of 1 to 100 */
	bool number; /* is a number of 0.5 to 100 */
} numbers[] = {
	{"1", true, true},
	{"100", true, true},
	{"101", false, false},
	{"0", false, false},
	{"-1", false, false},
	{"+1", false, true},
	{" 1", false, true},
	{"1 ", false, false},
	{"1.5", false, true},
	{"", false, false},
	{"x", false, false},
	{"nan", false, false},
	{"inf", false, false},
	{"1e1", false, true},
	{"0.5", false, true},
	{"0x10", false, true},
	{"99999999999999999999", false, false},
};

Test(arguments, reads_numbers_within_their_bounds)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		const char *const words[] = {"--limit", numbers[i].text, NULL};
		struct arguments arguments;
		uint64_t whole = 7;
		double number = 7;

		arena_init(arena, 65536);
		cr_assert(!status_failed(parse(&arguments, arena, words)));

		cr_assert_eq(!status_failed(arguments_u64(&arguments, "limit", 1, 100, &whole)),
			     numbers[i].whole, "\"%s\"", numbers[i].text);
		cr_assert_eq(
			!status_failed(arguments_number(&arguments, "limit", 0.5, 100, &number)),
			numbers[i].number, "\"%s\"", numbers[i].text);
		if (!numbers[i].whole)
			cr_assert_eq(whole, 7);
	}
}

static const struct {
	const char *word, *name;
	int type; /* 0: refused */
} fields[] = {
	{"a:string", "a", 1},      {"a:int", "a", 2}, {"a:double", "a", 3}, {"a:bool", "a", 4},
	{"a:string_list", "a", 5}, {"a", NULL, 0},    {"a:", NULL, 0},      {":int", NULL, 0},
	{"a:float", NULL, 0},      {"", NULL, 0},
};

Test(words, reads_fields)
{
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct arguments arguments = {.arena = &memory};
		Sluice__V1__FieldSchema field = SLUICE__V1__FIELD_SCHEMA__INIT;
		status read;

		arena_init(arena, 65536);
		read = field_read(&arguments, fields[i].word, &field);

		cr_assert_eq(!status_failed(read), fields[i].type != 0, "%s", fields[i].word);
		cr_assert_eq(arguments.misused, fields[i].type == 0);
		if (fields[i].type) {
			cr_assert_str_eq(field.name, fields[i].name);
			cr_assert_eq((int)field.type, fields[i].type);
		}
	}
}

Test(words, reads_metrics_and_kinds_of_index)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct arguments arguments = {.arena = &memory};
	Sluice__V1__IndexOptions index = SLUICE__V1__INDEX_OPTIONS__INIT;
	Sluice__V1__Metric metric;

	arena_init(arena, 65536);
	cr_assert(!status_failed(metric_read(&arguments, "l2", &metric)));
	cr_assert_str_eq(metric_word(metric), "l2");
	cr_assert(!status_failed(index_read(&arguments, "faiss:HNSW32", &index)));
	cr_assert_str_eq(index_word(arena, &index), "faiss:HNSW32");
	cr_assert(!arguments.misused);
	cr_assert(status_failed(metric_read(&arguments, "euclid", &metric)));
	cr_assert(status_failed(index_read(&arguments, "faiss:", &index)));
	cr_assert_str_eq(metric_word((Sluice__V1__Metric)99), "unknown");
}

Test(words, groups_the_digits_of_counts)
{
	cr_assert_str_eq(count_format(0).text, "0");
	cr_assert_str_eq(count_format(999).text, "999");
	cr_assert_str_eq(count_format(99920).text, "99,920");
	cr_assert_str_eq(count_format(UINT64_MAX).text, "18,446,744,073,709,551,615");
}
