/* trace - kept beside a call. */
#include "service/rpc/trace.h"

#include "service/rpc/call.h"

#include <grpc/slice.h>
#include <stdlib.h>

#define STAGES_FIRST 8

/* NULL data where there is none. Which of several would count nobody can say. */
static struct bytes find_traceparent(const grpc_metadata_array *metadata)
{
	struct bytes found = {NULL, 0};

	for (size_t i = 0; i < metadata->count; i++) {
		const grpc_metadata *entry = &metadata->metadata[i];

		if (grpc_slice_str_cmp(entry->key, "traceparent") != 0)
			continue;
		if (found.data)
			return (struct bytes){NULL, 0};
		found = bytes_of(GRPC_SLICE_START_PTR(entry->value),
				 GRPC_SLICE_LENGTH(entry->value));
	}
	return found;
}

void call_begin_trace(struct rpc_call *call, const struct call_arrival *arrival)
{
	const struct rpc_tracer *tracer = call->host->tracer;

	if (tracer)
		tracer->begin(tracer->context, call->traffic->path,
			      find_traceparent(arrival->metadata), &call->trace);
}

bool rpc_is_traced(const struct rpc_call *call)
{
	return call->trace.recorded;
}

/* Room for one more; doubled from time to time. */
static bool make_room(struct rpc_trace *trace)
{
	size_t n = trace->n_stages;
	struct rpc_stage *grown;

	if (n == RPC_STAGES_MAX)
		return false;
	if (n && (n < STAGES_FIRST || (n & (n - 1))))
		return true;
	grown = reallocarray(trace->stages, n ? 2 * n : STAGES_FIRST, sizeof *grown);
	if (!grown)
		return false;
	trace->stages = grown;
	return true;
}

void rpc_note_stage(struct rpc_call *call, const struct rpc_stage *stage)
{
	struct rpc_trace *trace = &call->trace;

	if (!trace->recorded)
		return;
	if (make_room(trace))
		trace->stages[trace->n_stages++] = *stage;
	else
		trace->n_left_out++;
}
