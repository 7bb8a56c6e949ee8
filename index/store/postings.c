/* postings - notes of changes, and how they are applied.
 *
 * A note is a byte that says what to do, the size of the key in two, for a run of rows the row's
 * place in it in two, and the key.
 */
#include "index/store/postings.h"

#include "index/store/posting_key.h"

#include <stdlib.h>

enum note_table { NOTE_POSTINGS, NOTE_NUMBERS, NOTE_DOCUMENTS };

#define NOTE_REMOVES 0x80
#define NOTE_HEAD_BYTES 5

struct note {
	enum note_table table;
	bool removes;
	uint16_t row; /* NOTE_POSTINGS: in its run */
	struct bytes key;
};

void postings_finish(struct postings *postings)
{
	buffer_finish(&postings->notes);
	buffer_finish(&postings->offsets);
}

static void note_put(struct postings *postings, const struct note *note)
{
	uint8_t head[NOTE_HEAD_BYTES] = {
		(uint8_t)((unsigned)note->table | (note->removes ? NOTE_REMOVES : 0U)),
		(uint8_t)note->key.size,
		(uint8_t)(note->key.size >> 8),
		(uint8_t)note->row,
		(uint8_t)(note->row >> 8),
	};

	buffer_append_u64(&postings->offsets, postings->notes.size);
	buffer_append(&postings->notes, head, sizeof head);
	buffer_append(&postings->notes, note->key.data, note->key.size);
}

static struct note note_at(const uint8_t *at)
{
	return (struct note){
		.table = (enum note_table)(at[0] & ~NOTE_REMOVES),
		.removes = (at[0] & NOTE_REMOVES) != 0,
		.row = (uint16_t)(at[3] | at[4] << 8),
		.key = bytes_of(at + NOTE_HEAD_BYTES, (size_t)(at[1] | at[2] << 8)),
	};
}

/* --- noting --- */

/* One row's chunk on its way into the notes. */
struct noting {
	struct postings *postings;
	uint64_t row;
	bool removes;
};

static void note_in_run(const struct noting *noting, struct posting_key *key)
{
	posting_key_add_run(key, noting->row);
	note_put(noting->postings, &(struct note){NOTE_POSTINGS, noting->removes,
						  (uint16_t)noting->row, posting_key_bytes(key)});
}

static void note_string(const struct noting *noting, size_t field, struct bytes string)
{
	struct posting_key key;

	posting_key_begin(&key, field, MARK_STRING);
	posting_key_add_string(&key, string);
	note_in_run(noting, &key);
}

static void note_field(const struct noting *noting, size_t field, const struct value *value)
{
	struct posting_key key;

	posting_key_begin(&key, field, MARK_PRESENT);
	note_in_run(noting, &key);
	switch (value->kind) {
	case VALUE_STRING:
		note_string(noting, field, value->string);
		return;
	case VALUE_STRING_LIST:
		for (size_t i = 0; i < value->list.n; i++)
			note_string(noting, field, value->list.items[i]);
		return;
	case VALUE_BOOL:
		posting_key_begin(&key, field, MARK_BOOL);
		posting_key_add(&key, value->boolean ? "1" : "0", 1);
		note_in_run(noting, &key);
		return;
	case VALUE_INT:
	case VALUE_DOUBLE:
		number_row_key(&key, field, value, noting->row);
		note_put(noting->postings,
			 &(struct note){NOTE_NUMBERS, noting->removes, 0, posting_key_bytes(&key)});
		return;
	}
}

static void note_chunk(const struct noting *noting, const struct collection_config *config,
		       const struct chunk *chunk)
{
	struct posting_key key;

	for (size_t field = 0; field < config->n_fields; field++) {
		const struct value *value = chunk_find_field(chunk, config->fields[field].name);

		if (value)
			note_field(noting, field, value);
	}
	if (chunk->document_id.size == 0)
		return;
	document_key_begin(&key, chunk->document_id);
	document_key_add_row(&key, chunk->ordinal, noting->row);
	note_put(noting->postings,
		 &(struct note){NOTE_DOCUMENTS, noting->removes, 0, posting_key_bytes(&key)});
}

void postings_add(struct postings *postings, const struct collection_config *config, uint64_t row,
		  const struct chunk *chunk)
{
	note_chunk(&(struct noting){postings, row, false}, config, chunk);
}

void postings_remove(struct postings *postings, const struct collection_config *config,
		     uint64_t row, const struct chunk *chunk)
{
	note_chunk(&(struct noting){postings, row, true}, config, chunk);
}

struct postings_mark postings_mark(const struct postings *postings)
{
	return (struct postings_mark){postings->notes.size, postings->offsets.size};
}

void postings_forget(struct postings *postings, struct postings_mark mark)
{
	postings->notes.size = mark.notes;
	postings->offsets.size = mark.offsets;
	postings->notes.failed = postings->offsets.failed = false;
}

/* --- applying --- */

