/* collector - our own server, with one method. */
#include "tests/service/telemetry/collector.h"

#include "service/rpc/guard.h"
#include "service/rpc/protobuf_arena.h"
#include "service/rpc/rpc.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SPANS_MAX 100000
#define WAIT_SECONDS 20

typedef Opentelemetry__Proto__Trace__V1__ExportTraceServiceRequest export_request;
typedef Opentelemetry__Proto__Trace__V1__ExportTraceServiceResponse export_response;

struct kept {
	const span *span;
	const resource *resource;
	size_t batch;
};

struct collector {
	struct rpc_server *server;
	struct rpc_service service;
	struct rpc_guard guard;
	struct arena arena; /* the server's details; then what came */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	struct kept *spans; /* [n_spans] */
	size_t n_spans, n_calls;
	struct buffer all; /* every byte that came */
	char authorization[200];
	enum status_code code;
	int64_t rejected;
	bool stalls;
};

/* --- the method --- */

static void keep(struct collector *collector, struct bytes message)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(&collector->arena);
	export_request *request =
		opentelemetry__proto__trace__v1__export_trace_service_request__unpack(
			&allocator, message.size, message.data);
	size_t first = collector->n_spans;

	if (!request)
		abort();
	for (size_t i = 0; i < request->n_resource_spans; i++)
		for (size_t j = 0; j < request->resource_spans[i]->n_scope_spans; j++) {
			const Opentelemetry__Proto__Trace__V1__ScopeSpans *scope =
				request->resource_spans[i]->scope_spans[j];

			for (size_t k = 0; k < scope->n_spans && collector->n_spans < SPANS_MAX;
			     k++)
				collector->spans[collector->n_spans++] = (struct kept){
					.span = scope->spans[k],
					.resource = request->resource_spans[i]->resource,
				};
		}
	for (size_t i = first; i < collector->n_spans; i++)
		collector->spans[i].batch = collector->n_spans - first;
}

static status export_request_came(struct rpc_call *call, struct bytes message)
{
	struct collector *collector = rpc_context(call);
	enum status_code code;

	pthread_mutex_lock(&collector->lock);
	code = collector->code;
	collector->n_calls++;
	buffer_append(&collector->all, message.data, message.size);
	if (code == STATUS_OK && !collector->stalls)
		keep(collector, message);
	pthread_cond_broadcast(&collector->changed);
	pthread_mutex_unlock(&collector->lock);
	return status_make(code, code == STATUS_OK ? NULL : "as the test wants it");
}

static enum rpc_step export_next(struct rpc_call *call, struct buffer *ret)
{
	struct collector *collector = rpc_context(call);
	export_response response =
		OPENTELEMETRY__PROTO__TRACE__V1__EXPORT_TRACE_SERVICE_RESPONSE__INIT;
	Opentelemetry__Proto__Trace__V1__ExportTracePartialSuccess partial =
		OPENTELEMETRY__PROTO__TRACE__V1__EXPORT_TRACE_PARTIAL_SUCCESS__INIT;
	bool stalls;

	pthread_mutex_lock(&collector->lock);
	stalls = collector->stalls;
	partial.rejected_spans = collector->rejected;
	pthread_mutex_unlock(&collector->lock);
	if (stalls && rpc_drain_phase(call) == RPC_SERVING)
		return RPC_WAIT;
	if (partial.rejected_spans)
		response.partial_success = &partial;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

static const struct rpc_method method = {
	.path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	.request = export_request_came,
	.next = export_next,
};

static status admit(void *context, const struct rpc_caller *caller, const char *path,
		    struct arena *arena, const void **ret_grant)
{
	struct collector *collector = context;

	(void)path;
	(void)arena;
	(void)ret_grant;
	pthread_mutex_lock(&collector->lock);
	snprintf(collector->authorization, sizeof collector->authorization, "%.*s",
		 (int)caller->authorization.size, (const char *)caller->authorization.data);
	pthread_mutex_unlock(&collector->lock);
	return status_ok();
}

/* --- life --- */

struct collector *collector_open(void)
{
	return collector_open_tls(NULL);
}

struct collector *collector_open_tls(const struct rpc_tls *tls)
{
	static const char *const addresses[] = {"127.0.0.1:0"};
	struct collector *collector = calloc(1, sizeof *collector);
	struct rpc_server_options options = {
		.addresses = addresses,
		.n_addresses = 1,
		.n_services = 1,
		.n_pollers = 1,
		.tls = tls,
		.arena_bytes_max = (size_t)64 << 20,
	};
	status opened;

