/* tracing - the sampler, and the way from a call to the exporter. */
#include "service/telemetry/tracing.h"

#include "kernels/base/deadline.h"
#include "kernels/base/log.h"
#include "service/telemetry/otlp_exporter.h"
#include "service/telemetry/trace_context.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Of the options: three PEM files, and words. */
#define OPTIONS_BYTES_MAX ((size_t)8 << 20)

struct tracing {
	struct rpc_tracer tracer;
	struct otlp_exporter *exporter; /* NULL: nothing is recorded */
	bool takes_up, asks_parent;
	enum otlp_sampler sampler;
	uint64_t below; /* of SAMPLE_RATIO: a trace is in it whose number is below, of 2^63 */
};

static bool is_health(const char *path)
{
	static const char health[] = "/grpc.health.v1.Health/";

	return path && strncmp(path, health, sizeof health - 1) == 0;
}

/* By the trace alone, so that all who have the same ratio record the same traces. */
static bool is_in_ratio(const struct tracing *tracing, const uint8_t *trace_id)
{
	return load_u64_be(trace_id + TRACE_ID_BYTES - 8) >> 1 < tracing->below;
}

static bool is_sampled(const struct tracing *tracing, const struct rpc_trace *trace)
{
	if (trace->has_parent && tracing->asks_parent)
		return trace->flags & TRACE_SAMPLED;
	switch (tracing->sampler) {
	case SAMPLE_NONE:
		return false;
	case SAMPLE_RATIO:
		return is_in_ratio(tracing, trace->trace_id);
	case SAMPLE_ALL:
		break;
	}
	return true;
}

static void begin(void *context, const char *path, struct bytes traceparent, struct rpc_trace *ret)
{
	const struct tracing *tracing = context;
	struct trace_context parent;

	if (tracing->takes_up && traceparent.data && trace_context_parse(traceparent, &parent)) {
		ret->known = ret->has_parent = true;
		ret->flags = parent.flags;
		memcpy(ret->trace_id, parent.trace_id, sizeof ret->trace_id);
		memcpy(ret->span_id, parent.span_id, sizeof ret->span_id);
		memcpy(ret->parent_id, parent.span_id, sizeof ret->parent_id);
	}
	if (!tracing->exporter || is_health(path))
		return;
	if (!ret->has_parent)
		otlp_random_id(ret->trace_id, sizeof ret->trace_id);
	if (!is_sampled(tracing, ret))
		return;
	otlp_random_id(ret->span_id, sizeof ret->span_id);
	ret->flags |= TRACE_SAMPLED;
	ret->known = ret->recorded = true;
}

static int64_t clock_ahead_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - clock_ns();
}

void tracing_handled(struct tracing *tracing, const struct rpc_handled *handled)
{
	SCOPED(buffer) spans = &(struct buffer){0};
	size_t n;

	if (!handled->trace->recorded)
		return;
	if (otlp_exporter_is_full(tracing->exporter)) {
		otlp_exporter_drop(1 + handled->trace->n_stages);
		return;
	}
	n = otlp_span_append(handled, rpc_peer(handled->call), clock_ahead_ns(), spans);
	otlp_exporter_add(tracing->exporter, spans, n);
}

/* A server is not worth less for what nobody sees of it. */
static void open_exporter(struct tracing *tracing, const struct otlp_options *options)
{
	status opened = otlp_exporter_open(options, &tracing->exporter);

	if (status_failed(opened))
		log_write(LOG_WARNING, "traces: %s; no span is sent", opened.detail);
	else
		log_write(LOG_INFO, "traces: spans are sent to %s%s", options->peer.target,
			  options->peer.tls ? " over TLS" : "");
}

status tracing_open(const struct otlp_options *options, struct tracing **ret)
{
	const double two_to_63 = 9223372036854775808.0;
	SCOPED(tracing) tracing = calloc(1, sizeof *tracing);

	if (!tracing)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for traces");
	tracing->tracer = (struct rpc_tracer){tracing, begin};
	tracing->takes_up = options->takes_up;
	tracing->sampler = options->sampler;
	tracing->asks_parent = options->asks_parent;
	tracing->below = (uint64_t)(options->ratio * two_to_63);
	if (options->sends)
		open_exporter(tracing, options);
	*ret = TAKE(tracing);
	return status_ok();
}

static const char *get_environment(const char *name)
{
	return getenv(name);
}

status tracing_open_from_environment(struct tracing **ret)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct otlp_options options;

	arena_init(arena, OPTIONS_BYTES_MAX);
	otlp_options_read(get_environment, arena, &options);
	return tracing_open(&options, ret);
}

const struct rpc_tracer *tracing_tracer(const struct tracing *tracing)
{
	return &tracing->tracer;
}

void tracing_close(struct tracing *tracing)
{
	if (!tracing)
		return;
	otlp_exporter_close(tracing->exporter);
	free(tracing);
}
