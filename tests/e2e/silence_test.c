/* silence - calls whose client opens them and says no more: told so in time, and nothing is left of them. */
#include "tests/e2e/details.h"
#include "tests/e2e/http2.h"
#include "tests/e2e/iterating.h"
#include "tests/e2e/world.h"

#include <stdlib.h>

TestSuite(silence, .init = world_open, .fini = world_close, .timeout = 200);

#define LENGTH(array) (sizeof(array) / sizeof *(array))

/* Bounds that nothing here comes to are left out. */
static void restart_with(const char *text)
{
	world_restart_with(&(struct server_options){0}, text);
}

Test(silence, instead_of_a_request_is_told_which_limit_it_was)
{
	const struct method *const methods[] = {&get_server_info, &count_chunks, &search,
						&list_chunks, &create_collection};
	struct grpc_stream *streams[LENGTH(methods)];

	restart_with("limits: {request_timeout: 1s, calls_max: 5}\n");
	for (size_t i = 0; i < LENGTH(methods); i++)
		streams[i] = session_stream(&world.session, methods[i], NULL);
	for (size_t i = 0; i < LENGTH(methods); i++) {
		struct answer answer = session_finish(&world.session, streams[i]);
		struct details details;

		WANT(answer, GRPC_STATUS_DEADLINE_EXCEEDED, "limits.request_timeout|1 s");
		details = WANT_REASON(&world.session, answer, "REQUEST_MISSING");
		cr_assert_str_eq(details_value(&details, "method"), methods[i]->path);
		grpc_stream_close(streams[i]);
	}
	/* There is room again for as many as there may be. */
	want_idle();
	WANT(session_call_bytes(&world.session, &get_server_info, (struct bytes){0}),
	     GRPC_STATUS_OK, "");
}

static const struct {
	const char *name;
	struct {
		const char *data;
		size_t size;
	} sent;
} parts[] = {
	{"nothing", {"", 0}},
	{"half a prefix", {"\0\0\0", 3}},
	{"a prefix", {"\0\0\0\0\4", 5}},
	{"half a message", {"\0\0\0\0\4\x0A\2", 7}},
	{"a little of four mebibytes", {"\0\0\x40\0\0\x0A\2", 7}},
};

/* Status 4 is DEADLINE_EXCEEDED; its length stands before it. */
Test(silence, amid_a_message_ends_the_call_as_well)
{
	struct http2 clients[LENGTH(parts)];

	restart_with("limits: {request_timeout: 1s}\n");
	for (size_t i = 0; i < LENGTH(parts); i++) {
		cr_assert(http2_open(&clients[i], world.server.address));
		http2_call(&clients[i], 1, count_chunks.path, "");
		http2_frame(&clients[i], HTTP2_DATA, 0, 1,
			    bytes_of(parts[i].sent.data, parts[i].sent.size));
	}
	for (size_t i = 0; i < LENGTH(parts); i++)
		cr_assert(http2_await(&clients[i], "grpc-status\0014", 20), "%s", parts[i].name);
	/* All with their connections open. */
	want_idle();
	for (size_t i = 0; i < LENGTH(parts); i++)
		http2_close(&clients[i]);
}

static const struct batch_shape batch = {.collection = "docs", .n = 1, .dim = 4};

static void want_acknowledged(struct grpc_stream *stream)
{
	cr_assert(stream_send(stream, &batch_make(&world.session.arena, &batch)->base));
	cr_assert_not_null(session_next(&world.session, &upsert_chunks, stream, NULL));
}

static void want_idle_end(struct grpc_stream *stream)
{
	struct answer answer = session_finish(&world.session, stream);
	struct details details;

	WANT(answer, GRPC_STATUS_ABORTED, "limits.stream_idle_timeout|1 s");
	details = WANT_REASON(&world.session, answer, "LIMIT_REACHED");
	cr_assert_str_eq(details_value(&details, "setting"), "limits.stream_idle_timeout");
	cr_assert_str_eq(details_value(&details, "limit"), "1000");
	grpc_stream_close(stream);
}

Test(silence, between_batches_is_no_missing_request)
{
	struct grpc_stream *upsert;

	restart_with("limits: {request_timeout: 1s}\n");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	upsert = session_stream(&world.session, &upsert_chunks, NULL);
	for (size_t i = 0; i < 2; i++) {
		struct grpc_stream *later = session_stream(&world.session, &get_server_info, NULL);

		WANT(session_finish(&world.session, later), GRPC_STATUS_DEADLINE_EXCEEDED, "");
		grpc_stream_close(later);
		want_acknowledged(upsert);
	}
	grpc_stream_half_close(upsert);
	WANT(session_finish(&world.session, upsert), GRPC_STATUS_OK, "");
	grpc_stream_close(upsert);
}

Test(silence, on_a_stream_of_batches_ends_it_and_keeps_what_was_acknowledged)
{
	struct grpc_stream *never, *once;

	restart_with("limits: {stream_idle_timeout: 1s}\n");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	never = session_stream(&world.session, &upsert_chunks, NULL);
	once = session_stream(&world.session, &upsert_chunks, NULL);
	want_acknowledged(once);
	want_idle_end(never);
	want_idle_end(once);
	want_idle();
	cr_assert_eq(count_of("docs"), 1);
}

/* A cursor's idleness is a matter of limits.cursor_idle_timeout. */
Test(silence, of_a_client_with_a_cursor_is_borne_longer)
{
	struct rows rows = {
		.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 4, .n = 10};
	Sluice__V1__SearchRequest wanted;
	struct grpc_stream *without, *with;

	restart_with("limits: {stream_idle_timeout: 1s}\n");
	rows_create(&rows, 1);
	wanted = search_request(&rows, query_make(rows.dim, 7), 0);
	with = session_stream(&world.session, &iterate, NULL);
	cr_assert(iterate_open(with, &wanted));
	iterate_await_opened(&world.session, with);
	for (size_t i = 0; i < 2; i++) {
		without = session_stream(&world.session, &iterate, NULL);
		want_idle_end(without);
	}
	cr_assert(iterate_credit(with, 3));
	iterate_await_hits(&world.session, with, 3);
	cr_assert(iterate_close(with));
	WANT(iterate_read_all(&world.session, with, NULL), GRPC_STATUS_OK, "");
	grpc_stream_close(with);
	want_idle();
}
