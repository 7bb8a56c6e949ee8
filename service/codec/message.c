/* message - a request's bytes to a message that is safe to read. */
#include "service/codec/message.h"

#include "service/rpc/protobuf_arena.h"
#include "service/schema/wire_strings.h"

status message_parse(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
		     struct bytes bytes, ProtobufCMessage **ret)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(arena);
	ProtobufCMessage *message =
		protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);

	if (!message)
		return protobuf_status(arena, descriptor->name, arena);
	*ret = message;
	return status_ok();
}

status message_unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
		      struct bytes bytes, ProtobufCMessage **ret)
{
	TRY(wire_check_strings(arena, descriptor, bytes));
	return message_parse(arena, descriptor, bytes, ret);
}
