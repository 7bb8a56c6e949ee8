/* upgrade - a store of an older format to the present one, in place. Private to this folder.
 *
 * Format 1 had no tables for filters. They are built from the records in one pass, some thousands
 * of records a transaction; the format's version changes with the last of them, so what breaks off
 * begins anew at the next opening. It costs about what importing the metadata did, and is logged.
 * Format 2 had the vectors of sealed rows too, and is the present one but for that: they leave the
 * store in the background, as behind any sealing, once a program of the format before would no more
 * take their absence for damage.
 */
#ifndef SLUICE_INDEX_STORE_UPGRADE_H
#define SLUICE_INDEX_STORE_UPGRADE_H

#include "index/store/store.h"

#define UPGRADE_FORMAT_MIN 1

/* store_upgrade - nobody else uses the store yet; every table is open.
 * Fails: RESOURCE_EXHAUSTED DATA_LOSS INTERNAL */
status store_upgrade(struct store *store, struct arena *arena);

#endif
