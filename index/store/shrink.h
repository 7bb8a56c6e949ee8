/* shrink - a data file that is mostly free pages becomes a small one. Private to this folder.
 *
 * LMDB keeps the pages that it frees for what comes, and never gives any back: after a bulk import, or
 * an upgrade, whose vectors have gone to segments, they may be the greater part of the file. When such
 * a store is opened its pages in use are copied to a file of their own (as mdb_copy -c does), which is
 * synced and takes the other's name.
 */
#ifndef SLUICE_INDEX_STORE_SHRINK_H
#define SLUICE_INDEX_STORE_SHRINK_H

#include "index/store/environment.h"

/* So many bytes must be free, and half of the file. */
#define SHRINK_BYTES ((size_t)16 << 20)

/* shrink_is_due - Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status shrink_is_due(struct store *store, struct arena *arena, bool *ret);

/* shrink_sweep - removes a copy that was not finished; syncs the directory, where one took the other's
 * name and that was not known to last. Before anything is written to the store.
 * Fails: RESOURCE_EXHAUSTED INTERNAL */
status shrink_sweep(const struct store *store, struct arena *arena);

/* shrink_copy - makes the file and puts it in the place of the other; who has that open goes on with it,
 * so the environment is to be opened anew. Takes the disk that the new file takes, and as long as
 * writing it does.
 * ret_moved  it has the name: what is written to the old file from then on is lost, failed or not.
 * Fails: RESOURCE_EXHAUSTED DATA_LOSS INTERNAL; the old file is then as it was, or, if it has lost its
 * name, no store may be had of either until a shrink_sweep has synced that */
status shrink_copy(struct store *store, struct arena *arena, bool *ret_moved);

#endif
