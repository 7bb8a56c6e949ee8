/* queues - opened before the server's core and closed after it. */
#include "service/rpc/queues.h"

#include "kernels/base/deadline.h"
#include "service/processors.h"
#include "service/rpc/op.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* An event that took longer to come to a stream's thread was not on hand. */
#define ON_HAND_NS INT64_C(10000)

/* A look at sockets that took longer has found something at one of them; and so many looks for one event. */
#define EMPTY_LOOK_NS INT64_C(3000)
#define LOOKS_MAX 16

/* For how long a thread may find something on hand until it counts as behind. */
#define LAG_NS INT64_C(4000000)

/* A poller that lags is taken to go on for so long behind its last event. */
#define LAG_STAYS_NS INT64_C(500000)

/* How long a poller sleeps between two gulps, and how often it looks before. */
#define GATHER_NS 10000000
#define LOOKS_BEFORE_GATHER 32

/* Processors for which one thread polls. */
#define PROCESSORS_A_POLLER 4

/* So many events may be on hand one behind the other before an offer comes to its turn. */
#define EVENTS_BEFORE_HELP 64

/* Of a thread that takes events: since when it finds them on hand; 0: it is none. */
static _Thread_local int64_t busy_since_ns;

static _Thread_local bool polls;

bool queues_lag(void)
{
	return busy_since_ns && clock_ns() - busy_since_ns > LAG_NS;
}

bool queues_polls(void)
{
	return polls;
}

bool queues_some_lag(struct queues *queues)
{
	return clock_ns() < atomic_load_explicit(&queues->lags_until_ns, memory_order_relaxed);
}

void queues_gather(struct queues *queues, int64_t until_ns)
{
	atomic_store_explicit(&queues->gathers_until_ns, until_ns, memory_order_relaxed);
}

/* --- what comes back --- */

void queues_return(struct queues *queues, struct job *job)
{
	pthread_mutex_lock(&queues->lock);
	job_line_add(&queues->returned, job);
	atomic_fetch_add(&queues->n_returned, 1);
	pthread_mutex_unlock(&queues->lock);
}

bool queues_asleep(struct queues *queues)
{
	return atomic_load(&queues->n_asleep) > 0;
}

/* False: there is nothing. */
static bool run_returned(struct queues *queues)
{
	struct job *job;

	if (atomic_load(&queues->n_returned) == 0)
		return false;
	pthread_mutex_lock(&queues->lock);
	job = job_line_take(&queues->returned);
	if (job)
		atomic_fetch_sub(&queues->n_returned, 1);
	pthread_mutex_unlock(&queues->lock);
	if (job)
		job->run(job);
	return job;
}

/* --- the threads --- */

static void event_run(grpc_event event)
{
	op_done(event.tag, event.success != 0);
}

static void *poll_streams(void *arg)
{
	grpc_completion_queue *queue = arg;
	const gpr_timespec never = gpr_inf_future(GPR_CLOCK_MONOTONIC);

	for (;;) {
		int64_t start_ns = clock_ns(), now_ns;
		grpc_event event = grpc_completion_queue_next(queue, never, NULL);

		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		now_ns = clock_ns();
		if (now_ns - start_ns > ON_HAND_NS || !busy_since_ns)
			busy_since_ns = now_ns;
		event_run(event);
	}
}

/* An event of those on hand; sockets, too, are looked at, without waiting. The core does what one of them asks for
 * and no more, which need not be an event: where that took a while, there may be another. False: the
 * queue is shut down. */
static bool take_one(struct queues *queues, bool *ret_taken)
{
	const gpr_timespec at_once = gpr_inf_past(GPR_CLOCK_MONOTONIC);
	int64_t start_ns = clock_ns(), now_ns = start_ns, took_ns = 0;
	grpc_event event = {.type = GRPC_QUEUE_TIMEOUT};

	for (int i = 0; i < LOOKS_MAX && event.type == GRPC_QUEUE_TIMEOUT &&
			(i == 0 || took_ns > EMPTY_LOOK_NS);
	     i++) {
		start_ns = now_ns;
		event = grpc_completion_queue_next(queues->main, at_once, NULL);
		now_ns = clock_ns();
		took_ns = now_ns - start_ns;
	}
	*ret_taken = event.type == GRPC_OP_COMPLETE;
	if (!*ret_taken || took_ns > ON_HAND_NS)
		busy_since_ns = now_ns;
	else if (now_ns - busy_since_ns > LAG_NS)
		atomic_store_explicit(&queues->lags_until_ns, now_ns + LAG_STAYS_NS,
				      memory_order_relaxed);
	if (*ret_taken)
		event_run(event);
	return event.type != GRPC_QUEUE_SHUTDOWN;
}

/* Lets come what comes, once nothing is left of what has: the core has a list of sockets at which something was, and
 * looks at one of them each time. False: an event was on hand. */
static bool gather(struct queues *queues, grpc_event *ret)
{
	const struct timespec pause = {0, GATHER_NS};

	for (int i = 0; i < LOOKS_BEFORE_GATHER; i++) {
		*ret = grpc_completion_queue_next(queues->main, gpr_inf_past(GPR_CLOCK_MONOTONIC),
						  NULL);
		if (ret->type != GRPC_QUEUE_TIMEOUT)
			return false;
	}
	nanosleep(&pause, NULL);
	busy_since_ns = clock_ns();
	return true;
}

