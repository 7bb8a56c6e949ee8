/* search_options - what a search may ask for: how many, how few at a time, which fields, down to where. */
#include "tests/e2e/rows.h"

#include <math.h>

#define COSINE SLUICE__V1__METRIC__METRIC_COSINE
#define L2 SLUICE__V1__METRIC__METRIC_L2

TestSuite(search_options, .init = world_open, .fini = world_close, .timeout = 120);

Test(search_options, stops_at_the_limit_and_sums_up)
{
	static const uint64_t limits[] = {0, 1, 10, 99, 250};
	struct rows rows = {.collection = "docs", .metric = COSINE, .dim = 12, .n = 400};
	const Sluice__V1__GetServerInfoRequest nothing = SLUICE__V1__GET_SERVER_INFO_REQUEST__INIT;
	const Sluice__V1__GetServerInfoResponse *info;
	float *query = query_make(rows.dim, 4);
	struct seen_list wanted;

	rows_create(&rows, 2);
	wanted = oracle_order(&rows, query, NULL);
	info = session_call(&world.session, &get_server_info, &nothing.base).message;
	cr_assert_not_null(info);
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		Sluice__V1__SearchRequest request = search_request(&rows, query, limits[i]);
		struct seen_list seen = search_all(&world.session, &request);
		const Sluice__V1__Summary *summary = seen.summary;
		uint64_t tokens = 0, bytes = 0, limit = limits[i] ? limits[i] : 10;

		WANT_SAME(&seen, &wanted, limit);
		for (size_t j = 0; j < seen.n; j++) {
			tokens += seen.seen[j].hit->chunk->token_count;
			bytes += strlen(seen.seen[j].hit->chunk->text);
		}
		cr_assert_eq(summary->stop_reason, SLUICE__V1__STOP_REASON__STOP_REASON_LIMIT);
		cr_assert_eq(summary->guarantee, SLUICE__V1__GUARANTEE__GUARANTEE_EXACT);
		cr_assert_eq(summary->returned, limit);
		cr_assert_eq(summary->skipped, 0);
		cr_assert_eq(summary->tokens, tokens);
		cr_assert_eq(summary->text_bytes, bytes);
		cr_assert_geq(summary->scanned, rows.n);
		cr_assert_geq(summary->reranked, limit);
		cr_assert_eq(summary->generation, 1);
		cr_assert_not_null(summary->elapsed);
		cr_assert_eq(strncmp(summary->backend, "cpu:", 4), 0, "%s", summary->backend);
		cr_assert_str_eq(summary->backend, info->backend);
	}
}

Test(search_options, an_empty_collection_is_exhausted_at_once)
{
	struct rows rows = {.collection = "docs", .metric = L2, .dim = 2, .n = 0};
	float query[2] = {1, 2};
	Sluice__V1__SearchRequest request = search_request(&rows, query, 5);
	struct seen_list seen;

	make_collection("docs", 2, L2);
	seen = search_all(&world.session, &request);
	cr_assert_eq(seen.end.code, GRPC_STATUS_OK);
	cr_assert_eq(seen.n, 0);
	cr_assert_eq(seen.n_messages, 1);
	cr_assert_eq(seen.summary->stop_reason, SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED);
}

Test(search_options, puts_no_more_hits_in_a_message_than_asked)
{
	static const uint32_t sizes[] = {1, 7, 100, 1024};
	struct rows rows = {.collection = "docs", .metric = L2, .dim = 3, .n = 210};
	float *query = query_make(rows.dim, 4);
	struct seen_list wanted;
	Sluice__V1__SearchRequest request;

	rows_create(&rows, 2);
	wanted = oracle_order(&rows, query, NULL);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct seen_list seen;

		request = search_request(&rows, query, 210);
		request.max_hits_per_message = sizes[i];
		seen = search_all(&world.session, &request);
		WANT_SAME(&seen, &wanted, 210);
		cr_assert_leq(seen.hits_in_message_max, sizes[i]);
		cr_assert_leq(seen.n_messages, 210 / sizes[i] + 2);
	}
	request.max_hits_per_message = 1025;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "max_hits_per_message|1025|1024");
}

Test(search_options, never_sends_a_message_above_the_bound)
{
	struct rows rows = {
		.collection = "docs", .metric = L2, .dim = 2, .n = 150, .text_bytes = 65536};
	float *query = query_make(rows.dim, 4);
	Sluice__V1__SearchRequest request;
	struct seen_list wanted, seen;

	rows_create(&rows, 2);
	wanted = oracle_order(&rows, query, NULL);
	request = search_request(&rows, query, 150);
	request.max_hits_per_message = 1024;
	seen = search_all(&world.session, &request);
	WANT_SAME(&seen, &wanted, 150);
	cr_assert_leq(seen.message_bytes_max, 4000000);
	cr_assert_eq(seen.summary->text_bytes, 150 * 65536);
}

