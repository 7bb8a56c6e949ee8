/* traffic - counts in lanes. */
#include "service/rpc/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a method's name. */
#define NAME_BYTES_MAX 512

struct traffic *traffic_new(size_t n)
{
	struct traffic *traffic = aligned_alloc(_Alignof(struct traffic), n * sizeof *traffic);

	if (traffic)
		memset(traffic, 0, n * sizeof *traffic);
	return traffic;
}

void traffic_describe(struct traffic *traffic, const struct rpc_method *method,
		      const struct descriptors *descriptors)
{
	char name[NAME_BYTES_MAX];
	char *slash;

	/* "/sluice.v1.RetrievalService/Search" is "sluice.v1.RetrievalService.Search" there. */
	snprintf(name, sizeof name, "%s", method->path + 1);
	slash = strchr(name, '/');
	if (slash)
		*slash = '.';
	traffic->path = method->path;
	traffic->client_streams = method->client_streams;
	traffic->server_streams = descriptors_server_streams(descriptors, name);
}

static void add(_Atomic uint64_t *count)
{
	atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static uint64_t load(const _Atomic uint64_t *count)
{
	return atomic_load_explicit(count, memory_order_relaxed);
}

void traffic_started(struct traffic *traffic)
{
	add(&traffic->lanes[meter_lane()].started);
}

void traffic_received(struct traffic *traffic)
{
	add(&traffic->lanes[meter_lane()].received);
}

void traffic_sent(struct traffic *traffic)
{
	add(&traffic->lanes[meter_lane()].sent);
}

void traffic_handled(struct traffic *traffic, enum status_code code, int64_t duration_ns)
{
	enum status_code known = (size_t)code < RPC_CODES ? code : STATUS_UNKNOWN;

	add(&traffic->lanes[meter_lane()].handled[known]);
	histogram_add(&traffic->seconds, duration_ns);
}

void traffic_read(const struct traffic *traffic, struct rpc_traffic *ret)
{
	*ret = (struct rpc_traffic){
		.path = traffic->path,
		.client_streams = traffic->client_streams,
		.server_streams = traffic->server_streams,
	};
	for (size_t i = 0; i < METER_LANES; i++) {
		ret->started += load(&traffic->lanes[i].started);
		ret->received += load(&traffic->lanes[i].received);
		ret->sent += load(&traffic->lanes[i].sent);
		for (size_t code = 0; code < RPC_CODES; code++)
			ret->handled[code] += load(&traffic->lanes[i].handled[code]);
	}
	histogram_read(&traffic->seconds, &ret->seconds);
}
