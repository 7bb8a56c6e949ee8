#include "kernels/base/pool.h"

#include "kernels/base/deadline.h"
#include "tests/kernels/failing_malloc.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#define N_JOBS 2000

struct counted {
	struct job base;
	atomic_int *done;
};

static void count_one(struct job *job)
{
	atomic_fetch_add(((struct counted *)job)->done, 1);
}

Test(pool, runs_every_job_before_it_closes)
{
	static struct counted jobs[N_JOBS];
	atomic_int done = 0;

	for (size_t n_threads = 1; n_threads <= 8; n_threads *= 2) {
		atomic_store(&done, 0);
		{
			SCOPED(pool) pool = NULL;

			cr_assert(!status_failed(pool_open(n_threads, "test", &pool)));
			for (size_t i = 0; i < N_JOBS; i++) {
				jobs[i] = (struct counted){{.run = count_one}, &done};
				pool_submit(pool, &jobs[i].base);
			}
		}
		cr_assert_eq(atomic_load(&done), N_JOBS);
	}
	pool_close(NULL);
}

/* A job that submits itself until its count is down. */
struct chained {
	struct job base;
	struct pool *pool;
	int left;
	atomic_int *done;
};

static void chain_on(struct job *job)
{
	struct chained *chained = (struct chained *)job;

	atomic_fetch_add(chained->done, 1);
	if (--chained->left > 0)
		pool_submit(chained->pool, job);
}

Test(pool, runs_what_jobs_submit_while_it_closes)
{
	atomic_int done = 0;
	struct chained jobs[4];
	struct pool *pool = NULL;

	cr_assert(!status_failed(pool_open(3, "test", &pool)));
	for (size_t i = 0; i < 4; i++) {
		jobs[i] = (struct chained){{.run = chain_on}, pool, 500, &done};
		pool_submit(pool, &jobs[i].base);
	}
	pool_close(pool);
	cr_assert_eq(atomic_load(&done), 2000);
}

struct noted {
	struct job base;
	int number;
	int *order; /* plain memory: a single thread must run these in turn */
	int *n;
};

static void note(struct job *job)
{
	struct noted *noted = (struct noted *)job;

	noted->order[(*noted->n)++] = noted->number;
}

Test(pool, keeps_the_order_of_submission_on_one_thread)
{
	struct noted jobs[100];
	int order[100], n = 0;
	struct pool *pool = NULL;

	cr_assert(!status_failed(pool_open(1, "test", &pool)));
	for (int i = 0; i < 100; i++) {
		jobs[i] = (struct noted){{.run = note}, i, order, &n};
		pool_submit(pool, &jobs[i].base);
	}
	pool_close(pool);
	cr_assert_eq(n, 100);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(order[i], i);
}

static void note_mask(struct job *job)
{
	struct noted *noted = (struct noted *)job;
	sigset_t mask;

	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	*noted->n = sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGINT) == 1;
}

Test(pool, blocks_signals_on_its_threads_alone)
{
	int blocked = 0;
	struct noted job = {.base.run = note_mask, .n = &blocked};
	struct pool *pool = NULL;
	sigset_t mask;

	cr_assert(!status_failed(pool_open(1, "test", &pool)));
	pool_submit(pool, &job.base);
	pool_close(pool);
	cr_assert(blocked);
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	cr_assert_eq(sigismember(&mask, SIGTERM), 0);
}

