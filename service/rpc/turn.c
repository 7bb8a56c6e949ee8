/* turn - what has happened, what is due, and the method's functions one at a time. */
#include "kernels/base/error_info.h"
#include "service/rpc/call.h"
#include "service/rpc/queues.h"

#include <assert.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <sys/resource.h>

/* Of a worker, added to that of the process: a weight of 526 beside 1024. */
#define WORKER_NICE 3

static void call_run(struct rpc_call *call, enum call_action action, bool may_block);
static void wake_done(void *owner, bool ok);

/* --- what is due --- */

/* request and next take turns, so that neither a flood of messages nor a fast reader can keep the
 * other one waiting. Under the lock. */
static enum call_action choose_method_action(struct rpc_call *call)
{
	bool next = !call->sending && (call->wants_next || (call->waits && call->woken));

	if (call->postponed)
		return call->woken ? CALL_REQUEST : CALL_NOTHING;
	if (call->received && !(next && !call->was_next))
		return CALL_REQUEST;
	if (call->peer_done && !call->received && !call->half_closed)
		return CALL_HALF_CLOSE;
	if (call->may_read && call->method->client_streams && !call->receiving && !call->received &&
	    !call->peer_done)
		return CALL_READ;
	return next ? CALL_NEXT : CALL_NOTHING;
}

/* A request that has not come by the drain is not waited for. Under the lock. */
static bool is_idle_in_drain(struct rpc_call *call)
{
	enum rpc_drain phase = atomic_load(&call->host->phase);

	if (call->postponed)
		return phase == RPC_ENDING;
	if (call->method->client_streams || call->requested || call->received)
		return false;
	return phase == RPC_ENDING || (phase == RPC_DRAINING && !call->in_drain);
}

/* Under the lock. */
static enum call_action choose_action(struct rpc_call *call)
{
	if (call->aborted)
		call->ended = true;
	if (!call->ended && !call->opened)
		return CALL_OPEN;
	if (call->has_page && !call->aborted)
		return CALL_SEND;
	if (!call->ended && call->is_overdue)
		return CALL_OVERDUE;
	if (!call->ended)
		return is_idle_in_drain(call) ? CALL_GIVE_UP : choose_method_action(call);
	if (!call->aborted && !call->sent_status && !call->sending)
		return CALL_STATUS;
	if (call->n_holds > 0)
		return CALL_NOTHING;
	if (call->opened && !call->closed)
		return CALL_CLOSE;
	return call->n_ops > 0 ? CALL_NOTHING : CALL_FINISH;
}

/* The next action, with what follows from its beginning. CALL_NOTHING gives the turn back: the call
 * may then be gone at any time. Under the lock. */
static enum call_action take_action(struct rpc_call *call)
{
	enum call_action action = choose_action(call);

	switch (action) {
	case CALL_NOTHING:
		call->running = false;
		break;
	case CALL_FINISH:
		call->finished = true;
		break;
	case CALL_REQUEST:
		call->received = false;
		call->was_next = false;
		if (call->postponed)
			call->woken = false;
		break;
	case CALL_READ:
		call->may_read = false;
		break;
	case CALL_NEXT:
		call->woken = false;
		call->wants_next = false;
		call->waits = false;
		call->was_next = true;
		break;
	default:
		break;
	}
	return action;
}

void turn_take(struct rpc_call *call)
{
	enum call_action action = CALL_NOTHING;

	if (!call->running) {
		call->running = true;
		action = take_action(call);
	}
	pthread_mutex_unlock(&call->lock);
	call_run(call, action, false);
}

/* --- the method's functions; the runner's --- */

static void act_open(struct rpc_call *call)
{
	status opened;

	call->opened = true;
	call->wants_next = call->method->client_streams;
	if (!call->method->open)
		return;
	opened = call->method->open(call);
	if (status_failed(opened))
		rpc_fail(call, opened);
}

