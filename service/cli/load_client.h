/* load_client - many calls at once over several connections, on one completion queue and one thread: the
 * one that opened it starts calls, waits for what comes (load_client_wait) and hands it to its call
 * (load_client_take). gRPC's core has a lock for each connection and puts what two threads do there
 * at once onto a third: with a thread that starts calls beside one that waits, 24,000 calls a second
 * started seconds late.
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_CLIENT_H
#define SLUICE_SERVICE_CLI_LOAD_CLIENT_H

#include "kernels/base/bytes.h"
#include "service/cli/client.h"

#include <stdint.h>

struct load_client;
struct load_call;

#define LOAD_PATHS_MAX 3

/* load_client_open - connections  own ones, 1 or more. They connect with their first calls.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status load_client_open(const struct client_options *options, size_t connections,
			struct load_client **ret);
/* load_client_close - after the last call has ended. */
void load_client_close(struct load_client *client);

SCOPE_DEFINE(load_client, load_client_close)

/* What a call tells its owner, from within load_client_take. */
struct load_call_events {
	/* An answer; borrowed until the return. Whether it is the last one: then no more is asked for,
	 * which saves a turn with the core. Should there be more, the call ends by its deadline. */
	bool (*answered)(void *owner, struct bytes message);
	/* The last word: the call is gone. detail  borrowed until the return. */
	void (*ended)(void *owner, enum status_code code, struct bytes detail);
};

struct load_start {
	const char *path; /* static; of LOAD_PATHS_MAX at most */
	size_t connection;
	int64_t deadline_ns; /* on clock_ns */
	struct bytes message;
	bool lasts; /* the message's bytes stay until the client is closed; else it is copied */
	bool only;  /* no more messages follow; else load_call_send */
	const struct load_call_events *events;
	void *owner;
};

/* load_client_start - ret  good until ended. Fails: RESOURCE_EXHAUSTED */
status load_client_start(struct load_client *client, const struct load_start *start,
			 struct load_call **ret);

/* load_call_send - a message, whose bytes stay until the client is closed, behind those before. After
 * the end, or when there are more than a few on their way, it is dropped. */
void load_call_send(struct load_call *call, struct bytes message, bool last);
void load_call_cancel(struct load_call *call);

/* What has come. */
struct load_event {
	void *tag; /* NULL: nothing until then */
	bool ok;
};

/* load_client_wait - until_ns  on clock_ns; to some microseconds. */
struct load_event load_client_wait(struct load_client *client, int64_t until_ns);
void load_client_take(struct load_event event);

#endif
