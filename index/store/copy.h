/* copy - the data file as it is at one moment, written elsewhere while its store goes on.
 *
 * A read transaction is kept registered until the copy is there, so that no page of its state is
 * used again; it reads nothing itself, since the copy goes through the file and not through the map,
 * and so the map may grow meanwhile. Room that commits free during the copy is not used again before
 * its end: the file grows by it. Private to this folder and index/backup.
 */
#ifndef SLUICE_INDEX_STORE_COPY_H
#define SLUICE_INDEX_STORE_COPY_H

#include "index/store/store.h"
#include "kernels/base/deadline.h"

struct store_copied {
	uint64_t bytes;
	uint32_t checksum; /* CRC-32C of all of them */
};

/* store_copy - a new file, synced; its name lasts once the directory is synced. Where it fails, what
 * there is of the file is the caller's to remove. Heap: 1 MiB. The deadline is looked at once a MiB.
 * Fails: RESOURCE_EXHAUSTED (disk, memory) DATA_LOSS INTERNAL DEADLINE_EXCEEDED CANCELLED */
status store_copy(struct store *store, const char *path, const struct deadline *deadline,
		  struct arena *arena, struct store_copied *ret);

/* store_read_state - what store_load says first; dead_bytes stays 0. Fails: as store_load */
status store_read_state(struct store *store, struct arena *arena, struct store_state *ret);

#endif
