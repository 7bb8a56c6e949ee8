/* merging - segments become fewer and larger, and lose the rows that nobody can see any more.
 *
 * Tiers, as in an LSM tree: a segment is of tier t if it has at least seal_rows * 4^t rows (of tier 0
 * also if it has fewer). When four segments side by side are of one tier, with smaller ones
 * between them or not, they become one, which is then of a higher tier: a row is written anew about
 * once for each tier, and a collection of n rows has at most three segments for each of its
 * log4(n / seal_rows) tiers. The lowest tier goes first.
 * Apart from that a segment is thin, and is written anew alone or with thin ones beside it, when a
 * quarter of its rows is gone for good.
 * One merge of a collection runs at a time. It takes as much disk as what it makes, until the old
 * files go: with their last reader. What fails is logged, leaves everything as it was, and is tried
 * again when there is a segment more.
 */
#ifndef SLUICE_INDEX_MERGING_H
#define SLUICE_INDEX_MERGING_H

#include "index/making.h"
#include "index/merging_plan.h"

struct merging {
	struct making making;
	/* Looking for thin segments reads the deaths of rows, so it is not done for each group. */
	uint64_t looked_at;   /* n_lists then */
	uint64_t turns;       /* until it is looked at once more */
	uint64_t failed_over; /* n_lists when one failed; UINT64_MAX: none has */
};

void merging_init(struct merging *merging, struct collection *collection, struct pool *pool);
void merging_finish(struct merging *merging);

/* merging_start - of segments first .. end; none runs. The writer's. */
void merging_start(struct collection *collection, size_t first, size_t end);

/* merging_attend - does what is due. The writer's, between its groups. */
void merging_attend(struct collection *collection);

#endif
