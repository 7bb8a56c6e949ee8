/* repair - a data directory that no server has: what of it is damaged is made of what is whole.
 *
 * An index that is damaged is put aside, and a server makes it anew. A segment that is damaged or gone is made
 * anew of the vectors that are whole, its own and those that LMDB still has; chunks of which no vector is left
 * are taken out of the collection, and handed to the caller first. A folder that has another collection's name
 * gets its own. It is done on a copy, which takes the collection's name in one step when it is whole; what was
 * there stays as DIR/damaged/NAME.TIME, for the caller to remove.
 * What is damaged in LMDB's own file is not repaired, nor what its values say: that takes a snapshot.
 */
#ifndef SLUICE_INDEX_REPAIR_H
#define SLUICE_INDEX_REPAIR_H

#include "index/chunk.h"
#include "kernels/base/arena.h"
#include "kernels/base/status.h"

#include <stdbool.h>

struct repair_note {
	bool done;              /* false: it could not be */
	const char *collection; /* NULL: of the directory itself */
	const char *file;
	const char *what;
};

/* All is borrowed for the call. */
struct repair_listener {
	void (*note)(void *context, const struct repair_note *note);
	/* A chunk whose vector is lost, as its record has it: before it is taken out. What it gives ends the
	 * repair of its collection, which then stays as it was. */
	status (*lost)(void *context, const char *collection, const struct chunk *chunk);
	void *context;
};

/* repair_directory - of one collection, or (NULL) all. What could not be repaired is told, and the result OK:
 * check_directory says what it all came to. Takes the room of the data file of a collection and of the
 * segments that are made.
 * Fails: FAILED_PRECONDITION (a server has it) NOT_FOUND (no data directory, or no such collection)
 * PERMISSION_DENIED RESOURCE_EXHAUSTED INTERNAL */
status repair_directory(const char *directory, const char *collection,
			const struct repair_listener *listener, struct arena *arena);

#endif
