/* write - one transaction of puts and deletes, that in part can be undone.
 *
 * What follows a savepoint is a nested transaction of LMDB: undoing aborts it, the next savepoint
 * or the commit makes it part of the outer one. It costs some microseconds, and copies of the pages
 * that both touch.
 */
#include "index/store/dead.h"
#include "index/store/id.h"
#include "index/store/manifest.h"
#include "index/store/postings.h"
#include "index/store/record.h"
#include "index/store/select.h"
#include "index/store/walk.h"

#include <assert.h>
#include <stdlib.h>

struct store_write {
	struct transaction outer;
	struct transaction inner; /* since the savepoint; its handle is NULL where there is none */
	struct buffer record;     /* scratch */
	struct postings postings; /* noted and not applied */
	struct postings_mark savepoint;
};

static const struct transaction *current(const struct store_write *write)
{
	return write->inner.handle ? &write->inner : &write->outer;
}

status store_write_begin(struct store *store, struct arena *arena, struct store_write **ret)
{
	struct store_write *write = calloc(1, sizeof *write);
	status begun;

	if (!write)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a write");
	write->outer = (struct transaction){.store = store, .arena = arena};
	write->inner = write->outer;
	begun = transaction_write(&write->outer);
	if (status_failed(begun)) {
		free(write);
		return begun;
	}
	*ret = write;
	return status_ok();
}

static void write_free(struct store_write *write)
{
	buffer_finish(&write->record);
	postings_finish(&write->postings);
	free(write);
}

/* Makes what follows the savepoint part of the whole. */
static status keep_inner(struct store_write *write)
{
	int result;

	if (!write->inner.handle)
		return status_ok();
	result = mdb_txn_commit(TAKE(write->inner.handle));
	if (result)
		return store_failure(write->outer.store, write->outer.arena, result,
				     "keep a part of a write");
	return status_ok();
}

status store_write_savepoint(struct store_write *write)
{
	struct store *store = write->outer.store;
	int result;

	TRY(keep_inner(write));
	write->savepoint = postings_mark(&write->postings);
	result = mdb_txn_begin(store->env, write->outer.handle, 0, &write->inner.handle);
	if (result) {
		write->inner.handle = NULL;
		return store_failure(store, write->outer.arena, result, "begin a part of a write");
	}
	return status_ok();
}

void store_write_undo(struct store_write *write)
{
	if (!write->inner.handle)
		return;
	mdb_txn_abort(TAKE(write->inner.handle));
	postings_forget(&write->postings, write->savepoint);
}

status store_write_flush(struct store_write *write)
{
	/* What is applied is not noted any more, so an undo has nothing of it to forget. */
	write->savepoint = (struct postings_mark){0};
	return postings_apply(&write->postings, current(write));
}

status store_write_commit(struct store_write *write)
{
	status result = store_write_flush(write);

	if (!status_failed(result))
		result = keep_inner(write);
	if (status_failed(result))
		store_write_undo(write);
	if (status_failed(result))
		transaction_abort(&write->outer);
	else
		result = transaction_commit(&write->outer);
	write_free(write);
	return result;
}

void store_write_abort(struct store_write *write)
{
	if (!write)
		return;
	store_write_undo(write);
	transaction_abort(&write->outer);
	write_free(write);
}

