/* access_log - one event of the log. */
#include "service/telemetry/access_log.h"

#include "kernels/base/log.h"
#include "service/telemetry/rpc_code.h"
#include "service/telemetry/trace_context.h"

#include <stdatomic.h>

static _Atomic uint64_t one_in, n_calls;

void access_log_set(uint64_t wanted)
{
	atomic_store_explicit(&one_in, wanted, memory_order_relaxed);
}

void access_log_handled(const struct rpc_handled *handled)
{
	char trace_id[2 * TRACE_ID_BYTES + 1], span_id[2 * SPAN_ID_BYTES + 1];
	uint64_t every = atomic_load_explicit(&one_in, memory_order_relaxed);

	if (!every || atomic_fetch_add_explicit(&n_calls, 1, memory_order_relaxed) % every)
		return;
	/* Where the call is in a trace the last two are there too. */
	hex_print(trace_id, handled->trace->trace_id, TRACE_ID_BYTES);
	hex_print(span_id, handled->trace->span_id, SPAN_ID_BYTES);
	const struct log_field fields[] = {
		{"method", handled->path ? handled->path : "unknown", 0},
		{"code", rpc_code_name((size_t)handled->code), 0},
		{"ms", NULL, (double)(handled->duration_ns / 1000) / 1e3},
		{"hits", NULL, (double)handled->hits},
		{"received", NULL, (double)handled->received},
		{"received_bytes", NULL, (double)handled->received_bytes},
		{"sent", NULL, (double)handled->sent},
		{"sent_bytes", NULL, (double)handled->sent_bytes},
		{"peer", rpc_peer(handled->call), 0},
		{"trace_id", trace_id, 0},
		{"span_id", span_id, 0},
	};
	size_t n = sizeof fields / sizeof *fields;

	log_event(LOG_INFO, "call", fields, handled->trace->known ? n : n - 2);
}
