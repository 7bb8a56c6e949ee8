#include "tests/service/rpc/raw_client.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { FRAME_DATA = 0, FRAME_HEADERS = 1, FRAME_SETTINGS = 4 };
enum { FLAG_END_STREAM = 1, FLAG_END_HEADERS = 4 };

int raw_connect(const char *address)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct timeval patience = {.tv_sec = 10};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	to.sin_port = htons((uint16_t)strtol(strrchr(address, ':') + 1, NULL, 10));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	cr_assert_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
	return fd;
}

bool raw_send(int fd, struct bytes data)
{
	while (data.size > 0) {
		ssize_t n = send(fd, data.data, data.size, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data.data += n;
		data.size -= (size_t)n;
	}
	return true;
}

static void frame_send(int fd, uint8_t type, uint8_t flags, const struct buffer *payload)
{
	struct buffer frame = {0};
	size_t size = payload->size;

	buffer_append_u8(&frame, (uint8_t)(size >> 16));
	buffer_append_u8(&frame, (uint8_t)(size >> 8));
	buffer_append_u8(&frame, (uint8_t)size);
	buffer_append_u8(&frame, type);
	buffer_append_u8(&frame, flags);
	buffer_append_u32(&frame, type == FRAME_SETTINGS ? 0 : __builtin_bswap32(1));
	buffer_append(&frame, payload->data, size);
	raw_send(fd, bytes_of(frame.data, frame.size));
	buffer_finish(&frame);
}

/* Literal, not indexed, not Huffman coded. */
static void header_append(struct buffer *to, const char *name, const char *value)
{
	buffer_append_u8(to, 0);
	buffer_append_u8(to, (uint8_t)strlen(name));
	buffer_append(to, name, strlen(name));
	buffer_append_u8(to, (uint8_t)strlen(value));
	buffer_append(to, value, strlen(value));
}

void raw_begin(int fd, const char *path, const char *encoding)
{
	struct buffer headers = {0}, none = {0};

	raw_send(fd, bytes_of_string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
	frame_send(fd, FRAME_SETTINGS, 0, &none);
	header_append(&headers, ":method", "POST");
	header_append(&headers, ":scheme", "http");
	header_append(&headers, ":path", path);
	header_append(&headers, ":authority", "localhost");
	header_append(&headers, "content-type", "application/grpc");
	header_append(&headers, "te", "trailers");
	if (encoding)
		header_append(&headers, "grpc-encoding", encoding);
	frame_send(fd, FRAME_HEADERS, FLAG_END_HEADERS, &headers);
	buffer_finish(&headers);
}

void raw_message(int fd, uint8_t flag, uint32_t claimed, struct bytes message, bool end)
{
	struct buffer data = {0};

	buffer_append_u8(&data, flag);
	buffer_append_u32(&data, __builtin_bswap32(claimed));
	buffer_append(&data, message.data, message.size);
	frame_send(fd, FRAME_DATA, end ? FLAG_END_STREAM : 0, &data);
	buffer_finish(&data);
}

int raw_status(int fd)
{
	static const char name[] = "grpc-status";
	struct buffer got = {0};
	int code = -1;

	while (code < 0) {
		uint8_t *room = buffer_reserve(&got, 4096);
		ssize_t n = recv(fd, room, 4096, 0);
		uint8_t *at;

		if (n <= 0)
			break;
		got.size += (size_t)n;
		at = memmem(got.data, got.size, name, sizeof name - 1);
		/* The name, one byte with the length of the value, one or two digits. */
		if (!at || at + sizeof name + 2 > got.data + got.size)
			continue;
		at += sizeof name - 1;
		code = at[1] - '0';
		if (at[0] == 2)
			code = code * 10 + at[2] - '0';
	}
	buffer_finish(&got);
	return code;
}
