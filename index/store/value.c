/* value - values with a checksum. */
#include "index/store/value.h"

#include "kernels/base/checksum.h"
#include "kernels/base/error_info.h"

/* What a table's payload has by its nature, so that a damaged size is not followed. */
static bool size_is_sane(const struct store *store, enum table table, size_t payload_bytes)
{
	switch (table) {
	case TABLE_VECTORS:
		return payload_bytes == (size_t)store->config.dim * sizeof(float);
	case TABLE_IDS:
		return payload_bytes == sizeof(uint64_t);
	case TABLE_STATE:
		return payload_bytes == STATE_BYTES || payload_bytes == STATE_BYTES_OLD;
	case TABLE_DEAD:
	case TABLE_NUMBERS:
	case TABLE_DOCUMENTS:
		return payload_bytes == 0;
	default:
		return payload_bytes < store->map_bytes;
	}
}

#define PAGE_HEAD_BYTES 16

/* LMDB takes a value's size from its page as it is, and following a damaged one leads behind the
 * end of the file, which is a signal. But a value ends within its page, or it begins behind the
 * head of a run of pages, of which the last four bytes are their number. Pages that a write
 * transaction has changed lie elsewhere in memory. */
static bool lies_in_its_pages(const struct transaction *transaction, struct bytes value)
{
	size_t page_bytes = transaction->store->page_bytes, offset, run_bytes;

	if (!transaction->reads_only || page_bytes == 0)
		return true;
	offset = (uintptr_t)value.data % page_bytes;
	run_bytes = page_bytes;
	if (offset == PAGE_HEAD_BYTES)
		run_bytes *= load_u32(value.data - sizeof(uint32_t));
	return value.size <= run_bytes - offset;
}

static uint32_t checksum_of(struct bytes key, struct bytes payload)
{
	return checksum_crc32c(checksum_crc32c(0, key), payload);
}

static MDB_val val_of(struct bytes bytes)
{
	/* LMDB has no const; it writes to no key and to no data that is put. */
	return (MDB_val){bytes.size, (void *)(uintptr_t)bytes.data};
}

status value_damaged(const struct transaction *transaction, enum table table, struct bytes key,
		     const char *how)
{
	const struct store *store = transaction->store;
	const char *name = store->config.name[0] ? store->config.name : store->directory;
	bool has_row = table == TABLE_RECORDS || table == TABLE_VECTORS || table == TABLE_DEAD ||
		       table == TABLE_NUMBERS || table == TABLE_DOCUMENTS;
	struct arena *arena = transaction->arena;
	status s;

	if (!has_row || key.size < ROW_KEY_BYTES)
		s = status_format(arena, STATUS_DATA_LOSS, "collection \"%s\": table %s: %s", name,
				  table_name(table), how);
	else
		s = status_format(
			arena, STATUS_DATA_LOSS, "collection \"%s\": table %s, row %llu: %s", name,
			table_name(table),
			(unsigned long long)load_u64_be(key.data + key.size - ROW_KEY_BYTES), how);
	return status_reason(s, arena, REASON_DATA_CORRUPT, "collection", name, NULL);
}

uint64_t value_size(const struct transaction *transaction, enum table table, struct bytes key)
{
	MDB_val name = val_of(key), value;
	int result = mdb_get(transaction->handle, transaction->store->tables[table], &name, &value);

	return !result && value.mv_size > VALUE_CHECKSUM_BYTES
		       ? value.mv_size - VALUE_CHECKSUM_BYTES
		       : 0;
}

status value_check(const struct transaction *transaction, enum table table, struct bytes key,
		   struct bytes value, struct bytes *ret)
{
	struct bytes payload = {value.data, value.size - VALUE_CHECKSUM_BYTES};

	if (value.size < VALUE_CHECKSUM_BYTES ||
	    !size_is_sane(transaction->store, table, payload.size) ||
	    !lies_in_its_pages(transaction, value))
		return value_damaged(transaction, table, key, "a value of the wrong size");
	if (checksum_of(key, payload) != load_u32(payload.data + payload.size))
		return value_damaged(transaction, table, key, "the checksum does not match");
	*ret = payload;
	return status_ok();
}

status value_get(const struct transaction *transaction, enum table table, struct bytes key,
		 bool *ret_found, struct bytes *ret)
{
	MDB_val k = val_of(key), v;
	int result = mdb_get(transaction->handle, transaction->store->tables[table], &k, &v);

	if (result == MDB_NOTFOUND) {
		*ret_found = false;
		return status_ok();
	}
	if (result)
		return store_failure(transaction->store, transaction->arena, result,
				     table_name(table));
	TRY(value_check(transaction, table, key, bytes_of(v.mv_data, v.mv_size), ret));
	*ret_found = true;
	return status_ok();
}

/* LMDB makes the room and the value is laid into it: no copy in between. */
static status put(const struct transaction *transaction, enum table table, struct bytes key,
		  struct bytes payload, unsigned flags)
{
	MDB_val k = val_of(key), v = {payload.size + VALUE_CHECKSUM_BYTES, NULL};
	int result = mdb_put(transaction->handle, transaction->store->tables[table], &k, &v,
			     flags | MDB_RESERVE);
	uint8_t *room = v.mv_data;

	if (result)
		return store_failure(transaction->store, transaction->arena, result,
				     table_name(table));
	if (payload.size > 0)
		memcpy(room, payload.data, payload.size);
	store_u32(room + payload.size, checksum_of(key, payload));
	return status_ok();
}

status value_put(const struct transaction *transaction, enum table table, struct bytes key,
		 struct bytes payload)
{
	return put(transaction, table, key, payload, 0);
}

status value_append(const struct transaction *transaction, enum table table, struct bytes key,
		    struct bytes payload)
{
	return put(transaction, table, key, payload, MDB_APPEND);
}

status value_delete(const struct transaction *transaction, enum table table, struct bytes key)
{
	MDB_val k = val_of(key);
	int result = mdb_del(transaction->handle, transaction->store->tables[table], &k, NULL);

	if (result && result != MDB_NOTFOUND)
		return store_failure(transaction->store, transaction->arena, result,
				     table_name(table));
	return status_ok();
}
