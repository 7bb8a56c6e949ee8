/* http2 - frames by hand, for what no gRPC library would send.
 *
 * A plain socket: nothing is read but what is asked for, and no window is ever opened further.
 * Header fields go out as literals, without compression.
 */
#ifndef SLUICE_TESTS_E2E_HTTP2_H
#define SLUICE_TESTS_E2E_HTTP2_H

#include "kernels/base/bytes.h"

#include <stdbool.h>

enum http2_type {
	HTTP2_DATA = 0,
	HTTP2_HEADERS = 1,
	HTTP2_RST_STREAM = 3,
	HTTP2_SETTINGS = 4,
	HTTP2_PING = 6,
	HTTP2_WINDOW_UPDATE = 8,
	HTTP2_CONTINUATION = 9,
};

#define HTTP2_END_STREAM 0x1
#define HTTP2_END_HEADERS 0x4
#define HTTP2_ACK 0x1

struct http2 {
	int fd;
};

/* http2_connect - the socket alone. */
bool http2_connect(struct http2 *http2, const char *address);
/* http2_open - the socket, the preface and our settings. */
bool http2_open(struct http2 *http2, const char *address);

void http2_write(struct http2 *http2, struct bytes bytes);
void http2_frame(struct http2 *http2, enum http2_type type, uint8_t flags, uint32_t stream,
		 struct bytes payload);

/* http2_header - appends a field to the payload of a HEADERS frame. */
void http2_header(struct buffer *payload, const char *name, const char *value);

/* http2_call - the headers of a gRPC call.
 * encoding  of the messages; "": none is named */
void http2_call(struct http2 *http2, uint32_t stream, const char *path, const char *encoding);

/* http2_await - reads until text has come. False: the connection ended, or seconds are over. */
bool http2_await(struct http2 *http2, const char *text, double seconds);

/* http2_await_frame - reads until a frame of the type has come for the stream; likewise. */
bool http2_await_frame(struct http2 *http2, enum http2_type type, uint32_t stream, double seconds);

/* http2_is_over - reads until the server closes the connection; false where it has not after seconds. */
bool http2_is_over(struct http2 *http2, double seconds);

/* http2_drain - reads until the server closes the connection, or has been quiet for seconds. */
void http2_drain(struct http2 *http2, double seconds);

void http2_close(struct http2 *http2);
/* http2_reset - closes without a goodbye: the other end gets a reset. */
void http2_reset(struct http2 *http2);

#endif