static status put_record(struct store_write *write, struct bytes key, const struct chunk *chunk)
{
	const struct transaction *t = current(write);

	write->record.size = 0;
	record_encode(chunk, &write->record);
	if (write->record.failed)
		return store_says(t->store, t->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory for a record");
	return value_append(t, TABLE_RECORDS, key,
			    bytes_of(write->record.data, write->record.size));
}

static status put_id(const struct transaction *transaction, const struct id_key *key, uint64_t row)
{
	uint8_t payload[sizeof row];

	store_u64(payload, row);
	return value_put(transaction, TABLE_IDS, id_key_bytes(key),
			 bytes_of(payload, sizeof payload));
}

status store_write_put(struct store_write *write, uint64_t row, uint64_t generation,
		       const struct chunk *chunk, bool *ret_replaced, uint64_t *ret_old_row)
{
	const struct transaction *t = current(write);
	struct row_key row_key = row_key_of(row);
	struct bytes row_bytes = bytes_of(row_key.bytes, sizeof row_key.bytes);
	struct id_key key;
	enum id_use use;
	uint64_t old_row = 0;

	assert(chunk->id.size >= 1 && chunk->id.size <= CHUNK_ID_MAX && chunk->vector);
	id_key_make(chunk->id, &key);
	TRY(id_find(t, chunk->id, &key, &use, &old_row));
	if (use == ID_TAKEN)
		return store_says(t->store, t->arena, STATUS_INTERNAL,
				  "two long ids have the same prefix, hash and size");
	if (use == ID_FOUND)
		TRY(dead_add(t, generation, old_row));
	TRY(put_id(t, &key, row));
	TRY(put_record(write, row_bytes, chunk));
	TRY(value_append(t, TABLE_VECTORS, row_bytes,
			 bytes_of(chunk->vector, t->store->config.dim * sizeof(float))));
	postings_add(&write->postings, &t->store->config, row, chunk);
	if (write->postings.notes.failed || write->postings.offsets.failed)
		return store_says(t->store, t->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory for postings");
	*ret_replaced = use == ID_FOUND;
	if (use == ID_FOUND)
		*ret_old_row = old_row;
	return status_ok();
}

status store_write_delete(struct store_write *write, struct bytes id, uint64_t generation,
			  bool *ret_found, uint64_t *ret_old_row)
{
	const struct transaction *t = current(write);
	struct id_key key;
	enum id_use use = ID_FREE;
	uint64_t old_row = 0;

	if (id.size >= 1 && id.size <= CHUNK_ID_MAX) {
		id_key_make(id, &key);
		TRY(id_find(t, id, &key, &use, &old_row));
	}
	if (use == ID_FOUND) {
		TRY(value_delete(t, TABLE_IDS, id_key_bytes(&key)));
		TRY(dead_add(t, generation, old_row));
		*ret_old_row = old_row;
	}
	*ret_found = use == ID_FOUND;
	return status_ok();
}

status store_write_delete_row(struct store_write *write, uint64_t row, uint64_t generation)
{
	const struct transaction *t = current(write);
	struct row_key row_key = row_key_of(row);
	struct bytes row_bytes = bytes_of(row_key.bytes, sizeof row_key.bytes), record, id;
	struct id_key key;
	bool found;

	TRY(value_get(t, TABLE_RECORDS, row_bytes, &found, &record));
	if (!found || status_failed(record_id(record, &id)))
		return value_damaged(t, TABLE_RECORDS, row_bytes,
				     found ? "the record cannot be read" : "it is not there");
	id_key_make(id, &key);
	TRY(value_delete(t, TABLE_IDS, id_key_bytes(&key)));
	return dead_add(t, generation, row);
}

status store_write_select(struct store_write *write, const struct condition *condition,
			  const struct row_visitor *visitor)
{
	return select_condition(&(struct select){
		.transaction = current(write), .condition = condition, .visitor = visitor});
}

status store_write_select_document(struct store_write *write, struct bytes id,
				   const struct row_visitor *visitor)
{
	return select_document(&(struct select){
		.transaction = current(write), .document = id, .visitor = visitor});
}

uint64_t store_write_row_bytes(const struct store_write *write, uint64_t row)
{
	return dead_row_bytes(current(write), row);
}

status store_write_purge(struct store_write *write, struct store_purge *purge)
{
	TRY(dead_purge(current(write), &write->postings, purge));
	return store_write_flush(write);
}

/* Gathered first, since a walk does not go on over what is deleted under it. */
static status gather_vectors(const struct transaction *transaction, uint64_t end, size_t max,
			     struct buffer *ret)
{
	SCOPED(walk) walk = &(struct walk){.transaction = transaction, .table = TABLE_VECTORS};
	struct entry entry;
	bool found;

	for (size_t n = 0; n < max; n++) {
		TRY(walk_next(walk, &found, &entry));
		if (!found || load_u64_be(entry.key.data) >= end)
			break;
		buffer_append(ret, entry.key.data, ROW_KEY_BYTES);
	}
	if (ret->failed)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory to remove vectors");
	return status_ok();
}

status store_write_forget(struct store_write *write, uint64_t end, size_t max, size_t *ret_n)
{
	const struct transaction *t = current(write);
	SCOPED(buffer) keys = &(struct buffer){0};

	TRY(gather_vectors(t, end, max, keys));
	for (size_t at = 0; at < keys->size; at += ROW_KEY_BYTES)
		TRY(value_delete(t, TABLE_VECTORS, bytes_of(keys->data + at, ROW_KEY_BYTES)));
	*ret_n = keys->size / ROW_KEY_BYTES;
	return status_ok();
}

status store_write_state(struct store_write *write, const struct store_state *state)
{
	return manifest_write_state(current(write), state);
}

status store_write_segments(struct store_write *write, const struct store_segment *segments,
			    size_t n)
{
	return manifest_write_segments(current(write), segments, n);
}
