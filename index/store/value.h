/* value - values with a checksum, by table and key. Private to this folder.
 *
 * What is stored is the payload and behind it, in four bytes, the CRC-32C of key and payload. A
 * payload that is read is borrowed from the map: good until the transaction writes or ends.
 */
#ifndef SLUICE_INDEX_STORE_VALUE_H
#define SLUICE_INDEX_STORE_VALUE_H

#include "index/store/transaction.h"

#define VALUE_CHECKSUM_BYTES 4
#define ROW_KEY_BYTES 8
#define DEAD_KEY_BYTES 16 /* generation, row */
#define STATE_BYTES 32
#define STATE_BYTES_OLD 24

/* A row as a key. */
struct row_key {
	uint8_t bytes[ROW_KEY_BYTES];
};

static inline struct row_key row_key_of(uint64_t row)
{
	struct row_key key;

	store_u64_be(key.bytes, row);
	return key;
}

/* value_get - Fails: DATA_LOSS, naming table and row, RESOURCE_EXHAUSTED INTERNAL */
status value_get(const struct transaction *transaction, enum table table, struct bytes key,
		 bool *ret_found, struct bytes *ret);

/* value_size - bytes of the payload, which is not looked at; 0 where there is none, or none that can
 * be found. */
uint64_t value_size(const struct transaction *transaction, enum table table, struct bytes key);

/* value_check - the payload of a value that a cursor came upon. Fails: DATA_LOSS */
status value_check(const struct transaction *transaction, enum table table, struct bytes key,
		   struct bytes value, struct bytes *ret);

/* value_put - Replaces what the key had.
 * Fails: ABORTED (the map is full) RESOURCE_EXHAUSTED DATA_LOSS INTERNAL */
status value_put(const struct transaction *transaction, enum table table, struct bytes key,
		 struct bytes payload);

/* value_append - value_put of a key above all others, which is quicker. Fails also: INTERNAL where
 * it is not. */
status value_append(const struct transaction *transaction, enum table table, struct bytes key,
		    struct bytes payload);

/* value_delete - What is not there is fine. Fails: as value_put */
status value_delete(const struct transaction *transaction, enum table table, struct bytes key);

/* value_damaged - DATA_LOSS that names collection, table and, where the key has one, the row. */
status value_damaged(const struct transaction *transaction, enum table table, struct bytes key,
		     const char *how);

#endif
