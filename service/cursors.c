/* cursors - a ring of entries under one lock, and the thread that looks at it.
 *
 * The lock is taken before that of any call, never after: rpc_wake and rpc_interrupt are safe within
 * it, and since an entry is removed before its call goes, the call is there.
 */
#include "service/cursors.h"

#include "index/snapshot.h"
#include "kernels/base/error_info.h"
#include "kernels/base/thread.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* How late one that waits is found, and how long it waits before it shrinks. */
#define LOOK_NS_MAX ((int64_t)1000000000)
#define REST_NS ((int64_t)2000000000)
/* A call that has made no page for so long is not waited for where its snapshot should go. */
#define STUCK_NS ((int64_t)1000000000)
/* Random numbers are asked of the system for so many ids at once, since each time takes a system call:
 * 256 bytes, which no signal cuts short. */
#define IDS_DRAWN 32

struct cursors {
	struct cursors_limits limits;
	pthread_t thread;
	pthread_cond_t ending;
	pthread_mutex_t lock;
	/* Under the lock. */
	struct cursor_entry ring; /* next is the oldest */
	size_t n;
	uint64_t ids[IDS_DRAWN]; /* of which the first n_ids are unused */
	size_t n_ids;
	bool ended;
};

static const char *pressed_by(const struct cursor_entry *entry)
{
	const struct snapshot *snapshot = atomic_load(&entry->snapshot);

	return snapshot ? snapshot_pressed_by(snapshot) : NULL;
}

static void look_at_busy(struct cursor_entry *entry, int64_t waited_ns)
{
	const char *setting = waited_ns >= STUCK_NS ? pressed_by(entry) : NULL;

	if (!setting)
		return;
	atomic_store(&entry->released_by, setting);
	rpc_interrupt(entry->call, setting);
}

static void look_at(const struct cursors *cursors, struct cursor_entry *entry, int64_t now_ns)
{
	const struct cursors_limits *limits = &cursors->limits;
	int64_t waited_ns = now_ns - atomic_load(&entry->active_ns);
	bool old = limits->age_ns > 0 && now_ns - entry->opened_ns >= limits->age_ns;

	/* One that works looks at it between two pages. */
	if (old)
		atomic_store(&entry->old, true);
	if (!atomic_load(&entry->waits)) {
		look_at_busy(entry, waited_ns);
		return;
	}
	if (limits->idle_ns > 0 && waited_ns >= limits->idle_ns)
		atomic_store(&entry->idle, true);
	else if (waited_ns >= REST_NS && atomic_load(&entry->memory_bytes) > CURSOR_REST_BYTES)
		atomic_store(&entry->shrinks, true);
	else if (!old && !pressed_by(entry))
		return;
	rpc_wake(entry->call);
}

static int64_t look_ns(const struct cursors *cursors)
{
	const int64_t limits[] = {cursors->limits.idle_ns, cursors->limits.age_ns};
	int64_t look = LOOK_NS_MAX;

	for (size_t i = 0; i < 2; i++)
		if (limits[i] > 0 && limits[i] / 4 < look)
			look = limits[i] / 4;
	return look;
}

/* Under the lock. */
static void wait_a_while(struct cursors *cursors)
{
	int64_t until_ns = clock_ns() + look_ns(cursors);
	struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};

	while (!cursors->ended &&
	       pthread_cond_timedwait(&cursors->ending, &cursors->lock, &until) != ETIMEDOUT)
		continue;
}

static void *watch_run(void *arg)
{
	struct cursors *cursors = arg;

	pthread_mutex_lock(&cursors->lock);
	for (;;) {
		int64_t now_ns;

		wait_a_while(cursors);
		if (cursors->ended)
			break;
		now_ns = clock_ns();
		for (struct cursor_entry *entry = cursors->ring.next; entry != &cursors->ring;
		     entry = entry->next)
			look_at(cursors, entry, now_ns);
	}
	pthread_mutex_unlock(&cursors->lock);
	return NULL;
}

static bool start(struct cursors *cursors)
{
	if (status_failed(
		    thread_start(watch_run, cursors, "a thread for cursors", &cursors->thread)))
		return false;
	pthread_setname_np(cursors->thread, "cursors");
	return true;
}

static void cursors_free(struct cursors *cursors)
{
	pthread_cond_destroy(&cursors->ending);
	pthread_mutex_destroy(&cursors->lock);
	free(cursors);
}

