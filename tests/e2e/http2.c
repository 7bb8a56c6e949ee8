/* http2 - a socket and what is written to it. */
#include "tests/e2e/http2.h"

#include "tests/e2e/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

bool http2_connect(struct http2 *http2, const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in to = {.sin_family = AF_INET};

	to.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	http2->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (http2->fd < 0)
		return false;
	if (connect(http2->fd, (const struct sockaddr *)&to, sizeof to) == 0)
		return true;
	http2_close(http2);
	return false;
}

bool http2_open(struct http2 *http2, const char *address)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

	if (!http2_connect(http2, address))
		return false;
	http2_write(http2, bytes_of(preface, sizeof preface - 1));
	http2_frame(http2, HTTP2_SETTINGS, 0, 0, (struct bytes){0});
	return true;
}

/* What cannot be written was refused by the other end, which is for the test to see. */
void http2_write(struct http2 *http2, struct bytes bytes)
{
	while (bytes.size) {
		ssize_t written = send(http2->fd, bytes.data, bytes.size, MSG_NOSIGNAL);

		if (written <= 0)
			return;
		bytes.data += written;
		bytes.size -= (size_t)written;
	}
}

void http2_frame(struct http2 *http2, enum http2_type type, uint8_t flags, uint32_t stream,
		 struct bytes payload)
{
	const uint8_t head[] = {
		(uint8_t)(payload.size >> 16),
		(uint8_t)(payload.size >> 8),
		(uint8_t)payload.size,
		(uint8_t)type,
		flags,
		(uint8_t)(stream >> 24),
		(uint8_t)(stream >> 16),
		(uint8_t)(stream >> 8),
		(uint8_t)stream,
	};

	http2_write(http2, bytes_of(head, sizeof head));
	http2_write(http2, payload);
}

static void append_string(struct buffer *payload, const char *text)
{
	size_t n = strlen(text);

	/* A length of seven bits, or 127 and the rest in base 128. */
	if (n < 127) {
		buffer_append_u8(payload, (uint8_t)n);
	} else {
		buffer_append_u8(payload, 127);
		buffer_append_varint(payload, n - 127);
	}
	buffer_append(payload, text, n);
}

void http2_header(struct buffer *payload, const char *name, const char *value)
{
	buffer_append_u8(payload, 0); /* a literal that enters no table, with its name */
	append_string(payload, name);
	append_string(payload, value);
}

void http2_call(struct http2 *http2, uint32_t stream, const char *path, const char *encoding)
{
	SCOPED(buffer) payload = &(struct buffer){0};

	http2_header(payload, ":method", "POST");
	http2_header(payload, ":scheme", "http");
	http2_header(payload, ":path", path);
	http2_header(payload, ":authority", "localhost");
	http2_header(payload, "content-type", "application/grpc");
	http2_header(payload, "te", "trailers");
	if (encoding[0])
		http2_header(payload, "grpc-encoding", encoding);
	http2_frame(http2, HTTP2_HEADERS, HTTP2_END_HEADERS, stream,
		    bytes_of(payload->data, payload->size));
}

/* More bytes into the buffer; false at the end, or after seconds without any. */
static bool read_more(struct http2 *http2, struct buffer *buffer, double seconds)
{
	struct pollfd readable = {.fd = http2->fd, .events = POLLIN};
	uint8_t *room = buffer_reserve(buffer, 65536);
	ssize_t got;

	if (!room || poll(&readable, 1, (int)(seconds * 1000)) <= 0)
		return false;
	got = recv(http2->fd, room, 65536, 0);
	if (got <= 0)
		return false;
	buffer->size += (size_t)got;
	return true;
}

bool http2_await(struct http2 *http2, const char *text, double seconds)
{
	SCOPED(buffer) buffer = &(struct buffer){0};
	double end = seconds_now() + seconds;

	while (seconds_now() < end) {
		if (buffer->size && memmem(buffer->data, buffer->size, text, strlen(text)))
			return true;
		if (!read_more(http2, buffer, end - seconds_now()))
			return false;
	}
	return false;
}

/* Whether the bytes, which begin with a frame, hold such a one in full. */
static bool has_frame(const struct buffer *buffer, enum http2_type type, uint32_t stream)
{
	enum { HEAD = 9 };

	for (size_t at = 0; buffer->size - at >= HEAD;) {
		const uint8_t *head = buffer->data + at;
		size_t size = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
		uint32_t of = (uint32_t)(head[5] & 0x7F) << 24 | (uint32_t)head[6] << 16 |
			      (uint32_t)head[7] << 8 | head[8];

		if (buffer->size - at - HEAD < size)
			return false;
		if (head[3] == (uint8_t)type && of == stream)
			return true;
		at += HEAD + size;
	}
	return false;
}

bool http2_await_frame(struct http2 *http2, enum http2_type type, uint32_t stream, double seconds)
{
	SCOPED(buffer) buffer = &(struct buffer){0};
	double end = seconds_now() + seconds;

	while (seconds_now() < end) {
		if (buffer->size && has_frame(buffer, type, stream))
			return true;
		if (!read_more(http2, buffer, end - seconds_now()))
			return false;
	}
	return false;
}

bool http2_is_over(struct http2 *http2, double seconds)
{
	double end = seconds_now() + seconds;
	uint8_t bytes[4096];

	while (seconds_now() < end) {
		struct pollfd readable = {.fd = http2->fd, .events = POLLIN};

		if (poll(&readable, 1, (int)((end - seconds_now()) * 1000) + 1) > 0 &&
		    recv(http2->fd, bytes, sizeof bytes, 0) <= 0)
			return true;
	}
	return false;
}

void http2_drain(struct http2 *http2, double seconds)
{
	SCOPED(buffer) buffer = &(struct buffer){0};

	while (read_more(http2, buffer, seconds))
		buffer->size = 0;
}

void http2_close(struct http2 *http2)
{
	if (http2->fd >= 0)
		close(http2->fd);
	http2->fd = -1;
}

void http2_reset(struct http2 *http2)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};

	setsockopt(http2->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	http2_close(http2);
}
