/* failure - what LMDB's results mean to a caller. */
#include "index/store/environment.h"

#include "kernels/base/error_info.h"

#include <errno.h>

/* Of limits on what is open at a time: calls end. */
#define RETRY_MS 1000

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

static enum error_reason reason_of(int result)
{
	switch (result) {
	case MDB_MAP_FULL:
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return REASON_DISK_FULL;
	case EMFILE:
	case ENFILE:
	case MDB_READERS_FULL:
	case MDB_TXN_FULL:
		return REASON_LIMIT_REACHED;
	default:
		return code_of(result) == STATUS_INTERNAL ? REASON_STORAGE_FAILED
							  : error_reason_of_code(code_of(result));
	}
}

/* A store that is not open yet has no name: the status then names the directory alone. */
static status about(status s, const struct store *store, struct arena *arena,
		    enum error_reason reason)
{
	const char *name = store->config.name;

	s = status_reason(s, arena, reason, "collection", name[0] ? name : NULL, NULL);
	return reason == REASON_LIMIT_REACHED ? status_retry(s, arena, RETRY_MS) : s;
}

status store_says(const struct store *store, struct arena *arena, enum status_code code,
		  const char *what)
{
	enum error_reason reason = error_reason_of_code(code);

	if (store->config.name[0])
		return about(status_format(arena, code, "collection \"%s\": %s", store->config.name,
					   what),
			     store, arena, reason);
	return about(status_format(arena, code, "%s: %s", store->directory, what), store, arena,
		     reason);
}

status store_failure(const struct store *store, struct arena *arena, int result, const char *doing)
{
	const char *why = mdb_strerror(result);

	if (store->config.name[0])
		return about(status_format(arena, code_of(result), "collection \"%s\": %s: %s",
					   store->config.name, doing, why),
			     store, arena, reason_of(result));
	return about(
		status_format(arena, code_of(result), "%s: %s: %s", store->directory, doing, why),
		store, arena, reason_of(result));
}
