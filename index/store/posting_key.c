/* posting_key - built from the left. */
#include "index/store/posting_key.h"

#include "kernels/base/checksum.h"

#include <assert.h>

/* Part of the format: the hash only tells strings apart, it keeps no secret. */
static const uint8_t hash_key[16] = "sluice long text";

void posting_key_add(struct posting_key *key, const void *data, size_t size)
{
	assert(size <= sizeof key->bytes - key->size);
	if (size > 0)
		memcpy(key->bytes + key->size, data, size);
	key->size += size;
}

void posting_key_begin(struct posting_key *key, size_t field, enum posting_mark mark)
{
	key->bytes[0] = (uint8_t)field;
	key->bytes[1] = (uint8_t)mark;
	key->size = POSTING_HEAD_BYTES;
}

void posting_key_add_string(struct posting_key *key, struct bytes string)
{
	uint8_t tail[16 + 2];

	if (string.size <= STRING_PLAIN_MAX) {
		posting_key_add(key, string.data, string.size);
		return;
	}
	hash_128(hash_key, string, tail);
	tail[16] = (uint8_t)(string.size >> 8);
	tail[17] = (uint8_t)string.size;
	posting_key_add(key, string.data, STRING_PREFIX_BYTES);
	posting_key_add(key, tail, sizeof tail);
}

void posting_key_add_run(struct posting_key *key, uint64_t row)
{
	uint8_t run[8];

	store_u64_be(run, row >> ROWS_RUN_BITS);
	run[1] = 0;
	posting_key_add(key, run + 1, POSTING_TAIL_BYTES);
}

void number_row_key(struct posting_key *key, size_t field, const struct value *value, uint64_t row)
{
	struct number_key number = number_key_of(value);
	struct row_key row_key = row_key_of(row);

	key->bytes[0] = (uint8_t)field;
	key->size = 1;
	posting_key_add(key, number.bytes, sizeof number.bytes);
	posting_key_add(key, row_key.bytes, sizeof row_key.bytes);
}

void document_key_begin(struct posting_key *key, struct bytes document)
{
	key->size = 0;
	posting_key_add_string(key, document);
	posting_key_add(key, "", 1);
}

void document_key_add_row(struct posting_key *key, uint32_t ordinal, uint64_t row)
{
	uint32_t swapped = __builtin_bswap32(ordinal);
	struct row_key row_key = row_key_of(row);

	posting_key_add(key, &swapped, sizeof swapped);
	posting_key_add(key, row_key.bytes, sizeof row_key.bytes);
}

uint64_t posting_run_row(struct bytes key)
{
	uint8_t run[8] = {0};

	memcpy(run + 2, key.data + key.size - RUN_BYTES, RUN_BYTES);
	return load_u64_be(run) << ROWS_RUN_BITS;
}
