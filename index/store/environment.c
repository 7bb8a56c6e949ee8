/* environment - creating, opening and closing a store. */
#include "index/store/environment.h"

#include "index/file/file_io.h"
#include "index/store/length.h"
#include "index/store/manifest.h"
#include "index/store/shrink.h"
#include "index/store/transaction.h"
#include "index/store/upgrade.h"
#include "kernels/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOCK_FILE "lock.mdb"
#define FILE_MODE 0600
/* LMDB keeps a cache line a reader, and a few for its head. A larger file it takes as it is. */
#define LOCK_BYTES ((uint64_t)STORE_READERS_MAX * 64 + 4096)

static const char *const table_names[TABLE_N] = {
	[TABLE_CONFIG] = "config",     [TABLE_STATE] = "state",     [TABLE_IDS] = "ids",
	[TABLE_RECORDS] = "records",   [TABLE_VECTORS] = "vectors", [TABLE_DEAD] = "dead",
	[TABLE_POSTINGS] = "postings", [TABLE_NUMBERS] = "numbers", [TABLE_DOCUMENTS] = "documents",
};

const char *table_name(enum table table)
{
	return table_names[table];
}

/* A store without an environment: what store_close can take back at any point from here. */
static status store_new(const char *directory, struct store **ret)
{
	struct store *store = calloc(1, sizeof *store);
	pthread_rwlockattr_t attributes;

	if (!store)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a store");
	store->directory = strdup(directory);
	if (!store->directory) {
		free(store);
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a store");
	}
	pthread_mutex_init(&store->kept_lock, NULL);
	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&store->map_lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
	*ret = store;
	return status_ok();
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (store->env) {
		transaction_forget_kept(store);
		mdb_env_close(store->env);
	}
	pthread_rwlock_destroy(&store->map_lock);
	pthread_mutex_destroy(&store->kept_lock);
	free(store->directory);
	free(store);
}

/* LMDB would make a file of one hole, map it and write into the map: on a full disk that is SIGBUS.
 * Here the disk says so while it still can. */
static status lock_file_reserve(const struct store *store, struct arena *arena)
{
	char *doing = arena_printf(arena, "make room for %s/" LOCK_FILE, store->directory);
	char *path = arena_printf(arena, "%s/" LOCK_FILE, store->directory);
	int fd, failed = 0;

	if (!path || !doing)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to open a store");
	fd = file_open(path, O_RDWR | O_CREAT);
	if (fd < 0)
		return store_failure(store, arena, errno, doing);
	if (file_allocate(fd, LOCK_BYTES))
		failed = errno;
	(void)file_close(fd);
	return failed ? store_failure(store, arena, failed, doing) : status_ok();
}

/* LMDB takes lists of 1 and 2 MiB for each environment, and for each part of a write, of which it uses
 * little. They are to be maps of their own: of those a page counts when it is touched. glibc else
 * begins to take them from its heap, where they are cleared, once the first of them was freed. */
static void keep_large_blocks_mapped(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 1 << 19);
}

status environment_open(struct store *store, size_t map_bytes, struct arena *arena)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	unsigned flags = MDB_NOTLS | (store->reads_only ? MDB_RDONLY | MDB_NOLOCK : 0);
	MDB_envinfo info;
	MDB_stat stat;
	int result;

	(void)pthread_once(&once, keep_large_blocks_mapped);
	if (!store->reads_only)
		TRY(lock_file_reserve(store, arena));
	result = mdb_env_create(&store->env);
	if (!result)
		result = mdb_env_set_mapsize(store->env, map_bytes);
	if (!result)
		result = mdb_env_set_maxdbs(store->env, TABLE_N);
	if (!result)
		result = mdb_env_set_maxreaders(store->env, STORE_READERS_MAX);
	if (!result)
		result = mdb_env_open(store->env, store->directory, flags, FILE_MODE);
	if (result)
		return store_failure(store, arena, result, "open the environment");
	/* LMDB takes more where the file needs it. */
	mdb_env_info(store->env, &info);
	store->map_bytes = info.me_mapsize;
	mdb_env_stat(store->env, &stat);
	if (stat.ms_psize <= (size_t)sysconf(_SC_PAGESIZE))
		store->page_bytes = stat.ms_psize;
	return status_ok();
}

/* Tables first .. end. The handles are the store's once the transaction is committed. */
static status tables_open(const struct transaction *transaction, enum table first, enum table end,
			  unsigned flags)
{
	struct store *store = transaction->store;

	for (int table = (int)first; table < (int)end; table++) {
		int result = mdb_dbi_open(transaction->handle, table_names[table], flags,
					  &store->tables[table]);

		if (result == MDB_NOTFOUND)
			return value_damaged(transaction, (enum table)table, (struct bytes){0},
					     "it is not there");
		if (result)
			return store_failure(store, transaction->arena, result, table_names[table]);
	}
	return status_ok();
}

/* --- creation --- */

status store_sync_directory(const struct store *store, struct arena *arena)
{
	if (file_sync_directory(store->directory))
		return store_failure(store, arena, errno, "sync the directory");
	return status_ok();
}

static status fill(const struct transaction *transaction)
{
	TRY(tables_open(transaction, 0, TABLE_N, MDB_CREATE));
	TRY(manifest_write_config(transaction));
	return manifest_write_state(transaction, &(struct store_state){0});
}

