/* transaction - begin and end of LMDB's transactions, and the growth of the map between them.
 *
 * mdb_env_set_mapsize moves the map, and LMDB leaves it to its user that no transaction of the
 * process sees that: each holds map_lock for reading from begin to end. The lock prefers writers,
 * since readers may never leave it empty; so no thread may hold it twice for reading while another
 * could grow the map. Only the writer grows it, when it has no write open.
 */
#include "index/store/transaction.h"

#include "index/file/file_io.h"
#include "index/store/revive.h"
#include "kernels/base/error_info.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

/* The map doubles each time, so this is never reached by one write. */
#define GROW_TRIES 32

#define DISK_FULL_BYTES ((size_t)1 << 20)

static MDB_txn *take_kept(struct store *store)
{
	MDB_txn *handle = NULL;

	pthread_mutex_lock(&store->kept_lock);
	if (store->n_kept > 0)
		handle = store->kept[--store->n_kept];
	pthread_mutex_unlock(&store->kept_lock);
	return handle;
}

/* Takes the handle. */
static void keep(struct store *store, MDB_txn *handle)
{
	mdb_txn_reset(handle);
	pthread_mutex_lock(&store->kept_lock);
	if (store->n_kept < STORE_READERS_KEPT) {
		store->kept[store->n_kept++] = handle;
		handle = NULL;
	}
	pthread_mutex_unlock(&store->kept_lock);
	if (handle)
		mdb_txn_abort(handle);
}

void transaction_forget_kept(struct store *store)
{
	for (MDB_txn *handle; (handle = take_kept(store));)
		mdb_txn_abort(handle);
}

static int begin_read(struct store *store, MDB_txn **ret)
{
	MDB_txn *handle = take_kept(store);
	int result;

	if (!handle)
		return mdb_txn_begin(store->env, NULL, MDB_RDONLY, ret);
	result = mdb_txn_renew(handle);
	if (result)
		mdb_txn_abort(handle);
	else
		*ret = handle;
	return result;
}

static status begin_once(struct transaction *transaction, bool write, int *ret_result)
{
	struct store *store = transaction->store;
	MDB_txn *handle = NULL;
	int result;

	*ret_result = 0;
	pthread_rwlock_rdlock(&store->map_lock);
	if (store->map_lost) {
		pthread_rwlock_unlock(&store->map_lock);
		return store_says(store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "its map was lost when it grew; the server must restart");
	}
	result = write ? mdb_txn_begin(store->env, NULL, 0, &handle) : begin_read(store, &handle);
	if (result) {
		pthread_rwlock_unlock(&store->map_lock);
		*ret_result = result;
		return store_failure(store, transaction->arena, result, "begin a transaction");
	}
	transaction->handle = handle;
	transaction->reads_only = !write;
	return status_ok();
}

static status begin(struct transaction *transaction, bool write)
{
	int result;
	status s = begin_once(transaction, write, &result);

	if (result != MDB_PANIC)
		return s;
	TRY(store_revive(transaction->store, transaction->arena));
	return begin_once(transaction, write, &result);
}

status transaction_read(struct transaction *transaction)
{
	return begin(transaction, false);
}

status transaction_write(struct transaction *transaction)
{
	return begin(transaction, true);
}

void transaction_end(struct transaction *transaction)
{
	if (!transaction || !transaction->handle)
		return;
	keep(transaction->store, TAKE(transaction->handle));
	pthread_rwlock_unlock(&transaction->store->map_lock);
}

status transaction_of_reader(struct store_reader *reader, struct arena *arena,
			     struct transaction *ret)
{
	struct transaction t = {.store = reader->store, .arena = arena, .reads_only = true};

	if (reader->reads == STORE_READER_READS_MAX)
		store_reader_rest(reader);
	t.handle = reader->transaction;
	if (!t.handle)
		TRY(transaction_read(&t));
	reader->transaction = t.handle;
	reader->reads++;
	*ret = t;
	return status_ok();
}

void store_reader_rest(struct store_reader *reader)
{
	if (!reader)
		return;
	transaction_end(&(struct transaction){
		.store = reader->store,
		.handle = TAKE(reader->transaction),
	});
	reader->reads = 0;
}

/* LMDB makes EIO of a write that ended short, which is how a disk fills up. */
static bool disk_is_full(const struct store *store)
{
	struct statvfs disk;

	return statvfs(store->directory, &disk) == 0 &&
	       disk.f_bavail < DISK_FULL_BYTES / disk.f_frsize;
}

status transaction_commit(struct transaction *transaction)
{
	size_t number = mdb_txn_id(transaction->handle);
	int result = mdb_txn_commit(TAKE(transaction->handle));

	/* There is one writer. */
	if (result && !transaction->reads_only)
		transaction->store->failed_transaction = number;
	pthread_rwlock_unlock(&transaction->store->map_lock);
	if (result == EIO && disk_is_full(transaction->store))
		result = ENOSPC;
	if (result)
		return store_failure(transaction->store, transaction->arena, result, "commit");
	return status_ok();
}

void transaction_abort(struct transaction *transaction)
{
	if (!transaction->handle)
		return;
	mdb_txn_abort(TAKE(transaction->handle));
	pthread_rwlock_unlock(&transaction->store->map_lock);
}

/* LMDB unmaps before it maps anew, and cannot go back: so see first that so much address space is
 * to be had. */
static int probe_address_space(size_t size_bytes)
{
	void *probe = file_map(NULL, size_bytes, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);

	if (probe == MAP_FAILED)
		return errno;
	file_unmap(probe, size_bytes);
	return 0;
}

static int grow_locked(struct store *store)
{
	size_t size_bytes = store->map_bytes * 2;
	int result;

	if (store->map_lost || store->map_bytes > SIZE_MAX / 4)
		return ENOMEM;
	result = probe_address_space(size_bytes);
	if (result)
		return result;
	result = mdb_env_set_mapsize(store->env, size_bytes);
	if (result)
		store->map_lost = true;
	else
		store->map_bytes = size_bytes;
	return result;
}

status store_grow(struct store *store, struct arena *arena)
{
	int result;

	pthread_rwlock_wrlock(&store->map_lock);
	result = grow_locked(store);
	pthread_rwlock_unlock(&store->map_lock);
	if (result)
		return status_reason(status_format(arena, STATUS_RESOURCE_EXHAUSTED,
						   "collection \"%s\": grow the map: %s",
						   store->config.name, mdb_strerror(result)),
				     arena, REASON_MEMORY_LIMIT, "collection", store->config.name,
				     NULL);
	return status_ok();
}

status store_grow_while_full(struct store *store, struct arena *arena,
			     status (*attempt)(void *context), void *context)
{
	status s = attempt(context);

	for (int i = 0; s.code == STATUS_ABORTED && i < GROW_TRIES; i++) {
		TRY(store_grow(store, arena));
		s = attempt(context);
	}
	return s;
}
