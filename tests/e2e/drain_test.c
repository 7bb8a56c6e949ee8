/* drain - SIGTERM: idle streams end at once, work under way is finished or told why not, exit 0. */
#include "tests/e2e/details.h"
#include "tests/e2e/health.h"
#include "tests/e2e/rows.h"

#include <signal.h>

/* From the signal to the exit, beyond what --drain-seconds allows: an order of magnitude more than
 * it takes. */
#define EXIT_SECONDS 30.0

TestSuite(drain, .init = world_open, .fini = world_close, .timeout = 120);

static struct rows rows = {
	.collection = "docs",
	.metric = SLUICE__V1__METRIC__METRIC_L2,
	.dim = 4,
	.n = 2000,
	.text_bytes = 16000, /* 32 MB to the end: more than the windows of HTTP/2 let ahead */
};
static float query[4] = {0.1F, 0.2F, 0.3F, 0.4F};

/* The watch is told, and ends. From then on the drain has begun. */
static void want_watch_ends(struct grpc_stream *stream)
{
	const check_response *response = session_next(&world.session, &health_watch, stream, NULL);

	if (response) {
		cr_assert_eq(response->status, STATE(NOT_SERVING));
		cr_assert_null(session_next(&world.session, &health_watch, stream, NULL));
	}
	WANT(session_finish(&world.session, stream), GRPC_STATUS_UNAVAILABLE, "");
}

static struct grpc_stream *open_search(struct seen_list *list)
{
	Sluice__V1__SearchRequest request = search_request(&rows, query, UINT64_MAX);
	struct grpc_stream *stream = session_stream(&world.session, &search, &request.base);

	seen_read(&world.session, stream, 1, list);
	cr_assert_gt(list->n, 0);
	return stream;
}

/* Another server takes its place. */
static void want_exit(double seconds)
{
	cr_assert_eq(server_await(&world.server, seconds), 0);
	cr_assert(
		server_start(&world.server, &(struct server_options){.data = world.scratch.path}));
}

/* By the server that runs now; the streams of the test belong to the old session. */
static uint64_t count_again(void)
{
	struct session before = world.session;
	uint64_t n;

	session_open(&world.session, world.server.address);
	n = count_of("docs");
	session_close(&world.session);
	world.session = before;
	return n;
}

Test(drain, ends_idle_streams_at_once_and_does_not_wait_for_a_reader_that_sleeps)
{
	SCOPED(grpc_stream) idle = NULL;
	SCOPED(grpc_stream) watching = NULL;
	SCOPED(grpc_stream) asleep = NULL;
	const struct batch_shape shape = {"docs", 1, 2, 4};
	struct seen_list list = {0};

	world_restart(&(struct server_options){.drain_seconds = "1"});
	rows_create(&rows, 1);
	watching = health_watch_open(&world.session);
	asleep = open_search(&list);
	idle = session_stream(&world.session, &upsert_chunks, NULL);
	stream_send(idle, &batch_make(&world.session.arena, &shape)->base);
	cr_assert_not_null(session_next(&world.session, &upsert_chunks, idle, NULL));

	server_terminate(&world.server);
	want_watch_ends(watching);
	cr_assert_null(session_next(&world.session, &upsert_chunks, idle, NULL));
	WANT(session_finish(&world.session, idle), GRPC_STATUS_UNAVAILABLE, "");
	want_exit(1 + EXIT_SECONDS);

	seen_read(&world.session, asleep, SIZE_MAX, &list);
	cr_assert_neq(list.end.code, GRPC_STATUS_OK);
	cr_assert_lt(list.n, rows.n);
	cr_assert_eq(count_again(), rows.n + 2);
}

Test(drain, lets_a_stream_come_to_its_end)
{
	SCOPED(grpc_stream) watching = NULL;
	SCOPED(grpc_stream) reading = NULL;
	struct seen_list list = {0}, wanted;

	world_restart(&(struct server_options){.drain_seconds = "60"});
	rows_create(&rows, 1);
	wanted = oracle_order(&rows, query, NULL);
	watching = health_watch_open(&world.session);
	reading = open_search(&list);
	server_terminate(&world.server);
	want_watch_ends(watching);

	seen_read(&world.session, reading, SIZE_MAX, &list);
	WANT_SAME(&list, &wanted, rows.n);
	cr_assert_eq(list.summary->stop_reason, SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED);
	want_exit(EXIT_SECONDS);
}

