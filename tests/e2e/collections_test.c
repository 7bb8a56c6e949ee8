/* collections - made, looked at, listed, dropped. */
#include "tests/e2e/rows.h"

#include <stdio.h>
#include <sys/resource.h>

TestSuite(collections, .init = world_open, .fini = world_close, .timeout = 120);

static struct answer create(const char *name, uint32_t dim, Sluice__V1__Metric metric)
{
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;

	collection.name = text_of("%s", name);
	collection.dimension = dim;
	collection.metric = metric;
	request.collection = &collection;
	return session_call(&world.session, &create_collection, &request.base);
}

static struct answer get(const char *name)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;

	request.name = text_of("%s", name);
	return session_call(&world.session, &get_collection, &request.base);
}

static struct answer drop(const char *name)
{
	Sluice__V1__DeleteCollectionRequest request = SLUICE__V1__DELETE_COLLECTION_REQUEST__INIT;

	request.name = text_of("%s", name);
	return session_call(&world.session, &delete_collection, &request.base);
}

static struct answer list(int32_t page_size, const char *token)
{
	Sluice__V1__ListCollectionsRequest request = SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;

	request.page_size = page_size;
	request.page_token = text_of("%s", token);
	return session_call(&world.session, &list_collections, &request.base);
}

Test(collections, gives_back_what_was_made)
{
	Sluice__V1__FieldSchema schema = SLUICE__V1__FIELD_SCHEMA__INIT, *fields[] = {&schema};
	Sluice__V1__IndexOptions index = SLUICE__V1__INDEX_OPTIONS__INIT;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	const Sluice__V1__CreateCollectionResponse *made;
	const Sluice__V1__GetCollectionResponse *got;
	struct answer answer;

	schema.name = text_of("source");
	schema.type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING;
	schema.required = true;
	index.kind = SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT;
	index.default_recall_target = 0.9F;
	collection.name = text_of("manuals-1_b");
	collection.dimension = 384;
	collection.metric = SLUICE__V1__METRIC__METRIC_COSINE;
	collection.index = &index;
	collection.n_fields = 1;
	collection.fields = fields;
	request.collection = &collection;
	answer = session_call(&world.session, &create_collection, &request.base);
	WANT(answer, GRPC_STATUS_OK, "");
	made = answer.message;
	cr_assert_str_eq(made->collection->name, "manuals-1_b");

	world_restart(&(struct server_options){0});
	answer = get("manuals-1_b");
	WANT(answer, GRPC_STATUS_OK, "");
	got = answer.message;
	cr_assert_str_eq(got->collection->name, "manuals-1_b");
	cr_assert_eq(got->collection->dimension, 384);
	cr_assert_eq(got->collection->metric, SLUICE__V1__METRIC__METRIC_COSINE);
	cr_assert_eq(got->collection->index->kind, SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT);
	cr_assert_float_eq(got->collection->index->default_recall_target, 0.9F, 0);
	cr_assert_eq(got->collection->n_fields, 1);
	cr_assert_str_eq(got->collection->fields[0]->name, "source");
	cr_assert_eq(got->collection->fields[0]->type, SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING);
	cr_assert(got->collection->fields[0]->required);
	cr_assert_eq(got->status->chunk_count, 0);
	cr_assert_gt(got->status->disk_bytes, 0);
	cr_assert_not_null(got->status->create_time);
	cr_assert_gt(got->status->create_time->seconds, 1700000000);
}

Test(collections, counts_what_is_in_one)
{
	struct rows rows = {
		.collection = "docs", .dim = 4, .n = 30, .metric = SLUICE__V1__METRIC__METRIC_L2};
	const Sluice__V1__GetCollectionResponse *got;
	uint64_t generation;

	rows_create(&rows, 1);
	generation = rows_upsert(&rows, 0, 10);
	got = get("docs").message;
	cr_assert_not_null(got);
	cr_assert_eq(got->status->chunk_count, 30);
	cr_assert_eq(got->status->generation, generation);
	cr_assert_eq(got->status->open_cursors, 0);
}

Test(collections, are_listed_by_name_page_after_page)
{
	const Sluice__V1__ListCollectionsResponse *page;
	const char *token = "";
	size_t seen = 0, pages = 0;

	for (size_t i = 0; i < 25; i++)
		WANT(create(text_of("c%02zu", (i * 7) % 25), 2, SLUICE__V1__METRIC__METRIC_L2),
		     GRPC_STATUS_OK, "");
	do {
		struct answer answer = list(10, token);

		WANT(answer, GRPC_STATUS_OK, "");
		page = answer.message;
		cr_assert_leq(page->n_collections, 10);
		for (size_t i = 0; i < page->n_collections; i++)
			cr_assert_str_eq(page->collections[i]->name, text_of("c%02zu", seen++));
		token = page->next_page_token;
		cr_assert_lt(pages++, 4);
	} while (token[0]);
	cr_assert_eq(seen, 25);
	page = list(0, "").message;
	cr_assert_not_null(page);
	cr_assert_eq(page->n_collections, 25);
	cr_assert_str_empty(page->next_page_token);
	/* A token whose collection is gone still has its place in the order. */
	token = ((const Sluice__V1__ListCollectionsResponse *)list(10, "").message)
			->next_page_token;
	WANT(drop("c09"), GRPC_STATUS_OK, "");
	page = list(3, token).message;
	cr_assert_not_null(page);
	cr_assert_str_eq(page->collections[0]->name, "c10");
	WANT(list(-1, ""), GRPC_STATUS_INVALID_ARGUMENT, "page_size|-1");
	WANT(list(3, "c09"), GRPC_STATUS_INVALID_ARGUMENT, "page_token");
}

