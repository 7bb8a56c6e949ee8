/* strike_wraps - in the place of functions that the linker sends here: memory, threads and LMDB. */
#include "tests/faults/strike_state.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function whose name the linker makes up, and the one that it stands in for. */
#define WRAPPED(type, name, ...)                                                                   \
	type __real_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__);                                                           \
	type __wrap_##name(__VA_ARGS__)

/* --- memory and threads --- */

WRAPPED(void *, malloc, size_t size)
{
	return strike_now(STRIKE_MEMORY, STRIKE_MEMORY, "malloc") ? NULL : __real_malloc(size);
}

WRAPPED(void *, calloc, size_t n, size_t size)
{
	return strike_now(STRIKE_MEMORY, STRIKE_MEMORY, "calloc") ? NULL : __real_calloc(n, size);
}

WRAPPED(void *, realloc, void *at, size_t size)
{
	return strike_now(STRIKE_MEMORY, STRIKE_MEMORY, "realloc") ? NULL
								   : __real_realloc(at, size);
}

WRAPPED(void *, reallocarray, void *at, size_t n, size_t size)
{
	return strike_now(STRIKE_MEMORY, STRIKE_MEMORY, "reallocarray")
		       ? NULL
		       : __real_reallocarray(at, n, size);
}

WRAPPED(void *, aligned_alloc, size_t alignment, size_t size)
{
	return strike_now(STRIKE_MEMORY, STRIKE_MEMORY, "aligned_alloc")
		       ? NULL
		       : __real_aligned_alloc(alignment, size);
}

WRAPPED(char *, strdup, const char *text)
{
	return strike_now(STRIKE_MEMORY, STRIKE_MEMORY, "strdup") ? NULL : __real_strdup(text);
}

WRAPPED(int, pthread_create, pthread_t *ret, const pthread_attr_t *attributes, void *(*run)(void *),
	void *arg)
{
	return strike_now(STRIKE_THREAD, STRIKE_THREAD, "pthread_create")
		       ? EAGAIN
		       : __real_pthread_create(ret, attributes, run, arg);
}

/* --- LMDB --- */

#define WRAPPED_LMDB(name, also, parameters, arguments)                                            \
	int __real_##name parameters;                                                              \
	int __wrap_##name parameters;                                                              \
	int __wrap_##name parameters                                                               \
	{                                                                                          \
		int error = strike_now(STRIKE_LMDB, also, #name);                                  \
                                                                                                   \
		return error ? error : __real_##name arguments;                                    \
	}

WRAPPED_LMDB(mdb_env_create, STRIKE_LMDB, (MDB_env * *ret), (ret))
WRAPPED_LMDB(mdb_env_set_mapsize, STRIKE_LMDB, (MDB_env * env, size_t size), (env, size))
WRAPPED_LMDB(mdb_env_set_maxdbs, STRIKE_LMDB, (MDB_env * env, MDB_dbi n), (env, n))
WRAPPED_LMDB(mdb_env_set_maxreaders, STRIKE_LMDB, (MDB_env * env, unsigned n), (env, n))
WRAPPED_LMDB(mdb_env_open, STRIKE_LMDB,
	     (MDB_env * env, const char *path, unsigned flags, mdb_mode_t mode),
	     (env, path, flags, mode))
WRAPPED_LMDB(mdb_env_get_fd, STRIKE_LMDB, (MDB_env * env, mdb_filehandle_t *ret), (env, ret))
WRAPPED_LMDB(mdb_env_copyfd2, STRIKE_LMDB, (MDB_env * env, mdb_filehandle_t fd, unsigned flags),
	     (env, fd, flags))
WRAPPED_LMDB(mdb_txn_begin, STRIKE_LMDB,
	     (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **ret),
	     (env, parent, flags, ret))
WRAPPED_LMDB(mdb_txn_renew, STRIKE_LMDB, (MDB_txn * txn), (txn))
WRAPPED_LMDB(mdb_dbi_open, STRIKE_LMDB,
	     (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *ret),
	     (txn, name, flags, ret))
WRAPPED_LMDB(mdb_stat, STRIKE_LMDB, (MDB_txn * txn, MDB_dbi dbi, MDB_stat *ret), (txn, dbi, ret))
WRAPPED_LMDB(mdb_drop, STRIKE_LMDB_WRITE, (MDB_txn * txn, MDB_dbi dbi, int del), (txn, dbi, del))
WRAPPED_LMDB(mdb_get, STRIKE_LMDB, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *ret),
	     (txn, dbi, key, ret))
WRAPPED_LMDB(mdb_put, STRIKE_LMDB_WRITE,
	     (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data, unsigned flags),
	     (txn, dbi, key, data, flags))
WRAPPED_LMDB(mdb_del, STRIKE_LMDB_WRITE, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *data),
	     (txn, dbi, key, data))
WRAPPED_LMDB(mdb_cursor_open, STRIKE_LMDB, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **ret),
	     (txn, dbi, ret))
WRAPPED_LMDB(mdb_cursor_get, STRIKE_LMDB,
	     (MDB_cursor * cursor, MDB_val *key, MDB_val *ret, MDB_cursor_op op),
	     (cursor, key, ret, op))

/* The transaction is over either way. */
WRAPPED(int, mdb_txn_commit, MDB_txn *txn)
{
	int error = strike_now(STRIKE_LMDB, STRIKE_LMDB_WRITE, "mdb_txn_commit");

	if (!error)
		return __real_mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return error;
}
