/* revive - an environment that LMDB has given up is opened anew.
 *
 * Where LMDB cannot write the page that makes a commit count, it takes the page back, and from then on
 * gives nothing but MDB_PANIC, to readers too. What was committed before is as it was, so the
 * collection need not be out of order until the server starts again.
 */
#ifndef SLUICE_INDEX_STORE_REVIVE_H
#define SLUICE_INDEX_STORE_REVIVE_H

#include "index/store/environment.h"

/* store_revive - where the environment is in panic; the caller has no transaction. Waits for those of others.
 * Fails: as store_open; RESOURCE_EXHAUSTED where the failed commit is in the file after all, or the
 * environment cannot be opened: then nothing works until the server starts again */
status store_revive(struct store *store, struct arena *arena);

#endif