Test(collections, have_names_that_are_taken_once)
{
	WANT(create("docs", 3, SLUICE__V1__METRIC__METRIC_L2), GRPC_STATUS_OK, "");
	WANT(create("docs", 4, SLUICE__V1__METRIC__METRIC_COSINE), GRPC_STATUS_ALREADY_EXISTS,
	     "docs");
	WANT(create("docs", 3, SLUICE__V1__METRIC__METRIC_L2), GRPC_STATUS_ALREADY_EXISTS, "docs");
}

Test(collections, are_gone_when_dropped)
{
	struct rows rows = {
		.collection = "docs", .dim = 3, .n = 20, .metric = SLUICE__V1__METRIC__METRIC_L2};

	rows_create(&rows, 2);
	WANT(drop("docs"), GRPC_STATUS_OK, "");
	WANT(get("docs"), GRPC_STATUS_NOT_FOUND, "docs");
	WANT(drop("docs"), GRPC_STATUS_NOT_FOUND, "docs");
	world_restart(&(struct server_options){0});
	WANT(get("docs"), GRPC_STATUS_NOT_FOUND, "docs");

	WANT(create("docs", 5, SLUICE__V1__METRIC__METRIC_COSINE), GRPC_STATUS_OK, "");
	cr_assert_eq(count_of("docs"), 0);
}

Test(collections, that_are_dropped_end_the_streams_on_them)
{
	struct rows rows = {.collection = "docs",
			    .dim = 2,
			    .n = 3000,
			    .text_bytes = 4000,
			    .metric = SLUICE__V1__METRIC__METRIC_L2};
	float query[2] = {0.5F, 0.5F};
	struct seen_list list = {0};

	rows_create(&rows, 3);
	{
		Sluice__V1__SearchRequest request = search_request(&rows, query, UINT64_MAX);
		SCOPED(grpc_stream) stream = session_stream(&world.session, &search, &request.base);

		seen_read(&world.session, stream, 1, &list);
		cr_assert_gt(list.n, 0);
		WANT(drop("docs"), GRPC_STATUS_OK, "");
		seen_read(&world.session, stream, SIZE_MAX, &list);
		WANT(list.end, GRPC_STATUS_FAILED_PRECONDITION, "");
		cr_assert_lt(list.n, rows.n);
	}
	want_idle();
}

Test(collections, that_are_unknown_are_named_by_every_method)
{
	Sluice__V1__CountChunksRequest count = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	Sluice__V1__ListChunksRequest chunks = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	struct rows rows = {.collection = "nowhere", .dim = 2};
	float query[2] = {1, 1};
	Sluice__V1__SearchRequest near = search_request(&rows, query, 5);

	count.collection = chunks.collection = text_of("nowhere");
	WANT(get("nowhere"), GRPC_STATUS_NOT_FOUND, "nowhere");
	WANT(session_call(&world.session, &count_chunks, &count.base), GRPC_STATUS_NOT_FOUND,
	     "nowhere");
	WANT(session_call(&world.session, &list_chunks, &chunks.base), GRPC_STATUS_NOT_FOUND,
	     "nowhere");
	WANT(session_call(&world.session, &search, &near.base), GRPC_STATUS_NOT_FOUND, "nowhere");
}