/* By table, then by key; rows of one run in order of writing, for their bitmap's sake. */
static int compare_notes(const void *a, const void *b, void *notes)
{
	struct note x = note_at((const uint8_t *)notes + load_u64(a));
	struct note y = note_at((const uint8_t *)notes + load_u64(b));
	int order;

	if (x.table != y.table)
		return x.table < y.table ? -1 : 1;
	order = bytes_compare(x.key, y.key);
	return order ? order : x.row - y.row;
}

static struct note note_of(const struct postings *postings, size_t i)
{
	uint64_t offset = load_u64(postings->offsets.data + i * sizeof offset);

	return note_at(postings->notes.data + offset);
}

/* A run's rows as they are stored; empty where the key is not there. */
static status read_rows(const struct transaction *transaction, struct bytes key, struct rows **ret,
			bool *ret_found)
{
	struct bytes payload;
	status s;

	TRY(value_get(transaction, TABLE_POSTINGS, key, ret_found, &payload));
	if (!*ret_found)
		return rows_open(ret);
	s = rows_read(payload, ret);
	if (s.code == STATUS_DATA_LOSS)
		return value_damaged(transaction, TABLE_POSTINGS, key, s.detail);
	return s;
}

static status write_rows(const struct transaction *transaction, struct bytes key, struct rows *rows)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	rows_write(rows, bytes);
	if (bytes->failed)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory for postings");
	return value_put(transaction, TABLE_POSTINGS, key, bytes_of(bytes->data, bytes->size));
}

/* The notes of one key, from the i-th on: n of them. */
static status apply_to_run(const struct postings *postings, const struct transaction *transaction,
			   size_t first, size_t n)
{
	struct bytes key = note_of(postings, first).key;
	SCOPED(rows) rows = NULL;
	bool found = false;

	TRY(read_rows(transaction, key, &rows, &found));
	for (size_t i = first; i < first + n; i++) {
		struct note note = note_of(postings, i);

		if (note.removes)
			rows_remove(rows, note.row);
		else
			rows_add(rows, note.row);
	}
	if (!rows_is_empty(rows))
		return write_rows(transaction, key, rows);
	return found ? value_delete(transaction, TABLE_POSTINGS, key) : status_ok();
}

static status apply_all(const struct postings *postings, const struct transaction *transaction)
{
	size_t n = postings->offsets.size / sizeof(uint64_t), same;

	for (size_t i = 0; i < n; i += same) {
		struct note note = note_of(postings, i);
		enum table table = note.table == NOTE_NUMBERS ? TABLE_NUMBERS : TABLE_DOCUMENTS;

		same = 1;
		if (note.table == NOTE_POSTINGS) {
			while (i + same < n && note_of(postings, i + same).table == NOTE_POSTINGS &&
			       bytes_equal(note_of(postings, i + same).key, note.key))
				same++;
			TRY(apply_to_run(postings, transaction, i, same));
		} else if (note.removes) {
			TRY(value_delete(transaction, table, note.key));
		} else {
			TRY(value_put(transaction, table, note.key, (struct bytes){0}));
		}
	}
	return status_ok();
}

/* Before they are gone through. Fails: RESOURCE_EXHAUSTED */
static status sort_notes(struct postings *postings)
{
	size_t n = postings->offsets.size / sizeof(uint64_t);

	if (postings->notes.failed || postings->offsets.failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for postings");
	if (n > 0)
		qsort_r(postings->offsets.data, n, sizeof(uint64_t), compare_notes,
			postings->notes.data);
	return status_ok();
}

static status visit_notes(const struct postings *postings,
			  status (*visit)(void *context, const struct posting *posting),
			  void *context)
{
	static const enum table tables[] = {
		[NOTE_POSTINGS] = TABLE_POSTINGS,
		[NOTE_NUMBERS] = TABLE_NUMBERS,
		[NOTE_DOCUMENTS] = TABLE_DOCUMENTS,
	};
	size_t n = postings->offsets.size / sizeof(uint64_t);
	struct note before = {0};

	for (size_t i = 0; i < n; i++) {
		struct note note = note_of(postings, i);
		bool again = i > 0 && note.table == before.table && note.row == before.row &&
			     bytes_equal(note.key, before.key);

		before = note;
		if (!again)
			TRY(visit(context,
				  &(struct posting){tables[note.table], note.key, note.row}));
	}
	return status_ok();
}

status postings_each(struct postings *postings,
		     status (*visit)(void *context, const struct posting *posting), void *context)
{
	status result = sort_notes(postings);

	if (!status_failed(result))
		result = visit_notes(postings, visit, context);
	postings_forget(postings, (struct postings_mark){0});
	return result;
}

status postings_apply(struct postings *postings, const struct transaction *transaction)
{
	status result = sort_notes(postings);

	if (status_failed(result))
		result = store_says(transaction->store, transaction->arena,
				    STATUS_RESOURCE_EXHAUSTED, "memory for postings");
	else
		result = apply_all(postings, transaction);
	postings_forget(postings, (struct postings_mark){0});
	return result;
}