Test(strand, runs_one_job_at_a_time_in_order)
{
	static struct noted jobs[3][N_JOBS];
	static int order[3][N_JOBS];
	int n[3] = {0};
	struct strand strands[3];
	struct pool *pool = NULL;

	cr_assert(!status_failed(pool_open(4, "test", &pool)));
	for (size_t s = 0; s < 3; s++)
		strand_init(&strands[s], pool);
	for (int i = 0; i < N_JOBS; i++) {
		for (size_t s = 0; s < 3; s++) {
			jobs[s][i] = (struct noted){{.run = note}, i, order[s], &n[s]};
			strand_submit(&strands[s], &jobs[s][i].base);
		}
	}
	for (size_t s = 0; s < 3; s++)
		strand_finish(&strands[s]);

	for (size_t s = 0; s < 3; s++) {
		cr_assert_eq(n[s], N_JOBS);
		for (int i = 0; i < N_JOBS; i++)
			cr_assert_eq(order[s][i], i, "strand %zu", s);
	}
	pool_close(pool);
}

/* Threads that submit at the same time: each finds its own jobs in order. */
struct submitter {
	struct strand *strand;
	struct noted *jobs;
	size_t n;
};

static void *submit_all(void *arg)
{
	struct submitter *submitter = arg;

	for (size_t i = 0; i < submitter->n; i++)
		strand_submit(submitter->strand, &submitter->jobs[i].base);
	return NULL;
}

Test(strand, takes_jobs_from_many_threads)
{
	static struct noted jobs[4][500];
	static int order[2000];
	int n = 0, last[4] = {-1, -1, -1, -1};
	struct submitter submitters[4];
	pthread_t threads[4];
	struct strand strand;
	struct pool *pool = NULL;

	cr_assert(!status_failed(pool_open(2, "test", &pool)));
	strand_init(&strand, pool);
	for (size_t t = 0; t < 4; t++) {
		for (int i = 0; i < 500; i++)
			jobs[t][i] = (struct noted){{.run = note}, (int)t * 500 + i, order, &n};
		submitters[t] = (struct submitter){&strand, jobs[t], 500};
		cr_assert_eq(pthread_create(&threads[t], NULL, submit_all, &submitters[t]), 0);
	}
	for (size_t t = 0; t < 4; t++)
		pthread_join(threads[t], NULL);
	strand_finish(&strand);
	pool_close(pool);

	cr_assert_eq(n, 2000);
	for (int i = 0; i < n; i++) {
		int t = order[i] / 500;

		cr_assert_gt(order[i], last[t]);
		last[t] = order[i];
	}
}

Test(pool, leaves_nothing_behind_where_opening_fails)
{
	for (long nth = 0;; nth++) {
		struct pool *pool = NULL;
		status opened;
		bool struck;

		failing_malloc_set(nth);
		opened = pool_open(4, "test", &pool);
		struck = failing_malloc_struck();
		failing_malloc_set(-1);

		cr_assert_eq(opened.code, struck ? STATUS_RESOURCE_EXHAUSTED : STATUS_OK,
			     "call %ld", nth);
		cr_assert_eq(pool == NULL, struck);
		pool_close(pool);
		if (!struck)
			break;
	}
}

/* Waits until it is let go. */
struct held {
	struct job base;
	pthread_mutex_t *gate;
};

static void pass_gate(struct job *job)
{
	struct held *held = (struct held *)job;

	pthread_mutex_lock(held->gate);
	pthread_mutex_unlock(held->gate);
}

Test(pool, tells_how_long_a_job_would_wait)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct held jobs[2] = {{{.run = pass_gate}, &gate}, {{.run = pass_gate}, &gate}};
	struct pool *pool = NULL;
	int64_t first, second = 0;

	cr_assert(!status_failed(pool_open(1, "test", &pool)));
	cr_assert_eq(pool_wait_ns(pool), 0);
	pthread_mutex_lock(&gate);
	for (size_t i = 0; i < 2; i++)
		pool_submit(pool, &jobs[i].base);
	/* Whichever is next waits since it came, and longer the longer one looks. */
	first = pool_wait_ns(pool);
	for (int i = 0; i < 1000000 && second <= first; i++)
		second = pool_wait_ns(pool);
	cr_assert_gt(second, first);
	cr_assert_gt(second, 0);
	pthread_mutex_unlock(&gate);
	pool_close(pool);
}

