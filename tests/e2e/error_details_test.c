/* error_details - what a failed call tells a program, read back from its trailer. */
#include "tests/e2e/details.h"
#include "tests/e2e/rows.h"

TestSuite(error_details, .init = world_open, .fini = world_close, .timeout = 120);

#define WANT_VALUE(details, key, wanted)                                                           \
	cr_assert_str_eq(details_value(&(details), (key)), (wanted))

/* A batch as the second of two, the first being good: how the stream ends. */
static struct answer upsert_second(const Sluice__V1__UpsertChunksRequest *batch)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);
	const struct batch_shape good = {"docs", 70, 2, 3};

	stream_send(stream, &batch_make(&world.session.arena, &good)->base);
	cr_assert_not_null(session_next(&world.session, &upsert_chunks, stream, NULL));
	stream_send(stream, &batch->base);
	cr_assert_null(session_next(&world.session, &upsert_chunks, stream, NULL));
	return session_finish(&world.session, stream);
}

static Sluice__V1__UpsertChunksRequest *batch_of(const char *collection, uint32_t dim)
{
	const struct batch_shape shape = {collection, 71, 3, dim};

	return batch_make(&world.session.arena, &shape);
}

static struct answer search_near(const char *collection, uint32_t dim, float value)
{
	static float values[8];
	struct rows rows = {.collection = collection, .dim = dim};
	Sluice__V1__SearchRequest request;

	for (uint32_t i = 0; i < dim; i++)
		values[i] = value;
	request = search_request(&rows, values, 5);
	return session_call(&world.session, &search, &request.base);
}

Test(error_details, a_query_of_another_dimension_names_both_numbers)
{
	struct answer answer;
	struct details details;

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	answer = search_near("docs", 2, 1);

	cr_assert_eq(answer.code, GRPC_STATUS_INVALID_ARGUMENT);
	details = WANT_REASON(&world.session, answer, "DIMENSION_MISMATCH");
	WANT_VALUE(details, "collection", "docs");
	WANT_VALUE(details, "expected", "3");
	WANT_VALUE(details, "found", "2");
	cr_assert_not_null(details.bad_request);
	cr_assert_eq(details.bad_request->n_field_violations, 1);
	cr_assert_str_eq(details.bad_request->field_violations[0]->field, "vector.values");
	cr_assert_str_eq(details.bad_request->field_violations[0]->reason, "DIMENSION_MISMATCH");
	cr_assert_str_eq(details.bad_request->field_violations[0]->description, answer.detail);
}

