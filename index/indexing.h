/* indexing - segments get their approximate indexes.
 *
 * Where the collection's kind has one, and a segment is large enough, its index is built beside it and
 * appears in the segment at once, for snapshots that are open too. The largest one that lacks its own
 * goes first. None is begun while rows are sealed or wait for it, nor of a segment that is being
 * merged; a merge that takes the segment cancels it.
 * A kind that cannot be made of a segment is tried again at the next start; what fails otherwise, when
 * there is another segment.
 */
#ifndef SLUICE_INDEX_INDEXING_H
#define SLUICE_INDEX_INDEXING_H

#include "index/chore.h"
#include "index/strata.h"

struct indexing {
	struct chore chore;   /* first */
	struct stratum *of;   /* a reference, from start to end */
	struct ann *made;     /* owned; the work's, then the writer's */
	atomic_bool tells;    /* how far it is, to who optimizes */
	uint64_t failed_over; /* n_lists when one failed; UINT64_MAX: none has */
};

void indexing_init(struct indexing *indexing, struct collection *collection, struct pool *pool);
void indexing_finish(struct indexing *indexing);

/* indexing_lacks - whether the segment should have one that it has not. */
bool indexing_lacks(const struct collection *collection, const struct stratum *stratum);

/* indexing_start - none runs. The writer's. */
void indexing_start(struct collection *collection, struct stratum *stratum, bool tells);

/* indexing_yield - these segments, [n], go: what is built for one of them is cancelled. */
void indexing_yield(struct collection *collection, struct stratum *const *items, size_t n);

/* indexing_attend - does what is due. The writer's, between its groups. */
void indexing_attend(struct collection *collection);

#endif
