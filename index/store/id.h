/* id - from a chunk's id to its row. Private to this folder.
 *
 * LMDB's keys are at most 511 bytes. An id of up to 400 is its own key. A longer one is keyed by
 * its first 384 bytes, a 128-bit hash of all of it and its size, 402 bytes: longer than any id
 * that is its own key, so the two kinds never meet. What two long ids with one key would be is
 * told by the record, which has the id whole.
 */
#ifndef SLUICE_INDEX_STORE_ID_H
#define SLUICE_INDEX_STORE_ID_H

#include "index/store/value.h"

#define ID_PLAIN_MAX 400
#define ID_PREFIX_BYTES 384
#define ID_KEY_MAX (ID_PREFIX_BYTES + 16 + 2)

struct id_key {
	uint8_t bytes[ID_KEY_MAX];
	size_t size;
};

/* id_key_make - id  1 to CHUNK_ID_MAX bytes */
void id_key_make(struct bytes id, struct id_key *ret);

enum id_use {
	ID_FREE,  /* no live chunk has the key */
	ID_FOUND, /* the chunk of this id has it */
	ID_TAKEN, /* another long id has it */
};

/* id_find - ret_row is set with ID_FOUND. Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status id_find(const struct transaction *transaction, struct bytes id, const struct id_key *key,
	       enum id_use *ret_use, uint64_t *ret_row);

static inline struct bytes id_key_bytes(const struct id_key *key)
{
	return bytes_of(key->bytes, key->size);
}

#endif
