/* guard - who may call what: a server asks before a method sees a call, and before each message.
 *
 * The server tells what a caller has shown and knows nothing of keys or scopes; the guard knows them
 * and nothing of gRPC (service/access). Its functions are called from any thread.
 */
#ifndef SLUICE_SERVICE_RPC_GUARD_H
#define SLUICE_SERVICE_RPC_GUARD_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <stdbool.h>

#define RPC_NAMES_MAX 32

/* A name of a client certificate that the server has verified. */
struct rpc_name {
	const char *kind; /* "dns", "uri", "email", "ip"; static */
	struct bytes name;
};

/* What a caller has shown; borrowed for one function. */
struct rpc_caller {
	struct bytes authorization; /* the header; the first, where there are several */
	size_t n_authorizations;
	struct rpc_name names[RPC_NAMES_MAX];
	size_t n_names;
};

struct rpc_guard {
	void *context;
	/* Whether the call may begin.
	 * path       "/sluice.v1.RetrievalService/Search", of a method that there is
	 * arena      the call's; for the grant and for details
	 * ret_grant  what the call's messages are held against; NULL: nothing
	 * Fails: UNAUTHENTICATED PERMISSION_DENIED RESOURCE_EXHAUSTED */
	status (*admit)(void *context, const struct rpc_caller *caller, const char *path,
			struct arena *arena, const void **ret_grant);
	/* Whether a message may be handed to the method. Fails: PERMISSION_DENIED */
	status (*examine)(const void *grant, const char *path, struct bytes message,
			  struct arena *arena);
	/* Whether the grant covers a collection. */
	bool (*allows)(const void *grant, struct bytes collection);
};

#endif
