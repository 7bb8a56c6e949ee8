/* store - the durable side of a collection: one LMDB environment.
 *
 *	config   "config" -> format version, collection_config, creation time, incarnation
 *	state    "state"  -> next row, generation, number of live rows, readable from
 *	ids      id key   -> row               (an id above 400 bytes is keyed by its first 384 and a
 *	                                        128-bit hash; the record has it whole and is compared)
 *	records  row      -> the chunk without its vector (record.c)
 *	vectors  row      -> dim float32: the rows of the head. Those of a segment are in its file, and
 *	                                        leave this table behind the manifest's commit
 *	dead     generation, row -> nothing    rows that no new snapshot sees, until they are purged
 *	postings field, value, run of rows -> which rows of it have the value
 *	numbers  field, number, row -> nothing
 *	documents  document, ordinal, row -> nothing
 *
 * The last three are what filters read (posting_key.h): of declared fields alone, of every row that
 * has a record, dead ones included, and changed in the transaction that changes the record.
 * A row of a segment that has neither id nor entry in `dead` was purged; so nothing has to say which
 * those are.
 * A directory of format 1 or 2 is upgraded when it is opened (upgrade.h); older programs refuse it
 * from then on.
 * Rows and generations are keys in big-endian. Every value carries a CRC-32C over key and value; one
 * that does not match is DATA_LOSS, naming collection, table and row.
 * A read transaction lives within one call, or within a run of them (reader.h), never across a page.
 * The map grows by doubling, under a lock that keeps every transaction out. One writer at a time;
 * readers on any thread.
 * lmdb.h is known in this folder alone.
 */
#ifndef SLUICE_INDEX_STORE_STORE_H
#define SLUICE_INDEX_STORE_STORE_H

#include "index/chunk.h"
#include "index/collection_config.h"
#include "index/filter/compile.h"
#include "kernels/base/arena.h"
#include "kernels/base/status.h"

struct store;
struct store_write;

#define STORE_FORMAT 3

struct store_state {
	uint64_t next_row, generation, live_rows;
	/* The highest generation at which a row died that was purged: from this one on every
	 * generation can still be read. */
	uint64_t readable_from;
	uint64_t dead_bytes; /* of dead rows: store_load counts it, and it is not written */
};

#define STORE_ROW_LIVES UINT64_MAX

/* store_create - a new environment in an empty directory, synced to disk. Fails: RESOURCE_EXHAUSTED
 * INTERNAL */
status store_create(const char *directory, const struct collection_config *config,
		    struct arena *arena);

/* store_open - Fails: DATA_LOSS (damaged, or a format of another version) RESOURCE_EXHAUSTED
 * INTERNAL, naming the directory. */
status store_open(const char *directory, struct arena *arena, struct store **ret);
void store_close(struct store *store); /* NULL is fine */

const struct collection_config *store_config(const struct store *store);
int64_t store_create_time_ns(const struct store *store);
const uint8_t *store_incarnation(const struct store *store); /* [16] random, made at creation */
uint64_t store_disk_bytes(struct store *store);

/* --- reading, any thread --- */

status store_find(struct store *store, struct bytes id, struct arena *arena, bool *ret_found,
		  uint64_t *ret_row);
/* store_fetch_record, store_fetch_vector - what a row has. Fails: NOT_FOUND (no such row, or purged; a
 * vector that is in a segment) DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status store_fetch_record(struct store *store, uint64_t row, struct arena *arena,
			  struct chunk *ret);
/* ret_vector  [dim], in the arena. */
status store_fetch_vector(struct store *store, uint64_t row, struct arena *arena,
			  float **ret_vector);

/* A row at open. died  the generation at which it did; STORE_ROW_LIVES. vector  [dim], borrowed for
 * the call; NULL: the row is in a segment, by the manifest. */
typedef status store_visit(void *context, uint64_t row, uint64_t died, const float *vector);

/* store_load - every row, at open, the dead ones that were not purged among them. Those of the head come
 * in order of row; those of segments in none, and a dead one may have left its segment, if it died at
 * or below readable_from. No vector of a sealed row is read.
 * Fails: DATA_LOSS, or what visit gave. */
status store_load(struct store *store, struct arena *arena, struct store_state *ret_state,
		  store_visit *visit, void *context);

/* store_segment - a sealed segment, as the manifest names it. */
struct store_segment {
	uint64_t id, n, first_row, last_row;
};

