/* streams - many at once, slow ones, and ones that end before their time. */
#include "tests/e2e/http2.h"
#include "tests/e2e/rows.h"

#include <signal.h>
#include <unistd.h>

#define STREAMS 200

TestSuite(streams, .init = world_open, .fini = world_close, .timeout = 200);

static const Sluice__V1__GetServerInfoResponse *server_info(void)
{
	const Sluice__V1__GetServerInfoRequest nothing = SLUICE__V1__GET_SERVER_INFO_REQUEST__INIT;
	struct answer answer = session_call(&world.session, &get_server_info, &nothing.base);

	WANT(answer, GRPC_STATUS_OK, "");
	cr_assert_not_null(answer.message);
	return answer.message;
}

/* As many streams as can be open at once are opened, each with a query of its own, and read in
 * turns: each still is the sort of all rows. */
Test(streams, two_hundred_at_once_each_get_their_own_order)
{
	struct rows rows = {.collection = "docs",
			    .dim = 8,
			    .n = 300,
			    .metric = SLUICE__V1__METRIC__METRIC_COSINE};
	static struct grpc_stream *streams[STREAMS];
	static struct seen_list seen[STREAMS];
	size_t n_open = STREAMS;

	rows_create(&rows, 1);
	for (size_t i = 0; i < STREAMS; i++) {
		Sluice__V1__SearchRequest request =
			search_request(&rows, query_make(rows.dim, 100 + i), 1000);

		request.max_hits_per_message = 60;
		streams[i] = session_stream(&world.session, &search, &request.base);
	}
	while (n_open) {
		for (size_t i = 0; i < STREAMS; i++) {
			if (!streams[i])
				continue;
			seen_read(&world.session, streams[i], 1, &seen[i]);
			if (!seen[i].end.detail)
				continue;
			grpc_stream_close(TAKE(streams[i]));
			n_open--;
		}
	}
	for (size_t i = 0; i < STREAMS; i++) {
		struct seen_list wanted = oracle_order(&rows, query_make(rows.dim, 100 + i), NULL);

		WANT_SAME(&seen[i], &wanted, rows.n);
	}
	want_idle();
}

/* Settled: the same as a moment ago, ten times in a row, or a bound of looks is reached. */
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

/* Each stream would bring 8 MB to its end; the server may hold a page of it. */
Test(streams, slow_readers_cost_a_page_each)
{
	struct rows rows = {.collection = "docs",
			    .dim = 4,
			    .n = 2000,
			    .text_bytes = 4000,
			    .metric = SLUICE__V1__METRIC__METRIC_L2};
	/* A sanitizer has shadow memory, and keeps what was freed for a while. */
	const size_t stream_bytes_max = (SANITIZED ? 8 : 3) << 20;
	static struct grpc_stream *streams[STREAMS];
	const Sluice__V1__GetServerInfoResponse *info;
	SCOPED(buffer) message = &(struct buffer){0};
	Sluice__V1__SearchRequest request;
	size_t before, after;

	rows_create(&rows, 1);
	request = search_request(&rows, query_make(rows.dim, 7), UINT64_MAX);
	cr_assert_eq(search_all(&world.session, &request).n, rows.n);
	before = settled_bytes();
	for (size_t i = 0; i < STREAMS; i++)
		streams[i] = session_stream(&world.session, &search, &request.base);
	for (size_t i = 0; i < STREAMS; i++)
		cr_assert(grpc_stream_next(streams[i], message));
	after = settled_bytes();
	info = server_info();
	cr_assert_eq(info->open_cursors, STREAMS);
	cr_assert_eq(info->calls_in_flight, STREAMS);
	cr_assert_gt(before, 0);
	cr_assert_lt(after, before + STREAMS * stream_bytes_max, "%zu MB more for %d streams",
		     (after - before) >> 20, STREAMS);

	/* One of them is read on all the same. */
	while (grpc_stream_next(streams[3], message))
		;
	WANT(session_finish(&world.session, streams[3]), GRPC_STATUS_OK, "");
	for (size_t i = 0; i < STREAMS; i++)
		grpc_stream_close(streams[i]);
	want_idle();
}

/* Searched to their end they bring 32 MB: more than any window of HTTP/2 lets ahead of its reader.
 */
