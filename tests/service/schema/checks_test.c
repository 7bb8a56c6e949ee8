#include "service/schema/checks.h"

#include <criterion/criterion.h>
#include <math.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(checks, .init = setup, .fini = teardown);

static const struct {
	const char *name;
	bool good;
} names[] = {
	{"a", true},
	{"a-b_9", true},
	{"", false},
	{"A", false},
	{"9a", false},
	{"a b", false},
	{"a/b", false},
	{"..", false},
	{"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg", true},
	{"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg", false},
};

Test(checks, takes_names_of_the_pattern_and_no_others)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		status checked = check_name(&arena, "name", names[i].name);

		cr_assert_eq(!status_failed(checked), names[i].good, "\"%s\"", names[i].name);
		if (!names[i].good)
			cr_assert_eq(checked.code, STATUS_INVALID_ARGUMENT);
	}
}

Test(checks, names_the_field_of_a_collection_and_both_numbers)
{
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	status checked;

	collection.name = (char[]){"docs"};
	collection.dimension = 8193;
	collection.metric = SLUICE__V1__METRIC__METRIC_COSINE;
	checked = check_collection(&arena, &collection);
	cr_assert_eq(checked.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(checked.detail, "collection.dimension"));
	cr_assert_not_null(strstr(checked.detail, "8193"));
	cr_assert_not_null(strstr(checked.detail, "8192"));

	collection.dimension = 8192;
	cr_assert(!status_failed(check_collection(&arena, &collection)));
	collection.metric = SLUICE__V1__METRIC__METRIC_UNSPECIFIED;
	cr_assert_eq(check_collection(&arena, &collection).code, STATUS_INVALID_ARGUMENT);
	cr_assert_eq(check_collection(&arena, NULL).code, STATUS_INVALID_ARGUMENT);
}

Test(checks, refuses_a_field_declared_twice)
{
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__FieldSchema first = SLUICE__V1__FIELD_SCHEMA__INIT;
	Sluice__V1__FieldSchema second = SLUICE__V1__FIELD_SCHEMA__INIT;
	Sluice__V1__FieldSchema *fields[] = {&first, &second};

	collection.name = (char[]){"docs"};
	collection.dimension = 3;
	collection.metric = SLUICE__V1__METRIC__METRIC_L2;
	collection.fields = fields;
	collection.n_fields = 2;
	first.name = (char[]){"lang"};
	first.type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING;
	second = first;
	cr_assert_eq(check_collection(&arena, &collection).code, STATUS_INVALID_ARGUMENT);
	second.name = (char[]){"size"};
	cr_assert(!status_failed(check_collection(&arena, &collection)));
}

/* A search that is right in every field, for a test to spoil one. */
static Sluice__V1__SearchRequest good_search(Sluice__V1__Vector *vector, float *values, size_t n)
{
	static char name[] = "docs";
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;

	sluice__v1__vector__init(vector);
	vector->values = values;
	vector->n_values = n;
	request.collection = name;
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = vector;
	return request;
}

Test(checks, names_the_value_of_a_query_that_is_not_finite)
{
	float values[] = {1, NAN, 3};
	Sluice__V1__Vector vector;
	Sluice__V1__SearchRequest request = good_search(&vector, values, 3);
	status checked = check_search(&arena, &request);

	cr_assert_eq(checked.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(checked.detail, "vector.values[1]"));
	values[1] = 2;
	cr_assert(!status_failed(check_search(&arena, &request)));
}

Test(checks, says_which_field_of_a_search_is_not_served)
{
	float values[] = {1};
	Sluice__V1__Vector vector;
	Sluice__V1__Filter filter = SLUICE__V1__FILTER__INIT;
	Sluice__V1__Budget budget = SLUICE__V1__BUDGET__INIT;
	Sluice__V1__Neighbors neighbors = SLUICE__V1__NEIGHBORS__INIT;
	Sluice__V1__SearchRequest request = good_search(&vector, values, 1);
	status checked;

	request.filter = &filter;
	checked = check_search(&arena, &request);
	cr_assert_eq(checked.code, STATUS_UNIMPLEMENTED);
	cr_assert_not_null(strstr(checked.detail, "filter"));
	request.filter = NULL;
	request.budget = &budget;
	cr_assert_not_null(strstr(check_search(&arena, &request).detail, "budget"));
	request.budget = NULL;
	request.neighbors = &neighbors;
	cr_assert_not_null(strstr(check_search(&arena, &request).detail, "neighbors"));
	request.neighbors = NULL;
	request.resume_token.data = (uint8_t[]){1};
	request.resume_token.len = 1;
	cr_assert_not_null(strstr(check_search(&arena, &request).detail, "resume_token"));
}