status cursors_open(const struct cursors_limits *limits, struct cursors **ret)
{
	struct cursors *cursors = calloc(1, sizeof *cursors);
	pthread_condattr_t attributes;

	if (!cursors)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of cursors");
	cursors->limits = *limits;
	cursors->ring.next = cursors->ring.previous = &cursors->ring;
	pthread_mutex_init(&cursors->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&cursors->ending, &attributes);
	pthread_condattr_destroy(&attributes);
	if (!start(cursors)) {
		cursors_free(cursors);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "a thread for cursors");
	}
	*ret = cursors;
	return status_ok();
}

void cursors_close(struct cursors *cursors)
{
	if (!cursors)
		return;
	pthread_mutex_lock(&cursors->lock);
	assert(cursors->ring.next == &cursors->ring);
	cursors->ended = true;
	pthread_cond_signal(&cursors->ending);
	pthread_mutex_unlock(&cursors->lock);
	pthread_join(cursors->thread, NULL);
	cursors_free(cursors);
}

static status too_many(size_t max, struct arena *arena)
{
	status s = status_format(arena, STATUS_RESOURCE_EXHAUSTED,
				 "the server has as many searches as it takes: limits.cursors_max "
				 "is %zu",
				 max);

	s = status_reason(s, arena, REASON_LIMIT_REACHED, "setting", "limits.cursors_max", "limit",
			  ERROR_NUMBER(max), NULL);
	return status_retry(s, arena, 1000);
}

/* Nobody guesses the id of another's cursor. Under the lock; false without a random number. */
static bool draw_id(struct cursors *cursors, char ret[CURSOR_ID_BYTES])
{
	uint64_t id;

	if (cursors->n_ids == 0) {
		if (getrandom(cursors->ids, sizeof cursors->ids, 0) != (ssize_t)sizeof cursors->ids)
			return false;
		cursors->n_ids = IDS_DRAWN;
	}
	id = cursors->ids[--cursors->n_ids];
	for (size_t i = 0; i < CURSOR_ID_BYTES - 1; i++, id >>= 4)
		ret[i] = "0123456789abcdef"[id & 0xF];
	ret[CURSOR_ID_BYTES - 1] = 0;
	return true;
}

status cursors_add(struct cursors *cursors, struct cursor_entry *entry, struct arena *arena)
{
	bool fits;

	pthread_mutex_lock(&cursors->lock);
	if (!draw_id(cursors, entry->id)) {
		pthread_mutex_unlock(&cursors->lock);
		return status_make(STATUS_INTERNAL, "no random number for a cursor's id");
	}
	fits = entry->is_list || cursors->n < cursors->limits.max;
	if (fits) {
		entry->next = &cursors->ring;
		entry->previous = cursors->ring.previous;
		entry->previous->next = entry;
		entry->next->previous = entry;
		cursors->n += !entry->is_list;
	}
	pthread_mutex_unlock(&cursors->lock);
	return fits ? status_ok() : too_many(cursors->limits.max, arena);
}

void cursors_remove(struct cursors *cursors, struct cursor_entry *entry)
{
	pthread_mutex_lock(&cursors->lock);
	/* One that was never added has no neighbours; those of one that was change under the lock. */
	if (entry->next) {
		entry->next->previous = entry->previous;
		entry->previous->next = entry->next;
		entry->next = entry->previous = NULL;
		cursors->n -= !entry->is_list;
	}
	pthread_mutex_unlock(&cursors->lock);
}

bool cursors_cancel(struct cursors *cursors, const char *id)
{
	struct cursor_entry *entry;
	bool found;

	pthread_mutex_lock(&cursors->lock);
	for (entry = cursors->ring.next; entry != &cursors->ring; entry = entry->next)
		if (!entry->is_list && strcmp(entry->id, id) == 0)
			break;
	found = entry != &cursors->ring;
	if (found) {
		atomic_store(&entry->cancelled, true);
		rpc_interrupt(entry->call, "CancelCursor");
	}
	pthread_mutex_unlock(&cursors->lock);
	return found;
}

void cursors_each(struct cursors *cursors,
		  bool (*visit)(void *context, const struct cursor_entry *entry), void *context)
{
	pthread_mutex_lock(&cursors->lock);
	for (const struct cursor_entry *entry = cursors->ring.next; entry != &cursors->ring;
	     entry = entry->next)
		if (!entry->is_list && !visit(context, entry))
			break;
	pthread_mutex_unlock(&cursors->lock);
}

const struct cursors_limits *cursors_limits(const struct cursors *cursors)
{
	return &cursors->limits;
}
