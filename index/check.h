/* check - looks at a data directory that no server has, reads every byte that counts, and changes
 * nothing.
 *
 * Of each collection: the pages of LMDB's file, walked without LMDB; every value's checksum; what ids,
 * records, dead rows, vectors and postings say of each other; every block of every segment and index
 * that the manifest names, and that they hold the rows that they should. Of snapshots: that each file is
 * as its manifest says. It is done in a child process
 * for each collection, so that what a damaged page makes of LMDB ends the child, and is told.
 */
#ifndef SLUICE_INDEX_CHECK_H
#define SLUICE_INDEX_CHECK_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct check_finding {
	bool damage;            /* false: a note, of what is left over and does no harm */
	const char *collection; /* NULL: of the directory itself */
	const char *file;       /* in the collection's directory, or the data directory */
	const char *what;
};

struct check_counts {
	uint64_t chunks, dead_rows, values, segments, indexes, bytes;
};

struct check_collection {
	const char *name;
	uint64_t n_damages;
	/* Of what was read; all of it, where nothing is damaged. */
	struct check_counts counts;
};

/* Both are told as they are found; a collection behind its findings. All is borrowed for the call. */
struct check_listener {
	void (*finding)(void *context, const struct check_finding *finding);
	void (*collection)(void *context, const struct check_collection *collection);
	void *context;
};

/* check_directory - Forks: no other thread may run. Damage is told, and the result OK.
 * Fails: FAILED_PRECONDITION (a server has it) NOT_FOUND (no data directory) PERMISSION_DENIED
 * RESOURCE_EXHAUSTED INTERNAL */
status check_directory(const char *directory, const struct check_listener *listener,
		       struct arena *arena);

#endif
