/* access_log - one event of the log. */
#include "service/telemetry/access_log.h"

#include "kernels/base/log.h"
#include "service/telemetry/families.h"

#include <stdatomic.h>

static _Atomic uint64_t one_in, n_calls;

void access_log_set(uint64_t wanted)
{
	atomic_store_explicit(&one_in, wanted, memory_order_relaxed);
}

void access_log_handled(void *context, const struct rpc_handled *handled)
{
	uint64_t every = atomic_load_explicit(&one_in, memory_order_relaxed);

	(void)context;
	if (!every || atomic_fetch_add_explicit(&n_calls, 1, memory_order_relaxed) % every)
		return;
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
	};

	log_event(LOG_INFO, "call", fields, sizeof fields / sizeof *fields);
}