static bool is_to_gather(struct queues *queues)
{
	return clock_ns() < atomic_load_explicit(&queues->gathers_until_ns, memory_order_relaxed);
}

/* Who returns something looks at n_asleep behind it, and this thread at what has been returned behind n_asleep: one
 * of the two sees the other. False: the queue is shut down. */
static bool sleep_until_event(struct queues *queues, bool *ret_taken)
{
	const gpr_timespec never = gpr_inf_future(GPR_CLOCK_MONOTONIC);
	grpc_event event = {.type = GRPC_QUEUE_TIMEOUT};

	if (is_to_gather(queues)) {
		*ret_taken = gather(queues, &event) || event.type == GRPC_OP_COMPLETE;
	} else {
		atomic_fetch_add(&queues->n_asleep, 1);
		if (atomic_load(&queues->n_returned) == 0)
			event = grpc_completion_queue_next(queues->main, never, NULL);
		atomic_fetch_sub(&queues->n_asleep, 1);
		busy_since_ns = clock_ns();
		*ret_taken = event.type == GRPC_OP_COMPLETE;
	}
	if (event.type == GRPC_OP_COMPLETE)
		event_run(event);
	return event.type != GRPC_QUEUE_SHUTDOWN;
}

/* First what workers have made, for it has waited longest; then what has come in; then one of what is offered.
 * Where a poller lags, offers are the workers' alone. */
static void *poll_main(void *arg)
{
	struct queues *queues = arg;
	unsigned n_ahead = 0; /* events that went before an offer */
	bool more = false;    /* may be on hand */

	polls = true;
	busy_since_ns = clock_ns();
	for (;;) {
		if (run_returned(queues))
			continue;
		if ((!more || n_ahead >= EVENTS_BEFORE_HELP) && queues->workers && !queues_lag() &&
		    pool_help(queues->workers)) {
			n_ahead = 0;
			more = true;
			continue;
		}
		if (!(more ? take_one(queues, &more) : sleep_until_event(queues, &more)))
			return NULL;
		n_ahead++;
	}
}

static bool start_thread(void *(*run)(void *), void *arg, const char *name, pthread_t *ret)
{
	if (pthread_create(ret, NULL, run, arg) != 0)
		return false;
	pthread_setname_np(*ret, name);
	return true;
}

static bool start_pollers(struct queues *queues, size_t n)
{
	while (queues->n_pollers < n) {
		pthread_t *poller = &queues->pollers[queues->n_pollers];

		if (!start_thread(poll_main, queues, "rpc-poller", poller))
			return false;
		queues->n_pollers++;
	}
	for (size_t i = 0; i < QUEUES_STREAMS; i++) {
		struct queue_of_streams *streams = &queues->streams[i];

		streams->has_poller =
			start_thread(poll_streams, streams->core, "rpc-streams", &streams->poller);
		if (!streams->has_poller)
			return false;
	}
	return true;
}

static grpc_completion_queue *create_queue_of_streams(void)
{
	const grpc_completion_queue_attributes attributes = {
		.version = GRPC_CQ_CURRENT_VERSION,
		.cq_completion_type = GRPC_CQ_NEXT,
		.cq_polling_type = GRPC_CQ_NON_POLLING,
	};

	return grpc_completion_queue_create(grpc_completion_queue_factory_lookup(&attributes),
					    &attributes, NULL);
}

status queues_open(struct queues *queues, size_t n_pollers, struct pool *workers,
		   struct arena *arena)
{
	size_t n = n_pollers ? n_pollers
			     : (processors_count() + PROCESSORS_A_POLLER - 1) / PROCESSORS_A_POLLER;
	sigset_t all, before;
	bool started;

	queues->pollers = ARENA_ARRAY(arena, pthread_t, n);
	if (!queues->pollers)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a server");
	queues->workers = workers;
	pthread_mutex_init(&queues->lock, NULL);
	queues->main = grpc_completion_queue_create_for_next(NULL);
	for (size_t i = 0; i < QUEUES_STREAMS; i++)
		queues->streams[i].core = create_queue_of_streams();
	/* Threads inherit the mask; signals are for the main thread alone. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = start_pollers(queues, n);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started ? status_ok()
		       : status_make(STATUS_RESOURCE_EXHAUSTED, "a thread for a server");
}

grpc_completion_queue *queues_choose(struct queues *queues)
{
	if (atomic_load(&queues->n_on_main) < STREAMS_ON_MAIN)
		return queues->main;
	return queues->streams[atomic_fetch_add(&queues->next_stream, 1) % QUEUES_STREAMS].core;
}

void queues_close(struct queues *queues)
{
	if (!queues->main)
		return;
	/* The threads of a queue end with it. */
	grpc_completion_queue_shutdown(queues->main);
	for (size_t i = 0; i < queues->n_pollers; i++)
		pthread_join(queues->pollers[i], NULL);
	grpc_completion_queue_destroy(queues->main);
	pthread_mutex_destroy(&queues->lock);
	for (size_t i = 0; i < QUEUES_STREAMS; i++) {
		struct queue_of_streams *streams = &queues->streams[i];

		grpc_completion_queue_shutdown(streams->core);
		if (streams->has_poller)
			pthread_join(streams->poller, NULL);
		grpc_completion_queue_destroy(streams->core);
	}
}
