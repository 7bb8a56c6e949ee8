/* otlp_span - a call that is over as OTLP's spans: one for the call, and a child for each stage.
 *
 * In a span are names of ours, numbers, and the address of the client: nothing that it sent.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_OTLP_SPAN_H
#define SLUICE_SERVICE_TELEMETRY_OTLP_SPAN_H

#include "kernels/base/bytes.h"
#include "service/rpc/rpc.h"

/* otlp_span_append - the spans of a call that is recorded, each as the field of ScopeSpans.
 * peer     as rpc_peer
 * unix_ns  what the wall's clock was ahead of clock_ns
 * Gives how many. */
size_t otlp_span_append(const struct rpc_handled *handled, const char *peer, int64_t unix_ns,
			struct buffer *ret);

/* otlp_attribute - of a resource, at most 64 of them. */
struct otlp_attribute {
	const char *name, *value; /* UTF-8 */
};

#define OTLP_ATTRIBUTES_MAX 64

/* otlp_request_append - a request with n bytes of spans, as otlp_span_append made them.
 * attributes  [n_attributes] of the resource */
void otlp_resource_append(const struct otlp_attribute *attributes, size_t n_attributes,
			  struct buffer *ret);
void otlp_request_append(struct bytes resource, struct bytes spans, struct buffer *ret);

/* otlp_random_id - [n] bytes, not all zero. */
void otlp_random_id(uint8_t *ret, size_t n);

#endif
