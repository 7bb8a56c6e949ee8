/* shed - calls that are refused before anything is done for them, since they would come too late.
 *
 * Where more is asked than the workers can do, a queue without bound has everybody wait until nobody's
 * deadline is kept. Who is refused at once has lost nothing and may go elsewhere; who is not is served
 * in time. A call that has its first worker is never refused.
 */
#include "kernels/base/error_info.h"
#include "service/rpc/call.h"

#define RETRY_MS_MIN INT64_C(100)
#define RETRY_MS_MAX INT64_C(10000)

static bool is_too_long(const struct rpc_call *call, int64_t wait_ns)
{
	int64_t left_ns = call->deadline.at_ns - clock_ns();

	return wait_ns > call->host->queue_ns ||
	       (call->deadline.at_ns != DEADLINE_NEVER && wait_ns > left_ns / 2);
}

static status overloaded(struct rpc_call *call, int64_t wait_ns)
{
	const int64_t ns_per_ms = 1000000;
	int64_t wait_ms = wait_ns / ns_per_ms, limit_ms = call->host->queue_ns / ns_per_ms;
	int64_t retry_ms = wait_ms < RETRY_MS_MIN   ? RETRY_MS_MIN
			   : wait_ms > RETRY_MS_MAX ? RETRY_MS_MAX
						    : wait_ms;
	status s =
		status_format(&call->arena, STATUS_RESOURCE_EXHAUSTED,
			      "the server has more to do than it can: a call would wait %lld ms, "
			      "and limits.queue_time_max is %lld ms",
			      (long long)wait_ms, (long long)limit_ms);

	s = status_reason(s, &call->arena, REASON_LIMIT_REACHED, "setting", "limits.queue_time_max",
			  "limit", ERROR_NUMBER(limit_ms), "found", ERROR_NUMBER(wait_ms), NULL);
	return status_retry(s, &call->arena, (uint32_t)retry_ms);
}

bool call_shed(struct rpc_call *call)
{
	int64_t wait_ns;

	if (!call->sheds || !call->host->queue_ns)
		return false;
	wait_ns = pool_wait_ns(call->host->workers);
	if (wait_ns == 0 || !is_too_long(call, wait_ns)) {
		call->sheds = false;
		return false;
	}
	rpc_fail(call, overloaded(call, wait_ns));
	return true;
}