static status write_first(struct store *store, struct arena *arena)
{
	struct transaction transaction = {.store = store, .arena = arena};
	status filled;

	TRY(transaction_write(&transaction));
	filled = fill(&transaction);
	if (status_failed(filled)) {
		transaction_abort(&transaction);
		return filled;
	}
	return transaction_commit(&transaction);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

status store_create(const char *directory, const struct collection_config *config,
		    struct arena *arena)
{
	SCOPED(store) store = NULL;

	TRY(store_new(directory, &store));
	store->config = *config;
	store->create_time_ns = now_ns();
	if (getrandom(store->incarnation, sizeof store->incarnation, 0) !=
	    (ssize_t)sizeof store->incarnation)
		return store_failure(store, arena, errno, "draw random bytes");
	TRY(environment_open(store, STORE_MAP_BYTES, arena));
	TRY(write_first(store, arena));
	return store_sync_directory(store, arena);
}

/* --- opening --- */

/* LMDB would make a new environment where there is no file, or an empty one. */
static status file_size(const struct store *store, struct arena *arena, size_t *ret)
{
	struct stat file;
	char *path = arena_printf(arena, "%s/" STORE_DATA_FILE, store->directory);

	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to open a store");
	if (stat(path, &file)) {
		if (errno != ENOENT)
			return store_failure(store, arena, errno, STORE_DATA_FILE);
		file.st_size = 0;
	}
	if (file.st_size == 0)
		return store_says(store, arena, STATUS_DATA_LOSS,
				  STORE_DATA_FILE " is not there or is empty");
	*ret = (size_t)file.st_size;
	return status_ok();
}

static status read_first(struct store *store, struct arena *arena)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};

	TRY(transaction_read(t));
	TRY(length_check(t));
	TRY(tables_open(t, 0, TABLE_POSTINGS, 0));
	TRY(manifest_read_config(t));
	if (store->format == STORE_FORMAT)
		TRY(tables_open(t, TABLE_POSTINGS, TABLE_N, 0));
	return transaction_commit(t);
}

/* The tables that an older format had not. */
static status add_tables(struct store *store, struct arena *arena)
{
	struct transaction transaction = {.store = store, .arena = arena};
	status opened;

	TRY(transaction_write(&transaction));
	opened = tables_open(&transaction, TABLE_POSTINGS, TABLE_N, MDB_CREATE);
	if (status_failed(opened)) {
		transaction_abort(&transaction);
		return opened;
	}
	return transaction_commit(&transaction);
}

/* Where that fails the file goes on as it is: it is larger than it need be, and whole. Not where it has
 * lost its name: what is written to it then would be gone when it is closed. */
static status shrink(struct store *store, size_t map_bytes, struct arena *arena)
{
	uint64_t before = store_disk_bytes(store);
	bool due = false, moved = false;
	status s;

	TRY(shrink_is_due(store, arena, &due));
	if (!due)
		return status_ok();
	s = shrink_copy(store, arena, &moved);
	if (status_failed(s) && moved)
		return s;
	if (status_failed(s)) {
		log_write(LOG_WARNING, "%s: its data file stays as large as it is: %s",
			  store->directory, s.detail);
		return status_ok();
	}
	transaction_forget_kept(store);
	mdb_env_close(TAKE(store->env));
	TRY(environment_open(store, map_bytes, arena));
	TRY(read_first(store, arena));
	log_write(LOG_INFO, "%s: its data file has %llu MiB instead of %llu", store->directory,
		  (unsigned long long)store_disk_bytes(store) >> 20,
		  (unsigned long long)before >> 20);
	return status_ok();
}

status store_open_sized(const char *directory, size_t map_bytes, struct arena *arena,
			struct store **ret)
{
	SCOPED(store) store = NULL;
	size_t file_bytes = 0;

	TRY(store_new(directory, &store));
	TRY(file_size(store, arena, &file_bytes));
	while (map_bytes < file_bytes)
		map_bytes *= 2;
	TRY(shrink_sweep(store, arena));
	TRY(environment_open(store, map_bytes, arena));
	TRY(read_first(store, arena));
	if (store->format < STORE_FORMAT) {
		TRY(add_tables(store, arena));
		TRY(store_upgrade(store, arena));
		store->format = STORE_FORMAT;
	}
	TRY(shrink(store, map_bytes, arena));
	*ret = TAKE(store);
	return status_ok();
}

status store_open_read_only(const char *directory, struct arena *arena, struct store **ret)
{
	size_t map_bytes = STORE_MAP_BYTES, file_bytes = 0;
	SCOPED(store) store = NULL;

	TRY(store_new(directory, &store));
	store->reads_only = true;
	TRY(file_size(store, arena, &file_bytes));
	while (map_bytes < file_bytes)
		map_bytes *= 2;
	TRY(environment_open(store, map_bytes, arena));
	TRY(read_first(store, arena));
	*ret = TAKE(store);
	return status_ok();
}

status store_open(const char *directory, struct arena *arena, struct store **ret)
{
	return store_open_sized(directory, STORE_MAP_BYTES, arena, ret);
}

/* --- what a store says of itself --- */

const struct collection_config *store_config(const struct store *store)
{
	return &store->config;
}

int64_t store_create_time_ns(const struct store *store)
{
	return store->create_time_ns;
}

const uint8_t *store_incarnation(const struct store *store)
{
	return store->incarnation;
}

uint64_t store_disk_bytes(struct store *store)
{
	struct stat file = {.st_size = 0};
	int fd;

	/* Not while the environment is opened anew. */
	pthread_rwlock_rdlock(&store->map_lock);
	if (!store->env || mdb_env_get_fd(store->env, &fd) || fstat(fd, &file))
		file.st_size = 0;
	pthread_rwlock_unlock(&store->map_lock);
	return (uint64_t)file.st_size;
}
