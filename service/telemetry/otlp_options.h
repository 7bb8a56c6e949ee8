/* otlp_options - how spans are made and where they go, from the environment as OpenTelemetry names it.
 *
 *	OTEL_SDK_DISABLED, OTEL_TRACES_EXPORTER, OTEL_PROPAGATORS
 *	OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT, _INSECURE, _PROTOCOL, _HEADERS, _TIMEOUT, _COMPRESSION,
 *		_CERTIFICATE, _CLIENT_CERTIFICATE, _CLIENT_KEY; with TRACES_ goes first
 *	OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES
 *	OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG
 *	OTEL_BSP_SCHEDULE_DELAY, _EXPORT_TIMEOUT, _MAX_QUEUE_SIZE, _MAX_EXPORT_BATCH_SIZE
 *
 * Empty counts as not set. A value that cannot be used counts as not set too, but for an endpoint, a
 * protocol and files, without which nothing is sent; each costs a warning, in which is no value of a header.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_OTLP_OPTIONS_H
#define SLUICE_SERVICE_TELEMETRY_OTLP_OPTIONS_H

#include "kernels/base/arena.h"
#include "service/rpc/peer.h"
#include "service/telemetry/otlp_span.h"

enum otlp_sampler { SAMPLE_ALL, SAMPLE_NONE, SAMPLE_RATIO };

struct otlp_options {
	bool takes_up; /* traceparent is looked at */
	bool sends;    /* there is somebody to send spans to; what follows counts only then */
	struct peer_options peer;
	int64_t timeout_ns; /* of a batch, all its tries together */
	enum otlp_sampler sampler;
	double ratio;     /* of SAMPLE_RATIO, 0 .. 1 */
	bool asks_parent; /* a call that has a parent is recorded where that was; else as above */
	int64_t delay_ns; /* a span waits so long for others */
	size_t queue_max, batch_max;                           /* spans */
	struct otlp_attribute attributes[OTLP_ATTRIBUTES_MAX]; /* [n_attributes] of the resource */
	size_t n_attributes;
};

/* otlp_options_read - never fails: what is wrong is logged.
 * get    getenv, or a test's
 * arena  owns all strings */
void otlp_options_read(const char *(*get)(const char *name), struct arena *arena,
		       struct otlp_options *ret);

#endif
