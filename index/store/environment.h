/* environment - the LMDB environment under a store, its tables, and what LMDB's results mean.
 *
 * Private to this folder. Opened with MDB_NOTLS, so that a transaction belongs to whoever began it,
 * and with LMDB's own syncing: a commit returns after fdatasync.
 */
#ifndef SLUICE_INDEX_STORE_ENVIRONMENT_H
#define SLUICE_INDEX_STORE_ENVIRONMENT_H

#include "index/store/store.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#define STORE_DATA_FILE "data.mdb"

enum table {
	TABLE_CONFIG,
	TABLE_STATE,
	TABLE_IDS,
	TABLE_RECORDS,
	TABLE_VECTORS,
	TABLE_DEAD,
	/* Those of format 1 end here: upgrade.h. */
	TABLE_POSTINGS,
	TABLE_NUMBERS,
	TABLE_DOCUMENTS,
	TABLE_N,
};

const char *table_name(enum table table);

/* The map of a new store; it doubles from there. */
#define STORE_MAP_BYTES ((size_t)64 << 20)

#define STORE_READERS_MAX 1024 /* transactions at once */
#define STORE_READERS_KEPT 64  /* of them kept when they end, for the next call */

struct store {
	MDB_env *env;
	MDB_dbi tables[TABLE_N];
	char *directory;
	size_t page_bytes; /* of the file; 0 where pages of the map are not aligned to it */
	struct collection_config config; /* the name is empty until it is read */
	int64_t create_time_ns;
	uint8_t incarnation[16];
	uint32_t format; /* what the file says; STORE_FORMAT once it is open */
	bool reads_only; /* store_open_read_only: nothing in the directory changes */

	/* Each transaction holds it for reading, growth holds it for writing. */
	pthread_rwlock_t map_lock;
	size_t map_bytes;
	atomic_uint
		copies; /* read transactions that do not hold it (copy.c): they outlast growth, and no more */
	bool map_lost;             /* LMDB unmapped the file and could not map it again */
	size_t failed_transaction; /* the number of the last one whose commit failed */

	pthread_mutex_t kept_lock;
	MDB_txn *kept[STORE_READERS_KEPT]; /* [n_kept] read transactions, reset */
	size_t n_kept;
};

/* store_open_sized - store_open with another size to start the map from; it is doubled until the
 * file fits. */
status store_open_sized(const char *directory, size_t map_bytes, struct arena *arena,
			struct store **ret);

/* store_open_read_only - of a directory that nobody has open: LMDB takes no lock, and what an opening
 * would repair, upgrade or shrink stays as it is. Then format may be below STORE_FORMAT. Nothing may be
 * written to it. Fails: as store_open */
status store_open_read_only(const char *directory, struct arena *arena, struct store **ret);

/* environment_open - the environment of a store that has none. Fails: as store_open */
status environment_open(struct store *store, size_t map_bytes, struct arena *arena);

/* store_sync_directory - the names in the store's directory are on disk when it returns.
 * Fails: RESOURCE_EXHAUSTED INTERNAL */
status store_sync_directory(const struct store *store, struct arena *arena);

/* store_failure - the status of an LMDB result that is not MDB_SUCCESS: ABORTED where the map is
 * full, RESOURCE_EXHAUSTED, DATA_LOSS, else INTERNAL.
 * doing  what was tried, for the detail, which begins with the collection or the directory. */
status store_failure(const struct store *store, struct arena *arena, int result, const char *doing);

/* store_says - a detail that begins with the collection or the directory. */
status store_says(const struct store *store, struct arena *arena, enum status_code code,
		  const char *what);

#endif
