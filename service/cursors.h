/* cursors - the searches that are open: how many there may be, what each holds, and ending one from
 * outside.
 *
 * An entry lives in its call's state and is in the list from cursors_add to cursors_remove. What
 * others may see of it is atomic or set before it is added; to end it they set a flag and wake the
 * call, which looks when it runs next. A thread looks at the entries that wait for their client: one
 * that has waited too long is told to end, one that has waited a little to give back its memory. It
 * also looks for the snapshot that should go (snapshot_pressed_by): a call that runs sees that for
 * itself at its next page, one whose client takes nothing is interrupted.
 */
#ifndef SLUICE_SERVICE_CURSORS_H
#define SLUICE_SERVICE_CURSORS_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "service/rpc/rpc.h"

#include <stdatomic.h>

struct snapshot;

#define CURSOR_ID_BYTES 17 /* 16 digits and a NUL */

/* What a waiting cursor may keep for ever; above it, it is told to shrink after a moment. */
#define CURSOR_REST_BYTES ((size_t)24 << 10)

struct cursor_entry {
	struct cursor_entry *next, *previous;
	char id[CURSOR_ID_BYTES];
	/* Set before the entry is added; they outlive it. */
	struct rpc_call *call;
	const char *collection, *method, *peer;
	int64_t opened_ns;
	bool is_list; /* no cursor: it is here for its snapshot, and nobody sees or counts it */

	/* The call's, for others to read. */
	_Atomic uint64_t generation, returned, scanned, memory_bytes;
	_Atomic int64_t active_ns; /* when something last happened to it, on clock_ns */
	atomic_bool waits;         /* for its client, who owes it a word */
	/* What it holds as long as it is in the list; NULL: nothing yet. */
	_Atomic(const struct snapshot *) snapshot;

	/* Others', for the call to read. */
	atomic_bool cancelled, idle, shrinks, old;
	_Atomic(const char *) released_by; /* the setting that its snapshot has to go for; NULL */
};

struct cursors;

struct cursors_limits {
	size_t max;      /* how many there may be */
	int64_t idle_ns; /* how long one may wait; 0: for ever */
	int64_t age_ns;  /* from which age one is old; 0: never */
};

/* cursors_open - Fails: RESOURCE_EXHAUSTED */
status cursors_open(const struct cursors_limits *limits, struct cursors **ret);
void cursors_close(struct cursors *cursors); /* when there is none left; NULL is fine */

/* cursors_add - gives the entry its id. Fails: RESOURCE_EXHAUSTED (LIMIT_REACHED), INTERNAL */
status cursors_add(struct cursors *cursors, struct cursor_entry *entry, struct arena *arena);
/* cursors_remove - fine for an entry that was never added. */
void cursors_remove(struct cursors *cursors, struct cursor_entry *entry);

/* cursors_cancel - false where there is none of that id. */
bool cursors_cancel(struct cursors *cursors, const char *id);

/* cursors_each - visits them from the oldest on, under the lock, until visit gives false. */
void cursors_each(struct cursors *cursors,
		  bool (*visit)(void *context, const struct cursor_entry *entry), void *context);

const struct cursors_limits *cursors_limits(const struct cursors *cursors);

SCOPE_DEFINE(cursors, cursors_close)

#endif
