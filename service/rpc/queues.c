/* queues - opened before the server's core and closed after it. */
#include "service/rpc/queues.h"

#include "kernels/base/deadline.h"
#include "service/processors.h"
#include "service/rpc/op.h"

#include <signal.h>

/* An event that took longer to come was not on hand: the core has looked at the sockets. */
#define ON_HAND_NS INT64_C(10000)

/* How much of what was on hand is done before. What is read from no socket meanwhile may be the word that it
 * is not wanted any more. */
#define LAG_NS INT64_C(4000000)

/* A poller that lags is taken to go on for so long behind its last event. */
#define LAG_STAYS_NS INT64_C(500000)

/* Processors for which one thread polls. */
#define PROCESSORS_A_POLLER 4

/* So many events may be on hand one behind the other before an offer comes to its turn. */
#define EVENTS_BEFORE_HELP 64

/* Of a poller's thread: since when it finds events on hand; 0: it is none. */
static _Thread_local int64_t busy_since_ns;

static _Thread_local bool polls;

/* Until when some poller is taken to lag. */
static _Atomic int64_t lags_until_ns;

bool queues_lag(void)
{
	return busy_since_ns && clock_ns() - busy_since_ns > LAG_NS;
}

bool queues_polls(void)
{
	return polls;
}

bool queues_some_lag(void)
{
	return clock_ns() < atomic_load_explicit(&lags_until_ns, memory_order_relaxed);
}

/* It has looked at the sockets. */
static void note_look(int64_t now_ns)
{
	busy_since_ns = now_ns;
}

/* An event came that was waited for from start_ns on. */
static void note_event(int64_t start_ns)
{
	int64_t now_ns = clock_ns();

	if (now_ns - start_ns > ON_HAND_NS || !busy_since_ns)
		note_look(now_ns);
	else if (now_ns - busy_since_ns > LAG_NS)
		atomic_store_explicit(&lags_until_ns, now_ns + LAG_STAYS_NS, memory_order_relaxed);
}

/* False: the queue is shut down. */
static bool take_event(grpc_completion_queue *queue, gpr_timespec until, bool *ret_taken)
{
	int64_t start_ns = clock_ns();
	grpc_event event = grpc_completion_queue_next(queue, until, NULL);

	*ret_taken = event.type == GRPC_OP_COMPLETE;
	if (event.type == GRPC_QUEUE_TIMEOUT)
		note_look(clock_ns());
	else
		note_event(start_ns);
	if (*ret_taken)
		op_done(event.tag, event.success != 0);
	return event.type != GRPC_QUEUE_SHUTDOWN;
}

static void *poll_streams(void *arg)
{
	grpc_completion_queue *queue = arg;
	bool taken;

	while (take_event(queue, gpr_inf_future(GPR_CLOCK_MONOTONIC), &taken))
		;
	return NULL;
}

/* First what has come in, then one of what is offered, and again. */
static void *poll_main(void *arg)
{
	const struct queues *queues = arg;
	unsigned n_ahead = 0; /* events that went before an offer */
	bool taken = true;

	polls = true;
	for (;;) {
		bool offered = queues->workers && pool_has_offers(queues->workers);

		if (offered && (!taken || n_ahead == EVENTS_BEFORE_HELP)) {
			pool_help(queues->workers);
			n_ahead = 0;
			taken = true;
			continue;
		}
		if (!take_event(queues->main, offered ? gpr_inf_past(GPR_CLOCK_MONOTONIC)
						      : gpr_inf_future(GPR_CLOCK_MONOTONIC),
				&taken))
			return NULL;
		n_ahead = offered ? n_ahead + 1 : 0;
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
	for (size_t i = 0; i < QUEUES_STREAMS; i++) {
		struct queue_of_streams *streams = &queues->streams[i];

		grpc_completion_queue_shutdown(streams->core);
		if (streams->has_poller)
			pthread_join(streams->poller, NULL);
		grpc_completion_queue_destroy(streams->core);
	}
}
