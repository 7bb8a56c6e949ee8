/* unserved - what the contract has and this server has not, or what is in no contract: it is named. */
#include "tests/e2e/rows.h"

TestSuite(unserved, .init = world_open, .fini = world_close, .timeout = 120);

Test(unserved, methods_that_are_not_served_say_which)
{
	static const char *const paths[] = {
		"/sluice.v1.CollectionService/OptimizeCollection",
		"/sluice.v1.RetrievalService/Iterate",
		"/sluice.v1.AdminService/ListCursors",
		"/sluice.v1.AdminService/CancelCursor",
		"/sluice.v1.AdminService/GetToolSchemas",
		"/sluice.v1.AdminService/Nonsense",
		"/sluice.v2.AdminService/GetServerInfo",
		"/nonsense",
		"/",
	};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct method method = {paths[i], get_server_info.response};

		WANT(session_call_bytes(&world.session, &method, (struct bytes){0}),
		     GRPC_STATUS_UNIMPLEMENTED, paths[i]);
	}
}

/* A client that streams and waits must be told before it has sent anything. */
Test(unserved, methods_that_are_not_served_answer_a_stream_at_once)
{
	static const struct method paths[] = {
		{"/sluice.v1.RetrievalService/Iterate", NULL},
		{"/sluice.v1.RetrievalService/Nonsense", NULL},
	};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		SCOPED(grpc_stream) stream = session_stream(&world.session, &paths[i], NULL);

		WANT(session_finish(&world.session, stream), GRPC_STATUS_UNIMPLEMENTED,
		     paths[i].path);
	}
}

Test(unserved, fields_that_are_not_served_are_named)
{
	struct rows rows = {
		.collection = "docs", .dim = 2, .n = 3, .metric = SLUICE__V1__METRIC__METRIC_L2};
	float query[2] = {1, 1};
	Sluice__V1__Filter filter = SLUICE__V1__FILTER__INIT;
	Sluice__V1__Budget budget = SLUICE__V1__BUDGET__INIT;
	Sluice__V1__Neighbors neighbors = SLUICE__V1__NEIGHBORS__INIT;
	Sluice__V1__ListChunksRequest chunks = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	Sluice__V1__CountChunksRequest count = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	Sluice__V1__DeleteChunksRequest delete = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	ProtobufCBinaryData token = {4, (uint8_t *)text_of("abcd")};
	Sluice__V1__SearchRequest near;

	rows_create(&rows, 4);
	near = search_request(&rows, query, 5);
	near.filter = &filter;
	WANT(session_call(&world.session, &search, &near.base), GRPC_STATUS_UNIMPLEMENTED,
	     "filter");
	near = search_request(&rows, query, 5);
	near.budget = &budget;
	WANT(session_call(&world.session, &search, &near.base), GRPC_STATUS_UNIMPLEMENTED,
	     "budget");
	near = search_request(&rows, query, 5);
	near.neighbors = &neighbors;
	WANT(session_call(&world.session, &search, &near.base), GRPC_STATUS_UNIMPLEMENTED,
	     "neighbors");
	near = search_request(&rows, query, 5);
	near.resume_token = token;
	WANT(session_call(&world.session, &search, &near.base), GRPC_STATUS_UNIMPLEMENTED,
	     "resume_token");

	chunks.collection = count.collection = delete.collection = text_of("docs");
	chunks.resume_token = token;
	WANT(session_call(&world.session, &list_chunks, &chunks.base), GRPC_STATUS_UNIMPLEMENTED,
	     "resume_token");
	chunks.resume_token = (ProtobufCBinaryData){0};
	chunks.filter = &filter;
	WANT(session_call(&world.session, &list_chunks, &chunks.base), GRPC_STATUS_UNIMPLEMENTED,
	     "filter");
	count.filter = &filter;
	WANT(session_call(&world.session, &count_chunks, &count.base), GRPC_STATUS_UNIMPLEMENTED,
	     "filter");
	delete.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_FILTER;
	delete.filter = &filter;
	WANT(session_call(&world.session, &delete_chunks, &delete.base), GRPC_STATUS_UNIMPLEMENTED,
	     "filter");
	cr_assert_eq(count_of("docs"), 3);
}
