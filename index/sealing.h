/* sealing - a head that has grown becomes a sealed segment, beside the writer and the readers.
 *
 *	1 the writer, after a group of writes, finds enough rows and submits the job;
 *	2 the job, on a thread of low priority, writes the file of the oldest of them and opens it;
 *	3 the writer, woken, puts the segment into the manifest, and publishes it.
 *
 * From there on new snapshots find the rows in the segment; those that are open go on with the head,
 * whose blocks are given back when nobody can reach them any more. Nobody waits but the writer, for
 * one commit. A crash before 3 leaves a file that the manifest does not name: it is removed at the
 * next start. What fails is logged and tried again when more rows have come.
 */
#ifndef SLUICE_INDEX_SEALING_H
#define SLUICE_INDEX_SEALING_H

#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/pool.h"

#include <stdatomic.h>
#include <stdint.h>

struct collection;
struct collection_options;
struct sealed;

enum sealing_state { SEALING_IDLE, SEALING_RUNS, SEALING_READY };

struct sealing {
	struct job job;
	struct collection *collection;
	struct pool *pool;
	char *directory;          /* owned */
	uint64_t rows;            /* 0: never */
	uint64_t not_before;      /* so many places there must be, after a failure */
	struct deadline deadline; /* cancelled: it is not wanted any more */
	_Atomic enum sealing_state state;

	/* The job's while it runs, then the writer's: */
	uint64_t first; /* place */
	uint64_t id;
	struct sealed *sealed; /* NULL: it failed */
};

/* sealing_init - Fails: RESOURCE_EXHAUSTED */
status sealing_init(struct sealing *sealing, struct collection *collection,
		    const struct collection_options *options);
void sealing_finish(struct sealing *sealing); /* nothing may run; all zero is fine */

/* sealing_commit - the manifest has these segments [n] from now on. The writer's, or before there is
 * one. Fails: RESOURCE_EXHAUSTED DATA_LOSS INTERNAL */
status sealing_commit(struct collection *collection, struct sealed *const *sealed, size_t n,
		      struct arena *scratch);

/* sealing_is_due - whether there are rows to be sealed. The writer's, or before there is one. */
bool sealing_is_due(const struct collection *collection);

/* sealing_attend - does what is due. The writer's, between its groups. */
void sealing_attend(struct collection *collection);

#endif
