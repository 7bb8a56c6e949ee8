/* shed - calls that are refused before anything is done for them, since they would come too late.
 *
 * Where more is asked than the workers can do, a queue without bound has everybody wait until nobody's
 * deadline is kept. Who is refused at once has lost nothing and may go elsewhere; who is not is served
 * in time. A call that has its first worker is never refused.
 */
#include "kernels/base/error_info.h"
#include "service/rpc/call.h"
#include "service/rpc/error_details.h"
#include "service/rpc/queues.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)

#define RETRY_MS_MIN 100
#define RETRY_MS_MAX 10000
#define RETRY_STEP_MS 100U

/* Refusals in a second that say all there is to say. One takes 50 us or so, nearly all of them gRPC's core's, though
 * nothing is read of it; and 26 where it is one of a gulp, and answered in one batch. */
#define SHED_FULLY_MAX 500

/* What nobody is refused for, however little time he has: it is no queue that stands. */
#define NO_WAIT_NS INT64_C(5000000)

/* Refusals in a second up to which a call is read first: it may be one that needs no worker. */
#define SHED_KNOWINGLY_MAX 100

/* How long calls may wait at most while more than that are refused. A burst is over before its last call
 * is late; a queue that stands makes everybody wait and serves nobody more, but less: what half a second
 * of calls holds is in no cache any more when its turn comes. At three times what can be served a search
 * took its worker 200 us behind a queue of half a second, and 145 us behind one of a fifth of that. */
#define STANDING_NS INT64_C(100000000)

/* Refusals that may be on their way to clients which do not read them, 10 KB each. */
#define REFUSALS_MAX 4096

/* For how long behind such a refusal pollers take what comes in gulps. */
#define GATHERS_ON_NS INT64_C(100000000)

/* How long a worker lets pollers pass before a job, at most, and how often it looks; being woken takes time from
 * them. */
#define PASS_NS 1000000
#define PASSES_MAX 2

static bool is_too_long(const struct call_host *host, int64_t deadline_ns, int64_t wait_ns)
{
	return wait_ns > host->queue_ns || (deadline_ns != DEADLINE_NEVER && wait_ns > NO_WAIT_NS &&
					    wait_ns > (deadline_ns - clock_ns()) / 2);
}

static int64_t this_second(void)
{
	return clock_ns() / 1000000000;
}

/* Whether so many were in this second or the one before. */
static bool has_shed(const struct call_host *host, unsigned n)
{
	int64_t age = this_second() - atomic_load(&host->shed_second);

	return (age <= 1 && atomic_load(&host->n_shed) >= n) ||
	       (age == 0 && atomic_load(&host->n_shed_before) >= n);
}

bool call_host_is_swamped(const struct call_host *host)
{
	return has_shed(host, SHED_FULLY_MAX);
}

/* Two threads may begin a second: then it has one refusal more. */
static void note(struct call_host *host)
{
	int64_t second = this_second(), before = atomic_exchange(&host->shed_second, second);

	if (before != second) {
		unsigned n = atomic_exchange(&host->n_shed, 0);

		atomic_store(&host->n_shed_before, before == second - 1 ? n : 0);
	}
	atomic_fetch_add(&host->n_shed, 1);
}

/* One thread has as much right to a processor as another. Where taking in and refusing what comes is more than
 * the pollers' part of it, what is not read yet grows old, and workers would go on for clients that
 * have left. */
void call_host_let_pollers_pass(const struct call_host *host)
{
	const struct timespec pause = {0, PASS_NS};

	for (int i = 0;
	     i < PASSES_MAX && call_host_is_swamped(host) && queues_some_lag(host->queues); i++)
		nanosleep(&pause, NULL);
}

int64_t call_host_surplus_ns(struct call_host *host, gpr_timespec deadline)
{
	int64_t wait_ns = pool_wait_ns(host->workers);

	if (wait_ns == 0 ||
	    (wait_ns <= STANDING_NS && !is_too_long(host, call_deadline_ns(deadline), wait_ns)))
		return 0;
	note(host);
	queues_gather(host->queues, clock_ns() + GATHERS_ON_NS);
	return wait_ns;
}

static uint32_t retry_ms_of(int64_t wait_ns)
{
	int64_t wait_ms = wait_ns / NS_PER_MS;

	return (uint32_t)(wait_ms < RETRY_MS_MIN   ? RETRY_MS_MIN
			  : wait_ms > RETRY_MS_MAX ? RETRY_MS_MAX
						   : wait_ms);
}

struct refusal {
	struct rpc_op on_end;
	struct call_host *host;
	grpc_call *core;
	int cancelled;
};

static void refusal_done(void *owner, bool ok)
{
	struct refusal *refusal = owner;

	(void)ok;
	atomic_fetch_sub(&refusal->host->n_refusals, 1);
	grpc_call_unref(refusal->core);
	free(refusal);
}

#define QUEUE_SETTING "limits.queue_time_max"

static const char shortly[] = "the server has more to do than it can: " QUEUE_SETTING;

