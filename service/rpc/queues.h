/* queues - the completion queues of a server, and the threads that take what comes from them.
 *
 * Debian's gRPC core keeps its debug checks: it looks for each op that is done among all that are out
 * on the same queue. A stream that waits has two out, so behind thousands of them a search would pay
 * for each of its own: 23 us beside 5,000. Hence streams of clients have queues of their own, by turns,
 * each with a thread; these queues do not poll sockets, which the pollers of the main one do for all.
 */
#ifndef SLUICE_SERVICE_RPC_QUEUES_H
#define SLUICE_SERVICE_RPC_QUEUES_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <grpc/grpc.h>
#include <pthread.h>

#define QUEUES_STREAMS 8

struct queue_of_streams {
	grpc_completion_queue *core;
	pthread_t poller;
	bool has_poller;
};

/* All zero is fine to close. */
struct queues {
	grpc_completion_queue *main; /* arrivals, and the calls of all other methods */
	pthread_t *pollers;          /* [n_pollers] of main */
	size_t n_pollers;
	struct queue_of_streams streams[QUEUES_STREAMS];
};

/* queues_open - n_pollers  0: processors_count(). What there is on a failure is for queues_close.
 * Fails: RESOURCE_EXHAUSTED */
status queues_open(struct queues *queues, size_t n_pollers, struct arena *arena);

/* queues_lag - whether this thread is a poller that has not looked for new events for so long that who
 * comes meanwhile should not wait for more work of it. */
bool queues_lag(void);

/* queues_some_lag - whether some poller of the process is such. */
bool queues_some_lag(void);

/* queues_polls - whether this thread is a poller. */
bool queues_polls(void);

/* queues_close - nothing may be out. Waits for the threads. */
void queues_close(struct queues *queues);

#endif
