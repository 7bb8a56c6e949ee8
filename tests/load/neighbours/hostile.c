/* hostile - one function an attack: it writes into a buffer what then goes out in one piece. */
#include "tests/load/neighbours/hostile.h"

#include "tests/e2e/session.h"

#include <sys/socket.h>
#include <sys/time.h>

enum { n_flood = 1000, n_resets = 20, n_open = 10, settings_initial_window = 4 };
enum { http2_priority = 2 };

/* What an attack has to work with. */
struct means {
	struct buffer *out;
	struct bytes message;
	struct random *random;
};

struct attack {
	const char *name;
	void (*write)(const struct means *means);
	size_t n_streams;
	bool is_slow;
};

/* --- frames --- */

static void append_head(struct buffer *out, size_t size, uint8_t type, uint8_t flags,
			uint32_t stream)
{
	const uint8_t head[] = {
		(uint8_t)(size >> 16),
		(uint8_t)(size >> 8),
		(uint8_t)size,
		type,
		flags,
		(uint8_t)(stream >> 24),
		(uint8_t)(stream >> 16),
		(uint8_t)(stream >> 8),
		(uint8_t)stream,
	};

	buffer_append(out, head, sizeof head);
}

static void append_frame(struct buffer *out, uint8_t type, uint8_t flags, uint32_t stream,
			 struct bytes payload)
{
	append_head(out, payload.size, type, flags, stream);
	buffer_append(out, payload.data, payload.size);
}

static void append_preface(struct buffer *out)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

	buffer_append(out, preface, sizeof preface - 1);
}

static void start(struct buffer *out)
{
	append_preface(out);
	append_frame(out, HTTP2_SETTINGS, 0, 0, (struct bytes){0});
}

static void append_call_fields(struct buffer *payload)
{
	http2_header(payload, ":method", "POST");
	http2_header(payload, ":scheme", "http");
	http2_header(payload, ":path", search.path);
	http2_header(payload, ":authority", "localhost");
	http2_header(payload, "content-type", "application/grpc");
	http2_header(payload, "te", "trailers");
}

static void append_call(struct buffer *out, uint32_t stream)
{
	SCOPED(buffer) payload = &(struct buffer){0};

	append_call_fields(payload);
	append_frame(out, HTTP2_HEADERS, HTTP2_END_HEADERS, stream,
		     bytes_of(payload->data, payload->size));
}

static void append_reset(struct buffer *out, uint32_t stream)
{
	append_frame(out, HTTP2_RST_STREAM, 0, stream, bytes_of("\0\0\0\x08", 4));
}

static void flood(const struct means *means, uint8_t type, struct bytes payload)
{
	start(means->out);
	for (size_t i = 0; i < n_flood; i++)
		append_frame(means->out, type, 0, 0, payload);
}

/* --- no HTTP/2, or none yet --- */

static void silence(const struct means *means)
{
	(void)means;
}

static void half_a_preface(const struct means *means)
{
	buffer_append(means->out, "PRI * HT", 8);
}

static void garbage(const struct means *means)
{
	for (size_t i = 0; i < 512; i++)
		buffer_append_u64(means->out, random_bits(means->random));
}

static void garbage_in_frames(const struct means *means)
{
	start(means->out);
	garbage(means);
}

static void http1(const struct means *means)
{
	static const char text[] = "POST /sluice.v1.RetrievalService/Search HTTP/1.1\r\n"
				   "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

	buffer_append(means->out, text, sizeof text - 1);
}

