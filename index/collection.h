/* collection - chunks of one dimension and metric: written by one writer, read through snapshots.
 *
 * A write is a struct write that its caller keeps until done is called, once, on a thread of the
 * writer pool. The writer takes every waiting write, makes one LMDB transaction of them (records,
 * ids, vectors), commits with fsync, publishes the rows to the head and then calls done for each in
 * order of submission. A write is applied whole or not at all, and has its own generation; one that
 * fails does not touch the others of its transaction.
 */
#ifndef SLUICE_INDEX_COLLECTION_H
#define SLUICE_INDEX_COLLECTION_H

#include "index/chunk.h"
#include "index/collection_config.h"
#include "index/filter/filter.h"
#include "index/store/reader.h"
#include "kernels/base/arena.h"
#include "kernels/base/pool.h"
#include "kernels/base/status.h"

struct collection;

const struct collection_config *collection_config(const struct collection *collection);

/* collection_incarnation - [16] random bytes made with it; a copy of its data has the same. */
const uint8_t *collection_incarnation(const struct collection *collection);

/* collection_reference / collection_release - references are counted. NULL is fine for release. */
struct collection *collection_reference(struct collection *collection);
void collection_release(struct collection *collection);

/* collection_is_dropped - whether database_drop was called: a reader then ends with
 * FAILED_PRECONDITION. */
bool collection_is_dropped(const struct collection *collection);

/* collection_deleted - what whoever uses a dropped collection fails with. arena  the detail's. */
status collection_deleted(const struct collection *collection, struct arena *arena);

enum write_kind { WRITE_UPSERT, WRITE_DELETE, WRITE_DELETE_MATCHING };

struct write {
	struct job job; /* first; the writer's */

	/* In, borrowed until done: */
	enum write_kind kind;
	struct chunk *chunks;    /* UPSERT: [n], ids all different, vectors [dim] and finite */
	const struct bytes *ids; /* DELETE: [n]; unknown and repeated ones count once or not */
	/* DELETE_MATCHING: what is there when the writes before it are applied; n is 0. */
	const struct filter *filter;
	size_t n;
	struct arena *arena; /* for details of a failure; the writer's alone until done */
	void (*done)(struct write *write);

	/* Out, when done is called: */
	status result;
	uint64_t inserted, replaced, deleted;
	uint64_t generation; /* every snapshot from this one on holds the write */
};

/* collection_prepare_upsert - checks and scales the vectors of the chunks in place, and with
 * ENCODING_FLOAT16 rounds them to halves: what depends on the collection alone. On the caller's thread, before collection_write.
 * Fails: INVALID_ARGUMENT (not finite; zero under COSINE; otherwise norm above 2^60, or a value that
 * no half holds; a field of another type than declared; a required field missing), naming the
 * chunk's id */
status collection_prepare_upsert(const struct collection *collection, struct chunk *chunks,
				 size_t n, struct arena *arena);

/* collection_write - queues. done gets OK, FAILED_PRECONDITION (dropped), RESOURCE_EXHAUSTED (disk
 * or memory), DATA_LOSS or INTERNAL. The caller's reference must last until done. */
void collection_write(struct collection *collection, struct write *write);

struct collection_status {
	uint64_t chunk_count, generation, indexed_rows, disk_bytes, memory_bytes;
	uint32_t segment_count, open_cursors;
	int64_t create_time_ns; /* since 1970 */
};

void collection_status(struct collection *collection, struct collection_status *ret);

/* collection_pressed_by - the setting that its oldest snapshot goes past, since it keeps more dead rows
 * than there may be, or more bytes of them; NULL: none. */
const char *collection_pressed_by(const struct collection *collection);

/* collection_find - the row of the present version of an id; false in *ret_found where there is
 * none. The row is published: a snapshot acquired after the call sees it, unless the id was written
 * or deleted again in between (snapshot_find is then false: find again).
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED */
status collection_find(struct collection *collection, struct bytes id, struct arena *arena,
		       bool *ret_found, uint64_t *ret_row);

/* What collection_fetch is to fill. */
enum fetch { FETCH_RECORD = 1, FETCH_VECTOR = 2 };

/* collection_fetch - the chunk of a row that a pinned snapshot sees.
 * what   FETCH_ bits; the rest of ret stays empty.
 * ret    points into the arena.
 * Fails: NOT_FOUND (never under a snapshot that sees the row) DATA_LOSS RESOURCE_EXHAUSTED */
status collection_fetch(struct collection *collection, uint64_t row, unsigned what,
			struct arena *arena, struct chunk *ret);

/* collection_reader - reads the rows of a page within few transactions, where collection_find and
 * collection_fetch begin one for each. The rules of store/reader.h hold for it, and the caller's
 * reference to the collection outlives it. */
struct collection_reader {
	struct collection *collection;
	struct store_reader rows;
};

struct collection_reader collection_reader_of(struct collection *collection); /* at rest */
void collection_reader_rest(struct collection_reader *reader);                /* NULL is fine */

/* collection_reader_find, collection_reader_fetch - as collection_find and collection_fetch. Where it
 * waits for a row to be published it rests. */
status collection_reader_find(struct collection_reader *reader, struct bytes id,
			      struct arena *arena, bool *ret_found, uint64_t *ret_row);
status collection_reader_fetch(struct collection_reader *reader, uint64_t row, unsigned what,
			       struct arena *arena, struct chunk *ret);

/* collection_reader_document_rows - as store_reader_document_rows: which of them a snapshot sees is for
 * the caller to ask. Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status collection_reader_document_rows(struct collection_reader *reader,
				       const struct document_query *query, struct arena *arena,
				       struct document_row *ret, size_t *ret_n);

SCOPE_DEFINE(collection, collection_release)
SCOPE_DEFINE(collection_reader, collection_reader_rest)

#endif
