/* layout - the files of a data directory, as database.h draws it: where they are, and in which
 * order they come and go, so that a crash at any moment leaves each collection there or not there.
 * Not thread safe, but for layout_path.
 */
#ifndef SLUICE_INDEX_LAYOUT_H
#define SLUICE_INDEX_LAYOUT_H

#include "index/collection_config.h"
#include "kernels/base/arena.h"
#include "kernels/base/status.h"

struct layout {
	char *directory;     /* owned */
	int lock_descriptor; /* -1: not locked */
	/* A server had it before that did not end by itself: nobody knows what its last writes came to. */
	bool unsettled;
};

enum layout_state { LAYOUT_LIVE, LAYOUT_NEW, LAYOUT_OLD };

void layout_init(struct layout *layout);
void layout_finish(struct layout *layout);

/* layout_open - makes the directories where they are missing, and takes the lock.
 * Fails: as database_open */
status layout_open(struct layout *layout, const char *directory, struct arena *arena);

/* layout_settle - before layout_finish: from here on it is not unsettled. */
void layout_settle(struct layout *layout);

/* layout_each - the names of the collections that are there, in no order. Removes what was left
 * half made or half removed; logs and passes over whatever else lies there. */
status layout_each(const struct layout *layout, struct arena *arena,
		   status (*visit)(void *context, const char *name), void *context);

/* layout_path - of a collection's directory; NULL without memory. */
const char *layout_path(const struct layout *layout, struct arena *arena, enum layout_state state,
			const char *name);

/* layout_create - a collection's directory with its store, there for good when it returns. */
status layout_create(const struct layout *layout, const struct collection_config *config,
		     struct arena *arena);

/* layout_retire - by one rename it is no collection any more. It stays so from layout_remove on. */
status layout_retire(const struct layout *layout, const char *name, struct arena *arena);

/* layout_remove - makes the retirement last and removes the files. */
status layout_remove(const struct layout *layout, const char *name, struct arena *arena);

/* layout_undo - takes back a layout_create of which the caller is told that it failed. */
void layout_undo(const struct layout *layout, const char *name, struct arena *arena);

#endif
