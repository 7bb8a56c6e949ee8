/* looked - the rows that a selection has looked at in their records. Private to this folder.
 *
 * Each label of a list brings its row again; a record is read for all of them at once. Costs two
 * bytes a row at most.
 */
#ifndef SLUICE_INDEX_STORE_LOOKED_H
#define SLUICE_INDEX_STORE_LOOKED_H

#include "index/filter/rows.h"

struct looked_run;

struct looked {
	struct looked_run *runs; /* [n], ascending; owned */
	size_t n, n_max;
};

void looked_finish(struct looked *looked);

/* looked_in_run - the rows that were looked at of a run, to be added to.
 * ret  stays the set's. Fails: RESOURCE_EXHAUSTED */
status looked_in_run(struct looked *looked, uint64_t first_row, struct rows **ret);

SCOPE_DEFINE(looked, looked_finish)

#endif
