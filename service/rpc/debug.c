/* debug - our calls, and the core's own account of itself (channelz), joined by the ids in it. */
#include "service/rpc/debug.h"

#include "service/rpc/server_parts.h"

#include <grpc/grpc.h>
#include <grpc/support/alloc.h>
#include <stdlib.h>

void rpc_server_each_call(struct rpc_server *server,
			  bool (*visit)(void *context, const struct rpc_call_look *look),
			  void *context)
{
	struct call_host *host = &server->host;
	int64_t now_ns = clock_ns();

	pthread_mutex_lock(&host->lock);
	for (struct rpc_call *call = host->calls; call; call = call->behind) {
		struct rpc_call_look look = {
			.path = call->traffic->path,
			.age_ns = now_ns - call->start_ns,
		};

		pthread_mutex_lock(&call->lock);
		look.sending_ns = call->sending ? now_ns - call->send_start_ns : 0;
		look.runs = call->running;
		look.receives = call->receiving;
		look.held = call->n_holds > 0;
		look.aborted = call->aborted;
		pthread_mutex_unlock(&call->lock);
		if (!visit(context, &look))
			break;
	}
	pthread_mutex_unlock(&host->lock);
}

void rpc_server_queues(const struct rpc_server *server, struct rpc_queues_look *ret)
{
	*ret = (struct rpc_queues_look){server->queues.n_pollers, QUEUES_STREAMS};
}

/* --- channelz --- */

static void append(struct buffer *out, const char *text)
{
	buffer_append(out, text, strlen(text));
}

/* The core's answer as a member; an object without members where it has none. Frees the answer. */
static void append_answer(struct buffer *out, const char *name, char *answer)
{
	append(out, name);
	append(out, answer ? answer : "{}");
	gpr_free(answer);
}

/* Calls visit with each id that stands behind the key ("\"socketId\":") in the core's text. */
static void each_id(const char *text, const char *key, size_t max,
		    void (*visit)(struct buffer *out, intptr_t id, size_t i), struct buffer *out)
{
	size_t n = 0;

	while (text && n < max && (text = strstr(text, key))) {
		char *end;
		intptr_t id;

		text += strlen(key);
		text += strspn(text, " \"");
		id = (intptr_t)strtoll(text, &end, 10);
		if (end != text)
			visit(out, id, n++);
	}
}

static void append_socket(struct buffer *out, intptr_t id, size_t i)
{
	append_answer(out, i ? "," : "", grpc_channelz_get_socket(id));
}

static void append_sockets(struct buffer *out, intptr_t id, size_t i)
{
	char *sockets = grpc_channelz_get_server_sockets(id, 0, RPC_CHANNELZ_SOCKETS_MAX);

	append(out, i ? "," : "");
	append(out, "[");
	each_id(sockets, "\"socketId\":", RPC_CHANNELZ_SOCKETS_MAX, append_socket, out);
	append(out, "]");
	gpr_free(sockets);
}

static void append_subchannel(struct buffer *out, intptr_t id, size_t i)
{
	append_answer(out, i ? "," : "", grpc_channelz_get_subchannel(id));
}

void rpc_channelz(struct buffer *out)
{
	char *servers = grpc_channelz_get_servers(0), *channels = grpc_channelz_get_top_channels(0);

	append(out, "{\"servers\":");
	append(out, servers ? servers : "{}");
	append(out, ",\"connections_of_servers\":[");
	each_id(servers, "\"serverId\":", SIZE_MAX, append_sockets, out);
	append(out, "],\"channels\":");
	append(out, channels ? channels : "{}");
	append(out, ",\"subchannels\":[");
	each_id(channels, "\"subchannelId\":", RPC_CHANNELZ_SOCKETS_MAX, append_subchannel, out);
	append(out, "]}");
	gpr_free(servers);
	gpr_free(channels);
}
