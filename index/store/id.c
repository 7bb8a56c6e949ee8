/* id - from a chunk's id to its row. */
#include "index/store/id.h"

#include "index/store/record.h"
#include "kernels/base/checksum.h"

/* Part of the format: the hash only tells ids apart, it keeps no secret. */
static const uint8_t hash_key[16] = "sluice long id 1";

void id_key_make(struct bytes id, struct id_key *ret)
{
	if (id.size <= ID_PLAIN_MAX) {
		memcpy(ret->bytes, id.data, id.size);
		ret->size = id.size;
		return;
	}
	memcpy(ret->bytes, id.data, ID_PREFIX_BYTES);
	hash_128(hash_key, id, ret->bytes + ID_PREFIX_BYTES);
	ret->bytes[ID_KEY_MAX - 2] = (uint8_t)(id.size >> 8);
	ret->bytes[ID_KEY_MAX - 1] = (uint8_t)id.size;
	ret->size = ID_KEY_MAX;
}

/* Whether the record of row has this id. */
static status compare_record(const struct transaction *transaction, uint64_t row, struct bytes id,
			     bool *ret_same)
{
	struct row_key key = row_key_of(row);
	struct bytes key_bytes = bytes_of(key.bytes, sizeof key.bytes), record, recorded;
	bool found;

	TRY(value_get(transaction, TABLE_RECORDS, key_bytes, &found, &record));
	if (!found)
		return value_damaged(transaction, TABLE_RECORDS, key_bytes,
				     "an id names it and it is not there");
	if (status_failed(record_id(record, &recorded)))
		return value_damaged(transaction, TABLE_RECORDS, key_bytes,
				     "the record cannot be read");
	*ret_same = bytes_equal(recorded, id);
	return status_ok();
}

status id_find(const struct transaction *transaction, struct bytes id, const struct id_key *key,
	       enum id_use *ret_use, uint64_t *ret_row)
{
	struct bytes payload;
	bool found, same = true;
	uint64_t row;

	TRY(value_get(transaction, TABLE_IDS, id_key_bytes(key), &found, &payload));
	if (!found) {
		*ret_use = ID_FREE;
		return status_ok();
	}
	row = load_u64(payload.data);
	if (id.size > ID_PLAIN_MAX)
		TRY(compare_record(transaction, row, id, &same));
	*ret_use = same ? ID_FOUND : ID_TAKEN;
	if (same)
		*ret_row = row;
	return status_ok();
}
