/* client - calls to a Sluice server over gRPC, blocking, on one completion queue.
 *
 *	SCOPED(client) client = NULL;
 *	TRY(client_open(&options, &client));
 *	TRY(client_unary(client, &method, &request.base, &answer));
 *
 * A stream: client_call_open, client_call_send any number of times, client_call_receive until it
 *gives NULL, client_call_close. Several calls may be open at once; client_wait_any takes turns
 *among them. The server's failures come as statuses whose detail begins with the code's name, and
 *whose info lists the violations (failure.h). Not thread safe.
 */
#ifndef SLUICE_SERVICE_CLI_CLIENT_H
#define SLUICE_SERVICE_CLI_CLIENT_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <protobuf-c/protobuf-c.h>

/* A method of the contract: its path, and the type of its answers. */
struct method {
	const char *path;
	const ProtobufCMessageDescriptor *answer;
};

struct client_options {
	struct arena *arena;    /* owns details; outlives the client */
	const char *address;    /* HOST:PORT or unix:PATH */
	double timeout_seconds; /* of a whole call; 0: 30 for unary calls, none for streams */
	bool tls;
	/* PEM texts; NULL: the system's CAs, and no certificate of ours. */
	const char *ca, *certificate, *key;
	const char *api_key; /* NULL: none is sent */
};

struct client;

/* client_open - connects to nothing yet: the first call does. Fails: RESOURCE_EXHAUSTED */
status client_open(const struct client_options *options, struct client **ret);
/* client_close - after every call of it was closed. */
void client_close(struct client *client);

SCOPE_DEFINE(client, client_close)

/* client_options_of - as it was opened with; borrowed. */
const struct client_options *client_options_of(const struct client *client);

/* client_unary - request  borrowed. ret  free with protobuf_c_message_free_unpacked(, NULL).
 * Fails: whatever the server says; UNAVAILABLE where it cannot be reached */
status client_unary(struct client *client, const struct method *method,
		    const ProtobufCMessage *request, ProtobufCMessage **ret);

struct client_call;

/* client_call_open - the method is borrowed for the life of the call. */
status client_call_open(struct client *client, const struct method *method,
			struct client_call **ret);
/* client_call_open_with - opens a call that sends this one request and no more. */
status client_call_open_with(struct client *client, const struct method *method,
			     const ProtobufCMessage *request, struct client_call **ret);
/* client_call_close - cancels the call if it has not ended. */
void client_call_close(struct client_call *client_call);

SCOPE_DEFINE(client_call, client_call_close)

/* client_call_send - copies the message and starts to send it; first waits until the one before is
 * sent. Fails: INTERNAL where the call has ended, and then client_call_receive says why. */
status client_call_send(struct client_call *call, struct bytes message);
/* client_call_send_end - no more messages. */
status client_call_send_end(struct client_call *call);

/* client_call_receive - the next answer, to be freed as that of client_unary; NULL at the end.
 * Fails: as the server ended the call */
status client_call_receive(struct client_call *call, ProtobufCMessage **ret);

/* client_call_receive_start - asks for the next answer, which client_wait_any reports and
 * client_call_receive then takes without waiting. */
void client_call_receive_start(struct client_call *call);
/* client_wait_any - the index of one of calls, [n], for which an answer or the end has come; every
 * one of them that is not NULL has been asked for one. NULLs are passed over. */
size_t client_wait_any(struct client *client, struct client_call *const *calls, size_t n);

/* client_call_received_bytes - of all answers so far, as they were on the wire. */
size_t client_call_received_bytes(const struct client_call *call);

#endif