Test(collections, are_refused_what_makes_no_sense)
{
	static const struct {
		const char *name;
		uint32_t dim;
		int metric;
		const char *words;
	} cases[] = {
		{"", 3, 1, "collection.name"},
		{"Docs", 3, 1, "collection.name|Docs"},
		{"1docs", 3, 1, "collection.name|1docs"},
		{"do cs", 3, 1, "collection.name|do cs"},
		{"../docs", 3, 1, "collection.name|../docs"},
		{"a.b", 3, 1, "collection.name"},
		{"a23456789012345678901234567890123456789012345678901234567890abcd", 3, 1,
		 "collection.name"},
		{"d\xC3\xA9", 3, 1, "collection.name"},
		{"docs", 0, 1, "collection.dimension|0|8192"},
		{"docs", 8193, 1, "collection.dimension|8193|8192"},
		{"docs", UINT32_MAX, 1, "collection.dimension|4294967295"},
		{"docs", 3, 0, "collection.metric"},
		{"docs", 3, 4, "collection.metric|4"},
		{"docs", 3, -1, "collection.metric|-1"},
	};
	Sluice__V1__CreateCollectionRequest nothing = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	const Sluice__V1__ListCollectionsResponse *page;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		WANT(create(cases[i].name, cases[i].dim, (Sluice__V1__Metric)cases[i].metric),
		     GRPC_STATUS_INVALID_ARGUMENT, cases[i].words);
	WANT(session_call(&world.session, &create_collection, &nothing.base),
	     GRPC_STATUS_INVALID_ARGUMENT, "collection");
	WANT(get("Docs"), GRPC_STATUS_INVALID_ARGUMENT, "name|Docs");
	WANT(drop("../x"), GRPC_STATUS_INVALID_ARGUMENT, "name|../x");

	page = list(0, "").message;
	cr_assert_not_null(page);
	cr_assert_eq(page->n_collections, 0);
	WANT(create("docs", 8192, SLUICE__V1__METRIC__METRIC_L2), GRPC_STATUS_OK, "");
	WANT(create("a2345678901234567890123456789012345678901234567890123456789_-bc", 1,
		    SLUICE__V1__METRIC__METRIC_L2),
	     GRPC_STATUS_OK, "");
}

/* What the server has in memory. */
static size_t resident_bytes(void)
{
	char *path = text_of("/proc/%d/statm", (int)world.server.pid);
	FILE *file = fopen(path, "re");
	size_t all, resident;

	cr_assert_not_null(file);
	cr_assert_eq(fscanf(file, "%zu %zu", &all, &resident), 2);
	fclose(file);
	return resident * 4096;
}

Test(collections, take_little_memory_while_empty)
{
	const size_t n = 100;
	size_t before, after;

	WANT(create("first", 3, SLUICE__V1__METRIC__METRIC_L2), GRPC_STATUS_OK, "");
	before = resident_bytes();
	for (size_t i = 0; i < n; i++)
		WANT(create(text_of("c%zu", i), 3, SLUICE__V1__METRIC__METRIC_L2), GRPC_STATUS_OK,
		     "");
	after = resident_bytes();
	/* A sanitizer's own malloc keeps what it likes. */
	cr_assert(SANITIZED || after < before + n * ((size_t)512 << 10), "%zu bytes more",
		  after - before);
}

Test(collections, are_not_held_to_the_few_files_that_a_shell_allows)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_gt(limit.rlim_max, 1000);
	limit.rlim_cur = 100;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	world_restart(&(struct server_options){0});

	for (size_t i = 0; i < 100; i++)
		WANT(create(text_of("c%zu", i), 3, SLUICE__V1__METRIC__METRIC_L2), GRPC_STATUS_OK,
		     "");
}

static struct answer create_with(const Sluice__V1__IndexOptions *index)
{
	Sluice__V1__IndexOptions copy = *index;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;

	collection.name = text_of("indexed");
	collection.dimension = 32;
	collection.metric = SLUICE__V1__METRIC__METRIC_L2;
	collection.index = &copy;
	request.collection = &collection;
	return session_call(&world.session, &create_collection, &request.base);
}

Test(collections, options_that_do_not_go_with_the_kind_are_named)
{
	static const struct {
		Sluice__V1__IndexKind kind;
		const char *factory;
		uint32_t lists;
		int code;
		const char *words;
	} cases[] = {
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS, "", 0, GRPC_STATUS_INVALID_ARGUMENT,
		 "collection.index.faiss_factory"},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS, "Nonsense", 0,
		 GRPC_STATUS_INVALID_ARGUMENT, "collection.index.faiss_factory|Nonsense"},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS, "PQ0", 0, GRPC_STATUS_INVALID_ARGUMENT,
		 "collection.index.faiss_factory|PQ0"},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS, "HNSW32", 5,
		 GRPC_STATUS_INVALID_ARGUMENT, "collection.index.lists"},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF, "HNSW32", 0, GRPC_STATUS_INVALID_ARGUMENT,
		 "collection.index.faiss_factory"},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_UNSPECIFIED, "Flat", 0,
		 GRPC_STATUS_INVALID_ARGUMENT, "collection.index.faiss_factory"},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT, "", 7, GRPC_STATUS_INVALID_ARGUMENT,
		 "collection.index.lists"},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS, "HNSW32", 0, GRPC_STATUS_OK, ""},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF, "", 7, GRPC_STATUS_OK, ""},
		{SLUICE__V1__INDEX_KIND__INDEX_KIND_UNSPECIFIED, "", 7, GRPC_STATUS_OK, ""},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Sluice__V1__IndexOptions index = SLUICE__V1__INDEX_OPTIONS__INIT;

		index.kind = cases[i].kind;
		index.faiss_factory = text_of("%s", cases[i].factory);
		index.lists = cases[i].lists;
		WANT(create_with(&index), cases[i].code, cases[i].words);
		if (cases[i].code == GRPC_STATUS_OK)
			WANT(drop("indexed"), GRPC_STATUS_OK, "");
	}
}
