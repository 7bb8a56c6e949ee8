/* batch - fields of a message may come in any order and piece by piece, so a request is its head
 * and one length-delimited field a chunk. */
#include "service/cli/batch.h"

#include <string.h>

enum field_key {
	KEY_COLLECTION = 1 << 3 | 2, /* length-delimited */
	KEY_SEQUENCE = 2 << 3 | 0,   /* varint */
	KEY_CHUNKS = 3 << 3 | 2,
};

/* The key of a chunk and its length at most. */
#define CHUNK_HEAD_BYTES 11

void batch_finish(struct batch *batch)
{
	if (batch)
		buffer_finish(&batch->buffer);
}

void batch_start(struct batch *batch, const char *collection, uint64_t sequence)
{
	size_t size = strlen(collection);

	batch->buffer.size = 0;
	batch->lines.n = 0;
	batch->lines.sequence = sequence;
	buffer_append_varint(&batch->buffer, KEY_COLLECTION);
	buffer_append_varint(&batch->buffer, size);
	buffer_append(&batch->buffer, collection, size);
	buffer_append_varint(&batch->buffer, KEY_SEQUENCE);
	buffer_append_varint(&batch->buffer, sequence);
}

enum batch_add batch_add(struct batch *batch, const Sluice__V1__Chunk *chunk, uint64_t line)
{
	size_t size;
	uint8_t *at;

	if (batch->lines.n == batch->chunks_max)
		return BATCH_FULL;
	size = protobuf_c_message_get_packed_size(&chunk->base);
	if (batch->buffer.size + CHUNK_HEAD_BYTES + size > BATCH_BYTES_MAX)
		return batch->lines.n ? BATCH_FULL : BATCH_TOO_LARGE;
	buffer_append_varint(&batch->buffer, KEY_CHUNKS);
	buffer_append_varint(&batch->buffer, size);
	at = buffer_reserve(&batch->buffer, size);
	if (!at)
		return BATCH_NO_MEMORY;
	batch->buffer.size += protobuf_c_message_pack(&chunk->base, at);
	batch->lines.numbers[batch->lines.n++] = line;
	return BATCH_ADDED;
}
