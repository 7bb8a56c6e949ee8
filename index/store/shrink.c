/* shrink - looks at the list of free pages, and copies the others. */
#include "index/store/shrink.h"

#include "index/file/file_io.h"
#include "index/store/length.h"
#include "index/store/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#define NEW_FILE STORE_DATA_FILE ".new"

status shrink_is_due(struct store *store, struct arena *arena, bool *ret)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};
	MDB_envinfo info;
	MDB_stat stat;
	size_t n_free = 0;

	TRY(transaction_read(t));
	TRY(length_count_free(t, &n_free));
	mdb_env_info(store->env, &info);
	mdb_env_stat(store->env, &stat);
	*ret = n_free > info.me_last_pgno / 2 && n_free * stat.ms_psize >= SHRINK_BYTES;
	return status_ok();
}

void shrink_sweep(const struct store *store, struct arena *arena)
{
	const char *path = arena_printf(arena, "%s/" NEW_FILE, store->directory);

	if (path)
		(void)file_remove(path);
}

static status copy_to(struct store *store, const char *path, struct arena *arena)
{
	int fd = file_open(path, O_WRONLY | O_CREAT | O_TRUNC);
	int result;

	if (fd < 0)
		return store_failure(store, arena, errno, "make " NEW_FILE);
	result = mdb_env_copyfd2(store->env, fd, MDB_CP_COMPACT);
	if (!result && file_sync(fd))
		result = errno;
	(void)file_close(fd);
	return result ? store_failure(store, arena, result, "write " NEW_FILE) : status_ok();
}

status shrink_copy(struct store *store, struct arena *arena)
{
	const char *from = arena_printf(arena, "%s/" NEW_FILE, store->directory);
	const char *to = arena_printf(arena, "%s/" STORE_DATA_FILE, store->directory);
	status s;

	if (!from || !to)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	s = copy_to(store, from, arena);
	if (status_failed(s)) {
		(void)file_remove(from);
		return s;
	}
	if (file_rename(from, to))
		return store_failure(store, arena, errno, "rename " NEW_FILE);
	return store_sync_directory(store, arena);
}