/* A job that notes on which thread it ran, and takes its time. */
struct placed {
	struct job base;
	pthread_t thread;
	int64_t lasts_ns;
	atomic_bool *elsewhere; /* set where that is not owner; may be NULL */
	pthread_t owner;
};

static void note_thread(struct job *job)
{
	struct placed *placed = (struct placed *)job;
	int64_t until_ns = clock_ns() + placed->lasts_ns;

	placed->thread = pthread_self();
	while (clock_ns() < until_ns)
		;
	if (placed->elsewhere && !pthread_equal(placed->thread, placed->owner))
		atomic_store(placed->elsewhere, true);
}

Test(pool, helps_with_an_offer_on_the_thread_that_asks)
{
	struct placed job = {.base.run = note_thread};
	SCOPED(pool) pool = NULL;

	cr_assert(!status_failed(pool_open(2, "test", &pool)));
	cr_assert(!pool_help(pool));
	pool_offer(pool, &job.base);
	cr_assert_gt(pool_wait_ns(pool), 0);
	cr_assert(pool_help(pool));
	cr_assert(pthread_equal(job.thread, pthread_self()));
	cr_assert(!pool_help(pool));
}

Test(pool, runs_offers_that_nobody_helps_with_before_it_closes)
{
	static struct counted jobs[N_JOBS];
	atomic_int done = 0;
	struct pool *pool = NULL;

	cr_assert(!status_failed(pool_open(2, "test", &pool)));
	for (size_t i = 0; i < N_JOBS; i++) {
		jobs[i] = (struct counted){{.run = count_one}, &done};
		pool_offer(pool, &jobs[i].base);
	}
	pool_close(pool);
	cr_assert_eq(atomic_load(&done), N_JOBS);
}

/* Of a pool with one thread, too: where that is all there is, it is woken beside who helps. */
Test(pool, wakes_a_thread_for_more_than_who_offers_will_get_to)
{
	for (size_t n_threads = 1; n_threads <= 3; n_threads++) {
		static struct placed jobs[32];
		atomic_bool elsewhere = false;
		struct pool *pool = NULL;
		int64_t until_ns = clock_ns() + INT64_C(10000000000);

		cr_assert(!status_failed(pool_open(n_threads, "test", &pool)));
		/* What a job takes is learned from these. */
		for (size_t i = 0; i < 32; i++) {
			jobs[i] = (struct placed){.base.run = note_thread, .lasts_ns = 200000};
			pool_offer(pool, &jobs[i].base);
			while (pool_help(pool))
				;
		}
		for (size_t i = 0; i < 32; i++) {
			jobs[i].elsewhere = &elsewhere;
			jobs[i].owner = pthread_self();
			pool_offer(pool, &jobs[i].base);
		}
		while (!atomic_load(&elsewhere) && clock_ns() < until_ns)
			sched_yield();
		cr_assert(atomic_load(&elsewhere), "%zu threads", n_threads);
		pool_close(pool);
	}
}

Test(pool, takes_jobs_and_offers_in_the_order_in_which_they_came)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct held held = {{.run = pass_gate}, &gate};
	struct noted jobs[9];
	int order[9], n = 0;
	struct pool *pool = NULL;

	cr_assert(!status_failed(pool_open(1, "test", &pool)));
	pthread_mutex_lock(&gate);
	pool_submit(pool, &held.base);
	for (int i = 0; i < 9; i++) {
		int64_t before_ns = clock_ns();

		jobs[i] = (struct noted){{.run = note}, i, order, &n};
		if (i % 3 == 1)
			pool_offer(pool, &jobs[i].base);
		else
			pool_submit(pool, &jobs[i].base);
		while (clock_ns() == before_ns)
			;
	}
	pthread_mutex_unlock(&gate);
	pool_close(pool);
	cr_assert_eq(n, 9);
	for (int i = 0; i < 9; i++)
		cr_assert_eq(order[i], i);
}