/* What a refusal says besides code and word, by when its client is to come again: made once, or making it would take
 * a tenth of what a refusal costs. */
struct retry_words {
	char pushback[8];
	uint8_t details[512];
	size_t details_size; /* 0: there are none */
};

static struct retry_words
	retry_words[RETRY_MS_MAX / RETRY_STEP_MS]; /* [i] for RETRY_STEP_MS * (i + 1) */
static pthread_once_t retry_words_made = PTHREAD_ONCE_INIT;

static void make_retry_words(void)
{
	for (uint32_t i = 0; i < sizeof retry_words / sizeof *retry_words; i++) {
		const struct error_info info = {
			.reason = REASON_LIMIT_REACHED,
			.metadata = {{"setting", QUEUE_SETTING}},
			.retry_ms = RETRY_STEP_MS * (i + 1),
		};
		struct retry_words *words = &retry_words[i];
		SCOPED(buffer) details = &(struct buffer){0};

		snprintf(words->pushback, sizeof words->pushback, "%u", info.retry_ms);
		error_details_encode(
			status_with(status_make(STATUS_RESOURCE_EXHAUSTED, shortly), &info),
			details);
		if (details->size > sizeof words->details)
			continue;
		memcpy(words->details, details->data, details->size);
		words->details_size = details->size;
	}
}

/* Of the next step. */
static const struct retry_words *retry_words_of(uint32_t retry_ms)
{
	pthread_once(&retry_words_made, make_retry_words);
	return &retry_words[(retry_ms + RETRY_STEP_MS - 1) / RETRY_STEP_MS - 1];
}

/* False: the core does not take it. */
static bool refusal_send(struct refusal *refusal, uint32_t retry_ms)
{
	const struct retry_words *words = retry_words_of(retry_ms);
	grpc_slice detail = grpc_slice_from_static_string(shortly);
	grpc_metadata trailers[] = {
		{.key = grpc_slice_from_static_string("grpc-retry-pushback-ms"),
		 .value = grpc_slice_from_static_string(words->pushback)},
		{.key = grpc_slice_from_static_string("grpc-status-details-bin"),
		 .value = grpc_slice_from_static_buffer(words->details, words->details_size)},
	};
	const grpc_op ops[] = {
		{.op = GRPC_OP_SEND_INITIAL_METADATA},
		{.op = GRPC_OP_SEND_STATUS_FROM_SERVER,
		 .data.send_status_from_server = {.trailing_metadata_count =
							  words->details_size ? 2 : 1,
						  .trailing_metadata = trailers,
						  .status = GRPC_STATUS_RESOURCE_EXHAUSTED,
						  .status_details = &detail}},
		{.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
		 .data.recv_close_on_server.cancelled = &refusal->cancelled},
	};

	refusal->on_end = (struct rpc_op){refusal_done, refusal};
	return grpc_call_start_batch(refusal->core, ops, sizeof ops / sizeof *ops,
				     op_tag(&refusal->on_end), NULL) == GRPC_CALL_OK;
}

void call_refuse(struct call_host *host, grpc_call *core, int64_t wait_ns)
{
	bool may_wait = atomic_fetch_add(&host->n_refusals, 1) < REFUSALS_MAX;
	struct refusal *refusal = may_wait ? malloc(sizeof *refusal) : NULL;

	if (refusal) {
		*refusal = (struct refusal){.host = host, .core = core};
		if (refusal_send(refusal, retry_ms_of(wait_ns)))
			return;
	}
	free(refusal);
	atomic_fetch_sub(&host->n_refusals, 1);
	grpc_call_cancel_with_status(core, GRPC_STATUS_RESOURCE_EXHAUSTED, shortly, NULL);
	grpc_call_unref(core);
}

status call_overloaded(const struct call_host *host, struct arena *arena, int64_t wait_ns)
{
	int64_t wait_ms = wait_ns / NS_PER_MS, limit_ms = host->queue_ns / NS_PER_MS;
	status s =
		status_format(arena, STATUS_RESOURCE_EXHAUSTED,
			      "the server has more to do than it can: a call would wait %lld ms, "
			      "and " QUEUE_SETTING " is %lld ms",
			      (long long)wait_ms, (long long)limit_ms);

	s = status_reason(s, arena, REASON_LIMIT_REACHED, "setting", QUEUE_SETTING, "limit",
			  ERROR_NUMBER(limit_ms), "found", ERROR_NUMBER(wait_ms), NULL);
	return status_retry(s, arena, retry_ms_of(wait_ns));
}

int64_t call_host_late_ns(struct call_host *host, gpr_timespec deadline)
{
	int64_t wait_ns = 0;

	if (host->queue_ns && has_shed(host, SHED_KNOWINGLY_MAX))
		wait_ns = pool_wait_ns(host->workers);
	if (wait_ns == 0 || !is_too_long(host, call_deadline_ns(deadline), wait_ns))
		return 0;
	note(host);
	return wait_ns;
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
	rpc_fail(call, call_overloaded(call->host, &call->arena, wait_ns));
	return true;
}
