/* crew - a number that says which part is next, and threads that take from it. */
#include "index/build/crew.h"

#include "index/build/threads.h"
#include "kernels/base/error_info.h"
#include "kernels/base/thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

/* Of a worker: the detail of one failure. */
#define ARENA_BYTES ((size_t)64 << 10)

static atomic_size_t limit;

struct crew {
	const struct crew_work *work;
	atomic_size_t next, n_done;
	pthread_mutex_t lock;
	size_t failed; /* part; SIZE_MAX: none */
	status result;
};

struct worker {
	struct crew *crew;
	pthread_t thread;
	size_t number;
	struct arena arena;
};

void crew_limit(size_t n)
{
	atomic_store(&limit, n);
}

size_t crew_size(size_t n_parts)
{
	size_t n = atomic_load(&limit);

	if (n == 0)
		n = build_processors();
	if (n > CREW_MAX)
		n = CREW_MAX;
	if (n > n_parts)
		n = n_parts;
	return n ? n : 1;
}

/* In the memory of who asked. */
static status status_for(struct arena *arena, status s)
{
	const char *detail = NULL;

	if (arena && s.detail)
		detail = arena_copy(arena, s.detail, strlen(s.detail));
	return status_with(status_make(s.code, detail ? detail : "part of a build failed"),
			   error_info_copy(arena, s.info));
}

static void note_failure(struct crew *crew, size_t part, status s)
{
	pthread_mutex_lock(&crew->lock);
	if (part < crew->failed) {
		crew->failed = part;
		crew->result = status_for(crew->work->arena, s);
	}
	pthread_mutex_unlock(&crew->lock);
	/* There is nothing left to take. */
	atomic_store(&crew->next, crew->work->n);
}

static void worker_run(struct worker *worker)
{
	struct crew *crew = worker->crew;
	const struct crew_work *work = crew->work;
	const struct crew_place place = {worker->number, &worker->arena};

	for (;;) {
		size_t part = atomic_fetch_add(&crew->next, 1);
		status s;

		if (part >= work->n)
			break;
		s = deadline_check(work->deadline);
		if (!status_failed(s))
			s = work->run(work->context, part, &place);
		if (status_failed(s)) {
			note_failure(crew, part, s);
			break;
		}
		part = atomic_fetch_add(&crew->n_done, 1) + 1;
		if (work->told && worker->number == 0)
			work->told(work->context, part);
	}
}

static void *worker_main(void *argument)
{
	struct worker *worker = argument;

	(void)pthread_setname_np(pthread_self(), "builder");
	(void)build_threads_alone();
	worker_run(worker);
	return NULL;
}

status crew_run(const struct crew_work *work)
{
	struct crew crew = {.work = work, .failed = SIZE_MAX, .result = status_ok()};
	struct worker workers[CREW_MAX];
	size_t wanted = work->n_workers ? work->n_workers : crew_size(work->n), n = 1;
	int threads;

	pthread_mutex_init(&crew.lock, NULL);
	for (size_t i = 0; i < wanted; i++) {
		workers[i] = (struct worker){.crew = &crew, .number = i};
		arena_init(&workers[i].arena, ARENA_BYTES);
	}
	while (n < wanted &&
	       !status_failed(thread_start(worker_main, &workers[n], "a thread to build with",
					   &workers[n].thread)))
		n++;
	threads = build_threads_alone();
	worker_run(&workers[0]);
	build_threads_restore(threads);
	for (size_t i = 1; i < n; i++)
		pthread_join(workers[i].thread, NULL);
	for (size_t i = 0; i < wanted; i++)
		arena_finish(&workers[i].arena);
	pthread_mutex_destroy(&crew.lock);
	return crew.result;
}
