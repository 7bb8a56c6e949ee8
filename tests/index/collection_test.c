#include "tests/index/fixture.h"

#include "kernels/base/error_info.h"

#include <math.h>

TestSuite(collection, .init = fixture_begin, .fini = fixture_end, .timeout = 40);

#define SNAPSHOTS 6

/* A snapshot and what it should go on showing. */
struct view {
	struct snapshot *snapshot;
	struct model model;
};

/* Releases a view at random, after a last look, or takes one. */
static void views_turn(struct view *views, uint64_t *random, struct collection *collection,
		       const struct model *model)
{
	struct view *view = &views[random_below(random, SNAPSHOTS)];

	if (view->snapshot) {
		model_check(&view->model, view->snapshot);
		snapshot_release(TAKE(view->snapshot));
		return;
	}
	cr_assert_not(status_failed(snapshot_acquire(collection, &view->snapshot)));
	view->model = *model;
}

static void views_close(struct view *views)
{
	for (size_t i = 0; i < SNAPSHOTS; i++) {
		if (views[i].snapshot)
			model_check(&views[i].model, views[i].snapshot);
		snapshot_release(TAKE(views[i].snapshot));
	}
}

Test(collection, equals_a_model_and_snapshots_keep_theirs)
{
	uint64_t random = 20240817;
	struct view views[SNAPSHOTS] = {0};
	struct model model = {0};
	struct change change;

	for (uint32_t round = 0; round < 4; round++) {
		struct collection *collection;

		fixture_open(2);
		collection = fixture_collection("docs");
		model_check_ids(&model, collection);
		for (uint32_t step = 1; step <= 60; step++) {
			struct model_counts counts;

			change_draw(&change, &random, round * 1000 + step);
			change_write(&change, collection);
			counts = model_apply(&model, &change);
			cr_assert_eq(change.write.inserted, counts.inserted);
			cr_assert_eq(change.write.replaced, counts.replaced);
			cr_assert_eq(change.write.deleted, counts.deleted);
			cr_assert_eq(change.write.generation, round * 60 + step);
			change_finish(&change);
			views_turn(views, &random, collection, &model);
		}
		views_close(views);
		model_check_ids(&model, collection);
		collection_release(collection);
		fixture_close();
	}
}

Test(collection, says_what_it_holds)
{
	struct collection_status about;
	struct collection *collection;
	struct snapshot *snapshot = NULL;

	fixture_open(1);
	collection = fixture_collection("docs");
	change_now(collection, (unsigned[]){1, 2, 3}, 3, 5);
	change_now(collection, (unsigned[]){2, 2, 9}, 3, 0);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));

	collection_status(collection, &about);

	cr_assert_eq(about.chunk_count, 2);
	cr_assert_eq(about.generation, 2);
	cr_assert_eq(about.open_cursors, 1);
	cr_assert_eq(about.indexed_rows, 0);
	cr_assert_gt(about.disk_bytes, 0);
	cr_assert_geq(about.memory_bytes, 3 * MODEL_DIM * sizeof(float));
	cr_assert_gt(about.create_time_ns, 0);
	snapshot_release(snapshot);
	collection_release(collection);
}

Test(collection, fetches_what_is_asked_and_knows_no_other_row)
{
	struct collection *collection;
	struct chunk chunk;
	status s;

	fixture_open(1);
	collection = fixture_collection("docs");
	change_now(collection, (unsigned[]){1}, 1, 5);

	cr_assert_not(status_failed(
		collection_fetch(collection, 0, FETCH_VECTOR, &fixture.arena, &chunk)));
	cr_assert_eq(chunk.id.size, 0);
	cr_assert_not_null(chunk.vector);
	cr_assert_not(status_failed(
		collection_fetch(collection, 0, FETCH_RECORD, &fixture.arena, &chunk)));
	cr_assert_str_eq((const char *)chunk.id.data, "id-1");
	cr_assert_null(chunk.vector);
	s = collection_fetch(collection, 77, FETCH_RECORD, &fixture.arena, &chunk);
	cr_assert_eq(s.code, STATUS_NOT_FOUND);
	collection_release(collection);
}

Test(collection, is_read_by_a_reader_as_row_by_row)
{
	struct collection *collection;
	struct collection_reader reader;
	struct chunk chunk;
	bool found = false;
	uint64_t row = 77;

	fixture_open(1);
	collection = fixture_collection("docs");
	change_now(collection, (unsigned[]){1, 2}, 2, 5);
	reader = collection_reader_of(collection);

	cr_assert_not(status_failed(collection_reader_find(&reader, bytes_of_string("id-2"),
							   &fixture.arena, &found, &row)));
	cr_assert(found);
	cr_assert_not(status_failed(collection_reader_fetch(
		&reader, row, FETCH_RECORD | FETCH_VECTOR, &fixture.arena, &chunk)));
	cr_assert_str_eq((const char *)chunk.id.data, "id-2");
	cr_assert_not_null(chunk.vector);
	cr_assert_not(status_failed(collection_reader_find(&reader, bytes_of_string("id-3"),
							   &fixture.arena, &found, &row)));
	cr_assert_not(found);

	/* What is written while it rests is there afterwards. */
	collection_reader_rest(&reader);
	change_now(collection, (unsigned[]){3}, 1, 6);
	cr_assert_not(status_failed(collection_reader_find(&reader, bytes_of_string("id-3"),
							   &fixture.arena, &found, &row)));
	cr_assert(found);
	collection_reader_rest(&reader);
	collection_release(collection);
}

/* A collection of two dimensions with a field of each kind, `year` required. */
static struct collection *open_declared(enum metric metric)
{
	static const struct field_schema fields[] = {
		{"year", VALUE_INT, true},          {"weight", VALUE_DOUBLE, false},
		{"lang", VALUE_STRING, false},      {"draft", VALUE_BOOL, false},
		{"tags", VALUE_STRING_LIST, false},
	};
	struct collection_config config = fixture_config("declared");
	struct collection *collection = NULL;