Test(search_options, stops_below_the_floor)
{
	struct rows rows = {.collection = "docs", .metric = COSINE, .dim = 6, .n = 300};
	float *query = query_make(rows.dim, 4);
	static const size_t cuts[] = {0, 1, 40, 299};
	Sluice__V1__SearchRequest request;
	struct seen_list wanted;

	rows_create(&rows, 2);
	wanted = oracle_order(&rows, query, NULL);
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		struct seen_list seen;
		size_t n = cuts[i];

		/* The floor is a score that is there: that hit and its twins still come. */
		request = search_request(&rows, query, 1000);
		request._min_score_case = SLUICE__V1__SEARCH_REQUEST___MIN_SCORE_MIN_SCORE;
		request.min_score = wanted.seen[n].score;
		while (n < wanted.n && wanted.seen[n].score == request.min_score)
			n++;
		seen = search_all(&world.session, &request);
		WANT_SAME(&seen, &wanted, n);
		cr_assert_eq(seen.summary->stop_reason,
			     n < wanted.n ? SLUICE__V1__STOP_REASON__STOP_REASON_MIN_SCORE
					  : SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED);
	}
	request.min_score = 1.5F;
	cr_assert_eq(search_all(&world.session, &request).n, 0);
	request.min_score = NAN;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "min_score");
}

Test(search_options, returns_the_fields_of_the_mask)
{
	struct rows rows = {.collection = "docs", .metric = COSINE, .dim = 6, .n = 5};
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	float *query = query_make(rows.dim, 4);
	char *paths[2] = {NULL};
	Sluice__V1__SearchRequest request;
	const Sluice__V1__Chunk *chunk;
	struct seen_list seen;
	size_t row;

	rows_create(&rows, 2);
	request = search_request(&rows, query, 5);
	seen = search_all(&world.session, &request);
	chunk = seen.seen[0].hit->chunk;
	cr_assert_str_not_empty(chunk->text);
	cr_assert_neq(chunk->token_count, 0);
	cr_assert_null(chunk->vector);

	request.read_mask = &mask;
	mask.paths = paths;
	mask.n_paths = 2;
	paths[0] = text_of("vector");
	paths[1] = text_of("id");
	seen = search_all(&world.session, &request);
	cr_assert_eq(seen.n, 5);
	chunk = seen.seen[0].hit->chunk;
	cr_assert_str_empty(chunk->text);
	cr_assert_eq(chunk->token_count, 0);
	cr_assert_not_null(chunk->vector);
	cr_assert_eq(chunk->vector->n_values, 6);
	row = strtoul(chunk->id + 1, NULL, 10);
	cr_assert_arr_eq(chunk->vector->values, rows.stored + row * 6, 6 * sizeof(float));
	cr_assert_gt(seen.summary->text_bytes, 0, "counted all the same");

	mask.n_paths = 1;
	paths[0] = text_of("text");
	seen = search_all(&world.session, &request);
	chunk = seen.seen[0].hit->chunk;
	cr_assert_str_empty(chunk->id);
	cr_assert_str_not_empty(chunk->text);
	paths[0] = text_of("texts");
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "read_mask|texts");
}

Test(search_options, takes_any_accuracy_and_is_exact)
{
	struct rows rows = {.collection = "docs", .metric = L2, .dim = 8, .n = 500};
	float *query = query_make(rows.dim, 4);
	Sluice__V1__Accuracy accuracy = SLUICE__V1__ACCURACY__INIT;
	Sluice__V1__Exact exact = SLUICE__V1__EXACT__INIT;
	Sluice__V1__SearchRequest request;
	struct seen_list wanted, seen;

	rows_create(&rows, 2);
	wanted = oracle_order(&rows, query, NULL);
	request = search_request(&rows, query, 50);
	request.accuracy = &accuracy;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "accuracy");
	accuracy.kind_case = SLUICE__V1__ACCURACY__KIND_EXACT;
	accuracy.exact = &exact;
	seen = search_all(&world.session, &request);
	WANT_SAME(&seen, &wanted, 50);

	accuracy.kind_case = SLUICE__V1__ACCURACY__KIND_RECALL_TARGET;
	accuracy.recall_target = 0.5F;
	seen = search_all(&world.session, &request);
	WANT_SAME(&seen, &wanted, 50);
	accuracy.recall_target = 0.4F;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "accuracy.recall_target|0.4");
}

Test(search_options, refuses_a_query_that_makes_no_sense)
{
	struct rows rows = {.collection = "docs", .metric = COSINE, .dim = 3, .n = 5};
	float zero[3] = {0}, broken[3] = {1, NAN, 0}, good[4] = {1, 2, 3, 4};
	Sluice__V1__SearchRequest request;

	rows_create(&rows, 2);
	request = search_request(&rows, zero, 5);
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "vector|zero|docs");
	request = search_request(&rows, broken, 5);
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "vector|[1]|nan");
	request = search_request(&rows, good, 5);
	request.vector->n_values = 4;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "vector|4 |dimension 3|docs");
	request.vector->n_values = 0;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "vector");
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY__NOT_SET;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "query|vector|chunk_id");
	request = search_request(&rows, good, 5);
	request.limit = 0;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "limit");
	want_idle();
}