/* store_read_segments - in order of row; ret  [ret_n] in the arena.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status store_read_segments(struct store *store, struct arena *arena, struct store_segment **ret,
			   size_t *ret_n);

/* store_select, store_select_document - hand every row on that meets a condition, or is of a
 * document, committed and not purged yet, whichever generation it belongs to; in no order, perhaps
 * more than once. A condition that a field is absent is taken for its opposite. A read transaction
 * is open meanwhile, so the visitor does not call the store.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL, or what visit gave */
status store_select(struct store *store, const struct condition *condition, struct arena *arena,
		    const struct row_visitor *visitor);
status store_select_document(struct store *store, struct bytes id, struct arena *arena,
			     const struct row_visitor *visitor);

/* --- writing, one thread at a time, begin to commit on the same thread --- */

status store_write_begin(struct store *store, struct arena *arena, struct store_write **ret);
/* store_write_savepoint - what follows can be undone alone by store_write_undo, or is kept by the
 * next savepoint: one write among several of a transaction (a nested transaction). */
status store_write_savepoint(struct store_write *write);
void store_write_undo(struct store_write *write);

/* store_write_put - a new row for the chunk, that its id then names.
 * ret_old_row  the row that the id had before, in *ret_replaced. The old row goes to `dead`.
 * Fails: RESOURCE_EXHAUSTED (disk; ENOSPC) DATA_LOSS INTERNAL; ABORTED where the map must grow:
 * abort, store_grow, and do it all again (store_grow_while_full). */
status store_write_put(struct store_write *write, uint64_t row, uint64_t generation,
		       const struct chunk *chunk, bool *ret_replaced, uint64_t *ret_old_row);
status store_write_delete(struct store_write *write, struct bytes id, uint64_t generation,
			  bool *ret_found, uint64_t *ret_old_row);
/* store_write_delete_row - what store_write_delete does, of a live row. Fails: DATA_LOSS where its
 * record is not there, or as store_write_put */
status store_write_delete_row(struct store_write *write, uint64_t row, uint64_t generation);

/* store_write_select, store_write_select_document - as store_select, over what was written up to
 * the last store_write_flush. */
status store_write_select(struct store_write *write, const struct condition *condition,
			  const struct row_visitor *visitor);
status store_write_select_document(struct store_write *write, struct bytes id,
				   const struct row_visitor *visitor);

/* store_write_flush - puts the postings of the rows written so far into the transaction; until then
 * they are only noted. A commit does it too. Called before a savepoint, so that an undo does not
 * take back what was before it. Fails: as store_write_put, and then the whole write is of no use */
status store_write_flush(struct store_write *write);

/* Which dead rows go, those first that died first. It ends when so many rows and so many bytes of them
 * (store_write_row_bytes) as are wanted are gone. */
struct store_purge {
	uint64_t generation; /* of those that died at or below it */
	size_t rows_max;
	size_t rows_wanted; /* SIZE_MAX: all */
	uint64_t bytes_wanted;

	/* Out: */
	size_t rows;
	uint64_t bytes;
	uint64_t readable_from; /* what it has to be then; untouched where none is removed */
};

/* store_write_row_bytes - what a row takes as long as it is kept: its record and its vector. */
uint64_t store_write_row_bytes(const struct store_write *write, uint64_t row);

/* store_write_purge - removes them for good. What was written must have been flushed. */
status store_write_purge(struct store_write *write, struct store_purge *purge);
status store_write_state(struct store_write *write, const struct store_state *state);
/* store_write_segments - the whole list, in order of row. Fails: as store_write_put */
status store_write_segments(struct store_write *write, const struct store_segment *segments,
			    size_t n);
/* store_write_forget - removes up to max vectors of rows below end, the first ones: they are in
 * segments, in a manifest that was committed. Fails: as store_write_put */
status store_write_forget(struct store_write *write, uint64_t end, size_t max, size_t *ret_n);
/* store_write_commit - fsyncs; the write is gone after it, whatever it returns. */
status store_write_commit(struct store_write *write);
void store_write_abort(struct store_write *write); /* NULL is fine */

/* store_grow - doubles the map; no write may be open. Fails: RESOURCE_EXHAUSTED */
status store_grow(struct store *store, struct arena *arena);

/* store_grow_while_full - a whole write, from its begin to its commit, and again in a larger map as long
 * as it gives ABORTED. Fails: as attempt and store_grow; ABORTED where no map is large enough */
status store_grow_while_full(struct store *store, struct arena *arena,
			     status (*attempt)(void *context), void *context);

SCOPE_DEFINE(store, store_close)
SCOPE_DEFINE(store_write, store_write_abort)

#endif
