/* making - a new segment comes in the place of rows of the head, or of older segments.
 *
 * Its file is written, synced and opened by a chore; then the writer carries over the deaths that
 * happened meanwhile, names it in the manifest in one commit, and publishes a list of segments with
 * it. Who looks from there on finds the rows in it; open snapshots go on with what they had.
 * A crash before the commit leaves a file that the manifest does not name, and one after it leaves
 * those of the segments that went: either is removed at the next start.
 * Rows that nobody can see any more are left out; where none is left, no file is made.
 */
#ifndef SLUICE_INDEX_MAKING_H
#define SLUICE_INDEX_MAKING_H

#include "index/chore.h"
#include "index/intake.h"

struct making {
	struct chore chore; /* first */

	/* What is asked, from start to end: */
	struct view view;   /* with a reference to its list */
	size_t first, end;  /* segments of it that go; none: first and end are their number */
	uint64_t head_rows; /* the first ones of the view's head, that go too */
	uint64_t horizon;   /* as of the intake */
	bool trains;        /* a rotation of its own, though there is one */
	bool tells;         /* how far it is, to who optimizes */

	/* The work's: */
	struct intake intake;
	uint64_t n_told, n_read;
	uint64_t id;
	struct sealed *sealed; /* owned; NULL: it failed, or nothing is left */
};

/* making_init - pool  as for chore_init. */
void making_init(struct making *making, struct collection *collection, struct pool *pool);
void making_finish(struct making *making); /* as chore_finish */

/* making_start - with first, end, head_rows, trains and tells set; of what is published now. Both of
 * a collection may run at once, over rows that are different. The writer's. */
void making_start(struct making *making);

/* making_end - takes the result, if there is one, and publishes it; gives whether there was one.
 * The chore's result says what became of it: a failure was logged and left all as it was, and so did
 * a collection that is dropped or stopped. The writer's. */
bool making_end(struct making *making);

#endif
