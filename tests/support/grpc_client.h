/* grpc_client - a plain client over gRPC's C core, for tests: raw bytes in and out, one thread.
 *
 *	struct grpc_client *client = grpc_client_open("127.0.0.1:50051", NULL);
 *	struct grpc_reply reply;
 *
 *	grpc_client_unary(client, "/pkg.Service/Method", request, 10.0, &reply);
 *	cr_assert_eq(reply.code, 0, "%s", reply.detail);
 *	grpc_reply_finish(&reply);
 *	grpc_client_close(client);
 *
 * A stream is read message by message; nothing is read ahead of what next asked for but what the
 * windows of HTTP/2 let in. Our own misuse aborts.
 */
#ifndef SLUICE_TESTS_SUPPORT_GRPC_CLIENT_H
#define SLUICE_TESTS_SUPPORT_GRPC_CLIENT_H

#include "kernels/base/bytes.h"

#include <stdbool.h>

struct grpc_client;
struct grpc_stream;

struct grpc_client_options {
	bool gzip; /* compress what is sent */
	/* Files; ca_file means TLS, for a server whose certificate is localhost's. NULL: none. */
	const char *ca_file, *certificate_file, *key_file;
	const char *authorization, *traceparent; /* headers of every call; NULL: none */
};

/* One message and how the call ended. */
struct grpc_reply {
	struct buffer message; /* empty where none came */
	struct buffer details; /* grpc-status-details-bin of the trailer; empty where none came */
	int code;              /* a gRPC status code */
	char detail[2304];     /* cut */
};

/* grpc_client_open - a connection of its own, made with the first call. options  NULL: none. */
struct grpc_client *grpc_client_open(const char *address,
				     const struct grpc_client_options *options);

/* grpc_client_close - after its streams. NULL is fine. */
void grpc_client_close(struct grpc_client *client);

SCOPE_DEFINE(grpc_client, grpc_client_close)

/* grpc_client_unary - gives the code. ret  to be finished by grpc_reply_finish. */
int grpc_client_unary(struct grpc_client *client, const char *path, struct bytes request,
		      double timeout_seconds, struct grpc_reply *ret);
void grpc_reply_finish(struct grpc_reply *reply);

/* grpc_stream_open - a call in both directions. timeout_seconds  0: none. */
struct grpc_stream *grpc_stream_open(struct grpc_client *client, const char *path,
				     double timeout_seconds);

/* grpc_stream_open_server - with its only request sent, for streams of the server. */
struct grpc_stream *grpc_stream_open_server(struct grpc_client *client, const char *path,
					    struct bytes request, double timeout_seconds);

/* grpc_stream_close - cancels what is not over. NULL is fine. */
void grpc_stream_close(struct grpc_stream *stream);

SCOPE_DEFINE(grpc_stream, grpc_stream_close)

/* grpc_stream_send - waits until flow control takes it. False: the call is over. */
bool grpc_stream_send(struct grpc_stream *stream, struct bytes message);

/* grpc_stream_begin_send / grpc_stream_await_send - the same in two steps. await gives false where
 * the send is not through after seconds; it may be asked again. */
void grpc_stream_begin_send(struct grpc_stream *stream, struct bytes message);
bool grpc_stream_await_send(struct grpc_stream *stream, double seconds);

bool grpc_stream_half_close(struct grpc_stream *stream);

/* grpc_stream_next - the next message, in place of what ret held. False: there is none, see the
 * status. */
bool grpc_stream_next(struct grpc_stream *stream, struct buffer *ret);

/* grpc_stream_next_within - the same, but gives up after seconds, with ret_late set; the next one
 * to ask gets the message. */
bool grpc_stream_next_within(struct grpc_stream *stream, double seconds, struct buffer *ret,
			     bool *ret_late);

/* grpc_stream_cancel - from any thread. */
void grpc_stream_cancel(struct grpc_stream *stream);

/* grpc_stream_details - after grpc_stream_finish: grpc-status-details-bin of the trailer, borrowed
 * from the stream; empty where none came. */
struct bytes grpc_stream_details(const struct grpc_stream *stream);

/* grpc_stream_trailer - the same of any trailer. */
struct bytes grpc_stream_trailer(const struct grpc_stream *stream, const char *key);

/* grpc_stream_finish - waits for the end of the call; gives its code. ret_detail  borrowed from the
 * stream; NULL: not wanted. */
int grpc_stream_finish(struct grpc_stream *stream, const char **ret_detail);

#endif
