/* watch - asks, waits, and opens other doors. */
#include "service/rpc/watch.h"

#include "kernels/base/log.h"
#include "kernels/base/thread.h"
#include "service/memory.h"
#include "service/rpc/door.h"
#include "service/rpc/probe.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>

#define WATCH_NS ((int64_t)1000000000)
#define ANSWER_MS 1000
#define MEMORY_NS ((int64_t)100000000)
/* So often silent in a row: after the core's own word, and where there was none, which a machine that has
 * no time for us may do to a listener that is well. */
#define SILENCES_TOLD 2
#define SILENCES 10
#define DETAIL_BYTES ((size_t)64 << 10)
/* Of memory that malloc may keep beyond what it had kept before. */
#define KEPT_BYTES_MAX ((size_t)16 << 20)

/* That go on serving who is connected; what comes at the moment of a GOAWAY is lost, so an older one gets
 * it only since its memory should be free one day. */
#define RETIRED_SERVING 4

static atomic_uint failures;

struct watched {
	bool answers;               /* it has, once: before, its silence alone says nothing */
	bool told;                  /* that it cannot be replaced */
	unsigned n_silent;          /* in a row */
	unsigned failures_answered; /* of failures, when it last answered */
};

struct watch {
	struct rpc_server *server;
	int64_t probe_ns;    /* how often; below 0: never */
	int64_t interval_ns; /* how often anything */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ending;
	bool ended;               /* under the lock */
	struct watched watched[]; /* [n_addresses] the thread's */
};

void watch_note_failure(void)
{
	atomic_fetch_add(&failures, 1);
}

unsigned rpc_accept_failures(void)
{
	return atomic_load(&failures);
}

/* --- doors --- */

static void retire(struct rpc_server *server, struct door *door)
{
	size_t n = 0;

	door->next = server->retired;
	server->retired = door;
	for (; door; door = door->next)
		if (++n > RETIRED_SERVING)
			door_shut(door);
}

/* Those whose last connection has ended. */
static void close_retired(struct rpc_server *server)
{
	struct door **at = &server->retired;

	while (*at) {
		struct door *door = *at;
		bool ended;

		pthread_mutex_lock(&server->host.lock);
		ended = door_has_ended(door);
		pthread_mutex_unlock(&server->host.lock);
		if (!ended) {
			at = &door->next;
			continue;
		}
		*at = door->next;
		door_close(door);
	}
}

/* The old one first gives its address free. */
static void replace(struct rpc_server *server, size_t i, struct watched *watched)
{
	const char *address = server->addresses[i];
	struct door *fresh = NULL, *old = server->doors[i];
	struct arena memory;
	SCOPED(arena) arena = &memory;
	status opened;

	arena_init(arena, DETAIL_BYTES);
	listening_silence(&old->listens);
	opened = door_open(server, address, arena, &fresh);
	if (status_failed(opened)) {
		if (!watched->told)
			log_write(LOG_ERROR, "nobody answers at %s, and it cannot be replaced: %s",
				  address, opened.detail);
		watched->told = true;
		return;
	}
	server->doors[i] = fresh;
	retire(server, old);
	watched->told = false;
	watched->n_silent = 0;
	atomic_fetch_add(&server->n_replaced, 1);
	log_write(LOG_WARNING,
		  "nobody answered at %s any more, which happens where a process runs out of "
		  "descriptors: its listener was replaced",
		  address);
}

static void look_at(struct rpc_server *server, size_t i, struct watched *watched)
{
	unsigned failures_now = atomic_load(&failures);
	enum probe_answer answer = probe_listening(&server->doors[i]->listens, ANSWER_MS);
	bool told;

	if (answer == PROBE_ANSWERED) {
		watched->answers = true;
		watched->n_silent = 0;
		watched->failures_answered = failures_now;
	}
	told = atomic_load(&failures) != watched->failures_answered;
	if (answer != PROBE_SILENT || !(told || watched->answers))
		return;
	if (++watched->n_silent >= (told ? SILENCES_TOLD : SILENCES))
		replace(server, i, watched);
}

