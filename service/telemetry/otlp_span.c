/* otlp_span - messages on the stack, packed one by one behind each other. */
#include "service/telemetry/otlp_span.h"

#include "service/rpc/protobuf_arena.h"
#include "service/telemetry/opentelemetry.pb-c.h"
#include "service/telemetry/rpc_code.h"
#include "service/telemetry/trace_context.h"
#include "service/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SPAN_ATTRIBUTES_MAX 16
#define TEXT_BYTES_MAX 256
#define KEY_BYTES_MAX 64

/* Numbers of OTLP's fields. */
enum { SCOPE_SPANS_SCOPE = 1, SCOPE_SPANS_SPANS = 2 };
enum { RESOURCE_SPANS_RESOURCE = 1, RESOURCE_SPANS_SCOPES = 2 };
enum { REQUEST_RESOURCES = 1 };

/* Of Span.flags. */
#define PARENT_IS_KNOWN 0x100U
#define PARENT_IS_REMOTE 0x200U

typedef Opentelemetry__Proto__Trace__V1__Span otlp_span;
typedef Opentelemetry__Proto__Trace__V1__Status otlp_status;
typedef Opentelemetry__Proto__Trace__V1__KeyValue otlp_pair;
typedef Opentelemetry__Proto__Trace__V1__AnyValue otlp_value;

/* A span and what it points to. */
struct drawn {
	otlp_span span;
	otlp_status status;
	otlp_pair pairs[SPAN_ATTRIBUTES_MAX];
	otlp_value values[SPAN_ATTRIBUTES_MAX];
	otlp_pair *list[SPAN_ATTRIBUTES_MAX];
	char texts[SPAN_ATTRIBUTES_MAX][TEXT_BYTES_MAX];
	char keys[SPAN_ATTRIBUTES_MAX][KEY_BYTES_MAX];
};

void otlp_random_id(uint8_t *ret, size_t n)
{
	if (getrandom(ret, n, GRND_NONBLOCK) != (ssize_t)n)
		for (size_t i = 0; i < n; i++)
			ret[i] = (uint8_t)random();
	ret[n - 1] |= !ret[n - 1];
}

static ProtobufCBinaryData id_of(const uint8_t *id, size_t n)
{
	/* Only read. */
	return (ProtobufCBinaryData){n, (uint8_t *)(uintptr_t)id};
}

static void draw(struct drawn *drawn, const char *name, int64_t start_ns, int64_t duration_ns)
{
	drawn->span = (otlp_span)OPENTELEMETRY__PROTO__TRACE__V1__SPAN__INIT;
	drawn->status = (otlp_status)OPENTELEMETRY__PROTO__TRACE__V1__STATUS__INIT;
	drawn->span.name = (char *)(uintptr_t)name;
	drawn->span.attributes = drawn->list;
	drawn->span.start_time_unix_nano = (uint64_t)start_ns;
	drawn->span.end_time_unix_nano = (uint64_t)(start_ns + duration_ns);
}

/* Room for one more: there are never as many. */
static otlp_value *add(struct drawn *drawn, const char *name)
{
	size_t i = drawn->span.n_attributes++;

	snprintf(drawn->keys[i], KEY_BYTES_MAX, "%s", name);
	drawn->values[i] = (otlp_value)OPENTELEMETRY__PROTO__TRACE__V1__ANY_VALUE__INIT;
	drawn->pairs[i] = (otlp_pair)OPENTELEMETRY__PROTO__TRACE__V1__KEY_VALUE__INIT;
	drawn->pairs[i].key = drawn->keys[i];
	drawn->pairs[i].value = &drawn->values[i];
	drawn->list[i] = &drawn->pairs[i];
	return &drawn->values[i];
}

static void add_text(struct drawn *drawn, const char *name, const char *text, size_t size)
{
	char *copy = drawn->texts[drawn->span.n_attributes];
	otlp_value *value = add(drawn, name);

	snprintf(copy, TEXT_BYTES_MAX, "%.*s", (int)size, text);
	text_mend(copy);
	value->value_case = OPENTELEMETRY__PROTO__TRACE__V1__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = copy;
}

