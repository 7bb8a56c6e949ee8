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

		switch (tag.type) {
		case WIRE_VARINT:
			value = wire_varint(&wire);
			if (tag.number == field && !wire.failed)
				found = value;
			break;
		case WIRE_64:
			wire_take(&wire, 8);
			break;
		case WIRE_32:
			wire_take(&wire, 4);
			break;
		case WIRE_LENGTH:
			wire_length_delimited(&wire);
			break;
		default:
			return found;
		}
	}
	return found;
}
