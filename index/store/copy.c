/* copy - one state of LMDB's file: its meta page twice, and behind it all pages up to its last.
 *
 * LMDB writes the meta pages by turns, the one of a transaction into page number & 1, and no other page
 * that a registered reader may need. So whoever has registered and then finds the meta of his own
 * state has all of it. Pages that are free in that state may be torn in the copy, and nobody reads
 * them.
 */
#include "index/store/copy.h"

#include "index/file/file_io.h"
#include "index/store/manifest.h"
#include "index/store/transaction.h"
#include "kernels/base/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define COPY_BYTES ((size_t)1 << 20)
#define META_PAGES 2
/* In a meta page (pages.c draws it). */
#define META_LAST_PAGE_AT 136
#define META_TRANSACTION_AT 144
#define META_BYTES 152
/* A commit takes a write to the disk, and the look a few instructions. */
#define PIN_TRIES 1000

struct copying {
	struct store *store;
	struct arena *arena;
	const struct deadline *deadline;
	const char *path;
	MDB_txn *pin;    /* registered, and never read with */
	int from, to;    /* from is LMDB's own; to: -1: none */
	uint8_t *buffer; /* [COPY_BYTES] owned */
	uint8_t meta[META_BYTES];
	size_t page_bytes;
	struct store_copied done;
};

static void unpin(struct copying *copying)
{
	if (!copying->pin)
		return;
	mdb_txn_abort(TAKE(copying->pin));
	atomic_fetch_sub(&copying->store->copies, 1);
}

static void copying_finish(struct copying *copying)
{
	unpin(copying);
	if (copying->to >= 0)
		(void)file_close(copying->to);
	free(copying->buffer);
}

SCOPE_DEFINE(copying, copying_finish)

static status failed(const struct copying *copying, int error, const char *what)
{
	const char *doing = arena_printf(copying->arena, "%s %s", what, copying->path);

	return store_failure(copying->store, copying->arena, error, doing ? doing : what);
}

/* --- the state --- */

/* False where a commit has come in between. */
static bool find_meta(struct copying *copying, uint64_t transaction)
{
	uint64_t at = (transaction & 1) * copying->page_bytes;
	uint8_t again[META_BYTES];

	if (file_read(copying->from, copying->meta, META_BYTES, at) != META_BYTES ||
	    file_read(copying->from, again, META_BYTES, at) != META_BYTES)
		return false;
	return load_u64(copying->meta + META_TRANSACTION_AT) == transaction &&
	       memcmp(copying->meta, again, META_BYTES) == 0;
}

/* Registers for the newest state. Here alone the map is looked at, and so its lock is held. */
static status pin_try(struct copying *copying, bool *ret_found)
{
	SCOPED(transaction) t =
		&(struct transaction){.store = copying->store, .arena = copying->arena};
	MDB_stat stat;
	int result;

	TRY(transaction_read(t));
	mdb_env_stat(copying->store->env, &stat);
	copying->page_bytes = stat.ms_psize;
	result = mdb_env_get_fd(copying->store->env, &copying->from);
	if (!result)
		result = mdb_txn_begin(copying->store->env, NULL, MDB_RDONLY, &copying->pin);
	if (result)
		return failed(copying, result, "begin a transaction for");
	atomic_fetch_add(&copying->store->copies, 1);
	*ret_found = find_meta(copying, mdb_txn_id(copying->pin));
	if (!*ret_found)
		unpin(copying);
	return status_ok();
}

static status pin(struct copying *copying)
{
	bool found = false;

	for (int i = 0; i < PIN_TRIES && !found; i++) {
		TRY(deadline_check(copying->deadline));
		TRY(pin_try(copying, &found));
	}
	return found ? status_ok()
		     : store_says(copying->store, copying->arena, STATUS_DATA_LOSS,
				  STORE_DATA_FILE " has no head of its newest state");
}

/* --- writing --- */

static status put(struct copying *copying, size_t size)
{
	copying->done.checksum =
		checksum_crc32c(copying->done.checksum, bytes_of(copying->buffer, size));
	if (file_write(copying->to, copying->buffer, size, copying->done.bytes))
		return failed(copying, errno, "write");
	copying->done.bytes += size;
	return status_ok();
}

/* The state's own head in its place, and the same as that of the state before in the other. */
static status put_metas(struct copying *copying)
{
	uint64_t transaction = load_u64(copying->meta + META_TRANSACTION_AT);

	memset(copying->buffer, 0, META_PAGES * copying->page_bytes);
	for (uint64_t page = 0; page < META_PAGES; page++) {
		uint8_t *at = copying->buffer + page * copying->page_bytes;

		memcpy(at, copying->meta, META_BYTES);
		store_u64(at, page);
		store_u64(at + META_TRANSACTION_AT,
			  page == (transaction & 1) ? transaction : transaction - 1);
	}
	return put(copying, META_PAGES * copying->page_bytes);
}

/* The last pages may never have been written: they are free ones then (length.h). */
static status put_pages(struct copying *copying)
{
	uint64_t end = (load_u64(copying->meta + META_LAST_PAGE_AT) + 1) * copying->page_bytes;
	ssize_t n = 1;

	while (copying->done.bytes < end && n > 0) {
		uint64_t left = end - copying->done.bytes;

		TRY(deadline_check(copying->deadline));
		n = file_read(copying->from, copying->buffer,
			      left < COPY_BYTES ? (size_t)left : COPY_BYTES, copying->done.bytes);
		if (n < 0)
			return failed(copying, errno, "read " STORE_DATA_FILE " for");
		TRY(put(copying, (size_t)n));
	}
	return status_ok();
}

status store_copy(struct store *store, const char *path, const struct deadline *deadline,
		  struct arena *arena, struct store_copied *ret)
{
	SCOPED(copying) copying = &(struct copying){
		.store = store,
		.arena = arena,
		.deadline = deadline,
		.path = path,
		.to = file_open(path, O_WRONLY | O_CREAT | O_EXCL),
		.buffer = malloc(COPY_BYTES),
	};

	if (copying->to < 0)
		return failed(copying, errno, "make");
	if (!copying->buffer)
		return failed(copying, ENOMEM, "copy to");
	TRY(pin(copying));
	TRY(put_metas(copying));
	TRY(put_pages(copying));
	if (file_sync(copying->to))
		return failed(copying, errno, "sync");
	*ret = copying->done;
	return status_ok();
}

status store_read_state(struct store *store, struct arena *arena, struct store_state *ret)
{
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};
	struct store_state state = {0};

	TRY(transaction_read(t));
	TRY(manifest_read_state(t, &state));
	*ret = state;
	return status_ok();
}
