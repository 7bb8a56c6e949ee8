/* revive - closes and opens, with every transaction of the process kept out. */
#include "index/store/revive.h"

#include "index/store/transaction.h"
#include "kernels/base/log.h"

static bool is_in_panic(const struct store *store)
{
	MDB_txn *handle = NULL;
	int result = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &handle);

	if (!result)
		mdb_txn_abort(handle);
	return result == MDB_PANIC;
}

/* The handles are the environment's, in the order in which they were opened at first. */
static int open_tables(struct store *store)
{
	MDB_txn *handle = NULL;
	int result = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &handle);

	for (int table = 0; table < TABLE_N && !result; table++)
		result = mdb_dbi_open(handle, table_name((enum table)table), 0,
				      &store->tables[table]);
	if (!handle)
		return result;
	if (!result)
		return mdb_txn_commit(handle);
	mdb_txn_abort(handle);
	return result;
}

/* Whether the commit that failed is there all the same: then nobody knows of it. */
static bool has_failed_commit(const struct store *store)
{
	MDB_envinfo info;

	mdb_env_info(store->env, &info);
	return info.me_last_txnid >= store->failed_transaction;
}

static status revive_locked(struct store *store, struct arena *arena)
{
	int result;

	if (store->map_lost || !is_in_panic(store))
		return status_ok();
	if (atomic_load(&store->copies))
		return store_says(store, arena, STATUS_RESOURCE_EXHAUSTED,
				  "LMDB could not write, and a snapshot is being made: nothing is "
				  "written until it is there");
	log_write(LOG_WARNING, "%s: LMDB could not write; its environment is opened anew",
		  store->directory);
	store->map_lost = true;
	transaction_forget_kept(store);
	mdb_env_close(TAKE(store->env));
	TRY(environment_open(store, store->map_bytes, arena));
	if (has_failed_commit(store))
		return store_says(store, arena, STATUS_RESOURCE_EXHAUSTED,
				  "a write that failed is in its file; the server must restart");
	result = open_tables(store);
	if (result)
		return store_failure(store, arena, result, "open its tables anew");
	store->map_lost = false;
	return status_ok();
}

status store_revive(struct store *store, struct arena *arena)
{
	status s;

	pthread_rwlock_wrlock(&store->map_lock);
	s = revive_locked(store, arena);
	pthread_rwlock_unlock(&store->map_lock);
	return s;
}