size_t rpc_arena_bytes(const struct rpc_call *call, size_t message_bytes)
{
	const struct call_host *host = call->host;
	size_t bytes = host->arena_bytes_max;

	if (message_bytes < host->arena_bytes_max / host->arena_factor)
		bytes = message_bytes * host->arena_factor;
	if (bytes < host->arena_bytes_min)
		bytes = host->arena_bytes_min;
	return bytes < host->arena_bytes_max ? bytes : host->arena_bytes_max;
}

static void allow_arena(struct rpc_call *call, size_t message_bytes)
{
	size_t cap = rpc_arena_bytes(call, message_bytes);

	if (cap > call->arena.cap_bytes)
		call->arena.cap_bytes = cap;
}

/* ret  one slice with all bytes: the message's own where it is one. */
static bool message_slice(grpc_byte_buffer *message, grpc_slice *ret)
{
	grpc_byte_buffer_reader reader;

	if (!grpc_byte_buffer_reader_init(&reader, message))
		return false;
	*ret = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	return true;
}

static void note_received(struct rpc_call *call, size_t size_bytes)
{
	call->n_received++;
	call->received_bytes += size_bytes;
	traffic_received(call->traffic);
}

/* What is asked about a message once, before the method is. */
static status first_look(struct rpc_call *call, struct bytes message)
{
	call->requested = true;
	note_received(call, message.size);
	allow_arena(call, message.size);
	return call_examine(call, message);
}

static void act_request(struct rpc_call *call)
{
	const struct rpc_method *method = call->method;
	bool again = call->postponed;
	grpc_slice slice;
	struct bytes bytes;
	status answer;

	if (!message_slice(call->incoming, &slice)) {
		rpc_fail(call, status_make(STATUS_INTERNAL, "a message cannot be read"));
		return;
	}
	bytes = bytes_of(GRPC_SLICE_START_PTR(slice), GRPC_SLICE_LENGTH(slice));
	answer = again ? status_ok() : first_look(call, bytes);
	call->postponed =
		!status_failed(answer) && method->is_ready && !method->is_ready(call, bytes);
	if (call->postponed) {
		grpc_slice_unref(slice);
		return;
	}
	grpc_byte_buffer_destroy(TAKE(call->incoming));
	if (!status_failed(answer))
		answer = method->request(call, bytes);
	grpc_slice_unref(slice);
	/* The wake may have been for next. */
	if (again)
		rpc_wake(call);
	if (status_failed(answer))
		rpc_fail(call, answer);
	else if (!call->method->client_streams)
		call->wants_next = true;
}

static void fail_without_request(struct rpc_call *call)
{
	status failure =
		status_make(STATUS_INVALID_ARGUMENT, "the call ended without its request message");

	rpc_fail(call, status_reason(failure, &call->arena, REASON_REQUEST_MISSING, "method",
				     call->method->path, NULL));
}

static void act_half_close(struct rpc_call *call)
{
	call->half_closed = true;
	if (!call->method->client_streams) {
		if (!call->requested)
			fail_without_request(call);
	} else if (call->method->half_close) {
		call->method->half_close(call);
	} else {
		rpc_wake(call);
	}
}

static void act_read(struct rpc_call *call)
{
	if (!call->method->wants_request || call->method->wants_request(call))
		wire_receive(call);
}