Test(drain, tells_a_stream_that_is_cut_why)
{
	SCOPED(grpc_stream) watching = NULL;
	SCOPED(grpc_stream) reading = NULL;
	struct seen_list list = {0}, wanted;

	world_restart(&(struct server_options){.drain_seconds = "0"});
	rows_create(&rows, 1);
	wanted = oracle_order(&rows, query, NULL);
	watching = health_watch_open(&world.session);
	reading = open_search(&list);
	server_terminate(&world.server);
	want_watch_ends(watching);

	seen_read(&world.session, reading, SIZE_MAX, &list);
	WANT(list.end, GRPC_STATUS_UNAVAILABLE, "drain");
	cr_assert_not_null(list.summary);
	cr_assert_eq(list.summary->stop_reason, SLUICE__V1__STOP_REASON__STOP_REASON_DRAINING);
	cr_assert_eq(list.summary->returned, list.n);
	list.end.code = GRPC_STATUS_OK;
	WANT_SAME(&list, &wanted, list.n);
	want_exit(EXIT_SECONDS);
}

Test(drain, acknowledges_what_it_has_taken)
{
	SCOPED(grpc_stream) stream = NULL;
	uint64_t acknowledged = 0;

	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	stream = session_stream(&world.session, &upsert_chunks, NULL);
	for (uint64_t i = 0; i < 10; i++) {
		const struct batch_shape shape = {"docs", i, 50, 4};

		stream_send(stream, &batch_make(&world.session.arena, &shape)->base);
	}
	cr_assert_not_null(session_next(&world.session, &upsert_chunks, stream, NULL));
	server_terminate(&world.server);
	for (acknowledged = 1;; acknowledged++) {
		const Sluice__V1__UpsertChunksResponse *ack =
			session_next(&world.session, &upsert_chunks, stream, NULL);

		if (!ack)
			break;
		cr_assert_eq(ack->sequence, acknowledged);
	}
	WANT(session_finish(&world.session, stream), GRPC_STATUS_UNAVAILABLE, "");
	want_exit(5 + EXIT_SECONDS);
	/* What it had taken it applied and acknowledged; nothing else is there. */
	cr_assert_eq(count_again(), 50 * acknowledged);
}

Test(drain, takes_no_new_calls_but_tells_of_its_health)
{
	SCOPED(grpc_stream) watching = NULL;
	SCOPED(grpc_stream) reading = NULL;
	struct seen_list list = {0};
	struct answer answer;
	struct session late;

	world_restart(&(struct server_options){.drain_seconds = "60"});
	rows_create(&rows, 1);
	watching = health_watch_open(&world.session);
	reading = open_search(&list);
	server_terminate(&world.server);
	want_watch_ends(watching);

	answer = session_call_bytes(&world.session, &get_server_info, (struct bytes){0});
	WANT(answer, GRPC_STATUS_UNAVAILABLE, "drain");
	cr_assert_not_null(WANT_REASON(&world.session, answer, "DRAINING").retry);
	answer = session_call_bytes(&world.session, &health_check, (struct bytes){0});
	WANT(answer, GRPC_STATUS_OK, "");
	cr_assert_eq(((const check_response *)answer.message)->status, STATE(NOT_SERVING));
	session_open(&late, world.server.address);
	WANT(session_call_bytes(&late, &get_server_info, (struct bytes){0}),
	     GRPC_STATUS_UNAVAILABLE, "");
	session_close(&late);
	seen_read(&world.session, reading, SIZE_MAX, &list);
	WANT(list.end, GRPC_STATUS_OK, "");
	want_exit(EXIT_SECONDS);
}

Test(drain, begins_with_an_interrupt_too_and_ends_at_once_with_a_second_signal)
{
	SCOPED(grpc_stream) watching = NULL;
	SCOPED(grpc_stream) asleep = NULL;
	struct seen_list list = {0};

	kill(world.server.pid, SIGINT);
	want_exit(EXIT_SECONDS);

	world_restart(&(struct server_options){.drain_seconds = "60"});
	rows_create(&rows, 1);
	watching = health_watch_open(&world.session);
	asleep = open_search(&list);
	server_terminate(&world.server);
	want_watch_ends(watching);
	server_terminate(&world.server);
	cr_assert_eq(server_await(&world.server, EXIT_SECONDS), 128 + SIGTERM);
	cr_assert(
		server_start(&world.server, &(struct server_options){.data = world.scratch.path}));
}