/* Its scores would be infinite, all of them, and the order gone. */
Test(error_details, a_query_that_leaves_float_is_refused_without_cosine)
{
	struct answer answer;

	make_collection("angles", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	make_collection("distances", 3, SLUICE__V1__METRIC__METRIC_L2);
	make_collection("products", 3, SLUICE__V1__METRIC__METRIC_INNER_PRODUCT);

	cr_assert_eq(search_near("angles", 3, 3e38F).code, GRPC_STATUS_OK);
	cr_assert_eq(search_near("distances", 3, 1e17F).code, GRPC_STATUS_OK);
	answer = search_near("distances", 3, 3e38F);
	cr_assert_eq(answer.code, GRPC_STATUS_INVALID_ARGUMENT);
	WANT_REASON(&world.session, answer, "VECTOR_OUT_OF_RANGE");
	answer = search_near("products", 3, 3e38F);
	cr_assert_eq(answer.code, GRPC_STATUS_INVALID_ARGUMENT);
	WANT_REASON(&world.session, answer, "VECTOR_OUT_OF_RANGE");
}

Test(error_details, what_is_not_there_is_a_resource)
{
	struct rows rows = {.collection = "docs", .dim = 3};
	Sluice__V1__SearchRequest request = search_request(&rows, NULL, 5);
	struct answer answer = search_near("nowhere", 3, 1);
	struct details details = WANT_REASON(&world.session, answer, "COLLECTION_NOT_FOUND");

	cr_assert_eq(answer.code, GRPC_STATUS_NOT_FOUND);
	WANT_VALUE(details, "collection", "nowhere");
	cr_assert_str_eq(details.resource->resource_type, "sluice.v1.Collection");
	cr_assert_str_eq(details.resource->resource_name, "nowhere");

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_CHUNK_ID;
	request.chunk_id = text_of("nobody");
	answer = session_call(&world.session, &search, &request.base);
	cr_assert_eq(answer.code, GRPC_STATUS_NOT_FOUND);
	details = WANT_REASON(&world.session, answer, "CHUNK_NOT_FOUND");
	WANT_VALUE(details, "chunk_id", "nobody");
	cr_assert_str_eq(details.resource->resource_type, "sluice.v1.Chunk");
	cr_assert_str_eq(details.resource->resource_name, "nobody");
}

Test(error_details, a_taken_name_is_a_resource)
{
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	struct answer answer;
	struct details details;

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	collection.name = text_of("docs");
	collection.dimension = 3;
	collection.metric = SLUICE__V1__METRIC__METRIC_COSINE;
	request.collection = &collection;
	answer = session_call(&world.session, &create_collection, &request.base);

	cr_assert_eq(answer.code, GRPC_STATUS_ALREADY_EXISTS);
	details = WANT_REASON(&world.session, answer, "COLLECTION_EXISTS");
	WANT_VALUE(details, "collection", "docs");
	cr_assert_str_eq(details.resource->resource_name, "docs");
}

/* Each in the second batch of a stream, whose number has to be told. */
Test(error_details, a_refused_batch_is_named_by_its_sequence)
{
	Sluice__V1__UpsertChunksRequest *twice, *zero;
	struct details details;

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	details = WANT_REASON(&world.session, upsert_second(batch_of("docs", 5)),
			      "DIMENSION_MISMATCH");
	WANT_VALUE(details, "sequence", "71");
	WANT_VALUE(details, "expected", "3");
	WANT_VALUE(details, "found", "5");
	cr_assert_str_eq(details.bad_request->field_violations[0]->field,
			 "chunks[0].vector.values");

	details = WANT_REASON(&world.session, upsert_second(batch_of("nowhere", 3)),
			      "COLLECTION_NOT_FOUND");
	WANT_VALUE(details, "sequence", "71");
	WANT_VALUE(details, "collection", "nowhere");

	twice = batch_of("docs", 3);
	twice->chunks[2]->id = twice->chunks[0]->id;
	details = WANT_REASON(&world.session, upsert_second(twice), "DUPLICATE_ID");
	WANT_VALUE(details, "sequence", "71");
	WANT_VALUE(details, "chunk_id", "s71-0");

	zero = batch_of("docs", 3);
	memset(zero->chunks[1]->vector->values, 0, 3 * sizeof(float));
	details = WANT_REASON(&world.session, upsert_second(zero), "ZERO_VECTOR");
	WANT_VALUE(details, "sequence", "71");
	WANT_VALUE(details, "chunk_id", "s71-1");
	cr_assert_str_eq(details.bad_request->field_violations[0]->field,
			 "chunks[1].vector.values");

	zero->n_chunks = 0;
	details = WANT_REASON(&world.session, upsert_second(zero), "SCHEMA_VIOLATION");
	WANT_VALUE(details, "sequence", "71");
	cr_assert_eq(count_of("docs"), 2);
}

static bool has_violation(const Google__Rpc__BadRequest *bad, const char *field, const char *rule)
{
	for (size_t i = 0; bad && i < bad->n_field_violations; i++)
		if (strcmp(bad->field_violations[i]->field, field) == 0 &&
		    strcmp(bad->field_violations[i]->reason, rule) == 0)
			return true;
	return false;
}

static struct answer get_empty_ids(size_t n)
{
	Sluice__V1__GetChunksRequest request = SLUICE__V1__GET_CHUNKS_REQUEST__INIT;

	request.collection = text_of("Bad Name");
	request.n_ids = n;
	request.ids = ARENA_ARRAY(&world.session.arena, char *, n);
	for (size_t i = 0; i < n; i++)
		request.ids[i] = text_of("%s", "");
	return session_call(&world.session, &get_chunks, &request.base);
}

Test(error_details, all_broken_rules_are_listed)
{
	struct details details = WANT_REASON(&world.session, get_empty_ids(2), "SCHEMA_VIOLATION");

	cr_assert_eq(details.bad_request->n_field_violations, 3);
	cr_assert(has_violation(details.bad_request, "collection", "string.pattern"));
	cr_assert(has_violation(details.bad_request, "ids[0]", "string.min_len"));
	cr_assert(has_violation(details.bad_request, "ids[1]", "string.min_len"));
	WANT_VALUE(details, "violations_left_out", "");
}

/* All the same reaches a client whose limit on metadata is the usual 8 KiB, such as ours. */
Test(error_details, more_violations_than_are_listed_are_counted)
{
	struct details details =
		WANT_REASON(&world.session, get_empty_ids(100), "SCHEMA_VIOLATION");
	size_t listed = details.bad_request->n_field_violations;

	cr_assert_leq(listed, 16);
	cr_assert_geq(listed, 8);
	WANT_VALUE(details, "violations_left_out", text_of("%zu", 101 - listed));
}

/* With a name of 512 bytes of three each on the wire. */
Test(error_details, the_longest_sentence_fits_into_a_trailer)
{
	struct rows rows = {.collection = "docs", .dim = 3};
	Sluice__V1__SearchRequest request = search_request(&rows, NULL, 5);
	struct answer answer;

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_CHUNK_ID;
	request.chunk_id = arena_calloc(&world.session.arena, 513, 1);
	for (size_t i = 0; i < 512; i += 2)
		memcpy(request.chunk_id + i, "\xC3\xBC", 2);
	answer = session_call(&world.session, &search, &request.base);

	cr_assert_eq(answer.code, GRPC_STATUS_NOT_FOUND, "%d %s", answer.code, answer.detail);
	cr_assert_str_eq(
		WANT_REASON(&world.session, answer, "CHUNK_NOT_FOUND").resource->resource_name,
		request.chunk_id);
}

Test(error_details, bytes_that_do_not_parse_have_a_reason)
{
	struct answer answer =
		session_call_bytes(&world.session, &count_chunks, bytes_of("\x0A\x7F", 2));

	cr_assert_eq(answer.code, GRPC_STATUS_INVALID_ARGUMENT);
	WANT_REASON(&world.session, answer, "MALFORMED_MESSAGE");
}

Test(error_details, a_method_that_is_not_there_is_named)
{
	static const struct method unknown = {"/sluice.v1.RetrievalService/Nothing", NULL};
	struct answer answer = session_call_bytes(&world.session, &unknown, bytes_of(NULL, 0));
	struct details details = WANT_REASON(&world.session, answer, "METHOD_UNKNOWN");

	cr_assert_eq(answer.code, GRPC_STATUS_UNIMPLEMENTED);
	WANT_VALUE(details, "method", unknown.path);
}

Test(error_details, a_drain_says_to_try_again)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);
	const struct batch_shape good = {"docs", 1, 1, 3};
	struct details details;

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	stream_send(stream, &batch_make(&world.session.arena, &good)->base);
	cr_assert_not_null(session_next(&world.session, &upsert_chunks, stream, NULL));
	server_terminate(&world.server);
	cr_assert_null(session_next(&world.session, &upsert_chunks, stream, NULL));
	details = WANT_REASON(&world.session, session_finish(&world.session, stream), "DRAINING");
	cr_assert_not_null(details.retry);
	cr_assert_eq(details.retry->retry_delay->seconds, 1);
	cr_assert_eq(server_await(&world.server, 60), 0);
	cr_assert(
		server_start(&world.server, &(struct server_options){.data = world.scratch.path}));
}

Test(error_details, an_answer_that_is_ok_has_none)
{
	struct answer answer;

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_COSINE);
	answer = search_near("docs", 3, 1);
	cr_assert_eq(answer.code, GRPC_STATUS_OK);
	cr_assert_eq(answer.details.size, 0);
}
