/* debug - the inside of a server as it is now, for an operator who looks for what hangs. */
#ifndef SLUICE_SERVICE_RPC_DEBUG_H
#define SLUICE_SERVICE_RPC_DEBUG_H

#include "service/rpc/rpc.h"

/* A call under way. Nothing of what it carries. */
struct rpc_call_look {
	const char *path; /* NULL: of no method that there is */
	int64_t age_ns;
	int64_t sending_ns; /* since when a message waits for its client; 0: none does */
	bool runs;          /* a function of its method does */
	bool receives;      /* it waits for a message */
	bool held;          /* something will come back to it: a write, a collection that opens */
	bool aborted;       /* cancelled, expired, or its client is gone */
};

/* rpc_server_each_call - the latest first, under the server's lock, until visit gives false. */
void rpc_server_each_call(struct rpc_server *server,
			  bool (*visit)(void *context, const struct rpc_call_look *look),
			  void *context);

/* How the work on sockets is spread. */
struct rpc_queues_look {
	size_t n_pollers;        /* threads on the completion queue of arrivals and most calls */
	size_t n_queues_streams; /* completion queues of client streams, a thread each */
};

void rpc_server_queues(const struct rpc_server *server, struct rpc_queues_look *ret);

/* rpc_channelz - what the core knows of its servers, their connections, and channels of ours, of the whole
 * process: an object in JSON. Servers are there where they were opened with channelz.
 * Connections  the first RPC_CHANNELZ_SOCKETS_MAX; their number is the core's to say. */
#define RPC_CHANNELZ_SOCKETS_MAX 100
void rpc_channelz(struct buffer *out);

#endif
