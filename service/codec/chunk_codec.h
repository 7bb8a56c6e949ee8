/* chunk_codec - chunks between the wire and plain data.
 *
 * Decoding borrows from the unpacked message, which must outlive the result. Encoding writes one
 * length-delimited field straight into a buffer: fields of a message may come in any number of
 * pieces, so a page is a buffer that grows hit by hit.
 */
#ifndef SLUICE_SERVICE_CODEC_CHUNK_CODEC_H
#define SLUICE_SERVICE_CODEC_CHUNK_CODEC_H

#include "google/protobuf/field_mask.pb-c.h"
#include "index/chunk.h"
#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"
#include "sluice/v1/chunk.pb-c.h"

/* What a read_mask names. */
enum read_field {
	READ_ID = 1 << 0,
	READ_DOCUMENT_ID = 1 << 1,
	READ_ORDINAL = 1 << 2,
	READ_TEXT = 1 << 3,
	READ_TOKEN_COUNT = 1 << 4,
	READ_METADATA = 1 << 5,
	READ_VECTOR = 1 << 6,
};
#define READ_RECORD (READ_VECTOR - 1) /* all but the vector: the default */

/* read_mask_decode - NULL or empty: READ_RECORD. Fails: INVALID_ARGUMENT, naming the path */
status read_mask_decode(struct arena *arena, const Google__Protobuf__FieldMask *mask,
			unsigned *ret_fields);

/* value_decode - strings borrowed from the message, a list in the arena. Fails: RESOURCE_EXHAUSTED */
status value_decode(struct arena *arena, const Sluice__V1__MetadataValue *message,
		    struct value *ret);

/* chunk_decode - message  checked (codec/message.h). Of a metadata key given twice the last value
 * stands; a token_count of 0 becomes the count of the text.
 * ret  strings and vector borrowed from the message, metadata in the arena.
 * Fails: RESOURCE_EXHAUSTED */
status chunk_decode(struct arena *arena, const Sluice__V1__Chunk *message, struct chunk *ret);

/* chunk_to_message - fills a message over the chunk's own strings.
 * fields  READ_ bits. dim  of chunk->vector. Everything new is in the arena.
 * Fails: RESOURCE_EXHAUSTED */
status chunk_to_message(struct arena *arena, const struct chunk *chunk, unsigned fields,
			uint32_t dim, Sluice__V1__Chunk *ret);

#endif