/* --- memory --- */

/* What was given back may still be counted: it is taken from malloc first. */
static void look_at_memory(struct call_host *host)
{
	bool before = atomic_load(&host->pressed), now;

	if (!host->memory_bytes_max)
		return;
	now = memory_used() > host->memory_bytes_max;
	if (now) {
		malloc_trim(0);
		now = memory_used() > host->memory_bytes_max;
	}
	atomic_store(&host->pressed, now);
	if (now != before)
		log_write(LOG_WARNING,
			  now ? "more memory than limits.memory_bytes_max, %llu: calls are refused"
			      : "memory is below limits.memory_bytes_max, %llu, again: calls are "
				"taken",
			  (unsigned long long)host->memory_bytes_max);
}

/* Gives back what malloc keeps after a storm of calls, when there is much more of it than the last time.
 * free_before  what was free then; gives what is free now, or the same where nothing was done */
static size_t give_back(size_t free_before)
{
	size_t free_now = mallinfo2().fordblks;

	if (free_now < free_before)
		return free_now;
	if (free_now - free_before < KEPT_BYTES_MAX)
		return free_before;
	malloc_trim(0);
	return mallinfo2().fordblks;
}

/* --- the thread --- */

/* Whether the watch goes on, after a while. */
static bool wait_a_while(struct watch *watch)
{
	int64_t until_ns = clock_ns() + watch->interval_ns;
	struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
	bool goes_on;

	pthread_mutex_lock(&watch->lock);
	while (!watch->ended &&
	       pthread_cond_timedwait(&watch->ending, &watch->lock, &until) != ETIMEDOUT)
		continue;
	goes_on = !watch->ended;
	pthread_mutex_unlock(&watch->lock);
	return goes_on;
}

static void *watch_run(void *arg)
{
	struct watch *watch = arg;
	struct rpc_server *server = watch->server;

	int64_t due_ns = clock_ns() + watch->probe_ns;
	size_t free_bytes = 0;

	while (wait_a_while(watch)) {
		look_at_memory(&server->host);
		free_bytes = give_back(free_bytes);
		if (watch->probe_ns < 0 || clock_ns() < due_ns)
			continue;
		close_retired(server);
		for (size_t i = 0; i < server->n_addresses && probe_has_room(); i++)
			look_at(server, i, &watch->watched[i]);
		due_ns = clock_ns() + watch->probe_ns;
	}
	return NULL;
}

static bool start(struct watch *watch)
{
	if (status_failed(thread_start(watch_run, watch, "a thread for a server", &watch->thread)))
		return false;
	pthread_setname_np(watch->thread, "rpc-watch");
	return true;
}

static void watch_free(struct watch *watch)
{
	pthread_cond_destroy(&watch->ending);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

status watch_open(struct rpc_server *server, struct watch **ret)
{
	struct watch *watch =
		calloc(1, sizeof *watch + server->n_addresses * sizeof watch->watched[0]);
	pthread_condattr_t attributes;

	if (!watch)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a server");
	watch->server = server;
	for (size_t i = 0; i < server->n_addresses; i++)
		watch->watched[i].failures_answered = atomic_load(&failures);
	watch->probe_ns = server->options.watch_ns ? server->options.watch_ns : WATCH_NS;
	watch->interval_ns = watch->probe_ns;
	if (watch->probe_ns < 0 ||
	    (server->options.memory_bytes_max && MEMORY_NS < watch->probe_ns))
		watch->interval_ns = MEMORY_NS;
	/* None of these fails with these attributes on Linux. */
	pthread_mutex_init(&watch->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->ending, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!start(watch)) {
		watch_free(watch);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "a thread for a server");
	}
	*ret = watch;
	return status_ok();
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->ended = true;
	pthread_cond_signal(&watch->ending);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	watch_free(watch);
}
