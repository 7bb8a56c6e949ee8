/* call - its beginning and its end, and what its method may ask of it. */
#include "service/rpc/call.h"

#include "kernels/base/error_info.h"
#include "kernels/base/gauge.h"
#include "kernels/base/log.h"
#include "service/rpc/error_details.h"
#include "service/rpc/status.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the host --- */

void call_host_init(struct call_host *host, struct queues *queues, struct pool *workers)
{
	pthread_condattr_t attributes;

	*host = (struct call_host){
		.workers = workers,
		.queues = queues,
		.arena_factor = CALL_ARENA_FACTOR,
		.arena_bytes_min = CALL_ARENA_MIN,
		.arena_bytes_max = CALL_ARENA_MAX,
	};
	atomic_init(&host->phase, RPC_SERVING);
	atomic_init(&host->health, RPC_READY);
	atomic_init(&host->shed_second, -1);
	atomic_init(&host->n_shed, 0);
	atomic_init(&host->n_shed_before, 0);
	atomic_init(&host->n_refusals, 0);
	/* None of these fails with these attributes on Linux. */
	pthread_mutex_init(&host->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&host->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

void call_host_finish(struct call_host *host)
{
	assert(host->n_calls == 0);
	pthread_cond_destroy(&host->changed);
	pthread_mutex_destroy(&host->lock);
}

/* Under the lock. */
static void wake_all(struct call_host *host)
{
	for (struct rpc_call *call = host->calls; call; call = call->behind)
		rpc_wake(call);
}

void call_host_set_phase(struct call_host *host, enum rpc_drain phase)
{
	pthread_mutex_lock(&host->lock);
	atomic_store(&host->phase, phase);
	wake_all(host);
	pthread_mutex_unlock(&host->lock);
}

void call_host_set_health(struct call_host *host, enum rpc_health health)
{
	pthread_mutex_lock(&host->lock);
	atomic_store(&host->health, health);
	wake_all(host);
	pthread_mutex_unlock(&host->lock);
}

bool call_host_is_full(struct call_host *host)
{
	bool full;

	pthread_mutex_lock(&host->lock);
	full = host->calls_max && host->n_calls >= host->calls_max;
	pthread_mutex_unlock(&host->lock);
	return full;
}

static void host_add(struct call_host *host, struct rpc_call *call)
{
	pthread_mutex_lock(&host->lock);
	call->behind = host->calls;
	if (host->calls)
		host->calls->before = call;
	host->calls = call;
	host->n_calls++;
	pthread_mutex_unlock(&host->lock);
}

static void host_remove(struct call_host *host, struct rpc_call *call)
{
	pthread_mutex_lock(&host->lock);
	if (call->before)
		call->before->behind = call->behind;
	else
		host->calls = call->behind;
	if (call->behind)
		call->behind->before = call->before;
	if (--host->n_calls == 0)
		pthread_cond_broadcast(&host->changed);
	pthread_mutex_unlock(&host->lock);
}

/* --- the end --- */

/* As the client saw it: nothing was sent to one that had gone. */
static enum status_code final_code(const struct rpc_call *call)
{
	if (call->stalled)
		return STATUS_ABORTED;
	if (call->sent_status || !call->aborted)
		return call->status.code;
	return call->deadline.at_ns <= clock_ns() ? STATUS_DEADLINE_EXCEEDED : STATUS_CANCELLED;
}

static void call_account(struct rpc_call *call)
{
	const struct call_host *host = call->host;
	const struct rpc_handled handled = {
		.path = call->traffic->path,
		.code = final_code(call),
		.start_ns = call->start_ns,
		.duration_ns = clock_ns() - call->start_ns,
		.received = call->n_received,
		.sent = call->n_sent,
		.received_bytes = call->received_bytes,
		.sent_bytes = call->sent_bytes,
		.hits = call->n_hits,
		.trace = &call->trace,
		.call = call,
	};

	traffic_handled(call->traffic, handled.code, handled.duration_ns);
	if (host->handled)
		host->handled(host->handled_context, &handled);
}

void call_finish(struct rpc_call *call)
{
	struct call_host *host = call->host;

	call_account(call);
	if (call->incoming)
		grpc_byte_buffer_destroy(call->incoming);
	if (call->outgoing)
		grpc_byte_buffer_destroy(call->outgoing);
	grpc_call_unref(call->core);
	gpr_free(call->peer);
	free(call->detail);
	free(call->trace.stages);
	if (call->n_streams)
		atomic_fetch_sub(call->n_streams, 1);
	buffer_finish(&call->details);
	buffer_finish(&call->page);
	arena_finish(&call->arena);
	gauge_add(GAUGE_CALLS, -1);
	/* The host may be gone right after this. */
	host_remove(host, call);
	pthread_mutex_destroy(&call->lock);
	free(call->state);
	free(call);
}

/* Whose cause lies with us, and nobody else will tell the operator. */
static bool is_our_fault(enum status_code code)
{
	return code == STATUS_INTERNAL || code == STATUS_DATA_LOSS || code == STATUS_UNKNOWN;
}

enum rpc_step rpc_fail(struct rpc_call *call, status failure)
{
	const char *name = status_code_name(failure.code);

	assert(status_failed(failure));
	if (call->ended)
		return RPC_FAIL;
	/* Not in the arena, which may be what is full. One byte more than is sent: status_detail
	 * then sees that it has to cut. */
	if (failure.detail)
		call->detail = strndup(failure.detail, STATUS_DETAIL_MAX + 1);
	call->status = status_make(failure.code, call->detail ? call->detail : name);
	/* The info may die with a batch or page, so it is encoded at once. */
	error_details_encode(status_with(call->status, failure.info), &call->details);
	call->retry_ms = failure.info ? failure.info->retry_ms : 0;
	call->ended = true;
	deadline_cancel(&call->deadline);
	if (is_our_fault(failure.code))
		log_write(LOG_ERROR, "%s: %s: %s", call->method ? call->method->path : "no method",
			  name, call->status.detail);
	return RPC_FAIL;
}

/* Whoever runs the call looks again before it stops; where nobody does, a poller has to: never the
 * thread that wakes, which may hold locks of its own. */
void call_nudge(struct rpc_call *call)
{
	bool post = !call->running && !call->waking && !call->finished;

	if (post) {
		call->waking = true;
		call->n_ops++;
	}
	pthread_mutex_unlock(&call->lock);
	if (post)
		wire_wake(call);
}

void rpc_wake(struct rpc_call *call)
{
	pthread_mutex_lock(&call->lock);
	call->woken = true;
	call->may_read = true;
	call_nudge(call);
}

void rpc_interrupt(struct rpc_call *call, const char *why)
{
	deadline_cancel(&call->deadline);
	pthread_mutex_lock(&call->lock);
	call->interrupted = why;
	call->woken = true;
	call_nudge(call);
}

void rpc_hold(struct rpc_call *call)
{
	pthread_mutex_lock(&call->lock);
	call->n_holds++;
	pthread_mutex_unlock(&call->lock);
}

void rpc_unhold(struct rpc_call *call)
{
	pthread_mutex_lock(&call->lock);
	assert(call->n_holds > 0);
	/* While it runs, ended is the runner's, who will see the hold gone. */
	if (--call->n_holds == 0 && !call->running && call->ended)
		call_nudge(call);
	else
		pthread_mutex_unlock(&call->lock);
}

/* --- the beginning --- */

int64_t call_deadline_ns(gpr_timespec at)
{
	at = gpr_convert_clock_type(at, GPR_CLOCK_MONOTONIC);
	if (at.tv_sec >= INT64_MAX / 1000000000)
		return DEADLINE_NEVER;
	return at.tv_sec < 0 ? 0 : at.tv_sec * 1000000000 + at.tv_nsec;
}

static status is_crowded(struct arena *arena, size_t calls_max)
{
	status s = status_format(
		arena, STATUS_RESOURCE_EXHAUSTED,
		"the server has as many calls as it takes: limits.calls_max is %zu", calls_max);

	s = status_reason(s, arena, REASON_LIMIT_REACHED, "setting", "limits.calls_max", "limit",
			  ERROR_NUMBER(calls_max), NULL);
	return status_retry(s, arena, 1000);
}

static status is_pressed(struct arena *arena, uint64_t memory_bytes_max)
{
	status s = status_format(arena, STATUS_RESOURCE_EXHAUSTED,
				 "the server has as much memory as it may: "
				 "limits.memory_bytes_max is %llu",
				 (unsigned long long)memory_bytes_max);

	s = status_reason(s, arena, REASON_MEMORY_LIMIT, "limit_bytes",
			  ERROR_NUMBER(memory_bytes_max), NULL);
	return status_retry(s, arena, 1000);
}

static status refusal_of(struct arena *arena, const struct call_host *host,
			 const struct call_arrival *arrival)
{
	int size = arrival->path.size > 256 ? 256 : (int)arrival->path.size;
	char path[257];
	status refusal;

	if (arrival->draining)
		return rpc_draining();
	if (arrival->crowded)
		return is_crowded(arena, host->calls_max);
	if (arrival->pressed)
		return is_pressed(arena, host->memory_bytes_max);
	if (arrival->late_ns)
		return call_overloaded(host, arena, arrival->late_ns);
	snprintf(path, sizeof path, "%.*s", size, (const char *)arrival->path.data);
	refusal = status_format(arena, STATUS_UNIMPLEMENTED, "no method %s", path);
	return status_reason(refusal, arena, REASON_METHOD_UNKNOWN, "method", path, NULL);
}

/* Whom the guard does not admit has no method. */
static void call_begin(struct rpc_call *call, const struct call_arrival *arrival)
{
	status admitted = call_admit(call, arrival);

	if (!status_failed(admitted))
		return;
	call->method = NULL;
	rpc_fail(call, admitted);
}

struct rpc_call *call_open(struct call_host *host, const struct call_arrival *arrival)
{
	struct rpc_call *call = calloc(1, sizeof *call);
	size_t state_size = arrival->method ? arrival->method->state_size : 0;

	if (call && state_size)
		call->state = calloc(1, state_size);
	if (!call || (state_size && !call->state)) {
		free(call);
		/* There is nothing to answer with. */
		grpc_call_cancel_with_status(arrival->core, GRPC_STATUS_RESOURCE_EXHAUSTED,
					     "memory for a call", NULL);
		grpc_call_unref(arrival->core);
		return NULL;
	}
	call->host = host;
	call->core = arrival->core;
	call->method = arrival->method;
	call->context = arrival->context;
	call->on_main = arrival->on_main;
	call->n_streams = arrival->n_streams;
	if (call->n_streams)
		atomic_fetch_add(call->n_streams, 1);
	call->traffic = arrival->traffic;
	call->sheds = arrival->sheds;
	call->start_ns = clock_ns();
	call_begin_trace(call, arrival);
	call->in_drain = atomic_load(&host->phase) != RPC_SERVING;
	arena_init(&call->arena, rpc_arena_bytes(call, 0));
	deadline_init(&call->deadline, call_deadline_ns(arrival->deadline));
	turn_init(call);
	pthread_mutex_init(&call->lock, NULL);
	call->running = true;
	if (call->method)
		call_begin(call, arrival);
	else
		rpc_fail(call, refusal_of(&call->arena, host, arrival));
	gauge_add(GAUGE_CALLS, 1);
	traffic_started(call->traffic);
	host_add(host, call);
	return call;
}

void call_start(struct rpc_call *call)
{
	wire_await_end(call);
	if (call->method)
		wire_receive(call);
	pthread_mutex_lock(&call->lock);
	call->running = false;
	turn_take(call);
}

/* --- what methods ask --- */

void *rpc_state(struct rpc_call *call)
{
	return call->state;
}

void *rpc_context(struct rpc_call *call)
{
	return call->context;
}

struct arena *rpc_arena(struct rpc_call *call)
{
	return &call->arena;
}

const struct deadline *rpc_deadline(struct rpc_call *call)
{
	return &call->deadline;
}

const char *rpc_peer(struct rpc_call *call)
{
	if (!call->peer)
		call->peer = grpc_call_get_peer(call->core);
	return call->peer ? call->peer : "";
}

const struct rpc_method *rpc_method_of(struct rpc_call *call)
{
	return call->method;
}

void rpc_note_hits(struct rpc_call *call, uint64_t n)
{
	call->n_hits += n;
}

bool rpc_is_half_closed(struct rpc_call *call)
{
	bool is;

	pthread_mutex_lock(&call->lock);
	is = call->peer_done && !call->received;
	pthread_mutex_unlock(&call->lock);
	return is;
}

status rpc_draining(void)
{
	static const struct error_info info = {.reason = REASON_DRAINING, .retry_ms = 1000};

	return status_with(status_make(STATUS_UNAVAILABLE, "the server is draining"), &info);
}

enum rpc_health rpc_health_now(struct rpc_call *call)
{
	if (atomic_load(&call->host->phase) != RPC_SERVING)
		return RPC_LEAVING;
	return atomic_load(&call->host->health);
}

enum rpc_drain rpc_drain_phase(struct rpc_call *call)
{
	return atomic_load(&call->host->phase);
}
