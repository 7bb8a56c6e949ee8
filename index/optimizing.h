/* optimizing - one run of collection_optimize, step by step, by the writer between its groups.
 *
 *	1 what is in the head becomes segments, all of it
 *	2 the segments become one, with a rotation of its own and without rows that are gone
 *	3 its approximate index is built
 *
 * Rows that are written after it began are not waited for. Merges by tier rest meanwhile. A step that
 * fails ends the run for all who wait.
 */
#ifndef SLUICE_INDEX_OPTIMIZING_H
#define SLUICE_INDEX_OPTIMIZING_H

#include "index/optimize.h"

#include <pthread.h>

struct optimizing {
	pthread_mutex_t lock;
	struct optimize *first; /* those who wait */

	/* The writer's: */
	bool runs, merged;
	uint64_t target; /* rows below it */
};

void optimizing_init(struct optimizing *optimizing);
void optimizing_finish(struct optimizing *optimizing); /* nobody waits */

/* optimizing_runs, optimizing_wants_sealing - what the others are to do, or to leave. The writer's. */
bool optimizing_runs(const struct collection *collection);
bool optimizing_wants_sealing(const struct collection *collection);

/* optimizing_tell - how far a phase is. From any thread. */
void optimizing_tell(struct collection *collection, enum optimize_phase phase, float progress);

/* optimizing_failed - a step failed: where a run is under way it ends, but for CANCELLED, after which
 * the step is done again. The writer's. */
void optimizing_failed(struct collection *collection, status s);

/* optimizing_merged - the merge that it began is published. The writer's. */
void optimizing_merged(struct collection *collection);

/* optimizing_begin - before the others attend; optimizing_step - after them. The writer's. */
void optimizing_begin(struct collection *collection);
void optimizing_step(struct collection *collection);

#endif
