/* optimize - a collection is brought into its best shape now: sealed, merged, indexed.
 *
 * All rows that are there when a run begins become one segment, without those that nobody can see
 * any more, and that segment gets its approximate index, where its kind has one. Writers and readers
 * go on; what is written meanwhile is not part of it. Who asks while a run is under way joins it.
 * It takes as much disk as the new segment and its index, until the old ones are gone, and as long as
 * building does: 9,000 rows a second and more on a core.
 * Where nothing is sealed (seal_rows 0, a GPU) there is nothing to do, and it ends at once.
 */
#ifndef SLUICE_INDEX_OPTIMIZE_H
#define SLUICE_INDEX_OPTIMIZE_H

#include "index/collection.h"

enum optimize_phase {
	OPTIMIZE_SEAL, /* rows into one segment */
	OPTIMIZE_TRAIN,
	OPTIMIZE_ASSIGN,
	OPTIMIZE_WRITE,
	OPTIMIZE_DONE,
};

/* optimize - one who waits for a run. */
struct optimize {
	struct optimize *next; /* the run's */

	/* In, borrowed until the end: */
	/* Called when phase or progress have changed, one call at a time, from threads of the index,
	 * under a lock: it notes, wakes, and calls nothing of this header. With OPTIMIZE_DONE it is
	 * the last call, and the struct is its owner's again. */
	void (*tell)(struct optimize *optimize);
	struct arena *arena; /* for the details of a failure */

	/* Out, for tell: */
	enum optimize_phase phase; /* never goes back */
	float progress;            /* of the phase, 0 .. 1 */
	status result;             /* with OPTIMIZE_DONE */
};

/* collection_optimize - begins a run, or joins the one that is under way. The caller's reference to
 * the collection lasts until the end.
 * Ends with: OK RESOURCE_EXHAUSTED (disk, memory) INTERNAL DATA_LOSS INVALID_ARGUMENT (FAISS does not
 * take the factory string) FAILED_PRECONDITION (dropped) CANCELLED (the database closes) */
void collection_optimize(struct collection *collection, struct optimize *optimize);

/* optimize_cancel - tell is not called any more once this returns. Who cancels as the last one gives
 * up the run: a segment that is not finished is thrown away, an index goes on in the background.
 * Nothing happens where it has ended already. */
void optimize_cancel(struct collection *collection, struct optimize *optimize);

#endif
