/* chunk_wire - chunks and hits as the bytes of their messages, from plain data straight into a page.
 *
 *	struct chunk_wire wire = chunk_wire_of(&chunk, READ_RECORD, dim);
 *	chunk_wire_append(&wire, FIELD_CHUNKS, page);
 *
 * No message is built: each is measured once, room for it is taken in one piece, and it is written
 * from front to back. The bytes are those that protobuf-c makes of the same message: fields in order
 * of number, without those at their default.
 */
#ifndef SLUICE_SERVICE_CODEC_CHUNK_WIRE_H
#define SLUICE_SERVICE_CODEC_CHUNK_WIRE_H

#include "index/chunk.h"
#include "kernels/base/bytes.h"

/* A chunk on its way out, borrowed, and what its message takes without the field's own head. */
struct chunk_wire {
	const struct chunk *chunk;
	unsigned fields; /* READ_ bits */
	uint32_t dim;    /* of chunk->vector */
	size_t size_bytes;
};

/* chunk_wire_of - measures it. */
struct chunk_wire chunk_wire_of(const struct chunk *chunk, unsigned fields, uint32_t dim);

/* chunk_wire_append - as the length-delimited field of that number of an outer message. Without memory
 * the buffer has failed. */
void chunk_wire_append(const struct chunk_wire *chunk, uint32_t field, struct buffer *page);

/* A sluice.v1.Hit. */
struct hit_wire {
	struct chunk_wire chunk;
	float score;
	uint64_t rank;
	const struct chunk_wire *neighbors; /* [n_neighbors] */
	size_t n_neighbors;
};

/* hit_wire_size - of its message, without the field's own head. */
size_t hit_wire_size(const struct hit_wire *hit);

/* hit_wire_append - as chunk_wire_append. */
void hit_wire_append(const struct hit_wire *hit, uint32_t field, struct buffer *page);

#endif
