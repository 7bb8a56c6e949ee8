/* stall - a thread that ends calls whose client does not take what is sent.
 *
 * A client that reads slowly is welcome; one that has stopped would hold its snapshot for ever. The
 * status goes out by cancelling, since the op that sends one would wait behind the message.
 */
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
	int64_t timeout_ns;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ending;
	bool ended;
	char detail[128];
};

/* While a send is out the core's call cannot go. Under the call's lock. */
static void look_at(const struct stall_watch *watch, struct rpc_call *call, int64_t now_ns)
{
	int64_t timeout_ns = watch->timeout_ns;
	char detail[128];

	if (call->interrupted && timeout_ns > INTERRUPTED_NS_MAX)
		timeout_ns = INTERRUPTED_NS_MAX;
	if (!call->sending || call->stalled || now_ns - call->send_start_ns < timeout_ns)
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

static void look_at_all(struct stall_watch *watch)
{
	struct call_host *host = watch->host;
	int64_t now_ns = clock_ns();

	pthread_mutex_lock(&host->lock);
	for (struct rpc_call *call = host->calls; call; call = call->behind) {
		pthread_mutex_lock(&call->lock);
		look_at(watch, call, now_ns);
		pthread_mutex_unlock(&call->lock);
	}
	pthread_mutex_unlock(&host->lock);
}

/* Whether the watch goes on, after a while. */
static bool wait_a_while(struct stall_watch *watch)
{
	int64_t while_ns =
		watch->timeout_ns / 4 < LOOK_NS_MAX ? watch->timeout_ns / 4 : LOOK_NS_MAX;
	int64_t until_ns = clock_ns() + while_ns;
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

status stall_watch_open(struct call_host *host, int64_t timeout_ns, struct stall_watch **ret)
{
	struct stall_watch *watch = calloc(1, sizeof *watch);
	pthread_condattr_t attributes;

	if (!watch)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a server");
	watch->host = host;
	watch->timeout_ns = timeout_ns;
	snprintf(watch->detail, sizeof watch->detail,
		 "the client took no message for %g s: limits.stalled_write_timeout",
		 (double)timeout_ns / 1e9);
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