/* Whether the message can go out; else the call has failed. */
static bool check_message(struct rpc_call *call, const struct buffer *message)
{
	if (message->failed) {
		rpc_fail(call, status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a message"));
		return false;
	}
	if (message->size > RPC_MESSAGE_OUT_MAX) {
		status failure = status_format(&call->arena, STATUS_RESOURCE_EXHAUSTED,
					       "a message of %zu bytes is above the %d that go out",
					       message->size, RPC_MESSAGE_OUT_MAX);

		rpc_fail(call, status_reason(failure, &call->arena, REASON_MESSAGE_TOO_LARGE,
					     "limit_bytes", ERROR_NUMBER(RPC_MESSAGE_OUT_MAX),
					     "found_bytes", ERROR_NUMBER(message->size), NULL));
		return false;
	}
	return true;
}

static void act_next(struct rpc_call *call)
{
	struct buffer message = {0};
	SCOPED(buffer) owned = &message;
	enum rpc_step step = call->method->next(call, owned);

	switch (step) {
	case RPC_MESSAGE:
	case RPC_LAST:
		if (call->ended || !check_message(call, &message))
			return;
		call->ended = step == RPC_LAST;
		call->wants_next = step == RPC_MESSAGE;
		call->page = message;
		call->has_page = true;
		message = (struct buffer){0};
		return;
	case RPC_END:
		call->ended = true;
		return;
	case RPC_WAIT:
		call->waits = true;
		return;
	case RPC_FAIL:
		break;
	}
	if (!call->ended)
		rpc_fail(call, status_make(STATUS_INTERNAL, "failed without saying why"));
}

static void act_send(struct rpc_call *call)
{
	call->has_page = false;
	wire_send(call, &call->page);
	buffer_finish(&call->page);
}

static void act_close(struct rpc_call *call)
{
	call->closed = true;
	if (call->method->close)
		call->method->close(call);
}

static void call_act(struct rpc_call *call, enum call_action action)
{
	switch (action) {
	case CALL_OPEN:
		act_open(call);
		break;
	case CALL_REQUEST:
		act_request(call);
		break;
	case CALL_HALF_CLOSE:
		act_half_close(call);
		break;
	case CALL_READ:
		act_read(call);
		break;
	case CALL_NEXT:
		act_next(call);
		break;
	case CALL_GIVE_UP:
		rpc_fail(call, rpc_draining());
		break;
	case CALL_OVERDUE:
		rpc_fail(call, stall_overdue(call));
		break;
	case CALL_SEND:
		act_send(call);
		break;
	case CALL_STATUS:
		wire_send(call, NULL);
		break;
	case CALL_CLOSE:
		act_close(call);
		break;
	case CALL_NOTHING:
	case CALL_FINISH:
		break;
	}
}

/* --- the turn --- */

/* A stream's own thread does what is some work, but where more has come in, or the workers are behind: then
 * there is more to do than can be done, and it is for what comes in, so that it is known what is not
 * wanted any more, and what is too much. */
static bool is_behind(const struct call_host *host)
{
	return queues_lag() || pool_wait_ns(host->workers) > 0;
}

/* Who does an action. */
enum doer {
	THIS_THREAD,
	WORKER,       /* one of them, and not this thread */
	WORKER_OR_ME, /* one of them, or this thread when nothing more has come in */
};

static enum doer choose_doer(struct rpc_call *call, enum call_action action)
{
	const struct rpc_method *method = call->method;

	if ((action != CALL_REQUEST && action != CALL_NEXT) || !call->host->workers)
		return THIS_THREAD;
	if (method->is_long && method->is_long(call))
		return WORKER;
	if (!method->is_heavy || !method->is_heavy(call))
		return THIS_THREAD;
	if (queues_polls())
		return WORKER_OR_ME;
	return is_behind(call->host) ? WORKER : THIS_THREAD;
}

static struct rpc_call *call_of_job(struct job *job)
{
	return (struct rpc_call *)((char *)job - offsetof(struct rpc_call, job));
}

/* Where there is more to do than can be done, what comes in has to be taken in and refused all the same; so a
 * worker has half of a poller's right to a processor, where both want one. */
static void give_way(void)
{
	static _Thread_local bool gives_way;

	/* 0: this thread. */
	if (!gives_way)
		(void)setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + WORKER_NICE);
	gives_way = true;
}

static void call_run_job(struct job *job)
{
	struct rpc_call *call = call_of_job(job);

	if (!queues_polls()) {
		give_way();
		call_host_let_pollers_pass(call->host);
	}
	call_run(call, call->moved, true);
}

static void call_hand_on(struct rpc_call *call, enum call_action action, enum doer doer)
{
	call->moved = action;
	call->job.run = call_run_job;
	if (doer == WORKER)
		pool_submit(call->host->workers, &call->job);
	else
		pool_offer(call->host->workers, &call->job);
}

