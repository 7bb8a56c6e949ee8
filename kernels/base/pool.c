/* pool - one queue under one lock, which is enough: jobs here last microseconds to seconds, and a
 * lock costs a fraction of one.
 */
#include "kernels/base/pool.h"

#include "kernels/base/deadline.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job_line jobs, offers;
	atomic_size_t n_offers; /* as in offers, for a look without the lock */
	bool closing;
	size_t n_busy, n_asleep; /* threads */
	size_t n_waking;         /* of those asleep: signalled for an offer */
	int64_t run_ns;          /* what a job took, of late */
	enum timer queue_timer;  /* TIMER_N: nobody wants to know */
	size_t n_threads;
	pthread_t threads[];
};

/* Of the last dozen or so. */
#define RUNS_WEIGHED 8

/* What offers have to take together to be worth a thread's waking, which costs some 10 us and comes after 50 or
 * so where its processor has gone to sleep. */
#define WAKE_NS INT64_C(50000)

/* Offers that are older are the threads' alone. */
#define BEHIND_NS INT64_C(2000000)

void job_line_add(struct job_line *line, struct job *job)
{
	job->next = NULL;
	if (line->first)
		line->last->next = job;
	else
		line->first = job;
	line->last = job;
	line->n++;
}

struct job *job_line_take(struct job_line *line)
{
	struct job *job = line->first;

	if (job) {
		line->first = job->next;
		line->n--;
	}
	return job;
}

/* Under the lock, as the rest that has no line of its own. */
static struct job *take_offer(struct pool *pool)
{
	struct job *job = job_line_take(&pool->offers);

	atomic_store_explicit(&pool->n_offers, pool->offers.n, memory_order_relaxed);
	return job;
}

static struct job *take_oldest(struct pool *pool)
{
	const struct job *job = pool->jobs.first, *offer = pool->offers.first;

	if (offer && (!job || offer->queued_ns < job->queued_ns))
		return take_offer(pool);
	return job_line_take(&pool->jobs);
}

static void note_run(struct pool *pool, int64_t ran_ns)
{
	pool->run_ns += (ran_ns - pool->run_ns) / RUNS_WEIGHED;
}

static void time_queue(const struct pool *pool, const struct job *job)
{
	if (pool->queue_timer != TIMER_N)
		timer_add(pool->queue_timer, clock_ns() - job->queued_ns);
}

/* Whether offers have waited for so long that there is more to do than can be done. */
static bool is_behind(const struct pool *pool)
{
	return pool->offers.first && clock_ns() - pool->offers.first->queued_ns > BEHIND_NS;
}

/* How many threads may be at work for an offer: one fewer than there are, as who helps is one, too. */
static size_t busy_max(const struct pool *pool, bool behind)
{
	return behind || pool->n_threads == 1 ? pool->n_threads : pool->n_threads - 1;
}

/* Whether a thread is to be woken by wake, since more is offered than n, for who helps, and one for each that is
 * being woken: what they take will have taken too long. Under the lock; the signal is for behind it. */
static bool is_too_much(struct pool *pool, size_t n, bool behind)
{
	size_t taken = n + pool->n_waking;

	if (pool->offers.n <= taken || pool->n_asleep <= pool->n_waking ||
	    pool->n_busy + pool->n_waking >= busy_max(pool, behind))
		return false;
	if (!behind && (int64_t)(pool->offers.n - taken) * pool->run_ns < WAKE_NS)
		return false;
	pool->n_waking++;
	return true;
}

/* Who is woken for an offer may find it taken, and sleeps again. */
static void wait_for_job(struct pool *pool)
{
	pool->n_asleep++;
	pthread_cond_wait(&pool->wake, &pool->lock);
	pool->n_asleep--;
	if (pool->n_waking > 0)
		pool->n_waking--;
}

/* The next job; waits for one. NULL: the pool is closing and nothing is left. A job that runs
 * meanwhile may still submit more: its own thread comes back here and finds them.
 * ran_ns  what the thread's last one took; below 0: there was none */
static struct job *pool_take(struct pool *pool, int64_t ran_ns)
{
	struct job *job;

