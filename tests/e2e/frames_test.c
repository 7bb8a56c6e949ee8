/* frames - what comes over a socket and is no gRPC: a closed connection or a refused call, and a
 * server that goes on. */
#include "tests/e2e/http2.h"
#include "tests/e2e/random.h"
#include "tests/e2e/world.h"

#include <stdio.h>

TestSuite(frames, .init = world_open, .fini = world_close, .timeout = 200);

static void garbage(struct http2 *http2)
{
	struct random random = {99};

	for (size_t i = 0; i < 512; i++) {
		uint64_t bits = random_bits(&random);

		http2_write(http2, bytes_of(&bits, sizeof bits));
	}
}

static void http1(struct http2 *http2)
{
	http2_write(http2, bytes_of_string("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
}

static void nothing_at_all(struct http2 *http2)
{
	(void)http2;
}

static void preface_and_garbage(struct http2 *http2)
{
	http2_write(http2, bytes_of_string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	garbage(http2);
}

static void start(struct http2 *http2)
{
	http2_write(http2, bytes_of_string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	http2_frame(http2, HTTP2_SETTINGS, 0, 0, (struct bytes){0});
}

static void frame_above_the_bound(struct http2 *http2)
{
	start(http2);
	http2_write(http2, bytes_of("\xFF\xFF\xFF\0\0\0\0\0\1", 9));
}

static void data_without_a_call(struct http2 *http2)
{
	start(http2);
	http2_frame(http2, HTTP2_DATA, 0, 7, bytes_of_string("hello"));
}

static void headers_that_do_not_decode(struct http2 *http2)
{
	start(http2);
	http2_frame(http2, HTTP2_HEADERS, HTTP2_END_HEADERS, 1,
		    bytes_of("\xFF\xFF\xFF\xFF\xFF", 5));
}

static void headers_without_an_end(struct http2 *http2)
{
	start(http2);
	http2_frame(http2, HTTP2_HEADERS, 0, 1, bytes_of_string(""));
	http2_frame(http2, HTTP2_DATA, HTTP2_END_STREAM, 1, bytes_of_string(""));
}

static void many_headers(struct http2 *http2)
{
	SCOPED(buffer) payload = &(struct buffer){0};
	char name[32];

	start(http2);
	http2_header(payload, ":method", "POST");
	http2_header(payload, ":path", search.path);
	for (size_t i = 0; i < 400; i++) {
		snprintf(name, sizeof name, "x-%zu", i);
		http2_header(payload, name, "0123456789012345678901234567890123456789");
	}
	/* In pieces that fit a frame. */
	for (size_t at = 0, n; at < payload->size; at += n) {
		n = payload->size - at < 16000 ? payload->size - at : 16000;
		http2_frame(http2, at ? HTTP2_CONTINUATION : HTTP2_HEADERS,
			    at + n == payload->size ? HTTP2_END_HEADERS : 0, 1,
			    bytes_of(payload->data + at, n));
	}
}

static void no_path(struct http2 *http2)
{
	SCOPED(buffer) payload = &(struct buffer){0};

	start(http2);
	http2_header(payload, ":method", "POST");
	http2_header(payload, "content-type", "application/grpc");
	http2_frame(http2, HTTP2_HEADERS, HTTP2_END_HEADERS | HTTP2_END_STREAM, 1,
		    bytes_of(payload->data, payload->size));
}

static void call_with(struct http2 *http2, const char *encoding, struct bytes message)
{
	start(http2);
	http2_call(http2, 1, count_chunks.path, encoding);
	http2_frame(http2, HTTP2_DATA, HTTP2_END_STREAM, 1, message);
}

static void half_a_prefix(struct http2 *http2)
{
	call_with(http2, "", bytes_of("\0\0\0", 3));
}

static void half_a_message(struct http2 *http2)
{
	call_with(http2, "", bytes_of("\0\0\0\0\x0A\x0A\x08", 7));
}

static void message_of_4_gigabytes(struct http2 *http2)
{
	call_with(http2, "", bytes_of("\0\xFF\xFF\xFF\xFF\x0A\x08", 7));
}

static void two_messages_for_one(struct http2 *http2)
{
	call_with(http2, "", bytes_of("\0\0\0\0\2\x0A\0\0\0\0\0\2\x0A\0", 14));
}

static void compressed_without_a_name(struct http2 *http2)
{
	call_with(http2, "", bytes_of("\1\0\0\0\4abcd", 9));
}

static void compressed_by_nobody_knows_what(struct http2 *http2)
{
	call_with(http2, "zstd", bytes_of("\1\0\0\0\4abcd", 9));
}

static void gzip_that_is_none(struct http2 *http2)
{
	call_with(http2, "gzip", bytes_of("\1\0\0\0\4abcd", 9));
}

static void no_message(struct http2 *http2)
{
	call_with(http2, "", (struct bytes){0});
}

static void flood_of_resets(struct http2 *http2)
{
	start(http2);
	for (uint32_t i = 0; i < 2000; i++) {
		http2_call(http2, 1 + 2 * i, search.path, "");
		http2_frame(http2, HTTP2_RST_STREAM, 0, 1 + 2 * i, bytes_of("\0\0\0\x08", 4));
	}
}

static void flood_of_pings(struct http2 *http2)
{
	start(http2);
	for (size_t i = 0; i < 2000; i++)
		http2_frame(http2, HTTP2_PING, 0, 0, bytes_of("12345678", 8));
}

#define ATTACK(name) {#name, name}

static const struct {
	const char *name;
	void (*send)(struct http2 *http2);
} attacks[] = {
	ATTACK(nothing_at_all),
	ATTACK(garbage),
	ATTACK(http1),
	ATTACK(preface_and_garbage),
	ATTACK(frame_above_the_bound),
	ATTACK(data_without_a_call),
	ATTACK(headers_that_do_not_decode),
	ATTACK(headers_without_an_end),
	ATTACK(many_headers),
	ATTACK(no_path),
	ATTACK(half_a_prefix),
	ATTACK(half_a_message),
	ATTACK(message_of_4_gigabytes),
	ATTACK(two_messages_for_one),
	ATTACK(compressed_without_a_name),
	ATTACK(compressed_by_nobody_knows_what),
	ATTACK(gzip_that_is_none),
	ATTACK(no_message),
	ATTACK(flood_of_resets),
	ATTACK(flood_of_pings),
};

static void want_alive(const char *after)
{
	const Sluice__V1__GetServerInfoRequest nothing = SLUICE__V1__GET_SERVER_INFO_REQUEST__INIT;
	struct answer answer = session_call(&world.session, &get_server_info, &nothing.base);

	cr_assert_eq(answer.code, GRPC_STATUS_OK, "after %s: %d %s", after, answer.code,
		     answer.detail);
}

Test(frames, that_break_the_rules_do_no_harm)
{
	const size_t n = sizeof attacks / sizeof *attacks;
	struct http2 open[sizeof attacks / sizeof *attacks];

	for (size_t i = 0; i < n; i++) {
		cr_assert(http2_connect(&open[i], world.server.address));
		attacks[i].send(&open[i]);
		http2_drain(&open[i], 0.05);
		want_alive(attacks[i].name);
	}
	/* Some go away politely, some not; none leaves a call behind. */
	for (size_t i = 0; i < n; i++) {
		if (i % 2)
			http2_reset(&open[i]);
		else
			http2_close(&open[i]);
	}
	want_idle();
}

/* Status 12 is UNIMPLEMENTED; the core writes it as a plain literal, its length before it. The
 * first case shows that these frames are a call as any other. */
Test(frames, of_a_compressed_message_end_in_unimplemented)
{
	static const struct {
		const char *encoding;
		const char *message, *wanted;
	} cases[] = {
		{"",
		 "\0\0\0\0\4\x0A\2"
		 "aa",
		 "grpc-status\1"
		 "5"},
		{"gzip",
		 "\1\0\0\0\4\x0A\2"
		 "aa",
		 "grpc-status\2"
		 "12"},
		{"deflate",
		 "\1\0\0\0\4\x0A\2"
		 "aa",
		 "grpc-status\2"
		 "12"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct http2 http2;

		cr_assert(http2_connect(&http2, world.server.address));
		call_with(&http2, cases[i].encoding, bytes_of(cases[i].message, 9));
		cr_assert(http2_await(&http2, cases[i].wanted, 20), "case %zu", i);
		http2_close(&http2);
	}
	want_idle();
}
