/* fields - which types are declared for what the chunks carry. */
#include "service/cli/fields.h"

#include "service/cli/jsonl.h"

#include <criterion/criterion.h>

#include <stdio.h>

static void see(struct fields *fields, struct arena *arena, const char *metadata)
{
	char line[512];
	Sluice__V1__Chunk chunk;
	status read;

	snprintf(line, sizeof line, "{\"id\": \"a\", \"metadata\": %s}", metadata);
	read = jsonl_read(arena, bytes_of_string(line), &chunk);
	cr_assert(!status_failed(read), "%s", read.detail);
	cr_assert(!status_failed(fields_see(fields, arena, &chunk)));
}

static const struct {
	const char *first, *second;
	int type; /* 0: not declared */
} cases[] = {
	{"{\"k\": \"x\"}", "{\"k\": \"y\"}", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING},
	{"{\"k\": 1}", "{\"k\": 2}", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_INT},
	{"{\"k\": 1}", "{\"k\": 2.5}", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_DOUBLE},
	{"{\"k\": 2.0}", "{\"k\": 1}", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_DOUBLE},
	{"{\"k\": true}", "{}", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_BOOL},
	{"{\"k\": []}", "{\"k\": [\"x\"]}", SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING_LIST},
	{"{\"k\": 1}", "{\"k\": \"x\"}", 0},
	{"{\"k\": true}", "{\"k\": 1}", 0},
	{"{\"K\": 1}", "{}", 0},
	{"{\"a-b\": 1}", "{}", 0},
	{"{\"\": 1}", "{}", 0},
};

Test(fields, takes_the_type_that_all_values_have)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct fields fields = {0};
		Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;

		arena_init(arena, 1 << 20);
		see(&fields, arena, cases[i].first);
		see(&fields, arena, cases[i].second);
		cr_assert(!status_failed(fields_declare(&fields, arena, &collection)));

		cr_assert_eq(collection.n_fields, cases[i].type ? 1 : 0, "case %zu", i);
		if (cases[i].type) {
			cr_assert_str_eq(collection.fields[0]->name, "k");
			cr_assert_eq((int)collection.fields[0]->type, cases[i].type, "case %zu", i);
		}
	}
}

Test(fields, declares_no_more_than_a_collection_may_have)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct fields fields = {0};
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;

	arena_init(arena, 1 << 20);
	for (int i = 0; i < 1000; i++) {
		char metadata[64];

		snprintf(metadata, sizeof metadata, "{\"k%d\": %d}", i, i);
		see(&fields, arena, metadata);
	}
	cr_assert(!status_failed(fields_declare(&fields, arena, &collection)));

	cr_assert_eq(collection.n_fields, FIELDS_MAX);
	cr_assert_str_eq(collection.fields[FIELDS_MAX - 1]->name, "k63");
}
