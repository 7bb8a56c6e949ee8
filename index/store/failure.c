/* failure - what LMDB's results mean to a caller. */
#include "index/store/environment.h"

#include <errno.h>

static enum status_code code_of(int result)
{
	switch (result) {
	case MDB_MAP_FULL:
		return STATUS_ABORTED;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case MDB_READERS_FULL:
	case MDB_TXN_FULL:
		return STATUS_RESOURCE_EXHAUSTED;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_PANIC:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
		return STATUS_DATA_LOSS;
	default:
		return STATUS_INTERNAL;
	}
}

status store_says(const struct store *store, struct arena *arena, enum status_code code,
		  const char *what)
{
	if (store->config.name[0])
		return status_format(arena, code, "collection \"%s\": %s", store->config.name,
				     what);
	return status_format(arena, code, "%s: %s", store->directory, what);
}

status store_failure(const struct store *store, struct arena *arena, int result, const char *doing)
{
	const char *why = mdb_strerror(result);

	if (store->config.name[0])
		return status_format(arena, code_of(result), "collection \"%s\": %s: %s",
				     store->config.name, doing, why);
	return status_format(arena, code_of(result), "%s: %s: %s", store->directory, doing, why);
}
