/* queues - opened before the server's core and closed after it. */
#include "service/rpc/queues.h"

#include "kernels/base/deadline.h"
#include "service/processors.h"
#include "service/rpc/op.h"

#include <signal.h>
#include <stdatomic.h>

/* An event that took longer to come was not on hand: the core has looked at the sockets. */
#define ON_HAND_NS INT64_C(10000)

/* How much of what was on hand is done before. What is read from no socket meanwhile may be the word that it
 * is not wanted any more. */
#define LAG_NS INT64_C(4000000)

/* A poller that lags is taken to go on for so long behind its last event. */
#define LAG_STAYS_NS INT64_C(500000)

/* Of a poller's thread: since when it finds events on hand; 0: it is none. */
static _Thread_local int64_t busy_since_ns;

/* Until when some poller is taken to lag. */
static _Atomic int64_t lags_until_ns;

bool queues_lag(void)
{
	return busy_since_ns && clock_ns() - busy_since_ns > LAG_NS;
}

bool queues_polls(void)
{
	return busy_since_ns;
}

bool queues_some_lag(void)
{
	return clock_ns() < atomic_load_explicit(&lags_until_ns, memory_order_relaxed);
}

/* An event came that was waited for from start_ns on. */
static void note_event(int64_t start_ns)
{
	int64_t now_ns = clock_ns();

	if (now_ns - start_ns > ON_HAND_NS || !busy_since_ns)
		busy_since_ns = now_ns;
	else if (now_ns - busy_since_ns > LAG_NS)
		atomic_store_explicit(&lags_until_ns, now_ns + LAG_STAYS_NS, memory_order_relaxed);
}

static void *poll_queue(void *arg)
{
	grpc_completion_queue *queue = arg;
	const gpr_timespec never = gpr_inf_future(GPR_CLOCK_MONOTONIC);

	for (;;) {
		int64_t start_ns = clock_ns();
		grpc_event event = grpc_completion_queue_next(queue, never, NULL);

		note_event(start_ns);
		if (event.type == GRPC_QUEUE_SHUTDOWN)
			return NULL;
		if (event.type == GRPC_OP_COMPLETE)
			op_done(event.tag, event.success != 0);
	}
}

static bool start_thread(grpc_completion_queue *queue, const char *name, pthread_t *ret)
{
	if (pthread_create(ret, NULL, poll_queue, queue) != 0)
		return false;
	pthread_setname_np(*ret, name);
	return true;
}

static bool start_pollers(struct queues *queues, size_t n)
{
	while (queues->n_pollers < n) {
		pthread_t *poller = &queues->pollers[queues->n_pollers];

		if (!start_thread(queues->main, "rpc-poller", poller))
			return false;
		queues->n_pollers++;
	}
	for (size_t i = 0; i < QUEUES_STREAMS; i++) {
		struct queue_of_streams *streams = &queues->streams[i];

		streams->has_poller = start_thread(streams->core, "rpc-streams", &streams->poller);
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

status queues_open(struct queues *queues, size_t n_pollers, struct arena *arena)
{
	size_t n = n_pollers ? n_pollers : processors_count();
	sigset_t all, before;
	bool started;

	queues->pollers = ARENA_ARRAY(arena, pthread_t, n);
	if (!queues->pollers)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a server");
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
