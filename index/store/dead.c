/* dead - rows that no new snapshot sees, until they are purged. */
#include "index/store/dead.h"

#include "index/store/record.h"
#include "index/store/walk.h"

#include <stdlib.h>

status dead_add(const struct transaction *transaction, uint64_t generation, uint64_t row)
{
	uint8_t key[DEAD_KEY_BYTES];

	store_u64_be(key, generation);
	store_u64_be(key + 8, row);
	return value_put(transaction, TABLE_DEAD, bytes_of(key, sizeof key), (struct bytes){0});
}

static int compare_rows(const void *a, const void *b)
{
	const struct dead_row *x = a, *y = b;

	return (x->row > y->row) - (x->row < y->row);
}

status dead_rows(const struct transaction *transaction, struct buffer *ret)
{
	SCOPED(walk) walk = &(struct walk){.transaction = transaction, .table = TABLE_DEAD};
	struct dead_row row;
	struct entry entry;
	bool found;

	for (;;) {
		TRY(walk_next(walk, &found, &entry));
		if (!found)
			break;
		row = (struct dead_row){
			.row = load_u64_be(entry.key.data + 8),
			.generation = load_u64_be(entry.key.data),
		};
		buffer_append(ret, &row, sizeof row);
	}
	if (ret->failed)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory for its dead rows");
	if (ret->size > 0)
		qsort(ret->data, ret->size / sizeof row, sizeof row, compare_rows);
	return status_ok();
}

uint64_t dead_row_bytes(const struct transaction *transaction, uint64_t row)
{
	struct row_key key = row_key_of(row);

	return transaction->store->config.dim * sizeof(float) +
	       value_size(transaction, TABLE_RECORDS, bytes_of(key.bytes, sizeof key.bytes));
}

static bool is_enough(const struct store_purge *purge)
{
	return purge->rows >= purge->rows_max ||
	       (purge->rows >= purge->rows_wanted && purge->bytes >= purge->bytes_wanted);
}

/* The keys of what is to go: they are gathered first, since a walk does not go on over what is deleted
 * under it. */
static status gather(const struct transaction *transaction, struct store_purge *purge,
		     struct buffer *ret)
{
	SCOPED(walk) walk = &(struct walk){.transaction = transaction, .table = TABLE_DEAD};
	struct entry entry;
	bool found;

	for (; !is_enough(purge); purge->rows++) {
		TRY(walk_next(walk, &found, &entry));
		if (!found || load_u64_be(entry.key.data) > purge->generation)
			break;
		buffer_append(ret, entry.key.data, DEAD_KEY_BYTES);
		purge->bytes += dead_row_bytes(transaction, load_u64_be(entry.key.data + 8));
	}
	if (ret->failed)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory to purge dead rows");
	return status_ok();
}

#define RECORD_ARENA_BYTES ((size_t)8 << 20)

static status note_postings(const struct transaction *transaction, struct postings *postings,
			    struct bytes row)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct bytes record;
	struct chunk chunk;
	bool found = false;
	status s;

	arena_init(arena, RECORD_ARENA_BYTES);
	s = value_get(transaction, TABLE_RECORDS, row, &found, &record);
	if (!status_failed(s) && found) {
		s = record_decode(record, arena, &chunk);
		if (!status_failed(s))
			postings_remove(postings, &transaction->store->config,
					load_u64_be(row.data), &chunk);
	}
	return s.code == STATUS_DATA_LOSS ? status_ok() : s;
}

status dead_purge(const struct transaction *transaction, struct postings *postings,
		  struct store_purge *purge)
{
	SCOPED(buffer) keys = &(struct buffer){0};

	purge->rows = 0;
	purge->bytes = 0;
	TRY(gather(transaction, purge, keys));
	for (size_t at = 0; at < keys->size; at += DEAD_KEY_BYTES) {
		struct bytes key = bytes_of(keys->data + at, DEAD_KEY_BYTES);
		struct bytes row = bytes_of(key.data + 8, ROW_KEY_BYTES);

		TRY(note_postings(transaction, postings, row));
		TRY(value_delete(transaction, TABLE_RECORDS, row));
		TRY(value_delete(transaction, TABLE_VECTORS, row));
		TRY(value_delete(transaction, TABLE_DEAD, key));
	}
	/* In order of generation, so the last one's is the highest. */
	if (keys->size > 0)
		purge->readable_from = load_u64_be(keys->data + keys->size - DEAD_KEY_BYTES);
	return status_ok();
}
