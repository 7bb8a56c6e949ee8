/* stall - a thread that ends calls whose client does not take what is sent, or sends nothing.
 *
 * A client that reads slowly is welcome; one that has stopped would hold its snapshot for ever. The
 * status goes out by cancelling, since the op that sends one would wait behind the message. One that
 * never sends its request holds a call that others could have: it is told so, and which limit it was.
 */
#include "kernels/base/error_info.h"
#include "kernels/base/thread.h"
#include "service/rpc/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* How late a stalled call may be found, and how long one may stall that is to end. */
#define LOOK_NS_MAX ((int64_t)1000000000)
#define INTERRUPTED_NS_MAX ((int64_t)1000000000)

struct stall_watch {
	struct call_host *host;
	int64_t look_ns; /* how often */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ending;
	bool ended;
	char detail[128];
};

/* While a send is out the core's call cannot go. Under the call's lock. */
static void look_at_send(const struct stall_watch *watch, struct rpc_call *call, int64_t now_ns)
{
	int64_t timeout_ns = watch->host->stall_ns;
	char detail[128];

	if (call->interrupted && timeout_ns > INTERRUPTED_NS_MAX)
		timeout_ns = INTERRUPTED_NS_MAX;
	if (!timeout_ns || !call->sending || call->stalled ||
	    now_ns - call->send_start_ns < timeout_ns)
		return;
	call->stalled = true;
	deadline_cancel(&call->deadline);
	if (call->interrupted)
		snprintf(detail, sizeof detail,
			 "the call was ended from outside, and its client took no message: %s",
			 call->interrupted);
	grpc_call_cancel_with_status(call->core, GRPC_STATUS_ABORTED,
				     call->interrupted ? detail : watch->detail, NULL);
}

/* Nobody runs it and nothing will come back to it, so there is nothing to do but to read. Then what is
 * the runner's can be read as well. Under the call's lock. */
static bool waits_for_its_client(const struct rpc_call *call)
{
	return call->receiving && !call->running && !call->sending && call->n_holds == 0;
}

/* How long it may; 0: for ever. Likewise. */
static int64_t patience_ns(const struct rpc_call *call)
{
	if (!call->method->client_streams)
		return call->host->request_ns;
	return call->requested && call->method->minds_silence ? 0 : call->host->idle_ns;
}

/* Gives whether it has just become overdue. Under the call's lock. */
static bool look_at_silence(struct rpc_call *call, int64_t now_ns)
{
	int64_t silent_ns = now_ns - call->silent_since_ns, patience;

	if (!waits_for_its_client(call) || call->ended || call->is_overdue)
		return false;
	patience = patience_ns(call);
	call->is_overdue = patience && silent_ns >= patience;
	return call->is_overdue;
}

static void look_at_all(struct stall_watch *watch)
{
	struct call_host *host = watch->host;
	int64_t now_ns = clock_ns();

	pthread_mutex_lock(&host->lock);
	for (struct rpc_call *call = host->calls; call; call = call->behind) {
		pthread_mutex_lock(&call->lock);
		look_at_send(watch, call, now_ns);
		if (look_at_silence(call, now_ns))
			call_nudge(call);
		else
			pthread_mutex_unlock(&call->lock);
	}
	pthread_mutex_unlock(&host->lock);
}

/* Whether the watch goes on, after a while. */
static bool wait_a_while(struct stall_watch *watch)
{
	int64_t until_ns = clock_ns() + watch->look_ns;
	struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
	bool goes_on;

	pthread_mutex_lock(&watch->lock);
	while (!watch->ended &&
	       pthread_cond_timedwait(&watch->ending, &watch->lock, &until) != ETIMEDOUT)
		continue;
	goes_on = !watch->ended;
	pthread_mutex_unlock(&watch->lock);
	return goes_on;
}

static void *watch_run(void *arg)
{
	struct stall_watch *watch = arg;

	while (wait_a_while(watch))
		look_at_all(watch);
	return NULL;
}

static bool start(struct stall_watch *watch)
{
	if (status_failed(thread_start(watch_run, watch, "a thread for a server", &watch->thread)))
		return false;
	pthread_setname_np(watch->thread, "rpc-stall");
	return true;
}

/* Of all that is bounded, a quarter of the shortest. */
static int64_t look_ns_of(const struct call_host *host)
{
	const int64_t bounds[] = {host->stall_ns, host->request_ns, host->idle_ns};
	int64_t look_ns = LOOK_NS_MAX;

	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		if (bounds[i] && bounds[i] / 4 < look_ns)
			look_ns = bounds[i] / 4;
	return look_ns;
}

status stall_watch_open(struct call_host *host, struct stall_watch **ret)
{
	struct stall_watch *watch;
	pthread_condattr_t attributes;

	if (!host->stall_ns && !host->request_ns && !host->idle_ns)
		return status_ok();
	watch = calloc(1, sizeof *watch);
	if (!watch)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a server");
	watch->host = host;
	watch->look_ns = look_ns_of(host);
	snprintf(watch->detail, sizeof watch->detail,
		 "the client took no message for %g s: limits.stalled_write_timeout",
		 (double)host->stall_ns / 1e9);
	pthread_mutex_init(&watch->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->ending, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!start(watch)) {
		pthread_cond_destroy(&watch->ending);
		pthread_mutex_destroy(&watch->lock);
		free(watch);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "a thread for a server");
	}
	*ret = watch;
	return status_ok();
}

void stall_watch_close(struct stall_watch *watch)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->ended = true;
	pthread_cond_signal(&watch->ending);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	pthread_cond_destroy(&watch->ending);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

static status request_is_missing(struct rpc_call *call, int64_t timeout_ns)
{
	status s = status_format(&call->arena, STATUS_DEADLINE_EXCEEDED,
				 "the request has not come in %g s: limits.request_timeout",
				 (double)timeout_ns / 1e9);

	return status_reason(s, &call->arena, REASON_REQUEST_MISSING, "method", call->method->path,
			     NULL);
}

static status stream_is_idle(struct rpc_call *call, int64_t timeout_ns)
{
	status s = status_format(&call->arena, STATUS_ABORTED,
				 "the client has sent nothing for %g s: limits.stream_idle_timeout",
				 (double)timeout_ns / 1e9);

	return status_reason(s, &call->arena, REASON_LIMIT_REACHED, "setting",
			     "limits.stream_idle_timeout", "limit",
			     ERROR_NUMBER(timeout_ns / 1000000), NULL);
}

status stall_overdue(struct rpc_call *call)
{
	const struct call_host *host = call->host;

	return call->method->client_streams ? stream_is_idle(call, host->idle_ns)
					    : request_is_missing(call, host->request_ns);
}
