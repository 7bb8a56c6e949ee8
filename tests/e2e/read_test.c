/* read - chunks by id, in order, and counted. */
#include "tests/e2e/rows.h"

TestSuite(read, .init = world_open, .fini = world_close, .timeout = 120);

static struct rows rows = {
	.collection = "docs",
	.metric = SLUICE__V1__METRIC__METRIC_L2,
	.dim = 3,
};

/* A stream of chunks, read to its end. */
struct chunk_list {
	const Sluice__V1__Chunk *chunks[4096];
	size_t n, n_messages, message_bytes_max;
	char **missing;
	size_t n_missing;
	struct answer end;
};

static void append(struct chunk_list *list, Sluice__V1__Chunk *const *chunks, size_t n)
{
	cr_assert_leq(list->n + n, sizeof list->chunks / sizeof *list->chunks);
	for (size_t i = 0; i < n; i++)
		list->chunks[list->n++] = chunks[i];
	list->n_messages++;
}

static struct chunk_list *list_new(void)
{
	struct chunk_list *list = ARENA_NEW(&world.session.arena, struct chunk_list);

	cr_assert_not_null(list);
	return list;
}

static struct chunk_list *read_get(const Sluice__V1__GetChunksRequest *request)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &get_chunks, &request->base);
	struct chunk_list *list = list_new();
	const Sluice__V1__GetChunksResponse *response;
	size_t size;

	while ((response = session_next(&world.session, &get_chunks, stream, &size))) {
		cr_assert_eq(list->n_missing, 0, "missing ids before the last message");
		append(list, response->chunks, response->n_chunks);
		list->missing = response->missing_ids;
		list->n_missing = response->n_missing_ids;
		if (size > list->message_bytes_max)
			list->message_bytes_max = size;
	}
	list->end = session_finish(&world.session, stream);
	return list;
}

static struct chunk_list *read_list(const Sluice__V1__ListChunksRequest *request)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &list_chunks, &request->base);
	struct chunk_list *list = list_new();
	const Sluice__V1__ListChunksResponse *response;
	size_t size;

	while ((response = session_next(&world.session, &list_chunks, stream, &size))) {
		append(list, response->chunks, response->n_chunks);
		if (size > list->message_bytes_max)
			list->message_bytes_max = size;
	}
	list->end = session_finish(&world.session, stream);
	return list;
}

static Sluice__V1__GetChunksRequest get_request(char **ids, size_t n)
{
	Sluice__V1__GetChunksRequest request = SLUICE__V1__GET_CHUNKS_REQUEST__INIT;

	request.collection = text_of("docs");
	request.ids = ids;
	request.n_ids = n;
	return request;
}

Test(read, gets_chunks_in_the_order_asked_for)
{
	char *ids[] = {rows_id(7), text_of("nobody"), rows_id(2),
		       rows_id(7), rows_id(19),       text_of("nowhere")};
	Sluice__V1__GetChunksRequest request = get_request(ids, 6);
	struct chunk_list *list;

	rows.n = 20;
	rows_create(&rows, 1);
	list = read_get(&request);
	WANT(list->end, GRPC_STATUS_OK, "");
	cr_assert_eq(list->n, 4);
	cr_assert_str_eq(list->chunks[0]->id, "r000007");
	cr_assert_str_eq(list->chunks[0]->text, "the text of row 7");
	cr_assert_null(list->chunks[0]->vector);
	cr_assert_str_eq(list->chunks[1]->id, "r000002");
	cr_assert_str_eq(list->chunks[2]->id, "r000007");
	cr_assert_str_eq(list->chunks[3]->id, "r000019");
	cr_assert_eq(list->n_missing, 2);
	cr_assert_str_eq(list->missing[0], "nobody");
	cr_assert_str_eq(list->missing[1], "nowhere");
}

Test(read, gets_vectors_where_the_mask_names_them)
{
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	char *ids[] = {rows_id(3)}, *paths[] = {text_of("vector")};
	Sluice__V1__GetChunksRequest request = get_request(ids, 1);
	struct chunk_list *list;

	rows.n = 20;
	rows_create(&rows, 1);
	mask.paths = paths;
	mask.n_paths = 1;
	request.read_mask = &mask;
	list = read_get(&request);
	WANT(list->end, GRPC_STATUS_OK, "");
	cr_assert_eq(list->n, 1);
	cr_assert_str_empty(list->chunks[0]->id);
	cr_assert_not_null(list->chunks[0]->vector);
	cr_assert_arr_eq(list->chunks[0]->vector->values, rows_vector(&rows, 3), 3 * sizeof(float));
}

