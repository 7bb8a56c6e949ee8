/* inspect_rows - a record, and what other tables should say of its row. */
#include "index/store/inspect_rows.h"

#include "index/store/dead.h"
#include "index/store/id.h"
#include "index/store/record.h"
#include "index/store/walk.h"

#define RECORD_ARENA_BYTES ((size_t)8 << 20)
/* Postings are looked for so many bytes of them at a time, in order of key. */
#define NOTES_BYTES ((size_t)4 << 20)

/* The generation at which the row died; STORE_ROW_LIVES. Rows are asked for in order. */
static uint64_t death_of(struct inspection *inspection, uint64_t row)
{
	struct dead_row dead;

	for (; inspection->dead_at < inspection->dead.size; inspection->dead_at += sizeof dead) {
		memcpy(&dead, inspection->dead.data + inspection->dead_at, sizeof dead);
		if (dead.row >= row)
			return dead.row == row ? dead.generation : STORE_ROW_LIVES;
	}
	return STORE_ROW_LIVES;
}

static status check_id(struct inspection *inspection, uint64_t row, struct bytes id)
{
	enum id_use use = ID_FREE;
	uint64_t named = 0;
	struct id_key key;

	if (id.size < 1 || id.size > CHUNK_ID_MAX) {
		inspection_tell(inspection, "table records, row %llu: an id of %zu bytes",
				(unsigned long long)row, id.size);
		return status_ok();
	}
	id_key_make(id, &key);
	TRY(inspection_tell_status(inspection,
				   id_find(inspection->transaction, id, &key, &use, &named)));
	if (use != ID_FOUND)
		inspection_tell(inspection, "table ids: the id of row %llu is not in it",
				(unsigned long long)row);
	else if (named != row)
		inspection_tell(inspection, "table ids: the id of row %llu names row %llu",
				(unsigned long long)row, (unsigned long long)named);
	return status_ok();
}

/* Of the head in the store, before it in a segment; a dead one may have left that, also at its end. */
static void check_vector(struct inspection *inspection, uint64_t row, uint64_t died)
{
	const struct inspect *inspect = inspection->inspect;
	struct row_key key = row_key_of(row);
	bool is_there;

	if (row >= inspection->head_row)
		is_there = value_size(inspection->transaction, TABLE_VECTORS,
				      bytes_of(key.bytes, sizeof key.bytes)) > 0;
	else
		is_there = inspect->has_row(inspect->context, row);
	if (!is_there && died > inspection->state.readable_from)
		inspection_tell(inspection, "table records, row %llu: its vector is in no %s",
				(unsigned long long)row,
				row >= inspection->head_row ? "table" : "segment");
}

static status check_decoded(struct inspection *inspection, uint64_t row, const struct chunk *chunk)
{
	uint64_t died = death_of(inspection, row);
	const struct transaction *t = inspection->transaction;

	if (row >= inspection->state.next_row)
		inspection_tell(inspection, "table records, row %llu: it was never given out",
				(unsigned long long)row);
	if (died == STORE_ROW_LIVES) {
		inspection->inspect->live_rows++;
		TRY(check_id(inspection, row, chunk->id));
	} else {
		inspection->dead_found++;
	}
	check_vector(inspection, row, died);
	postings_add(&inspection->postings, &t->store->config, row, chunk);
	return inspection->postings.notes.size < NOTES_BYTES ? status_ok()
							     : inspection_postings(inspection);
}

status inspection_record(struct inspection *inspection, const struct entry *entry)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct chunk chunk;
	status decoded;

	arena_init(arena, RECORD_ARENA_BYTES);
	decoded = record_decode(entry->payload, arena, &chunk);
	if (decoded.code == STATUS_DATA_LOSS)
		return inspection_tell_status(inspection,
					      value_damaged(inspection->transaction, TABLE_RECORDS,
							    entry->key, decoded.detail));
	TRY(decoded);
	return check_decoded(inspection, load_u64_be(entry->key.data), &chunk);
}

/* --- postings --- */

/* The run of the key, if it is not at hand. */
static status turn_to_run(struct inspection *inspection, struct bytes key)
{
	struct buffer *at_hand = &inspection->run_key;
	struct bytes payload;
	bool found = false;
	status s;

	if (bytes_equal(bytes_of(at_hand->data, at_hand->size), key))
		return status_ok();
	rows_close(TAKE(inspection->run));
	at_hand->size = 0;
	buffer_append(at_hand, key.data, key.size);
	if (at_hand->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a key");
	s = value_get(inspection->transaction, TABLE_POSTINGS, key, &found, &payload);
	if (!status_failed(s) && found)
		s = rows_read(payload, &inspection->run);
	/* What is damaged is told when the table is walked. */
	return s.code == STATUS_DATA_LOSS ? status_ok() : s;
}

static status check_posting(void *context, const struct posting *posting)
{
	struct inspection *inspection = context;
	struct bytes payload;
	bool found = false;
	status s;

	inspection->wanted[posting->table]++;
	if (posting->table == TABLE_POSTINGS) {
		TRY(turn_to_run(inspection, posting->key));
		found = inspection->run && !rows_add_new(inspection->run, posting->row);
	} else {
		s = value_get(inspection->transaction, posting->table, posting->key, &found,
			      &payload);
		if (s.code != STATUS_DATA_LOSS)
			TRY(s);
	}
	if (!found)
		inspection_tell(inspection, "table %s: lacks a row that has a record",
				table_name(posting->table));
	return status_ok();
}

status inspection_postings(struct inspection *inspection)
{
	/* A run that is at hand may have been added to. */
	rows_close(TAKE(inspection->run));
	inspection->run_key.size = 0;
	return postings_each(&inspection->postings, check_posting, inspection);
}
