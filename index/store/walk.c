/* walk - the entries of a table in order of key. */
#include "index/store/walk.h"

#include "index/store/posting_key.h"

static bool key_size_is_sane(enum table table, size_t size)
{
	switch (table) {
	case TABLE_RECORDS:
	case TABLE_VECTORS:
		return size == ROW_KEY_BYTES;
	case TABLE_DEAD:
		return size == DEAD_KEY_BYTES;
	case TABLE_NUMBERS:
		return size == NUMBER_ROW_KEY_BYTES;
	case TABLE_POSTINGS:
		return size >= POSTING_HEAD_BYTES + POSTING_TAIL_BYTES;
	case TABLE_DOCUMENTS:
		return size > DOCUMENT_TAIL_BYTES;
	default:
		return true;
	}
}

status walk_next(struct walk *walk, bool *ret_found, struct entry *ret)
{
	const struct transaction *t = walk->transaction;
	struct entry entry;
	/* LMDB has no const; it does not write to a key. */
	MDB_val key = {walk->from.size, (void *)(uintptr_t)walk->from.data}, value;
	bool seeks = !walk->cursor && walk->from.size > 0;
	int result = 0;

	if (!walk->cursor)
		result = mdb_cursor_open(t->handle, t->store->tables[walk->table], &walk->cursor);
	if (!result)
		result = mdb_cursor_get(walk->cursor, &key, &value,
					seeks ? MDB_SET_RANGE : MDB_NEXT);
	if (result == MDB_NOTFOUND) {
		*ret_found = false;
		return status_ok();
	}
	if (result)
		return store_failure(t->store, t->arena, result, table_name(walk->table));
	entry.key = bytes_of(key.mv_data, key.mv_size);
	if (!key_size_is_sane(walk->table, entry.key.size))
		return value_damaged(t, walk->table, (struct bytes){0}, "a key of the wrong size");
	TRY(value_check(t, walk->table, entry.key, bytes_of(value.mv_data, value.mv_size),
			&entry.payload));
	*ret_found = true;
	*ret = entry;
	return status_ok();
}

void walk_finish(struct walk *walk)
{
	if (walk && walk->cursor)
		mdb_cursor_close(TAKE(walk->cursor));
}
