/* search - every stream against a sort of all rows, to the bit. */
#include "tests/e2e/rows.h"
#include "tests/support/skip.h"

#include <math.h>

#define COSINE SLUICE__V1__METRIC__METRIC_COSINE
#define PRODUCT SLUICE__V1__METRIC__METRIC_INNER_PRODUCT
#define L2 SLUICE__V1__METRIC__METRIC_L2

TestSuite(search, .init = world_open, .fini = world_close, .timeout = 200);

static const struct {
	const char *name;
	Sluice__V1__Metric metric;
	uint32_t dim;
} shapes[] = {
	{"cosine-1", COSINE, 1},   {"cosine-7", COSINE, 7},     {"cosine-384", COSINE, 384},
	{"product-2", PRODUCT, 2}, {"product-33", PRODUCT, 33}, {"product-768", PRODUCT, 768},
	{"l2-1", L2, 1},           {"l2-16", L2, 16},           {"l2-101", L2, 101},
};

#define N_SHAPES (sizeof shapes / sizeof *shapes)

Test(search, gives_every_row_in_the_order_of_a_sort)
{
	for (size_t i = 0; i < N_SHAPES; i++) {
		struct rows rows = {.collection = shapes[i].name,
				    .metric = shapes[i].metric,
				    .dim = shapes[i].dim,
				    .n = 400};

		rows_create(&rows, i + 1);
		for (uint64_t seed = 50; seed < 53; seed++) {
			float *query = query_make(rows.dim, seed);
			Sluice__V1__SearchRequest request = search_request(&rows, query, 1000);
			struct seen_list wanted = oracle_order(&rows, query, NULL);
			struct seen_list seen = search_all(&world.session, &request);

			WANT_SAME(&seen, &wanted, rows.n);
			cr_assert_eq(seen.summary->stop_reason,
				     SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED);
		}
	}
}

/* A stored vector as the query: the best hit is the row itself, and its twins follow by age. */
Test(search, breaks_ties_by_the_order_of_writing)
{
	struct rows rows = {.collection = "docs", .metric = L2, .dim = 5, .n = 300};
	struct seen_list wanted, seen;
	Sluice__V1__SearchRequest request;
	float *query;

	rows_make(&rows, 9);
	for (size_t row = 0; row < rows.n; row++)
		memcpy(rows_vector(&rows, row), rows_vector(&rows, row % 10), 5 * sizeof(float));
	memcpy(rows.stored, rows.vectors, rows.n * rows.dim * sizeof(float));
	make_collection("docs", rows.dim, rows.metric);
	rows_upsert(&rows, 0, rows.n);
	query = rows_vector(&rows, 3);
	request = search_request(&rows, query, 300);
	wanted = oracle_order(&rows, query, NULL);
	seen = search_all(&world.session, &request);
	WANT_SAME(&seen, &wanted, 300);
	cr_assert_str_eq(seen.seen[0].id, "r000003");
	cr_assert_str_eq(seen.seen[1].id, "r000013");
	cr_assert_eq(seen.seen[0].score, 0);
	cr_assert(!signbit(seen.seen[0].score), "zero is +0");
}

Test(search, a_replaced_row_counts_as_new)
{
	struct rows rows = {.collection = "docs", .metric = L2, .dim = 2, .n = 3};
	float query[2] = {0, 0};
	Sluice__V1__SearchRequest request;
	struct seen_list seen;

	rows_make(&rows, 9);
	memset(rows.vectors, 0, 6 * sizeof(float));
	make_collection("docs", 2, L2);
	rows_upsert(&rows, 0, 3);
	rows_upsert(&rows, 0, 1);
	request = search_request(&rows, query, 5);
	seen = search_all(&world.session, &request);
	cr_assert_eq(seen.n, 3);
	cr_assert_str_eq(seen.seen[0].id, "r000001");
	cr_assert_str_eq(seen.seen[2].id, "r000000");
}

Test(search, by_chunk_leaves_the_chunk_out_and_keeps_its_twin)
{
	for (size_t i = 0; i < N_SHAPES; i++) {
		struct rows rows = {.collection = shapes[i].name,
				    .metric = shapes[i].metric,
				    .dim = shapes[i].dim,
				    .n = 60};
		bool is_live[60];
		Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
		struct seen_list wanted, seen;

		rows_make(&rows, i + 1);
		memcpy(rows_vector(&rows, 31), rows_vector(&rows, 30), rows.dim * sizeof(float));
		memcpy(rows.stored + 31 * rows.dim, rows.stored + 30 * rows.dim,
		       rows.dim * sizeof(float));
		make_collection(rows.collection, rows.dim, rows.metric);
		rows_upsert(&rows, 0, rows.n);
		for (size_t row = 0; row < 60; row++)
			is_live[row] = row != 30;

		request.collection = text_of("%s", rows.collection);
		request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_CHUNK_ID;
		request.chunk_id = rows_id(30);
		request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
		request.limit = 100;
		seen = search_all(&world.session, &request);
		/* The stored vector is used unchanged: the oracle must not scale it again. */
		rows.metric = rows.metric == L2 ? L2 : PRODUCT;
		wanted = oracle_order(&rows, rows.stored + 30 * rows.dim, is_live);
		WANT_SAME(&seen, &wanted, 59);

		request.chunk_id = text_of("nobody");
		WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_NOT_FOUND,
		     "nobody");
	}
}

