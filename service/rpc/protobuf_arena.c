/* protobuf_arena - the allocator's two functions, and packing without a copy in between. */
#include "service/rpc/protobuf_arena.h"

#include "kernels/base/error_info.h"

static void *protobuf_arena_alloc(void *data, size_t size)
{
	return arena_alloc(data, size);
}

/* The arena's end frees everything at once. */
static void protobuf_arena_free(void *data, void *pointer)
{
	(void)data;
	(void)pointer;
}

ProtobufCAllocator protobuf_arena_allocator(struct arena *arena)
{
	return (ProtobufCAllocator){
		.alloc = protobuf_arena_alloc,
		.free = protobuf_arena_free,
		.allocator_data = arena,
	};
}

status protobuf_status(const struct arena *arena, const char *message_name,
		       struct arena *for_detail)
{
	if (arena->exhausted)
		return status_reason(
			status_format(for_detail, STATUS_RESOURCE_EXHAUSTED,
				      "%s unpacks to more than the %zu bytes a call may use",
				      message_name, arena->cap_bytes),
			for_detail, REASON_MEMORY_LIMIT, "limit_bytes",
			ERROR_NUMBER(arena->cap_bytes), NULL);
	return status_reason(status_format(for_detail, STATUS_INVALID_ARGUMENT,
					   "bytes do not parse as %s", message_name),
			     for_detail, REASON_MALFORMED_MESSAGE, "message", message_name, NULL);
}

void buffer_pack(struct buffer *buffer, const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *at = buffer_reserve(buffer, size);

	if (at)
		buffer->size += protobuf_c_message_pack(message, at);
}

void buffer_append_message(struct buffer *buffer, uint32_t field, const ProtobufCMessage *message)
{
	const uint32_t length_delimited = 2;

	buffer_append_varint(buffer, (uint64_t)field << 3 | length_delimited);
	buffer_append_varint(buffer, protobuf_c_message_get_packed_size(message));
	buffer_pack(buffer, message);
}
