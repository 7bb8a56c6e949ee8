/* queues - the completion queues of a server, and the threads that take what comes from them.
 *
 * Debian's gRPC core keeps its debug checks: it looks for each op that is done among all that are out
 * on the same queue. A stream that waits has two out, so behind thousands of them a search would pay
 * for each of its own: 23 us beside 5,000. Hence streams of clients beyond the first few have queues of
 * their own, by turns, each with a thread that has to be woken for each event; these queues do not poll
 * sockets, which the pollers of the main one do for all.
 *
 * Few threads poll, one where there are up to four processors. The core has a lock a connection, and hands what
 * it was to write to a thread of its own where two meet there: with a poller a processor, on two of
 * them, an empty search cost twice as much, and fewer were answered in a second than by one alone. So
 * that the other processors have something to do, pollers leave to the workers what takes a while,
 * and get from them what is to be sent; what is left over they do themselves, when nothing more has
 * come in.
 */
#ifndef SLUICE_SERVICE_RPC_QUEUES_H
#define SLUICE_SERVICE_RPC_QUEUES_H

#include "kernels/base/arena.h"
#include "kernels/base/pool.h"
#include "kernels/base/status.h"

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#define QUEUES_STREAMS 8

/* Streams of clients on the main queue, where those that were let in meanwhile may come on top; they cost
 * its calls 0.3 us. */
#define STREAMS_ON_MAIN 64

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
	struct pool *workers; /* borrowed; NULL: there are none */
	struct queue_of_streams streams[QUEUES_STREAMS];
	atomic_uint n_on_main;   /* streams; their calls count */
	atomic_uint next_stream; /* whose turn it is */

	pthread_mutex_t lock;
	struct job_line returned;         /* under the lock */
	atomic_uint n_returned, n_asleep; /* jobs; pollers that wait for an event */

	_Atomic int64_t lags_until_ns; /* some poller is taken to lag until then */
	_Atomic int64_t gathers_until_ns;
};

/* queues_open - n_pollers  0: one for each four processors. workers  what is offered to them, pollers
 * help with. What there is on a failure is for queues_close. Fails: RESOURCE_EXHAUSTED */
status queues_open(struct queues *queues, size_t n_pollers, struct pool *workers,
		   struct arena *arena);

/* queues_choose - the queue of the next stream of a client. */
grpc_completion_queue *queues_choose(struct queues *queues);

/* queues_return - has a poller of the main queue run a job, before what is on hand there. From any thread.
 * Where queues_asleep says so after it, an event has to follow that wakes one. */
void queues_return(struct queues *queues, struct job *job);
bool queues_asleep(struct queues *queues);

/* queues_lag - whether this thread takes events, and for some milliseconds has found one after the other on
 * hand, so that no socket was looked at. */
bool queues_lag(void);

/* queues_some_lag - whether some poller of the main queue is. */
bool queues_some_lag(struct queues *queues);

/* queues_gather - has pollers of the main queue take what comes in gulps until then: where it is too much, being woken
 * for each call costs a quarter of what its refusal does. */
void queues_gather(struct queues *queues, int64_t until_ns);

/* queues_polls - whether this thread is a poller of the main queue; it will help with what it offers to the
 * workers. */
bool queues_polls(void);

/* queues_close - nothing may be out. Waits for the threads. */
void queues_close(struct queues *queues);

#endif
