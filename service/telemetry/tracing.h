/* tracing - which calls are recorded, in whose trace, and what becomes of them.
 *
 * A traceparent that comes with a call is taken up, so that its trace id is in the log; where there is a
 * collector (otlp_options.h), calls that are sampled become spans. Health checks become none: probes would
 * be most of them.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_TRACING_H
#define SLUICE_SERVICE_TELEMETRY_TRACING_H

#include "service/rpc/rpc.h"
#include "service/telemetry/otlp_options.h"

struct tracing;

/* tracing_open - options  as read; copied as far as needed.
 * What cannot be sent to is logged, and nothing is sent. Fails: RESOURCE_EXHAUSTED */
status tracing_open(const struct otlp_options *options, struct tracing **ret);

/* tracing_open_from_environment - the same with OTEL_* as they are now. */
status tracing_open_from_environment(struct tracing **ret);

/* tracing_tracer - for rpc_server_options.tracer; borrowed. */
const struct rpc_tracer *tracing_tracer(const struct tracing *tracing);

/* tracing_handled - a call is over: its spans are handed on, if it was recorded. */
void tracing_handled(struct tracing *tracing, const struct rpc_handled *handled);

/* tracing_close - when no call is under way; at most two seconds for what was not sent. NULL is fine. */
void tracing_close(struct tracing *tracing);

SCOPE_DEFINE(tracing, tracing_close)

#endif
