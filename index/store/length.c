/* length - whether a data file has been cut off.
 *
 * LMDB does not write a page that a transaction took and freed again, so the last pages may never
 * have been written. They are in its list of free pages (table 0: transaction -> count, then page
 * numbers, each a size_t); if all that is missing is there, nothing is lost.
 */
#include "index/store/length.h"

#include "index/file/file_io.h"

#include <errno.h>
#include <sys/stat.h>

#define FREE_TABLE 0

SCOPE_DEFINE(MDB_cursor, mdb_cursor_close)

/* The number of page numbers in a list of free pages that are at least first. */
static size_t count_from(MDB_val list, size_t first)
{
	const uint8_t *numbers = list.mv_data;
	size_t n = list.mv_size / sizeof(size_t), found = 0;

	for (size_t i = 1; i < n && i <= load_u64(numbers); i++)
		found += load_u64(numbers + i * sizeof(size_t)) >= first;
	return found;
}

static int count_free(MDB_txn *handle, size_t first, size_t *ret)
{
	SCOPED(MDB_cursor) cursor = NULL;
	MDB_val key, list;
	int result = mdb_cursor_open(handle, FREE_TABLE, &cursor);

	*ret = 0;
	while (!result) {
		result = mdb_cursor_get(cursor, &key, &list, MDB_NEXT);
		if (!result)
			*ret += count_from(list, first);
	}
	return result == MDB_NOTFOUND ? 0 : result;
}

/* At most so many pages does a transaction of LMDB take. */
#define MISSING_PAGES_MAX ((size_t)1 << 17)

status length_check(const struct transaction *transaction)
{
	struct store *store = transaction->store;
	size_t pages, pages_there, missing, missing_free;
	MDB_envinfo info;
	MDB_stat stat;
	struct stat file;
	int fd, result;

	_Static_assert(sizeof(size_t) == sizeof(uint64_t), "page numbers are of 64 bits");
	mdb_env_info(store->env, &info);
	mdb_env_stat(store->env, &stat);
	mdb_env_get_fd(store->env, &fd);
	if (fstat(fd, &file))
		return store_failure(store, transaction->arena, errno, "fstat");
	pages = info.me_last_pgno + 1;
	pages_there = (size_t)file.st_size / stat.ms_psize;
	if (pages_there >= pages)
		return status_ok();

	missing = pages - pages_there;
	if (missing > MISSING_PAGES_MAX)
		return store_says(store, transaction->arena, STATUS_DATA_LOSS,
				  "the data file is cut off");
	/* Who changes nothing has looked at the list before (pages.h). */
	if (store->reads_only)
		return status_ok();
	/* So that the list itself can be read without a signal, wherever it lies. */
	if (file_resize(fd, pages * stat.ms_psize))
		return store_failure(store, transaction->arena, errno, "lengthen the data file");
	result = count_free(transaction->handle, pages_there, &missing_free);
	if (!result && missing_free == missing)
		return status_ok();
	if (file_resize(fd, (uint64_t)file.st_size))
		return store_failure(store, transaction->arena, errno, "shorten the data file");
	return store_says(store, transaction->arena, STATUS_DATA_LOSS, "the data file is cut off");
}

status length_count_free(const struct transaction *transaction, size_t *ret)
{
	int result = count_free(transaction->handle, 0, ret);

	return result ? store_failure(transaction->store, transaction->arena, result,
				      "count its free pages")
		      : status_ok();
}
