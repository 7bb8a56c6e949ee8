/* document - the rows of a document in order of (ordinal, row), from one of them on. */
#include "index/store/posting_key.h"

/* One MDB_cursor, for SCOPED. */
struct place {
	MDB_cursor *cursor;
};

static void place_finish(struct place *place)
{
	if (place->cursor)
		mdb_cursor_close(place->cursor);
}

SCOPE_DEFINE(place, place_finish)

static bool is_of_document(MDB_val key, const struct posting_key *document)
{
	return key.mv_size == document->size + ORDINAL_BYTES + ROW_KEY_BYTES &&
	       memcmp(key.mv_data, document->bytes, document->size) == 0;
}

static struct document_row row_of(MDB_val key)
{
	const uint8_t *end = (const uint8_t *)key.mv_data + key.mv_size;

	return (struct document_row){
		.ordinal = __builtin_bswap32(load_u32(end - ROW_KEY_BYTES - ORDINAL_BYTES)),
		.row = load_u64_be(end - ROW_KEY_BYTES),
	};
}

/* Onto the first entry behind the key of from, or the last before it. */
static int seek(MDB_cursor *cursor, const struct posting_key *from, bool forward, MDB_val *key,
		MDB_val *value)
{
	/* LMDB has no const; it does not write to a key. */
	MDB_val wanted = {from->size, (void *)(uintptr_t)from->bytes};
	int result;

	*key = wanted;
	result = mdb_cursor_get(cursor, key, value, MDB_SET_RANGE);
	if (!forward)
		return result == MDB_NOTFOUND ? mdb_cursor_get(cursor, key, value, MDB_LAST)
		       : result               ? result
					      : mdb_cursor_get(cursor, key, value, MDB_PREV);
	if (!result && key->mv_size == wanted.mv_size &&
	    memcmp(key->mv_data, wanted.mv_data, wanted.mv_size) == 0)
		result = mdb_cursor_get(cursor, key, value, MDB_NEXT);
	return result;
}

status store_reader_document_rows(struct store_reader *reader, const struct document_query *query,
				  struct arena *arena, struct document_row *ret, size_t *ret_n)
{
	struct store *store = reader->store;
	struct transaction t;
	SCOPED(place) place = &(struct place){0};
	struct posting_key document, from;
	MDB_val key, value;
	size_t n = 0;
	int result;

	document_key_begin(&document, query->document);
	from = document;
	document_key_add_row(&from, query->from.ordinal, query->from.row);
	TRY(transaction_of_reader(reader, arena, &t));
	result = mdb_cursor_open(t.handle, store->tables[TABLE_DOCUMENTS], &place->cursor);
	if (!result)
		result = seek(place->cursor, &from, query->forward, &key, &value);
	while (!result && n < query->max && is_of_document(key, &document)) {
		struct bytes payload;

		TRY(value_check(&t, TABLE_DOCUMENTS, bytes_of(key.mv_data, key.mv_size),
				bytes_of(value.mv_data, value.mv_size), &payload));
		ret[n++] = row_of(key);
		result = mdb_cursor_get(place->cursor, &key, &value,
					query->forward ? MDB_NEXT : MDB_PREV);
	}
	if (result && result != MDB_NOTFOUND)
		return store_failure(store, arena, result, table_name(TABLE_DOCUMENTS));
	*ret_n = n;
	return status_ok();
}
