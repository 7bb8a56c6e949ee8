/* pool - one queue under one lock, which is enough: jobs here last microseconds to seconds, and a
 * lock costs a fraction of one.
 */
#include "kernels/base/pool.h"

#include "kernels/base/deadline.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *first, *last;
	bool closing;
	size_t n_queued;
	int64_t run_ns;         /* what a job took, of late */
	enum timer queue_timer; /* TIMER_N: nobody wants to know */
	size_t n_threads;
	pthread_t threads[];
};

/* Of the last dozen or so. */
#define RUNS_WEIGHED 8

/* The next job; waits for one. NULL: the pool is closing and nothing is left. A job that runs
 * meanwhile may still submit more: its own thread comes back here and finds them.
 * ran_ns  what the thread's last one took; below 0: there was none */
static struct job *pool_take(struct pool *pool, int64_t ran_ns)
{
	struct job *job;

	pthread_mutex_lock(&pool->lock);
	if (ran_ns >= 0)
		pool->run_ns += (ran_ns - pool->run_ns) / RUNS_WEIGHED;
	while (!pool->first && !pool->closing)
		pthread_cond_wait(&pool->wake, &pool->lock);
	job = pool->first;
	if (job) {
		pool->first = job->next;
		pool->n_queued--;
	}
	pthread_mutex_unlock(&pool->lock);
	if (job && pool->queue_timer != TIMER_N)
		timer_add(pool->queue_timer, clock_ns() - job->queued_ns);
	return job;
}

static void *pool_work(void *arg)
{
	struct pool *pool = arg;
	int64_t ran_ns = -1;
	struct job *job;

	while ((job = pool_take(pool, ran_ns))) {
		int64_t start_ns = clock_ns();

		job->run(job);
		ran_ns = clock_ns() - start_ns;
	}
	return NULL;
}

static bool pool_start_thread(struct pool *pool, const char *name)
{
	size_t i = pool->n_threads;
	char full[16];

	if (pthread_create(&pool->threads[i], NULL, pool_work, pool))
		return false;
	pool->n_threads++;
	snprintf(full, sizeof full, "%.10s-%u", name, (unsigned)(i % 10000));
	pthread_setname_np(pool->threads[i], full);
	return true;
}

status pool_open(size_t n_threads, const char *name, struct pool **ret)
{
	struct pool *pool;
	sigset_t all, before;
	bool started = true;

	assert(n_threads > 0 && n_threads < 10000);
	pool = calloc(1, sizeof *pool + n_threads * sizeof pool->threads[0]);
	if (!pool)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a thread pool");
	pool->queue_timer = TIMER_N;
	/* Neither fails with default attributes on Linux. */
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->wake, NULL);

	/* Threads inherit the mask; signals are for the main thread alone. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started && pool->n_threads < n_threads)
		started = pool_start_thread(pool, name);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!started) {
		pool_close(pool);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "a thread for a pool");
	}
	*ret = pool;
	return status_ok();
}

void pool_time_queue(struct pool *pool, enum timer timer)
{
	pool->queue_timer = timer;
}

int64_t pool_wait_ns(struct pool *pool)
{
	int64_t now_ns = clock_ns(), oldest_ns = 0, ahead_ns;

	pthread_mutex_lock(&pool->lock);
	if (pool->first)
		oldest_ns = now_ns - pool->first->queued_ns;
	ahead_ns = (int64_t)pool->n_queued * pool->run_ns / (int64_t)pool->n_threads;
	pthread_mutex_unlock(&pool->lock);
	return oldest_ns > ahead_ns ? oldest_ns : ahead_ns;
}

void pool_look(struct pool *pool, size_t *ret_threads, size_t *ret_queued)
{
	pthread_mutex_lock(&pool->lock);
	*ret_threads = pool->n_threads;
	*ret_queued = pool->n_queued;
	pthread_mutex_unlock(&pool->lock);
}

void pool_close(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	assert(!pool->first);
	pthread_cond_destroy(&pool->wake);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void pool_submit(struct pool *pool, struct job *job)
{
	job->next = NULL;
	job->queued_ns = clock_ns();
	pthread_mutex_lock(&pool->lock);
	if (pool->first)
		pool->last->next = job;
	else
		pool->first = job;
	pool->last = job;
	pool->n_queued++;
	pthread_cond_signal(&pool->wake);
	pthread_mutex_unlock(&pool->lock);
}

/* Runs one job and queues again behind the others, so that a busy strand starves nobody. */
static void strand_run(struct job *base)
{
	struct strand *strand = (struct strand *)base;
	struct job *job;

	pthread_mutex_lock(&strand->lock);
	job = strand->first;
	strand->first = job->next;
	pthread_mutex_unlock(&strand->lock);

	job->run(job);

	pthread_mutex_lock(&strand->lock);
	if (!strand->first) {
		strand->running = false;
		pthread_cond_broadcast(&strand->drained);
		pthread_mutex_unlock(&strand->lock);
		return;
	}
	pthread_mutex_unlock(&strand->lock);
	pool_submit(strand->pool, &strand->base);
}

void strand_init(struct strand *strand, struct pool *pool)
{
	*strand = (struct strand){.base.run = strand_run, .pool = pool};
	pthread_mutex_init(&strand->lock, NULL);
	pthread_cond_init(&strand->drained, NULL);
}

void strand_finish(struct strand *strand)
{
	pthread_mutex_lock(&strand->lock);
	while (strand->running)
		pthread_cond_wait(&strand->drained, &strand->lock);
	pthread_mutex_unlock(&strand->lock);
	assert(!strand->first);
	pthread_cond_destroy(&strand->drained);
	pthread_mutex_destroy(&strand->lock);
}

void strand_submit(struct strand *strand, struct job *job)
{
	bool start;

	job->next = NULL;
	pthread_mutex_lock(&strand->lock);
	if (strand->first)
		strand->last->next = job;
	else
		strand->first = job;
	strand->last = job;
	start = !strand->running;
	strand->running = true;
	pthread_mutex_unlock(&strand->lock);
	/* Until this the strand counts as running, so nobody submits it a second time. */
	if (start)
		pool_submit(strand->pool, &strand->base);
}
