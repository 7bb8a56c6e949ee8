/* pool - threads that run jobs in the order of submission, and strands on them.
 *
 * A job is embedded in whatever it works for; the pool allocates nothing for it. After submission
 * it belongs to the pool until its run is called, which may free it.
 * A strand runs its jobs one at a time, in order, on whatever thread of the pool is free: a
 * single writer without a thread of its own.
 */
#ifndef SLUICE_KERNELS_BASE_POOL_H
#define SLUICE_KERNELS_BASE_POOL_H

#include "kernels/base/meter.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct pool;

struct job {
	void (*run)(struct job *job);
	struct job *next;  /* the pool's */
	int64_t queued_ns; /* the pool's: since when */
};

/* job_line - jobs in the order in which they were added. All zero is empty. Without a lock of its own. */
struct job_line {
	struct job *first, *last;
	size_t n;
};

void job_line_add(struct job_line *line, struct job *job);
struct job *job_line_take(struct job_line *line); /* NULL: it is empty */

/* pool_open - n_threads threads, with all signals blocked. name  at most 10 bytes, shows in ps.
 * Fails: RESOURCE_EXHAUSTED */
status pool_open(size_t n_threads, const char *name, struct pool **ret);

/* pool_time_queue - from now on how long jobs wait for a thread is counted there. Before the first is
 * submitted. */
void pool_time_queue(struct pool *pool, enum timer timer);

/* pool_wait_ns - how long a job that is submitted now would wait, as far as those tell that wait and those
 * that ran last; 0 where none waits. A guess, and cheap. */
int64_t pool_wait_ns(struct pool *pool);

/* pool_look - how many threads there are, and jobs that wait for one. */
void pool_look(struct pool *pool, size_t *ret_threads, size_t *ret_queued);

/* pool_close - runs what was submitted, then joins the threads. NULL is fine. Not from a job. */
void pool_close(struct pool *pool);

void pool_submit(struct pool *pool, struct job *job);

/* pool_offer - submits a job so short that waking a thread for it costs as much as it does: this thread will
 * look for offers itself, by pool_help, as soon as it has nothing better to do. Where more are offered
 * than it will get to soon, threads of the pool are woken, one fewer than there are: with this one as
 * many as there are are at work then. The pool has to outlive the call. */
void pool_offer(struct pool *pool, struct job *job);

/* pool_help - runs the oldest offer on this thread. False: there was none, its own it would have seen; or it has
 * waited for so long that there is more to do than can be done. Then offers are for the threads of the
 * pool, all of them, and this one is better left to what it has besides. */
bool pool_help(struct pool *pool);

SCOPE_DEFINE(pool, pool_close)

struct strand {
	struct job base; /* the strand itself as a job of the pool */
	struct pool *pool;
	pthread_mutex_t lock;
	pthread_cond_t drained;
	struct job_line jobs;
	bool running; /* submitted to the pool and not yet drained */
};

void strand_init(struct strand *strand, struct pool *pool);
/* strand_finish - waits until what was submitted has run. Nothing may be submitted any more; not
 * from a job of the strand. */
void strand_finish(struct strand *strand);
void strand_submit(struct strand *strand, struct job *job);

#endif