	pthread_mutex_lock(&pool->lock);
	if (ran_ns >= 0) {
		note_run(pool, ran_ns);
		pool->n_busy--;
	}
	while (!(job = take_oldest(pool)) && !pool->closing)
		wait_for_job(pool);
	if (job)
		pool->n_busy++;
	pthread_mutex_unlock(&pool->lock);
	if (job)
		time_queue(pool, job);
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
	if (pool->jobs.first)
		oldest_ns = now_ns - pool->jobs.first->queued_ns;
	if (pool->offers.first && now_ns - pool->offers.first->queued_ns > oldest_ns)
		oldest_ns = now_ns - pool->offers.first->queued_ns;
	ahead_ns =
		(int64_t)(pool->jobs.n + pool->offers.n) * pool->run_ns / (int64_t)pool->n_threads;
	pthread_mutex_unlock(&pool->lock);
	return oldest_ns > ahead_ns ? oldest_ns : ahead_ns;
}

void pool_look(struct pool *pool, size_t *ret_threads, size_t *ret_queued)
{
	pthread_mutex_lock(&pool->lock);
	*ret_threads = pool->n_threads;
	*ret_queued = pool->jobs.n + pool->offers.n;
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
	assert(!pool->jobs.first && !pool->offers.first);
	pthread_cond_destroy(&pool->wake);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

void pool_submit(struct pool *pool, struct job *job)
{
	job->queued_ns = clock_ns();
	pthread_mutex_lock(&pool->lock);
	job_line_add(&pool->jobs, job);
	/* Under the lock: once the job has run the pool may be closed. */
	pthread_cond_signal(&pool->wake);
	pthread_mutex_unlock(&pool->lock);
}

void pool_offer(struct pool *pool, struct job *job)
{
	bool wake;

	job->queued_ns = clock_ns();
	pthread_mutex_lock(&pool->lock);
	job_line_add(&pool->offers, job);
	atomic_store_explicit(&pool->n_offers, pool->offers.n, memory_order_relaxed);
	wake = is_too_much(pool, 1, is_behind(pool));
	pthread_mutex_unlock(&pool->lock);
	if (wake)
		pthread_cond_signal(&pool->wake);
}

static bool pool_has_offers(struct pool *pool)
{
	return atomic_load_explicit(&pool->n_offers, memory_order_relaxed) > 0;
}

bool pool_help(struct pool *pool)
{
	int64_t start_ns;
	struct job *job = NULL;
	bool wake, behind;

	if (!pool_has_offers(pool))
		return false;
	pthread_mutex_lock(&pool->lock);
	behind = is_behind(pool);
	if (!behind)
		job = take_offer(pool);
	/* This thread will be away for a while, or is not to be. */
	wake = is_too_much(pool, 0, behind);
	pthread_mutex_unlock(&pool->lock);
	if (wake)
		pthread_cond_signal(&pool->wake);
	if (!job)
		return false;
	time_queue(pool, job);
	start_ns = clock_ns();
	job->run(job);
	pthread_mutex_lock(&pool->lock);
	note_run(pool, clock_ns() - start_ns);
	pthread_mutex_unlock(&pool->lock);
	return true;
}

/* Runs one job and queues again behind the others, so that a busy strand starves nobody. */
static void strand_run(struct job *base)
{
	struct strand *strand = (struct strand *)base;
	struct job *job;

	pthread_mutex_lock(&strand->lock);
	job = job_line_take(&strand->jobs);
	pthread_mutex_unlock(&strand->lock);

	job->run(job);

	pthread_mutex_lock(&strand->lock);
	if (!strand->jobs.first) {
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
	assert(!strand->jobs.first);
	pthread_cond_destroy(&strand->drained);
	pthread_mutex_destroy(&strand->lock);
}

void strand_submit(struct strand *strand, struct job *job)
{
	bool start;

	pthread_mutex_lock(&strand->lock);
	job_line_add(&strand->jobs, job);
	start = !strand->running;
	strand->running = true;
	pthread_mutex_unlock(&strand->lock);
	/* Until this the strand counts as running, so nobody submits it a second time. */
	if (start)
		pool_submit(strand->pool, &strand->base);
}
