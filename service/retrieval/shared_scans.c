/* shared_scans - the list of those that wait, and leaders that take from it. */
#include "service/retrieval/shared_scans.h"

#include "index/cursor/exact.h"
#include "kernels/base/meter.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct shared_scans {
	struct pool *workers;
	pthread_mutex_t lock;
	pthread_cond_t released;         /* guests that were taken are out */
	struct scan_guest *first, *last; /* listed, by their coming */
	size_t n_listed, n_leading;
};

status shared_scans_open(struct pool *workers, struct shared_scans **ret)
{
	struct shared_scans *scans = calloc(1, sizeof *scans);

	if (!scans)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for shared scans");
	scans->workers = workers;
	pthread_mutex_init(&scans->lock, NULL);
	pthread_cond_init(&scans->released, NULL);
	*ret = scans;
	return status_ok();
}

void shared_scans_close(struct shared_scans *scans)
{
	if (!scans)
		return;
	assert(!scans->first && scans->n_leading == 0);
	pthread_cond_destroy(&scans->released);
	pthread_mutex_destroy(&scans->lock);
	free(scans);
}

/* Both under the lock. */
static void link_guest(struct shared_scans *scans, struct scan_guest *guest)
{
	guest->next = NULL;
	guest->previous = scans->last;
	*(scans->last ? &scans->last->next : &scans->first) = guest;
	scans->last = guest;
	scans->n_listed++;
	guest->state = GUEST_LISTED;
}

static void unlink_guest(struct shared_scans *scans, struct scan_guest *guest,
			 enum scan_guest_state state)
{
	*(guest->previous ? &guest->previous->next : &scans->first) = guest->next;
	*(guest->next ? &guest->next->previous : &scans->last) = guest->previous;
	guest->next = guest->previous = NULL;
	scans->n_listed--;
	guest->state = state;
}

void shared_scans_list(struct shared_scans *scans, struct scan_guest *guest, struct cursor *cursor,
		       struct rpc_call *call)
{
	pthread_mutex_lock(&scans->lock);
	assert(guest->state == GUEST_OUT);
	guest->cursor = cursor;
	guest->call = call;
	guest->waits = false;
	link_guest(scans, guest);
	pthread_mutex_unlock(&scans->lock);
}

enum scan_guest_state shared_scans_state(struct shared_scans *scans, struct scan_guest *guest)
{
	enum scan_guest_state state;

	pthread_mutex_lock(&scans->lock);
	state = guest->state;
	pthread_mutex_unlock(&scans->lock);
	return state;
}

bool shared_scans_claim(struct shared_scans *scans, struct scan_guest *guest)
{
	bool is_out;

	pthread_mutex_lock(&scans->lock);
	if (guest->state == GUEST_LISTED)
		unlink_guest(scans, guest, GUEST_OUT);
	is_out = guest->state == GUEST_OUT;
	guest->waits = !is_out;
	pthread_mutex_unlock(&scans->lock);
	return is_out;
}

/* How many a leader may take along, of n that are listed: those for which no worker is free are shared by
 * all that there are. Under the lock. */
static size_t share_of(const struct shared_scans *scans)
{
	size_t threads, queued, idle, n = scans->n_listed, most = EXACT_TOGETHER_MAX - 1;

	pool_look(scans->workers, &threads, &queued);
	idle = threads > scans->n_leading ? threads - scans->n_leading : 0;
	if (n <= idle || threads == 0)
		return 0;
	n = (n - idle + threads - 1) / threads;
	return n < most ? n : most;
}

/* Takes along who scans alike. Under the lock. */
static size_t take_others(struct shared_scans *scans, const struct cursor *cursor,
			  struct scan_guest **ret)
{
	size_t most = share_of(scans), n = 0;
	struct scan_guest *next;

	for (struct scan_guest *guest = scans->first; guest && n < most; guest = next) {
		next = guest->next;
		if (!exact_scans_alike(cursor, guest->cursor))
			continue;
		unlink_guest(scans, guest, GUEST_TAKEN);
		ret[n++] = guest;
	}
	return n;
}

/* A pass for a leader and those that it takes along. */
struct pass {
	struct shared_scans *scans;
	struct scan_guest *others[EXACT_TOGETHER_MAX];
};

/* A guest that is out may be gone. The leader, who is at place 0, is no guest. */
static void release(void *context, size_t place)
{
	const struct pass *pass = context;
	struct shared_scans *scans = pass->scans;
	struct scan_guest *guest;

	if (place == 0)
		return;
	guest = pass->others[place - 1];
	pthread_mutex_lock(&scans->lock);
	guest->state = GUEST_OUT;
	if (guest->waits)
		rpc_wake(guest->call);
	pthread_cond_broadcast(&scans->released);
	pthread_mutex_unlock(&scans->lock);
}

void shared_scans_lead(struct shared_scans *scans, struct cursor *cursor)
{
	struct pass pass = {.scans = scans};
	struct cursor *chains[EXACT_TOGETHER_MAX] = {cursor};
	size_t n;

	pthread_mutex_lock(&scans->lock);
	scans->n_leading++;
	n = take_others(scans, cursor, pass.others);
	pthread_mutex_unlock(&scans->lock);

	for (size_t i = 0; i < n; i++)
		chains[i + 1] = pass.others[i]->cursor;
	exact_scan_together(chains, n + 1, release, &pass);
	meter_add(METER_SHARED_SCANS, n);

	pthread_mutex_lock(&scans->lock);
	scans->n_leading--;
	pthread_mutex_unlock(&scans->lock);
}

void shared_scans_leave(struct shared_scans *scans, struct scan_guest *guest)
{
	pthread_mutex_lock(&scans->lock);
	if (guest->state == GUEST_LISTED)
		unlink_guest(scans, guest, GUEST_OUT);
	while (guest->state == GUEST_TAKEN)
		pthread_cond_wait(&scans->released, &scans->lock);
	pthread_mutex_unlock(&scans->lock);
}
