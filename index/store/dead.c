/* dead - rows that no new snapshot sees, until they are purged. */
#include "index/store/dead.h"

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
	uint64_t x = load_u64(a), y = load_u64(b);

	return (x > y) - (x < y);
}

status dead_rows(const struct transaction *transaction, struct buffer *ret)
{
	SCOPED(walk) walk = &(struct walk){.transaction = transaction, .table = TABLE_DEAD};
	struct entry entry;
	bool found;

	for (;;) {
		TRY(walk_next(walk, &found, &entry));
		if (!found)
			break;
		buffer_append_u64(ret, load_u64_be(entry.key.data + 8));
	}
	if (ret->failed)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory for its dead rows");
	if (ret->size > 0)
		qsort(ret->data, ret->size / sizeof(uint64_t), sizeof(uint64_t), compare_rows);
	return status_ok();
}

/* The keys of up to max entries at or below generation: they are gathered first, since a walk does
 * not go on over what is deleted under it. */
static status gather(const struct transaction *transaction, uint64_t generation, size_t max,
		     struct buffer *ret)
{
	SCOPED(walk) walk = &(struct walk){.transaction = transaction, .table = TABLE_DEAD};
	struct entry entry;
	bool found;

	for (size_t n = 0; n < max; n++) {
		TRY(walk_next(walk, &found, &entry));
		if (!found || load_u64_be(entry.key.data) > generation)
			break;
		buffer_append(ret, entry.key.data, DEAD_KEY_BYTES);
	}
	if (ret->failed)
		return store_says(transaction->store, transaction->arena, STATUS_RESOURCE_EXHAUSTED,
				  "memory to purge dead rows");
	return status_ok();
}

status dead_purge(const struct transaction *transaction, uint64_t generation, size_t max,
		  size_t *ret_purged)
{
	SCOPED(buffer) keys = &(struct buffer){0};

	TRY(gather(transaction, generation, max, keys));
	for (size_t at = 0; at < keys->size; at += DEAD_KEY_BYTES) {
		struct bytes key = bytes_of(keys->data + at, DEAD_KEY_BYTES);
		struct bytes row = bytes_of(key.data + 8, ROW_KEY_BYTES);

		TRY(value_delete(transaction, TABLE_RECORDS, row));
		TRY(value_delete(transaction, TABLE_VECTORS, row));
		TRY(value_delete(transaction, TABLE_DEAD, key));
	}
	*ret_purged = keys->size / DEAD_KEY_BYTES;
	return status_ok();
}
