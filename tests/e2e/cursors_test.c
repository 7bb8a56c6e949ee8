/* cursors - what an open one costs. */
#include "tests/e2e/iterating.h"

TestSuite(cursors, .init = world_open, .fini = world_close, .timeout = 280);

static struct rows rows = {.collection = "docs",
			   .dim = 8,
			   .n = 500,
			   .text_bytes = 200,
			   .metric = SLUICE__V1__METRIC__METRIC_COSINE};

static void begin(struct grpc_stream *stream, uint64_t query)
{
	Sluice__V1__SearchRequest wanted = search_request(&rows, query_make(rows.dim, query), 0);

	iterate_open(stream, &wanted);
	iterate_await_opened(&world.session, stream);
}

static size_t settled_bytes(void)
{
	size_t bytes = server_own_bytes(&world.server);

	for (int same = 0, looks = 0; same < 10 && looks < 500; looks++) {
		size_t now = server_own_bytes(&world.server);

		same = now == bytes ? same + 1 : 0;
		bytes = now;
		pause_ms(20);
	}
	return bytes;
}

static const Sluice__V1__ListCursorsResponse *listed(void)
{
	const Sluice__V1__ListCursorsRequest request = SLUICE__V1__LIST_CURSORS_REQUEST__INIT;
	struct answer answer = session_call(&world.session, &list_cursors, &request.base);

	WANT(answer, GRPC_STATUS_OK, "");
	return answer.message;
}

/* gRPC's own share of a stream is some 20 KiB. */
Test(cursors, that_wait_cost_little)
{
	enum { CURSORS = 900 };
	static struct grpc_stream *streams[CURSORS];
	const Sluice__V1__ListCursorsResponse *list;
	size_t before, after, threads;

	rows_create(&rows, 1);
	before = settled_bytes();
	threads = server_entries("task");
	for (size_t i = 0; i < CURSORS; i++) {
		streams[i] = session_stream(&world.session, &iterate, NULL);
		begin(streams[i], i);
		iterate_credit(streams[i], 10);
		iterate_await_hits(&world.session, streams[i], 10);
	}
	after = settled_bytes();
	/* gRPC has threads of its own, which come and go. */
	cr_assert_leq(server_entries("task"), threads + 8);
	list = listed();
	cr_assert_eq(list->n_cursors, CURSORS);
	for (size_t i = 0; i < CURSORS; i++) {
		cr_assert_eq(list->cursors[i]->returned, 10);
		cr_assert_lt(list->cursors[i]->memory_bytes, 32 << 10);
	}
	cr_log_info("%zu bytes a cursor", (after - before) / CURSORS);
	if (!SANITIZED)
		cr_assert_lt((after - before) / CURSORS, (64 + 32) << 10);
	for (size_t i = 0; i < CURSORS; i++)
		grpc_stream_close(streams[i]);
	want_idle();
}

/* A window deep in a walk is large, but not for long. */
Test(cursors, that_wait_give_back_what_they_can)
{
	const Sluice__V1__ListCursorsResponse *list;
	SCOPED(grpc_stream) stream = NULL;
	size_t bytes = 0;

	rows.n = 20000;
	rows_create(&rows, 1);
	stream = session_stream(&world.session, &iterate, NULL);
	begin(stream, 7);
	iterate_credit(stream, 10000);
	iterate_await_hits(&world.session, stream, 10000);
	cr_assert_gt(listed()->cursors[0]->memory_bytes, 100 << 10);
	for (int looks = 0; looks < 600; looks++) {
		list = listed();
		bytes = list->cursors[0]->memory_bytes;
		if (bytes < 32 << 10)
			break;
		pause_ms(50);
	}
	cr_assert_lt(bytes, 32 << 10);
	iterate_credit(stream, 65536);
	iterate_await_hits(&world.session, stream, 10000);
	WANT(iterate_read_all(&world.session, stream, NULL), GRPC_STATUS_OK, "");
}