	cr_assert_not_null(collector);
	pthread_mutex_init(&collector->lock, NULL);
	pthread_cond_init(&collector->changed, NULL);
	arena_init(&collector->arena, (size_t)1 << 30);
	collector->spans = calloc(SPANS_MAX, sizeof *collector->spans);
	collector->service = (struct rpc_service){
		.name = "opentelemetry.proto.collector.trace.v1.TraceService",
		.methods = &method,
		.n_methods = 1,
		.context = collector,
	};
	collector->guard = (struct rpc_guard){.context = collector, .admit = admit};
	options.services = &collector->service;
	options.guard = &collector->guard;
	opened = rpc_server_open(&options, &collector->arena, &collector->server);
	cr_assert(!status_failed(opened), "%s", opened.detail);
	return collector;
}

void collector_close(struct collector *collector)
{
	rpc_server_drain(collector->server, 0);
	rpc_server_close(collector->server);
	buffer_finish(&collector->all);
	arena_finish(&collector->arena);
	free(collector->spans);
	pthread_cond_destroy(&collector->changed);
	pthread_mutex_destroy(&collector->lock);
	free(collector);
}

const char *collector_address(const struct collector *collector)
{
	return rpc_server_address(collector->server, 0);
}

/* --- what it does --- */

void collector_answer(struct collector *collector, enum status_code code)
{
	pthread_mutex_lock(&collector->lock);
	collector->code = code;
	pthread_mutex_unlock(&collector->lock);
}

void collector_reject(struct collector *collector, int64_t n)
{
	pthread_mutex_lock(&collector->lock);
	collector->rejected = n;
	pthread_mutex_unlock(&collector->lock);
}

void collector_stall(struct collector *collector)
{
	pthread_mutex_lock(&collector->lock);
	collector->stalls = true;
	pthread_mutex_unlock(&collector->lock);
}

/* --- what came --- */

static size_t await(struct collector *collector, const size_t *count, size_t wanted)
{
	struct timespec until;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += WAIT_SECONDS;
	pthread_mutex_lock(&collector->lock);
	while (*count < wanted)
		if (pthread_cond_timedwait(&collector->changed, &collector->lock, &until))
			break;
	n = *count;
	pthread_mutex_unlock(&collector->lock);
	return n;
}

size_t collector_await(struct collector *collector, size_t n)
{
	return await(collector, &collector->n_spans, n);
}

size_t collector_await_calls(struct collector *collector, size_t n)
{
	return await(collector, &collector->n_calls, n);
}

static struct kept kept_of(struct collector *collector, size_t i)
{
	struct kept kept;

	pthread_mutex_lock(&collector->lock);
	cr_assert_lt(i, collector->n_spans);
	kept = collector->spans[i];
	pthread_mutex_unlock(&collector->lock);
	return kept;
}

const span *collector_span(struct collector *collector, size_t i)
{
	return kept_of(collector, i).span;
}

const resource *collector_resource(struct collector *collector, size_t i)
{
	return kept_of(collector, i).resource;
}

size_t collector_batch(struct collector *collector, size_t i)
{
	return kept_of(collector, i).batch;
}

const char *collector_authorization(struct collector *collector)
{
	return collector->authorization;
}

bool collector_has(struct collector *collector, const void *bytes, size_t size)
{
	bool has;

	pthread_mutex_lock(&collector->lock);
	has = memmem(collector->all.data, collector->all.size, bytes, size) != NULL;
	pthread_mutex_unlock(&collector->lock);
	return has;
}

typedef Opentelemetry__Proto__Trace__V1__KeyValue pair;

static const Opentelemetry__Proto__Trace__V1__AnyValue *value_of(pair *const *pairs, size_t n,
								 const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(pairs[i]->key, name) == 0)
			return pairs[i]->value;
	return NULL;
}

static const char *text_in(pair *const *pairs, size_t n, const char *name)
{
	const Opentelemetry__Proto__Trace__V1__AnyValue *value = value_of(pairs, n, name);

	return value && value->value_case ==
				       OPENTELEMETRY__PROTO__TRACE__V1__ANY_VALUE__VALUE_STRING_VALUE
		       ? value->string_value
		       : NULL;
}

const char *span_text(const span *from, const char *name)
{
	return text_in(from->attributes, from->n_attributes, name);
}

int64_t span_number(const span *from, const char *name)
{
	const Opentelemetry__Proto__Trace__V1__AnyValue *value =
		value_of(from->attributes, from->n_attributes, name);

	return value && value->value_case ==
				       OPENTELEMETRY__PROTO__TRACE__V1__ANY_VALUE__VALUE_INT_VALUE
		       ? value->int_value
		       : -1;
}

const char *resource_text(const resource *from, const char *name)
{
	return text_in(from->attributes, from->n_attributes, name);
}
