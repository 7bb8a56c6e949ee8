/* message - a request's bytes to a message that is safe to read. */
#include "service/codec/message.h"

#include "service/rpc/protobuf_arena.h"
#include "service/schema/contract.h"
#include "service/schema/violations.h"
#include "service/schema/wire.h"

#include <assert.h>

status message_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
		      struct bytes bytes, ProtobufCMessage **ret)
{
	const struct schema_message *schema = contract_message(descriptor->name);
	ProtobufCAllocator allocator = protobuf_arena_allocator(arena);
	ProtobufCMessage *message;

	assert(schema && schema->compiled);
	TRY(violations_check(schema, bytes, arena));
	message = protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);
	if (!message)
		return protobuf_status(arena, descriptor->name, arena);
	*ret = message;
	return status_ok();
}

uint64_t message_peek(struct bytes bytes, uint32_t field)
{
	struct wire wire = wire_of(bytes);
	uint64_t found = 0;

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		uint64_t value;

		if (tag.type == WIRE_GROUP || tag.type == WIRE_GROUP_END)
			break;
		if (tag.type != WIRE_VARINT || tag.number != field) {
			wire_pass(&wire, tag.type);
			continue;
		}
		value = wire_varint(&wire);
		if (!wire.failed)
			found = value;
	}
	return found;
}

struct bytes message_peek_bytes(struct bytes bytes, uint32_t field)
{
	struct wire wire = wire_of(bytes);
	struct bytes found = bytes_of(NULL, 0);

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		struct bytes value;

		if (tag.type == WIRE_GROUP || tag.type == WIRE_GROUP_END)
			break;
		if (tag.type != WIRE_LENGTH || tag.number != field) {
			wire_pass(&wire, tag.type);
			continue;
		}
		value = wire_take(&wire, wire_varint(&wire));
		if (!wire.failed)
			found = value;
	}
	return found;
}