Test(search, walks_to_the_end_of_a_deep_stream)
{
	struct rows rows = {
		.collection = "docs", .metric = PRODUCT, .dim = 9, .n = SANITIZED ? 5000 : 20000};
	float *query = query_make(rows.dim, 4);
	Sluice__V1__SearchRequest request;
	struct seen_list wanted, seen;

	rows_create(&rows, 2);
	wanted = oracle_order(&rows, query, NULL);
	request = search_request(&rows, query, UINT64_MAX);
	seen = search_all(&world.session, &request);
	WANT_SAME(&seen, &wanted, rows.n);
	cr_assert_eq(seen.summary->returned, rows.n);
	cr_assert_eq(seen.summary->stop_reason, SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED);
	want_idle();
}

static void delete_rows(const struct rows *rows, size_t first, size_t n)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds list = SLUICE__V1__CHUNK_IDS__INIT;

	list.n_ids = n;
	list.ids = ARENA_ARRAY(&world.session.arena, char *, n);
	for (size_t i = 0; i < n; i++)
		list.ids[i] = rows_id(first + i);
	request.collection = text_of("%s", rows->collection);
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &list;
	WANT(session_call(&world.session, &delete_chunks, &request.base), GRPC_STATUS_OK, "");
}

/* The stream has read one message when most of its world is deleted or replaced. */
Test(search, goes_on_over_the_world_it_began_with)
{
	struct rows rows = {
		.collection = "docs", .metric = L2, .dim = 4, .n = 2000, .text_bytes = 3000};
	float *query = query_make(rows.dim, 4);
	bool is_live[2000];
	Sluice__V1__SearchRequest request;
	struct seen_list before, after, seen = {0};

	rows_create(&rows, 2);
	before = oracle_order(&rows, query, NULL);
	request = search_request(&rows, query, UINT64_MAX);
	{
		SCOPED(grpc_stream) stream = session_stream(&world.session, &search, &request.base);

		seen_read(&world.session, stream, 1, &seen);
		delete_rows(&rows, 0, 900);
		/* Replaced by others, whose texts differ in length. */
		rows.text_bytes = 10;
		for (size_t i = 1000 * 4; i < 2000 * 4; i++)
			rows.vectors[i] = -rows.vectors[i];
		rows_upsert(&rows, 1000, 1000);
		seen_read(&world.session, stream, SIZE_MAX, &seen);
	}
	WANT_SAME(&seen, &before, 2000);
	cr_assert_eq(seen.summary->text_bytes, 2000 * 3000);

	memcpy(rows.stored, rows.vectors, 2000 * 4 * sizeof(float));
	for (size_t i = 0; i < 2000; i++)
		is_live[i] = i >= 900;
	after = oracle_order(&rows, query, is_live);
	seen = search_all(&world.session, &request);
	WANT_SAME(&seen, &after, 1100);
	want_idle();
}

/* The GPU only proposes: the same rows and queries give the same bits, and the summary says who
 * scanned. */
Test(search, is_the_same_on_a_gpu)
{
	if (!server_has_software_gpu())
		SKIP_LOUDLY("no software Vulkan device (package mesa-vulkan-drivers)");
	world_restart(&(struct server_options){.gpu = "software"});
	for (size_t i = 0; i < N_SHAPES; i++) {
		struct rows rows = {.collection = shapes[i].name,
				    .metric = shapes[i].metric,
				    .dim = shapes[i].dim,
				    .n = 700};
		float *query = query_make(rows.dim, 5);
		Sluice__V1__SearchRequest request;
		struct seen_list wanted, seen;

		rows_create(&rows, i + 1);
		wanted = oracle_order(&rows, query, NULL);
		request = search_request(&rows, query, 1000);
		seen = search_all(&world.session, &request);
		WANT_SAME(&seen, &wanted, rows.n);
		cr_assert_eq(strncmp(seen.summary->backend, "vulkan:", 7), 0, "%s",
			     seen.summary->backend);

		/* Rows written behind those that the device has a copy of. */
		rows.vectors[0] += 0.25F;
		rows_upsert(&rows, 0, 1);
		cr_assert_eq(search_all(&world.session, &request).n, rows.n);
	}
	want_idle();
}
