/* store - the durable side of a collection: one LMDB environment.
 *
 *	config   "config" -> format version, collection_config, creation time, incarnation
 *	state    "state"  -> next row, generation, number of live rows
 *	ids      id key   -> row               (an id above 400 bytes is keyed by its first 384 and a
 *	                                        128-bit hash; the record has it whole and is compared)
 *	records  row      -> the chunk without its vector (record.c)
 *	vectors  row      -> dim float32: the rows of the head
 *	dead     generation, row -> nothing    rows that no new snapshot sees, until they are purged
 *
 * Rows and generations are keys in big-endian. Every value carries a CRC-32C over key and value; one
 * that does not match is DATA_LOSS, naming collection, table and row.
 * A read transaction lives within one call, never across a page. The map grows by doubling, under a
 * lock that keeps every transaction out. One writer at a time; readers on any thread.
 * lmdb.h is known in this folder alone.
 */
#ifndef SLUICE_INDEX_STORE_STORE_H
#define SLUICE_INDEX_STORE_STORE_H

#include "index/chunk.h"
#include "index/collection_config.h"
#include "kernels/base/arena.h"
#include "kernels/base/status.h"

struct store;
struct store_write;

#define STORE_FORMAT 1

struct store_state {
	uint64_t next_row, generation, live_rows;
};

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
uint64_t store_disk_bytes(const struct store *store);

/* --- reading, any thread --- */

status store_find(struct store *store, struct bytes id, struct arena *arena, bool *ret_found,
		  uint64_t *ret_row);
/* store_fetch_record, store_fetch_vector - what a row has. Fails: NOT_FOUND (no such row, or purged)
 * DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status store_fetch_record(struct store *store, uint64_t row, struct arena *arena,
			  struct chunk *ret);
/* ret_vector  [dim], in the arena. */
status store_fetch_vector(struct store *store, uint64_t row, struct arena *arena,
			  float **ret_vector);

/* store_load - every live row in order of row, at open: visit gets row and vector [dim], borrowed
 * for the call. Rows in `dead` are passed over. Fails: DATA_LOSS, or what visit gave. */
status store_load(struct store *store, struct arena *arena, struct store_state *ret_state,
		  status (*visit)(void *context, uint64_t row, const float *vector), void *context);

/* --- writing, one thread at a time, begin to commit on the same thread --- */

status store_write_begin(struct store *store, struct arena *arena, struct store_write **ret);
/* store_write_savepoint - what follows can be undone alone by store_write_undo, or is kept by the
 * next savepoint: one write among several of a transaction (a nested transaction). */
status store_write_savepoint(struct store_write *write);
void store_write_undo(struct store_write *write);

/* store_write_put - a new row for the chunk, that its id then names.
 * ret_old_row  the row that the id had before, in *ret_replaced. The old row goes to `dead`.
 * Fails: RESOURCE_EXHAUSTED (disk; ENOSPC) DATA_LOSS INTERNAL; ABORTED where the map must grow:
 * abort, store_grow, and do it all again. */
status store_write_put(struct store_write *write, uint64_t row, uint64_t generation,
		       const struct chunk *chunk, bool *ret_replaced, uint64_t *ret_old_row);
status store_write_delete(struct store_write *write, struct bytes id, uint64_t generation,
			  bool *ret_found, uint64_t *ret_old_row);
/* store_write_purge - removes for good up to max dead rows that died at or below generation. */
status store_write_purge(struct store_write *write, uint64_t generation, size_t max,
			 size_t *ret_purged);
status store_write_state(struct store_write *write, const struct store_state *state);
/* store_write_commit - fsyncs; the write is gone after it, whatever it returns. */
status store_write_commit(struct store_write *write);
void store_write_abort(struct store_write *write); /* NULL is fine */

/* store_grow - doubles the map; no write may be open. Fails: RESOURCE_EXHAUSTED */
status store_grow(struct store *store, struct arena *arena);

SCOPE_DEFINE(store, store_close)
SCOPE_DEFINE(store_write, store_write_abort)

#endif
