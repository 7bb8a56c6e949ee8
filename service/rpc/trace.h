/* trace - what a call is a part of, and the stages of its work, for whoever shows them.
 *
 * The server hands a call's traceparent header to the tracer when the call comes, and what the call was
 * to rpc_server_options.handled when it is over; what a trace is, it does not know
 * (service/telemetry/tracing.h). Methods note their stages: of a call that nobody records that is one
 * comparison. Only names of ours and numbers are noted, never what a client sent.
 */
#ifndef SLUICE_SERVICE_RPC_TRACE_H
#define SLUICE_SERVICE_RPC_TRACE_H

#include "kernels/base/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_ID_BYTES 16
#define SPAN_ID_BYTES 8
/* A walk of many pages notes its first ones, and how many more there were. */
#define RPC_STAGES_MAX 64

/* A part of a call's work. Names are static. */
struct rpc_stage {
	const char *name;
	int64_t start_ns, duration_ns; /* on clock_ns */
	const char *what[2];           /* what was counted; NULL: nothing (more) */
	uint64_t count[2];
};

/* All zero: the call is in no trace. */
struct rpc_trace {
	bool known; /* trace_id and span_id are set */
	bool recorded; /* span_id is the call's own, and its stages are noted; else it is the caller's */
	bool has_parent; /* parent_id is set */
	uint8_t flags;   /* as the header has them */
	uint8_t trace_id[TRACE_ID_BYTES], span_id[SPAN_ID_BYTES], parent_id[SPAN_ID_BYTES];
	struct rpc_stage *stages; /* [n_stages] */
	size_t n_stages, n_left_out;
};

struct rpc_tracer {
	void *context;
	/* Whether a call is recorded, and in which trace; from any thread.
	 * path         as rpc_handled.path
	 * traceparent  the header; NULL data: there is none, or more than one
	 * ret          all zero */
	void (*begin)(void *context, const char *path, struct bytes traceparent,
		      struct rpc_trace *ret);
};

struct rpc_call;

/* rpc_is_traced - whether stages of the call are noted. */
bool rpc_is_traced(const struct rpc_call *call);

/* rpc_note_stage - copies it; without memory it is left out. Within a method's functions. */
void rpc_note_stage(struct rpc_call *call, const struct rpc_stage *stage);

#endif
