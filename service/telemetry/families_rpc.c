/* families_rpc - one line a method, and one for calls of methods that there are not. */
#include "service/telemetry/families_rpc.h"

#include "service/telemetry/rpc_code.h"

#include <stdio.h>
#include <string.h>

#define LABELS_MAX 512

static const char *type_of(const struct rpc_traffic *traffic)
{
	if (traffic->client_streams)
		return traffic->server_streams ? "bidi_stream" : "client_stream";
	return traffic->server_streams ? "server_stream" : "unary";
}

static void labels_print(char ret[LABELS_MAX], const struct rpc_traffic *traffic)
{
	const char *path = traffic->path ? traffic->path : "/unknown/unknown";
	const char *service = path + 1, *slash = strchr(service, '/');
	int size = slash ? (int)(slash - service) : 0;

	snprintf(ret, LABELS_MAX, "grpc_type=\"%s\",grpc_service=\"%.*s\",grpc_method=\"%s\"",
		 type_of(traffic), size, service, slash ? slash + 1 : service);
}

static void each_method(struct exposition *out, const struct readings *readings,
			void (*print)(struct exposition *out, const char *labels,
				      const struct rpc_traffic *traffic))
{
	size_t n = rpc_server_n_methods(readings->server);

	for (size_t i = 0; i <= n; i++) {
		struct rpc_traffic traffic;
		char labels[LABELS_MAX];

		rpc_server_traffic(readings->server, i, &traffic);
		labels_print(labels, &traffic);
		print(out, labels, &traffic);
	}
}

static void print_started(struct exposition *out, const char *labels,
			  const struct rpc_traffic *traffic)
{
	exposition_count(out, labels, traffic->started);
}

static void print_received(struct exposition *out, const char *labels,
			   const struct rpc_traffic *traffic)
{
	exposition_count(out, labels, traffic->received);
}

static void print_sent(struct exposition *out, const char *labels,
		       const struct rpc_traffic *traffic)
{
	exposition_count(out, labels, traffic->sent);
}

static void print_seconds(struct exposition *out, const char *labels,
			  const struct rpc_traffic *traffic)
{
	exposition_histogram(out, labels, &traffic->seconds);
}

static void print_handled(struct exposition *out, const char *labels,
			  const struct rpc_traffic *traffic)
{
	for (size_t code = 0; code < RPC_CODES; code++) {
		char with_code[LABELS_MAX + 64];

		snprintf(with_code, sizeof with_code, "%s,grpc_code=\"%s\"", labels,
			 rpc_code_name(code));
		exposition_count(out, with_code, traffic->handled[code]);
	}
}

#define DEFINE_RPC_PRINTER(name)                                                                   \
	RPC_PRINTER(name)                                                                          \
	{                                                                                          \
		(void)family;                                                                      \
		each_method(exposition, readings, print_##name);                                   \
	}

DEFINE_RPC_PRINTER(started)
DEFINE_RPC_PRINTER(handled)
DEFINE_RPC_PRINTER(received)
DEFINE_RPC_PRINTER(sent)
DEFINE_RPC_PRINTER(seconds)