static void add_number(struct drawn *drawn, const char *name, uint64_t number)
{
	otlp_value *value = add(drawn, name);

	value->value_case = OPENTELEMETRY__PROTO__TRACE__V1__ANY_VALUE__VALUE_INT_VALUE;
	value->int_value = (int64_t)number;
}

/* "ipv4:10.0.0.1:443", "ipv6:%5B::1%5D:443", "unix:...": the words of the conventions for networks. */
static void add_peer(struct drawn *drawn, const char *peer)
{
	const char *address = strchr(peer, ':'), *port = strrchr(peer, ':');
	bool is_v4 = strncmp(peer, "ipv4:", 5) == 0, is_v6 = strncmp(peer, "ipv6:", 5) == 0;

	if (!is_v4 && !is_v6) {
		add_text(drawn, "network.transport", "unix", 4);
		return;
	}
	add_text(drawn, "network.type", peer, 4);
	if (!address || port <= address)
		return;
	address++;
	/* The core writes the brackets of an IPv6 address as a URI does. */
	if (is_v6 && strncmp(address, "%5B", 3) == 0 && port - address > 6)
		add_text(drawn, "network.peer.address", address + 3, (size_t)(port - address - 6));
	else
		add_text(drawn, "network.peer.address", address, (size_t)(port - address));
	add_number(drawn, "network.peer.port", strtoul(port + 1, NULL, 10));
}

/* Which codes of a server are its own mistakes, by the conventions for gRPC; the others are answers. */
static bool is_error(enum status_code code)
{
	switch (code) {
	case STATUS_UNKNOWN:
	case STATUS_DEADLINE_EXCEEDED:
	case STATUS_UNIMPLEMENTED:
	case STATUS_INTERNAL:
	case STATUS_UNAVAILABLE:
	case STATUS_DATA_LOSS:
		return true;
	default:
		return false;
	}
}

static void append_call(const struct rpc_handled *handled, const char *peer, int64_t unix_ns,
			struct buffer *ret)
{
	const struct rpc_trace *trace = handled->trace;
	const char *name = handled->path ? handled->path + 1 : "unknown";
	const char *slash = strchr(name, '/');
	struct drawn drawn;

	draw(&drawn, name, handled->start_ns + unix_ns, handled->duration_ns);
	drawn.span.kind = OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_SERVER;
	drawn.span.trace_id = id_of(trace->trace_id, TRACE_ID_BYTES);
	drawn.span.span_id = id_of(trace->span_id, SPAN_ID_BYTES);
	drawn.span.flags = trace->flags | PARENT_IS_KNOWN;
	if (trace->has_parent) {
		drawn.span.parent_span_id = id_of(trace->parent_id, SPAN_ID_BYTES);
		drawn.span.flags |= PARENT_IS_REMOTE;
	}
	add_text(&drawn, "rpc.system", "grpc", 4);
	if (slash) {
		add_text(&drawn, "rpc.service", name, (size_t)(slash - name));
		add_text(&drawn, "rpc.method", slash + 1, strlen(slash + 1));
	}
	add_number(&drawn, "rpc.grpc.status_code", (uint64_t)handled->code);
	add_peer(&drawn, peer);
	add_number(&drawn, "sluice.messages_received", handled->received);
	add_number(&drawn, "sluice.bytes_received", handled->received_bytes);
	add_number(&drawn, "sluice.messages_sent", handled->sent);
	add_number(&drawn, "sluice.bytes_sent", handled->sent_bytes);
	if (handled->hits)
		add_number(&drawn, "sluice.hits", handled->hits);
	if (trace->n_left_out)
		add_number(&drawn, "sluice.stages_left_out", trace->n_left_out);
	if (is_error(handled->code)) {
		drawn.status.code =
			OPENTELEMETRY__PROTO__TRACE__V1__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
		/* Not the detail, which may name what was asked for. */
		drawn.status.message = (char *)(uintptr_t)rpc_code_name((size_t)handled->code);
		drawn.span.status = &drawn.status;
	}
	buffer_append_message(ret, SCOPE_SPANS_SPANS, &drawn.span.base);
}