/* Whether a poller is to do it, since another thread would meet one in the core, at the connection's lock. */
static bool is_for_poller(const struct rpc_call *call, enum call_action action)
{
	return (action == CALL_SEND || action == CALL_STATUS || action == CALL_READ) &&
	       call->on_main && !queues_polls();
}

static void call_run_returned(struct job *job)
{
	struct rpc_call *call = call_of_job(job);

	call_run(call, call->moved, true);
}

/* The call goes on being run, by a poller soon, who may end it at once: an op that is counted before keeps it, until it
 * is known whether one has to be woken. One that is out already comes to a poller anyway. Under the lock,
 * which it gives back. */
static void call_give_back(struct rpc_call *call, enum call_action action)
{
	struct queues *queues = call->host->queues;
	bool keep = !call->waking;

	call->moved = action;
	call->job.run = call_run_returned;
	if (keep) {
		call->waking = true;
		call->n_ops++;
	}
	pthread_mutex_unlock(&call->lock);
	queues_return(queues, &call->job);
	if (keep && queues_asleep(queues))
		wire_wake(call);
	else if (keep)
		wake_done(call, true);
}

/* Does action and all that follows. may_block: the action has come to who is to do it. What is long and
 * follows goes behind what other calls have queued meanwhile. */
static void call_run(struct rpc_call *call, enum call_action action, bool may_block)
{
	while (action != CALL_NOTHING) {
		enum doer doer = may_block ? THIS_THREAD : choose_doer(call, action);

		if (action == CALL_FINISH) {
			call_finish(call);
			return;
		}
		if (doer == THIS_THREAD) {
			call_act(call, action);
		} else if (!call_shed(call)) {
			call_hand_on(call, action, doer);
			return;
		}
		may_block = false;

		pthread_mutex_lock(&call->lock);
		if (action == CALL_REQUEST || action == CALL_NEXT)
			call->may_read = true;
		action = take_action(call);
		if (is_for_poller(call, action)) {
			call_give_back(call, action);
			return;
		}
		pthread_mutex_unlock(&call->lock);
	}
}

/* --- events, each on any poller --- */

static void end_done(void *owner, bool ok)
{
	struct rpc_call *call = owner;
	bool aborted = !ok || call->core_cancelled;

	/* At once, while the method may be running. */
	if (aborted)
		deadline_cancel(&call->deadline);
	pthread_mutex_lock(&call->lock);
	call->n_ops--;
	call->aborted |= aborted;
	turn_take(call);
}

static void receive_done(void *owner, bool ok)
{
	struct rpc_call *call = owner;
	bool aborted = !ok || (!call->incoming && grpc_call_failed_before_recv_message(call->core));

	if (aborted)
		deadline_cancel(&call->deadline);
	pthread_mutex_lock(&call->lock);
	call->n_ops--;
	call->receiving = false;
	call->is_overdue = false;
	if (aborted)
		call->aborted = true;
	else if (call->incoming)
		call->received = true;
	else
		call->peer_done = true;
	turn_take(call);
}

static void send_done(void *owner, bool ok)
{
	struct rpc_call *call = owner;

	if (!ok)
		deadline_cancel(&call->deadline);
	if (call->outgoing) {
		grpc_byte_buffer_destroy(TAKE(call->outgoing));
		timer_add(TIMER_SEND, clock_ns() - call->send_start_ns);
	}
	pthread_mutex_lock(&call->lock);
	call->n_ops--;
	call->sending = false;
	call->silent_since_ns = clock_ns();
	call->aborted |= !ok;
	turn_take(call);
}

static void wake_done(void *owner, bool ok)
{
	struct rpc_call *call = owner;

	(void)ok;
	pthread_mutex_lock(&call->lock);
	call->n_ops--;
	call->waking = false;
	turn_take(call);
}

void turn_init(struct rpc_call *call)
{
	call->on_end = (struct rpc_op){end_done, call};
	call->on_receive = (struct rpc_op){receive_done, call};
	call->on_send = (struct rpc_op){send_done, call};
	call->on_wake = (struct rpc_op){wake_done, call};
}
