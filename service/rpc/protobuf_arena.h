/* protobuf_arena - protobuf-c messages in a call's arena, and written into a buffer.
 *
 *	ProtobufCAllocator allocator = protobuf_arena_allocator(arena);
 *	Sluice__V1__SearchRequest *request =
 *		sluice__v1__search_request__unpack(&allocator, message.size, message.data);
 *	if (!request)
 *		return protobuf_status(arena, "sluice.v1.SearchRequest", arena);
 *
 * What was unpacked dies with the arena: never free_unpacked.
 */
#ifndef SLUICE_SERVICE_RPC_PROTOBUF_ARENA_H
#define SLUICE_SERVICE_RPC_PROTOBUF_ARENA_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#include <protobuf-c/protobuf-c.h>

/* protobuf_arena_allocator - allocates in arena, which is borrowed; frees nothing. */
ProtobufCAllocator protobuf_arena_allocator(struct arena *arena);

/* protobuf_status - why unpacking into arena gave NULL.
 * message_name  such as "sluice.v1.SearchRequest", for the detail.
 * for_detail    owns the detail; may be the same arena: a full one costs the detail its values.
 * Fails: RESOURCE_EXHAUSTED where the arena refused memory, else INVALID_ARGUMENT */
status protobuf_status(const struct arena *arena, const char *message_name,
		       struct arena *for_detail);

/* buffer_pack - appends the encoded message. Without memory the buffer has failed. */
void buffer_pack(struct buffer *buffer, const ProtobufCMessage *message);

/* buffer_append_message - appends message as the length-delimited field of that number: one
 * element of a repeated field of an outer message that is never built whole. */
void buffer_append_message(struct buffer *buffer, uint32_t field, const ProtobufCMessage *message);

#endif
