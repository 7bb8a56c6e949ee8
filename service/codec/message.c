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

/* A field's value; the member of another wire type is zero. */
struct peeked {
	uint64_t number;
	struct bytes bytes;
};

/* type  WIRE_VARINT or WIRE_LENGTH. */
static struct peeked peek(struct bytes bytes, uint32_t field, enum wire_type type)
{
	struct wire wire = wire_of(bytes);
	struct peeked found = {0};

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		struct peeked value = {0};

		if (tag.type == WIRE_GROUP || tag.type == WIRE_GROUP_END)
			break;
		if (tag.type != type || tag.number != field) {
			wire_pass(&wire, tag.type);
			continue;
		}
		if (type == WIRE_VARINT)
			value.number = wire_varint(&wire);
		else
			value.bytes = wire_length_delimited(&wire);
		if (!wire.failed)
			found = value;
	}
	return found;
}

uint64_t message_peek(struct bytes bytes, uint32_t field)
{
	return peek(bytes, field, WIRE_VARINT).number;
}

struct bytes message_peek_bytes(struct bytes bytes, uint32_t field)
{
	return peek(bytes, field, WIRE_LENGTH).bytes;
}