Test(checks, holds_a_recall_target_to_its_range)
{
	static const struct {
		float target;
		bool good;
	} cases[] = {{0.5F, true}, {0.999F, true}, {0.49F, false}, {1, false}, {NAN, false}};
	float values[] = {1};
	Sluice__V1__Vector vector;
	Sluice__V1__Accuracy accuracy = SLUICE__V1__ACCURACY__INIT;
	Sluice__V1__SearchRequest request = good_search(&vector, values, 1);

	request.accuracy = &accuracy;
	cr_assert_eq(check_search(&arena, &request).code, STATUS_INVALID_ARGUMENT);
	accuracy.kind_case = SLUICE__V1__ACCURACY__KIND_RECALL_TARGET;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		accuracy.recall_target = cases[i].target;
		cr_assert_eq(!status_failed(check_search(&arena, &request)), cases[i].good, "%g",
			     (double)cases[i].target);
	}
}

/* What is wrong with the second of two chunks. */
static status check_second(void (*spoil)(Sluice__V1__Chunk *))
{
	static char name[] = "docs", id[] = "a";
	float values[] = {1, 2};
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	Sluice__V1__Chunk good = SLUICE__V1__CHUNK__INIT, bad;
	Sluice__V1__Chunk *chunks[] = {&good, &bad};
	Sluice__V1__UpsertChunksRequest request = SLUICE__V1__UPSERT_CHUNKS_REQUEST__INIT;

	vector.values = values;
	vector.n_values = 2;
	good.id = id;
	good.vector = &vector;
	bad = good;
	spoil(&bad);
	request.collection = name;
	request.chunks = chunks;
	request.n_chunks = 2;
	return check_upsert(&arena, &request);
}

static void no_id(Sluice__V1__Chunk *chunk)
{
	static char empty[] = "";

	chunk->id = empty;
}

static void long_text(Sluice__V1__Chunk *chunk)
{
	chunk->text = arena_calloc(&arena, 1, 65538);
	memset(chunk->text, 'x', 65537);
}

static void no_vector(Sluice__V1__Chunk *chunk)
{
	chunk->vector = NULL;
}

static void bad_key(Sluice__V1__Chunk *chunk)
{
	static char key[] = "Not a key";
	static Sluice__V1__Chunk__MetadataEntry entry;
	static Sluice__V1__Chunk__MetadataEntry *entries[] = {&entry};

	sluice__v1__chunk__metadata_entry__init(&entry);
	entry.key = key;
	chunk->metadata = entries;
	chunk->n_metadata = 1;
}

static void no_value(Sluice__V1__Chunk *chunk)
{
	static char key[] = "lang";

	bad_key(chunk);
	chunk->metadata[0]->key = key;
}

static const struct {
	void (*spoil)(Sluice__V1__Chunk *);
	const char *path;
} spoilt[] = {
	{no_id, "chunks[1].id"},         {no_id, "chunks[1].id"},
	{long_text, "chunks[1].text"},   {no_vector, "chunks[1].vector"},
	{bad_key, "chunks[1].metadata"}, {no_value, "chunks[1].metadata[\"lang\"]"},
};

Test(checks, gives_the_path_of_what_is_wrong_with_a_chunk)
{
	for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++) {
		status checked = check_second(spoilt[i].spoil);

		cr_assert_eq(checked.code, STATUS_INVALID_ARGUMENT, "case %zu", i);
		cr_assert_eq(strncmp(checked.detail, spoilt[i].path, strlen(spoilt[i].path)), 0,
			     "%s: %s", spoilt[i].path, checked.detail);
	}
}
