/* session - a client of the server that speaks in messages of the contract.
 *
 * What comes is unpacked into the session's arena and lives until session_close. One thread uses a
 * session; none of these functions asserts, so any thread may have one of its own.
 */
#ifndef SLUICE_TESTS_E2E_SESSION_H
#define SLUICE_TESTS_E2E_SESSION_H

#include "kernels/base/arena.h"
#include "tests/support/grpc_client.h"

#include <protobuf-c/protobuf-c.h>

/* Of a call, where a test names no other: far above what any of them takes. */
#define CALL_SECONDS 120.0

struct session {
	struct grpc_client *client;
	struct arena arena;
};

void session_open(struct session *session, const char *address);
/* session_open_with - with a key or certificates. */
void session_open_with(struct session *session, const char *address,
		       const struct grpc_client_options *options);
/* session_close - after its streams. Fine on a zeroed struct. */
void session_close(struct session *session);

struct method {
	const char *path;
	const ProtobufCMessageDescriptor *response;
};

extern const struct method create_collection, get_collection, list_collections, delete_collection;
extern const struct method optimize_collection;
extern const struct method upsert_chunks, delete_chunks;
extern const struct method search, get_chunks, list_chunks, count_chunks;
extern const struct method iterate, get_server_info, list_cursors, cancel_cursor;

/* How a call ended. */
struct answer {
	int code;           /* a gRPC status code */
	const char *detail; /* of the status */
	const void
		*message; /* of the method's response type; NULL: none came, or it does not parse */
	struct bytes details; /* of grpc-status-details-bin; empty where none came */
};

/* session_call - one message there, one back. */
struct answer session_call(struct session *session, const struct method *method,
			   const ProtobufCMessage *request);
struct answer session_call_bytes(struct session *session, const struct method *method,
				 struct bytes request);

/* session_stream - request  the only message of the client; NULL: more are to be sent. */
struct grpc_stream *session_stream(struct session *session, const struct method *method,
				   const ProtobufCMessage *request);

/* stream_send - false: the call is over. */
bool stream_send(struct grpc_stream *stream, const ProtobufCMessage *request);

/* session_next - the next message; NULL at the end.
 * ret_size  its bytes on the wire; NULL: not wanted. */
const void *session_next(struct session *session, const struct method *method,
			 struct grpc_stream *stream, size_t *ret_size);

/* session_finish - how the stream ended; without a message. */
struct answer session_finish(struct session *session, struct grpc_stream *stream);

#endif
