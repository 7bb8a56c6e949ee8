/* shed - calls that are refused before anything is done for them, since they would come too late.
 *
 * Where more is asked than the workers can do, a queue without bound has everybody wait until nobody's
 * deadline is kept. Who is refused at once has lost nothing and may go elsewhere; who is not is served
 * in time. A call that has its first worker is never refused.
 */
#include "kernels/base/error_info.h"
#include "service/rpc/call.h"
#include "service/rpc/queues.h"

#include <time.h>

#define RETRY_MS_MIN INT64_C(100)
#define RETRY_MS_MAX INT64_C(10000)

/* Refusals in a second that say all there is to say. One takes 50 us or so, of which gRPC's core takes 30
 * for a call of which nothing is read, and that is answered by a status alone. */
#define SHED_FULLY_MAX 500

/* How long a worker lets pollers pass before a job, at most. */
#define PASS_NS 100000
#define PASSES_MAX 20

static bool is_too_long(const struct call_host *host, int64_t deadline_ns, int64_t wait_ns)
{
	return wait_ns > host->queue_ns ||
	       (deadline_ns != DEADLINE_NEVER && wait_ns > (deadline_ns - clock_ns()) / 2);
}

static int64_t this_second(void)
{
	return clock_ns() / 1000000000;
}

static bool is_swamped(const struct call_host *host)
{
	return atomic_load(&host->n_shed) >= SHED_FULLY_MAX &&
	       atomic_load(&host->shed_second) == this_second();
}

/* Two threads may begin a second: then it has one refusal more. */
static void note(struct call_host *host)
{
	int64_t second = this_second();

	if (atomic_exchange(&host->shed_second, second) != second)
		atomic_store(&host->n_shed, 0);
	atomic_fetch_add(&host->n_shed, 1);
}

/* One thread has as much right to a processor as another. Where refusing what comes takes more than the
 * pollers' part of it, what is not read yet grows old, and workers would go on for clients that have left. */
void call_host_let_pollers_pass(const struct call_host *host)
{
	const struct timespec pause = {0, PASS_NS};

	for (int i = 0; i < PASSES_MAX && is_swamped(host) && queues_some_lag(); i++)
		nanosleep(&pause, NULL);
}

bool call_host_sheds(struct call_host *host, gpr_timespec deadline)
{
	int64_t wait_ns;

	if (!is_swamped(host))
		return false;
	wait_ns = pool_wait_ns(host->workers);
	return wait_ns > 0 && is_too_long(host, call_deadline_ns(deadline), wait_ns);
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
	if (wait_ns == 0 || !is_too_long(call->host, call->deadline.at_ns, wait_ns)) {
		call->sheds = false;
		return false;
	}
	note(call->host);
	rpc_fail(call, overloaded(call, wait_ns));
	return true;
}
