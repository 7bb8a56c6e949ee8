/* keepalive - pings: who asks now and then stays, who floods is answered, or sent away, and who does not answer is gone. */
#include "tests/e2e/health.h"
#include "tests/e2e/http2.h"
#include "tests/e2e/world.h"

#include <stdio.h>

TestSuite(keepalive, .init = world_open, .fini = world_close, .timeout = 120);

/* As http2.c writes a message of no bytes. */
static const uint8_t empty_message[5];

/* What the core says before it closes a connection that pings too much. */
#define TOO_MANY "too_many_pings"

static void restart_with(const char *text)
{
	world_restart_with(&(struct server_options){0}, text);
}

/* Answers are the same eight bytes. */
static void want_pong(struct http2 *http2, int number)
{
	char payload[24];

	snprintf(payload, sizeof payload, "ping-%03d", number);
	http2_frame(http2, HTTP2_PING, 0, 0, bytes_of_string(payload));
	cr_assert(http2_await(http2, payload, 20), "%s", payload);
}

/* A search that nothing comes of: a watch of health, which has said what there is to say. */
static void open_stream(struct http2 *http2)
{
	http2_call(http2, 1, health_watch.path, "");
	http2_frame(http2, HTTP2_DATA, HTTP2_END_STREAM, 1,
		    bytes_of(empty_message, sizeof empty_message));
}

static void ping_and_stay(bool with_stream)
{
	struct http2 http2;

	restart_with("keepalive: {client_interval_min: 1s}\n");
	cr_assert(http2_open(&http2, world.server.address));
	if (with_stream)
		open_stream(&http2);
	for (int i = 0; i < 6; i++) {
		want_pong(&http2, i);
		pause_ms(1100);
	}
	want_pong(&http2, 999);
	http2_close(&http2);
}

Test(keepalive, lets_who_asks_now_and_then_stay)
{
	ping_and_stay(false);
}

Test(keepalive, lets_who_asks_during_a_stream_stay)
{
	ping_and_stay(true);
}

Test(keepalive, forgives_two)
{
	struct http2 http2;

	restart_with("keepalive: {client_interval_min: 5s}\n");
	cr_assert(http2_open(&http2, world.server.address));
	for (int i = 0; i < 3; i++)
		want_pong(&http2, i);
	http2_close(&http2);
}

static void flood(struct http2 *http2, bool with_stream)
{
	cr_assert(http2_open(http2, world.server.address));
	if (with_stream)
		open_stream(http2);
	for (int i = 0; i < 100; i++)
		http2_frame(http2, HTTP2_PING, 0, 0, bytes_of_string("12345678"));
}

static void flood_and_be_sent_away(bool with_stream)
{
	struct http2 http2;

	restart_with("keepalive: {client_interval_min: 5s}\n");
	flood(&http2, with_stream);
	cr_assert(http2_await(&http2, TOO_MANY, 20));
	cr_assert(http2_is_over(&http2, 20));
	http2_close(&http2);
	WANT(session_call_bytes(&world.session, &get_server_info, (struct bytes){0}),
	     GRPC_STATUS_OK, "");
	want_idle();
}

Test(keepalive, sends_away_who_floods_where_an_interval_is_given)
{
	flood_and_be_sent_away(false);
}

Test(keepalive, sends_away_who_floods_during_a_stream_where_an_interval_is_given)
{
	flood_and_be_sent_away(true);
}

/* Sending away costs more than it spares: see service/rpc/door.c. */
Test(keepalive, answers_who_floods)
{
	struct http2 http2;

	flood(&http2, false);
	want_pong(&http2, 1);
	http2_close(&http2);
	want_idle();
}

/* A client that answers pings has its stream as long as it likes; one that reads and says nothing has not. */
Test(keepalive, ends_connections_that_do_not_answer)
{
	SCOPED(buffer) message = &(struct buffer){0};
	struct grpc_stream *stream;
	struct http2 mute;
	bool late, over = false;

	restart_with("keepalive: {time: 1s, timeout: 1s}\n");
	stream = health_watch_open(&world.session);
	cr_assert(http2_open(&mute, world.server.address));
	open_stream(&mute);
	/* A client of gRPC answers while it is waited for. */
	for (int i = 0; i < 300 && !over; i++) {
		cr_assert_not(grpc_stream_next_within(stream, 0.1, message, &late));
		cr_assert(late);
		over = http2_is_over(&mute, 0.01);
	}
	cr_assert(over);
	http2_close(&mute);
	grpc_stream_close(stream);
	want_idle();
}