static void append_stage(const struct rpc_trace *trace, const struct rpc_stage *stage,
			 int64_t unix_ns, struct buffer *ret)
{
	uint8_t span_id[SPAN_ID_BYTES];
	struct drawn drawn;

	draw(&drawn, stage->name, stage->start_ns + unix_ns, stage->duration_ns);
	otlp_random_id(span_id, sizeof span_id);
	drawn.span.kind = OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_INTERNAL;
	drawn.span.trace_id = id_of(trace->trace_id, TRACE_ID_BYTES);
	drawn.span.span_id = id_of(span_id, SPAN_ID_BYTES);
	drawn.span.parent_span_id = id_of(trace->span_id, SPAN_ID_BYTES);
	drawn.span.flags = trace->flags | PARENT_IS_KNOWN;
	for (size_t i = 0; i < 2 && stage->what[i]; i++) {
		char name[KEY_BYTES_MAX];

		snprintf(name, sizeof name, "sluice.%s", stage->what[i]);
		add_number(&drawn, name, stage->count[i]);
	}
	buffer_append_message(ret, SCOPE_SPANS_SPANS, &drawn.span.base);
}

size_t otlp_span_append(const struct rpc_handled *handled, const char *peer, int64_t unix_ns,
			struct buffer *ret)
{
	const struct rpc_trace *trace = handled->trace;

	append_call(handled, peer, unix_ns, ret);
	for (size_t i = 0; i < trace->n_stages; i++)
		append_stage(trace, &trace->stages[i], unix_ns, ret);
	return 1 + trace->n_stages;
}

void otlp_resource_append(const struct otlp_attribute *attributes, size_t n_attributes,
			  struct buffer *ret)
{
	Opentelemetry__Proto__Trace__V1__Resource resource =
		OPENTELEMETRY__PROTO__TRACE__V1__RESOURCE__INIT;
	otlp_value values[OTLP_ATTRIBUTES_MAX];
	otlp_pair pairs[OTLP_ATTRIBUTES_MAX], *list[OTLP_ATTRIBUTES_MAX];

	for (size_t i = 0; i < n_attributes && i < OTLP_ATTRIBUTES_MAX; i++) {
		values[i] = (otlp_value)OPENTELEMETRY__PROTO__TRACE__V1__ANY_VALUE__INIT;
		values[i].value_case =
			OPENTELEMETRY__PROTO__TRACE__V1__ANY_VALUE__VALUE_STRING_VALUE;
		values[i].string_value = (char *)(uintptr_t)attributes[i].value;
		pairs[i] = (otlp_pair)OPENTELEMETRY__PROTO__TRACE__V1__KEY_VALUE__INIT;
		pairs[i].key = (char *)(uintptr_t)attributes[i].name;
		pairs[i].value = &values[i];
		list[i] = &pairs[i];
		resource.n_attributes++;
	}
	resource.attributes = list;
	buffer_append_message(ret, RESOURCE_SPANS_RESOURCE, &resource.base);
}

static size_t varint_size(uint64_t value)
{
	size_t n = 1;

	for (; value >= 128; value >>= 7)
		n++;
	return n;
}

static void append_head(struct buffer *ret, uint32_t field, size_t size)
{
	const uint32_t length_delimited = 2;

	buffer_append_varint(ret, (uint64_t)field << 3 | length_delimited);
	buffer_append_varint(ret, size);
}

void otlp_request_append(struct bytes resource, struct bytes spans, struct buffer *ret)
{
	Opentelemetry__Proto__Trace__V1__InstrumentationScope scope =
		OPENTELEMETRY__PROTO__TRACE__V1__INSTRUMENTATION_SCOPE__INIT;
	SCOPED(buffer) head = &(struct buffer){0};
	size_t scope_size, resource_size;

	scope.name = (char *)(uintptr_t)"sluice";
	scope.version = (char *)(uintptr_t)SLUICE_VERSION;
	buffer_append_message(head, SCOPE_SPANS_SCOPE, &scope.base);
	scope_size = head->size + spans.size;
	resource_size = resource.size + 1 + varint_size(scope_size) + scope_size;
	append_head(ret, REQUEST_RESOURCES, resource_size);
	buffer_append(ret, resource.data, resource.size);
	append_head(ret, RESOURCE_SPANS_SCOPES, scope_size);
	buffer_append(ret, head->data, head->size);
	buffer_append(ret, spans.data, spans.size);
	ret->failed |= head->failed;
}
