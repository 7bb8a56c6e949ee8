/* shrink - looks at the list of free pages, and copies the others. */
#include "index/store/shrink.h"

#include "index/file/file_io.h"
#include "index/store/length.h"
#include "index/store/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define NEW_FILE STORE_DATA_FILE ".new"
/* Empty, and there from before the new file takes the name until that is known to last. */
#define MOVED_FILE STORE_DATA_FILE ".moved"

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

status shrink_sweep(const struct store *store, struct arena *arena)
{
	const char *copy = arena_printf(arena, "%s/" NEW_FILE, store->directory);
	const char *moved = arena_printf(arena, "%s/" MOVED_FILE, store->directory);

	if (!copy || !moved)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	(void)file_remove(copy);
	if (access(moved, F_OK))
		return errno == ENOENT ? status_ok()
				       : store_failure(store, arena, errno, "look for " MOVED_FILE);
	TRY(store_sync_directory(store, arena));
	(void)file_remove(moved);
	return status_ok();
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

/* Were the directory not synced and the store written, a disk could come back with the old file. So
 * there is a mark of that first, which shrink_sweep sees. */
static status move(struct store *store, const char *from, struct arena *arena, bool *ret_moved)
{
	const char *to = arena_printf(arena, "%s/" STORE_DATA_FILE, store->directory);
	const char *mark = arena_printf(arena, "%s/" MOVED_FILE, store->directory);
	int fd;

	if (!to || !mark)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	fd = file_open(mark, O_WRONLY | O_CREAT);
	if (fd < 0)
		return store_failure(store, arena, errno, "make " MOVED_FILE);
	(void)file_close(fd);
	if (file_rename(from, to)) {
		status s = store_failure(store, arena, errno, "rename " NEW_FILE);

		(void)file_remove(mark);
		return s;
	}
	*ret_moved = true;
	TRY(store_sync_directory(store, arena));
	(void)file_remove(mark);
	return status_ok();
}

status shrink_copy(struct store *store, struct arena *arena, bool *ret_moved)
{
	const char *from = arena_printf(arena, "%s/" NEW_FILE, store->directory);
	status s;

	*ret_moved = false;
	if (!from)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	s = copy_to(store, from, arena);
	if (!status_failed(s))
		s = move(store, from, arena, ret_moved);
	if (status_failed(s) && !*ret_moved)
		(void)file_remove(from);
	return s;
}
