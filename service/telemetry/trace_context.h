/* trace_context - the traceparent header, as W3C's Trace Context has it. */
#ifndef SLUICE_SERVICE_TELEMETRY_TRACE_CONTEXT_H
#define SLUICE_SERVICE_TELEMETRY_TRACE_CONTEXT_H

#include "kernels/base/bytes.h"
#include "service/rpc/trace.h"

#define TRACE_SAMPLED 1U

struct trace_context {
	uint8_t trace_id[TRACE_ID_BYTES], span_id[SPAN_ID_BYTES];
	uint8_t flags;
};

/* trace_context_parse - "00-" 32 digits "-" 16 digits "-" 2 digits: hexadecimal, small letters, neither id
 * all zeros. What a later version has behind that, after another "-", is passed over; version ff is none.
 * False, and ret untouched: it is no traceparent, and counts as none. */
bool trace_context_parse(struct bytes header, struct trace_context *ret);

/* hex_print - 2 * n digits and a NUL. */
void hex_print(char *ret, const uint8_t *bytes, size_t n);

#endif
