/* database - a data directory: its collections by name.
 *
 *	DIR/lock               held by flock: one server a directory
 *	DIR/token.key          what resume tokens are authenticated with
 *	DIR/collections/NAME/  one LMDB environment (store.h) a collection
 *	DIR/collections/.NAME.new, .NAME.old
 *	                       being made, being removed; deleted at the next open
 *	DIR/snapshots/         backup.h
 *
 * The catalogue is rebuilt from the directories at open. A collection is opened when it is first asked
 * for, or by database_warm, and then stays open; it takes some 20 KiB of memory until it has rows. It is
 * opened once, whoever asks meanwhile, on a thread that serves nobody; those who wait can do so
 * without a thread (database_await). One that cannot be opened is refused by name with DATA_LOSS
 * (or what the trouble was) and the others are served; where it was a lack of memory, disk or files it
 * is tried again for the next who asks.
 * Safe from any thread.
 */
#ifndef SLUICE_INDEX_DATABASE_H
#define SLUICE_INDEX_DATABASE_H

#include "index/collection_config.h"
#include "index/resume_token.h"
#include "kernels/base/arena.h"
#include "kernels/base/pool.h"
#include "kernels/base/status.h"
#include "kernels/scanner.h"

struct collection;
struct database;

struct database_options {
	const char *directory;       /* made where missing, with its parents */
	struct scanner *scanner;     /* borrowed; searched with first: a GPU's, or the CPU's */
	struct scanner *scanner_cpu; /* borrowed; never fails for reasons of its own */
	struct pool *writers; /* borrowed; runs the collections' writers (fsync blocks there) */
	/* Writes and bytes that share a commit, and rows of a collection in memory; 0: 64, 32 MiB,
	 * and no bound. */
	size_t commit_writes_max, commit_bytes_max;
	uint64_t head_rows_max;
	uint64_t dead_rows_max, dead_bytes_max; /* of a collection; 0: no bound */
	uint64_t seal_rows;                     /* of a head, which become a segment; 0: never */
	size_t builders; /* threads, of low priority, that build an index; 0: as there are processors */
	/* How long dead rows stay after the last snapshot that saw them, for resume tokens. */
	int64_t retention_ns;
	/* Called before a collection is opened, on the thread that opens it; for tests. NULL: nothing. */
	void (*opening)(void *context, const char *name);
	void *context;
};

/* Somebody who waits until a collection is open, or known not to open. */
struct database_wait {
	void (*turned)(
		struct database_wait *wait); /* once, on a thread that opens: it may free it */

	/* The database's: */
	struct database_wait *next;
	char name[COLLECTION_NAME_MAX + 1];
};

/* database_open - Fails: FAILED_PRECONDITION (another server has the directory; its pid is named)
 * PERMISSION_DENIED NOT_FOUND RESOURCE_EXHAUSTED INTERNAL, naming the path. */
status database_open(const struct database_options *options, struct arena *arena,
		     struct database **ret);

/* database_close - every collection must have been released; waits for the writers. NULL is fine.
 */
void database_close(struct database *database);

/* database_create - Fails: ALREADY_EXISTS RESOURCE_EXHAUSTED INTERNAL */
status database_create(struct database *database, const struct collection_config *config,
		       struct arena *arena);

/* database_warm - opens all collections, one after the other, in the background; one that was not asked
 * for yet and finds no memory, disk or file to open is left for whoever asks, and so are those behind it. */
void database_warm(struct database *database);

/* database_is_warm - whether it has been through all of them: each is open, or known not to open, or left
 * for whoever asks. */
bool database_is_warm(const struct database *database);

/* database_await - whether database_acquire would answer at once. Else the collection is being opened,
 * and turned is called when it has been: then ask again. Without memory for that it says true.
 * wait  lasts until then, and the database too. */
bool database_await(struct database *database, struct bytes name, struct database_wait *wait);

/* database_acquire - a reference, for collection_release. The first one of a collection opens it, on this
 * thread: that reads its segments and its ids once. Fails: NOT_FOUND DATA_LOSS, or what the opening gave */
status database_acquire(struct database *database, struct bytes name, struct arena *arena,
			struct collection **ret);

/* database_drop - off the catalogue at once, writes still queued fail with FAILED_PRECONDITION,
 * open cursors end so at their next batch; files are gone when it returns (one that cannot be removed: at
 * the next start), their blocks on disk when the last reference is released. Fails: NOT_FOUND INTERNAL */
status database_drop(struct database *database, struct bytes name, struct arena *arena);

/* database_list - names in bytewise order, the first max after `after` (empty: from the start).
 * ret_names  [ret_n] in the arena. Fails: RESOURCE_EXHAUSTED */
status database_list(struct database *database, struct bytes after, size_t max, struct arena *arena,
		     struct bytes **ret_names, size_t *ret_n);

/* database_open_collections - those that are open now: none is opened for it.
 * ret  [ret_n] references in the arena, the first max by name, each for collection_release.
 * ret_known  how many the catalogue has; ret_open  how many of them are open.
 * Fails: RESOURCE_EXHAUSTED */
status database_open_collections(struct database *database, size_t max, struct arena *arena,
				 struct collection ***ret, size_t *ret_n, size_t *ret_known,
				 size_t *ret_open);

/* database_resume_key - of the directory; good until the database is closed. */
const struct resume_key *database_resume_key(const struct database *database);

/* database_scanner - what scans first, for GetServerInfo and Summary.backend. */
struct scanner *database_scanner(struct database *database);
/* database_scanner_cpu - what scans where the first cannot. */
struct scanner *database_scanner_cpu(struct database *database);

SCOPE_DEFINE(database, database_close)

#endif