/* The head of a ClientHello of TLS, and noise in its place. */
static void tls_hello(const struct means *means)
{
	buffer_append(means->out, "\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11);
	for (size_t i = 0; i < 64; i++)
		buffer_append_u64(means->out, random_bits(means->random));
}

/* --- slow --- */

static void slow_headers(const struct means *means)
{
	start(means->out);
	append_head(means->out, 4000, HTTP2_HEADERS, HTTP2_END_HEADERS, 1);
}

static void slow_message(const struct means *means)
{
	start(means->out);
	append_call(means->out, 1);
	append_head(means->out, 4000, HTTP2_DATA, 0, 1);
	buffer_append(means->out, "\0\0\0\x0F\x9B", 5);
}

/* --- floods --- */

static void resets_at_once(const struct means *means)
{
	start(means->out);
	for (uint32_t i = 0; i < n_resets; i++) {
		append_call(means->out, 1 + 2 * i);
		append_reset(means->out, 1 + 2 * i);
	}
}

static void resets_of_searches(const struct means *means)
{
	start(means->out);
	for (uint32_t i = 0; i < n_resets; i++) {
		append_call(means->out, 1 + 2 * i);
		append_frame(means->out, HTTP2_DATA, HTTP2_END_STREAM, 1 + 2 * i, means->message);
		append_reset(means->out, 1 + 2 * i);
	}
}

static void open_streams(const struct means *means)
{
	start(means->out);
	for (uint32_t i = 0; i < n_open; i++)
		append_call(means->out, 1 + 2 * i);
}

/* Searches whose answers may never be sent. */
static void closed_window(const struct means *means)
{
	const uint8_t none[6] = {0, settings_initial_window};

	append_preface(means->out);
	append_frame(means->out, HTTP2_SETTINGS, 0, 0, bytes_of(none, sizeof none));
	for (uint32_t i = 0; i < n_open; i++) {
		append_call(means->out, 1 + 2 * i);
		append_frame(means->out, HTTP2_DATA, HTTP2_END_STREAM, 1 + 2 * i, means->message);
	}
}

static void pings(const struct means *means)
{
	flood(means, HTTP2_PING, bytes_of("12345678", 8));
}

static void settings(const struct means *means)
{
	const uint8_t window[6] = {0, settings_initial_window, 0, 0, 0xFF, 0xFF};

	flood(means, HTTP2_SETTINGS, bytes_of(window, sizeof window));
}

static void windows(const struct means *means)
{
	flood(means, HTTP2_WINDOW_UPDATE, bytes_of("\0\0\0\1", 4));
}

static void priorities(const struct means *means)
{
	start(means->out);
	for (uint32_t i = 0; i < n_flood; i++)
		append_frame(means->out, http2_priority, 0, 1 + 2 * i, bytes_of("\0\0\0\0\x10", 5));
}

static void empty_data(const struct means *means)
{
	start(means->out);
	append_call(means->out, 1);
	for (size_t i = 0; i < n_flood; i++)
		append_frame(means->out, HTTP2_DATA, 0, 1, (struct bytes){0});
}

/* Header fields without an end: 64 bytes a frame. */
static void continuations(const struct means *means)
{
	SCOPED(buffer) payload = &(struct buffer){0};

	start(means->out);
	append_head(means->out, 0, HTTP2_HEADERS, 0, 1);
	http2_header(payload, "x-more", "01234567890123456789012345678901234567890123456789");
	for (size_t i = 0; i < n_flood; i++)
		append_frame(means->out, HTTP2_CONTINUATION, 0, 1,
			     bytes_of(payload->data, payload->size));
}

static void giant_headers(const struct means *means)
{
	SCOPED(buffer) payload = &(struct buffer){0};

	append_call_fields(payload);
	for (size_t i = 0; payload->size < 15000; i++)
		http2_header(payload, "x-more",
			     "01234567890123456789012345678901234567890123456789");
	start(means->out);
	for (uint32_t i = 0; i < n_open; i++)
		append_frame(means->out, HTTP2_HEADERS, HTTP2_END_HEADERS, 1 + 2 * i,
			     bytes_of(payload->data, payload->size));
}

#define ATTACK(function, ...) {.name = #function, .write = (function), __VA_ARGS__}

static const struct attack attacks[] = {
	ATTACK(silence, .is_slow = false),
	ATTACK(half_a_preface, .is_slow = false),
	ATTACK(garbage, .is_slow = false),
	ATTACK(garbage_in_frames, .is_slow = false),
	ATTACK(http1, .is_slow = true),
	ATTACK(tls_hello, .is_slow = false),
	ATTACK(slow_headers, .n_streams = 1, .is_slow = true),
	ATTACK(slow_message, .n_streams = 1, .is_slow = true),
	ATTACK(resets_at_once, .n_streams = n_resets),
	ATTACK(resets_of_searches, .n_streams = n_resets),
	ATTACK(open_streams, .n_streams = n_open),
	ATTACK(closed_window, .n_streams = n_open),
	ATTACK(pings, .is_slow = false),
	ATTACK(settings, .is_slow = false),
	ATTACK(windows, .is_slow = false),
	ATTACK(priorities, .is_slow = false),
	ATTACK(empty_data, .n_streams = 1),
	ATTACK(continuations, .n_streams = 1),
	ATTACK(giant_headers, .n_streams = n_open),
};

size_t hostile_kinds(void)
{
	return sizeof attacks / sizeof *attacks;
}

const char *hostile_name(size_t kind)
{
	return attacks[kind].name;
}

size_t hostile_open(struct hostile *hostile, size_t kind, const char *address, struct bytes message,
		    struct random *random)
{
	SCOPED(buffer) out = &(struct buffer){0};
	const struct timeval patience = {.tv_usec = 200000};

	hostile->attack = &attacks[kind];
	if (!http2_connect(&hostile->http2, address)) {
		hostile->http2.fd = -1;
		return 0;
	}
	/* A server that takes no more is not waited for. */
	setsockopt(hostile->http2.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	attacks[kind].write(&(struct means){out, message, random});
	http2_write(&hostile->http2, bytes_of(out->data, out->size));
	return attacks[kind].n_streams;
}

void hostile_go_on(struct hostile *hostile)
{
	if (hostile->http2.fd >= 0 && hostile->attack && hostile->attack->is_slow)
		http2_write(&hostile->http2, bytes_of("x", 1));
}

void hostile_close(struct hostile *hostile, struct random *random)
{
	if (hostile->http2.fd < 0)
		return;
	if (random_below(random, 2))
		http2_reset(&hostile->http2);
	else
		http2_close(&hostile->http2);
}