static struct rows long_rows(void)
{
	struct rows rows = {.collection = "docs",
			    .dim = 4,
			    .n = 2000,
			    .text_bytes = 16000,
			    .metric = SLUICE__V1__METRIC__METRIC_L2};

	rows_create(&rows, 1);
	return rows;
}

Test(streams, that_are_cancelled_leave_nothing)
{
	struct rows rows = long_rows();
	Sluice__V1__SearchRequest request =
		search_request(&rows, query_make(rows.dim, 7), UINT64_MAX);
	SCOPED(buffer) message = &(struct buffer){0};

	for (size_t i = 0; i < 30; i++) {
		SCOPED(grpc_stream) stream = session_stream(&world.session, &search, &request.base);

		/* Before the first message, after it, and somewhere later. */
		for (size_t read = 0; read < i % 4; read++)
			cr_assert(grpc_stream_next(stream, message));
		grpc_stream_cancel(stream);
		WANT(session_finish(&world.session, stream), GRPC_STATUS_CANCELLED, "");
	}
	want_idle();
}

Test(streams, that_expire_leave_nothing)
{
	struct rows rows = long_rows();
	Sluice__V1__SearchRequest request =
		search_request(&rows, query_make(rows.dim, 7), UINT64_MAX);
	SCOPED(buffer) bytes = &(struct buffer){0};
	uint8_t *packed = buffer_reserve(bytes, 4096);
	static struct grpc_stream *streams[30];

	bytes->size = protobuf_c_message_pack(&request.base, packed);
	for (size_t i = 0; i < 30; i++)
		streams[i] = grpc_stream_open_server(world.session.client, search.path,
						     bytes_of(bytes->data, bytes->size),
						     0.05 + 0.01 * (double)i);
	for (size_t i = 0; i < 30; i++) {
		WANT(session_finish(&world.session, streams[i]), GRPC_STATUS_DEADLINE_EXCEEDED, "");
		grpc_stream_close(streams[i]);
	}
	want_idle();
}

/* The programs are killed while their output is stuck in a pipe that nobody reads. */
Test(streams, of_clients_that_die_leave_nothing)
{
	struct rows rows = long_rows();
	const char *const arguments[] = {
		"search", "docs",   "--vector", "[0.1,0.2,0.3,0.4]",  "--limit",
		"2000",   "--json", "--server", world.server.address, NULL,
	};
	pid_t clients[5];
	int outputs[5];

	(void)rows;
	for (size_t i = 0; i < 5; i++) {
		char byte;

		clients[i] = program_start(arguments, &outputs[i]);
		/* The first byte of the first hit: its stream is open. */
		cr_assert_eq(read(outputs[i], &byte, 1), 1);
	}
	cr_assert_gt(server_info()->calls_in_flight, 0);
	for (size_t i = 0; i < 5; i++) {
		kill(clients[i], SIGKILL);
		cr_assert_eq(program_await(clients[i], 30), 128 + SIGKILL);
		close(outputs[i]);
	}
	want_idle();
}

/* A connection that is reset in the middle of a message, of an upsert and of a search. */
Test(streams, of_connections_that_break_leave_nothing)
{
	static const char *const paths[] = {
		"/sluice.v1.IngestService/UpsertChunks",
		"/sluice.v1.RetrievalService/Search",
		"/sluice.v1.RetrievalService/Iterate",
		"/grpc.health.v1.Health/Watch",
	};
	static const uint8_t half_a_message[] = {0, 0, 0, 1, 0, 0x0A, 4, 'd', 'o', 'c', 's'};

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_L2);
	for (size_t i = 0; i < 12; i++) {
		struct http2 http2;

		cr_assert(http2_open(&http2, world.server.address));
		http2_call(&http2, 1, paths[i % 4], "");
		http2_frame(&http2, HTTP2_DATA, 0, 1,
			    bytes_of(half_a_message, sizeof half_a_message));
		/* Its answer shows that the server has read all of it. */
		http2_frame(&http2, HTTP2_PING, 0, 0, bytes_of("12345678", 8));
		cr_assert(http2_await(&http2, "12345678", 30));
		http2_reset(&http2);
	}
	want_idle();
}