	config.dim = 2;
	config.metric = metric;
	config.n_fields = sizeof fields / sizeof *fields;
	memcpy(config.fields, fields, sizeof fields);
	fixture_open(1);
	cr_assert_not(status_failed(database_create(fixture.database, &config, &fixture.arena)));
	cr_assert_not(status_failed(database_acquire(fixture.database, bytes_of_string("declared"),
						     &fixture.arena, &collection)));
	return collection;
}

static const struct {
	enum metric metric;
	float vector[2];
	const char *want; /* in the detail; NULL: accepted */
} vector_cases[] = {
	{METRIC_COSINE, {3, 4}, NULL},
	{METRIC_COSINE, {3e38F, 3e38F}, NULL},
	{METRIC_COSINE, {1e-45F, 0}, NULL},
	{METRIC_COSINE, {0, 0}, "chunk \"a\": all 2 values of the vector are zero"},
	{METRIC_COSINE, {0, NAN}, "chunk \"a\": value 1 of the vector is nan"},
	{METRIC_L2, {INFINITY, 0}, "chunk \"a\": value 0 of the vector is inf"},
	{METRIC_L2, {0, 0}, NULL},
	{METRIC_L2, {0x1p60F, 0}, NULL},
	{METRIC_L2, {0x1p60F, 0x1p55F}, "above 1.15292e+18"},
	{METRIC_INNER_PRODUCT, {0x1p61F, 0}, "the vector's length is 2.30584e+18"},
};

Test(collection, refuses_vectors_that_have_no_score)
{
	for (size_t i = 0; i < sizeof vector_cases / sizeof *vector_cases; i++) {
		struct collection *collection = open_declared(vector_cases[i].metric);
		struct metadata year = {bytes_of_string("year"), {VALUE_INT, {.integer = 1}}};
		float vector[2] = {vector_cases[i].vector[0], vector_cases[i].vector[1]};
		struct chunk chunk = {.id = bytes_of_string("a"),
				      .vector = vector,
				      .metadata = &year,
				      .n_metadata = 1};
		status s = collection_prepare_upsert(collection, &chunk, 1, &fixture.arena);

		if (vector_cases[i].want) {
			cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT, "case %zu", i);
			cr_assert(strstr(s.detail, vector_cases[i].want), "%s", s.detail);
			cr_assert_str_eq(s.info->violations[0].field, "chunks[0].vector.values");
		} else {
			cr_assert_not(status_failed(s), "case %zu: %s", i, s.detail);
		}
		if (!vector_cases[i].want && vector_cases[i].metric == METRIC_COSINE)
			cr_assert_float_eq(hypot((double)vector[0], (double)vector[1]), 1, 1e-6);
		collection_release(collection);
		cr_assert_not(status_failed(database_drop(
			fixture.database, bytes_of_string("declared"), &fixture.arena)));
		fixture_close();
	}
}

static const struct {
	const char *key;
	struct value value;
	const char *want;
} field_cases[] = {
	{"year", {VALUE_INT, {.integer = 1}}, NULL},
	{"year", {VALUE_DOUBLE, {.number = 1}}, "\"year\" is double where int is declared"},
	{"lang", {VALUE_STRING, {.string = {NULL, 0}}}, "field \"year\" is required"},
	{"weight", {VALUE_INT, {.integer = 1}}, NULL},
	{"weight", {VALUE_DOUBLE, {.number = 1}}, NULL},
	{"weight", {VALUE_BOOL, {.boolean = true}}, "\"weight\" is bool where double is declared"},
	{"tags",
	 {VALUE_STRING, {.string = {NULL, 0}}},
	 "\"tags\" is string where string list is declared"},
	{"tags", {VALUE_STRING_LIST, {.list = {NULL, 0}}}, NULL},
	{"draft", {VALUE_INT, {.integer = 1}}, "\"draft\" is int where bool is declared"},
	{"other", {VALUE_BOOL, {.boolean = true}}, NULL},
};

Test(collection, holds_chunks_to_the_declared_fields)
{
	struct collection *collection = open_declared(METRIC_L2);

	for (size_t i = 0; i < sizeof field_cases / sizeof *field_cases; i++) {
		struct metadata metadata[2] = {
			{bytes_of_string(field_cases[i].key), field_cases[i].value},
			{bytes_of_string("year"), {VALUE_INT, {.integer = 1}}},
		};
		struct chunk chunk = {.id = bytes_of_string("b"),
				      .vector = (float[]){1, 2},
				      .metadata = metadata,
				      .n_metadata = 2};
		status s;

		/* Alone where it is year itself, or where year is to be missed. */
		if (strcmp(field_cases[i].key, "year") == 0 ||
		    (field_cases[i].want && strstr(field_cases[i].want, "required")))
			chunk.n_metadata = 1;
		s = collection_prepare_upsert(collection, &chunk, 1, &fixture.arena);
		if (!field_cases[i].want) {
			cr_assert_not(status_failed(s), "case %zu: %s", i, s.detail);
			continue;
		}
		cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT, "case %zu", i);
		cr_assert(strstr(s.detail, "chunks[0]: chunk \"b\""), "%s", s.detail);
		cr_assert(strstr(s.detail, field_cases[i].want), "%s", s.detail);
		cr_assert_eq(s.info->n_violations, 1);
		cr_assert(strstr(s.info->violations[0].field, "chunks[0].metadata[\""), "%s",
			  s.info->violations[0].field);
		cr_assert_str_eq(s.info->violations[0].description, s.detail);
	}
	collection_release(collection);
}