Test(read, splits_what_is_too_large_for_a_message)
{
	char *ids[120];
	Sluice__V1__GetChunksRequest request = get_request(ids, 120);
	Sluice__V1__ListChunksRequest all = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	struct chunk_list *list;

	rows.n = 120;
	rows.text_bytes = 65536;
	rows_create(&rows, 1);
	for (size_t i = 0; i < 120; i++)
		ids[i] = rows_id(119 - i);
	ids[60] = text_of("nobody");
	list = read_get(&request);
	WANT(list->end, GRPC_STATUS_OK, "");
	cr_assert_eq(list->n, 119);
	cr_assert_geq(list->n_messages, 2);
	cr_assert_leq(list->message_bytes_max, 4000000);
	cr_assert_eq(list->n_missing, 1);
	for (size_t i = 0; i < 119; i++) {
		size_t row = 119 - i - (i >= 60);

		cr_assert_str_eq(list->chunks[i]->id, rows_id(row));
		cr_assert_str_eq(list->chunks[i]->text, rows_text(&rows, row));
	}

	all.collection = text_of("docs");
	list = read_list(&all);
	WANT(list->end, GRPC_STATUS_OK, "");
	cr_assert_eq(list->n, 120);
	cr_assert_geq(list->n_messages, 2);
	cr_assert_leq(list->message_bytes_max, 4000000);
	/* A slow reader of either has the world of its beginning. */
	cr_assert_str_eq(list->chunks[119]->id, rows_id(119));
}

Test(read, refuses_lists_of_ids_that_break_a_rule)
{
	char *ids[1001];
	Sluice__V1__GetChunksRequest request = get_request(ids, 1001);

	rows.n = 3;
	rows_create(&rows, 1);
	for (size_t i = 0; i < 1001; i++)
		ids[i] = rows_id(i);
	WANT(session_call(&world.session, &get_chunks, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "ids|1001|1000");
	request.n_ids = 0;
	WANT(session_call(&world.session, &get_chunks, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "ids|0");
	request.n_ids = 2;
	ids[1] = text_of("%s", "");
	WANT(session_call(&world.session, &get_chunks, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "ids[1]");
	ids[1] = text_of("\xC0\x80");
	WANT(session_call(&world.session, &get_chunks, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "ids[1]|UTF-8");
	request.n_ids = 1000;
	ids[1] = rows_id(1);
	cr_assert_eq(read_get(&request)->n_missing, 997);
}

Test(read, lists_in_the_order_of_writing)
{
	Sluice__V1__ListChunksRequest request = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	struct chunk_list *list;

	rows.n = 3000;
	rows_create(&rows, 1);
	/* Rows 0 to 9 are written again: they come last. */
	rows_upsert(&rows, 0, 10);
	request.collection = text_of("docs");
	list = read_list(&request);
	WANT(list->end, GRPC_STATUS_OK, "");
	cr_assert_eq(list->n, 3000);
	for (size_t i = 0; i < 3000; i++)
		cr_assert_str_eq(list->chunks[i]->id, rows_id((i + 10) % 3000));

	request._limit_case = SLUICE__V1__LIST_CHUNKS_REQUEST___LIMIT_LIMIT;
	request.limit = 1500;
	list = read_list(&request);
	WANT(list->end, GRPC_STATUS_OK, "");
	cr_assert_eq(list->n, 1500);
	cr_assert_str_eq(list->chunks[1499]->id, rows_id(1509));
	request.limit = 0;
	WANT(session_call(&world.session, &list_chunks, &request.base),
	     GRPC_STATUS_INVALID_ARGUMENT, "limit");
	want_idle();
}

Test(read, counts_what_is_there)
{
	make_collection("docs", rows.dim, rows.metric);
	cr_assert_eq(count_of("docs"), 0);
	rows.n = 70;
	rows_make(&rows, 1);
	rows_upsert(&rows, 0, 70);
	rows_upsert(&rows, 0, 30);
	cr_assert_eq(count_of("docs"), 70);
	world_restart(&(struct server_options){0});
	cr_assert_eq(count_of("docs"), 70);
}
