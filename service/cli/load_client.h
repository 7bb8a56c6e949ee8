/* load_client - many calls at once over several connections, on one completion queue: no thread a
 * call, none a connection.
 *
 * One thread waits (load_client_wait) and then hands what came to its call (load_client_take). Calls may
 * be started from another thread. The client has no lock: whoever uses it holds one around all but the
 * wait, so that a thread which starts calls on time is not held up by one that waits for answers.
 */
#ifndef SLUICE_SERVICE_CLI_LOAD_CLIENT_H
#define SLUICE_SERVICE_CLI_LOAD_CLIENT_H

#include "kernels/base/bytes.h"
#include "service/cli/client.h"

#include <stdint.h>

struct load_client;
struct load_call;

/* load_client_open - connections  own ones, 1 or more. They connect with their first calls.
 * Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status load_client_open(const struct client_options *options, size_t connections,
			struct load_client **ret);
/* load_client_close - after the last call has ended. */
void load_client_close(struct load_client *client);

SCOPE_DEFINE(load_client, load_client_close)

/* What a call tells its owner, from within load_client_take. */
struct load_call_events {
	/* An answer; borrowed until the return. */
	void (*answered)(void *owner, struct bytes message);
	/* The last word: the call is gone. detail  borrowed until the return. */
	void (*ended)(void *owner, enum status_code code, struct bytes detail);
};

struct load_start {
	const char *path;
	size_t connection;
	int64_t deadline_ns; /* on clock_ns */
	struct bytes message;
	bool only; /* no more messages follow; else load_call_send */
	const struct load_call_events *events;
	void *owner;
};

/* load_client_start - copies the message. ret  good until ended. Fails: RESOURCE_EXHAUSTED */
status load_client_start(struct load_client *client, const struct load_start *start,
			 struct load_call **ret);

/* load_call_send - copies the message, which goes out behind those before. After the end, or when there
 * are more than a few on their way, it is dropped. */
void load_call_send(struct load_call *call, struct bytes message, bool last);
void load_call_cancel(struct load_call *call);

/* What has come. */
struct load_event {
	void *tag; /* NULL: nothing until then */
	bool ok;
};

/* load_client_wait - without the lock. until_ns  on clock_ns, to the millisecond. */
struct load_event load_client_wait(struct load_client *client, int64_t until_ns);
/* load_client_take - with the lock. */
void load_client_take(struct load_event event);

#endif
