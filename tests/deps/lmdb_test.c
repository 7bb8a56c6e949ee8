/* LMDB - what is committed is there after the environment is opened again, what is not is gone. */
#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <lmdb.h>

#include <string.h>

static struct scratch scratch;

static void folder_make(void)
{
	scratch_open(&scratch);
}

static void folder_remove(void)
{
	scratch_close(&scratch);
}

static MDB_env *env_open(void)
{
	MDB_env *env = NULL;

	cr_assert_eq(mdb_env_create(&env), 0);
	cr_assert_eq(mdb_env_set_mapsize(env, 1 << 20), 0);
	cr_assert_eq(mdb_env_open(env, scratch.path, 0, 0600), 0);
	return env;
}

static void put(MDB_env *env, const char *word, bool commit)
{
	MDB_val key = {strlen(word), (void *)word}, value = {strlen(word), (void *)word};
	MDB_txn *txn = NULL;
	MDB_dbi dbi;

	cr_assert_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
	cr_assert_eq(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	cr_assert_eq(mdb_put(txn, dbi, &key, &value, MDB_NOOVERWRITE), 0);
	if (commit)
		cr_assert_eq(mdb_txn_commit(txn), 0);
	else
		mdb_txn_abort(txn);
}

static int get(MDB_env *env, const char *word)
{
	MDB_val key = {strlen(word), (void *)word}, value;
	MDB_txn *txn = NULL;
	MDB_dbi dbi;
	int result;

	cr_assert_eq(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
	cr_assert_eq(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
	result = mdb_get(txn, dbi, &key, &value);
	if (result == 0) {
		cr_assert_eq(value.mv_size, strlen(word));
		cr_assert_arr_eq(value.mv_data, word, value.mv_size);
	}
	mdb_txn_abort(txn);
	return result;
}

Test(lmdb, keeps_what_is_committed, .init = folder_make, .fini = folder_remove)
{
	MDB_env *env = env_open();

	put(env, "kept", true);
	put(env, "dropped", false);
	mdb_env_close(env);

	env = env_open();
	cr_assert_eq(get(env, "kept"), 0);
	cr_assert_eq(get(env, "dropped"), MDB_NOTFOUND);
	mdb_env_close(env);
}
