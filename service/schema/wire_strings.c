/* wire_strings - a walk over the bytes of a message beside its descriptor. */
#include "service/schema/wire_strings.h"

#include <string.h>

/* No message of the contract nests half so deep. */
#define DEPTH_MAX 32

enum wire_type { WIRE_VARINT, WIRE_64, WIRE_LENGTH, WIRE_GROUP, WIRE_GROUP_END, WIRE_32 };

/* How often each field of a message came: the index of the next one in a path. More fields than any
 * message of the contract has; behind it an index would be missing, nothing else. */
#define COUNTED_MAX 64

struct counts {
	uint32_t of[COUNTED_MAX];
};

static const char *wrong_with(struct bytes text)
{
	if (text.size > 0 && memchr(text.data, 0, text.size))
		return ": a NUL character, which no string may hold";
	return bytes_is_utf8(text) ? NULL : ": not UTF-8";
}

/* The path from this field on, in front of what is wrong further in. */
static status within(struct arena *arena, const ProtobufCFieldDescriptor *field, uint32_t index,
		     const char *inner)
{
	if (field->label == PROTOBUF_C_LABEL_REPEATED)
		return status_format(arena, STATUS_INVALID_ARGUMENT, "%s[%u]%s%s", field->name,
				     index, inner[0] == ':' ? "" : ".", inner);
	return status_format(arena, STATUS_INVALID_ARGUMENT, "%s%s%s", field->name,
			     inner[0] == ':' ? "" : ".", inner);
}

static status walk(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
		   struct bytes message, int depth);

/* What is wrong in the value of a field, OK if nothing is; the path not yet in front. */
static status walk_value(struct arena *arena, const ProtobufCFieldDescriptor *field,
			 struct bytes value, int depth)
{
	const char *wrong;

	if (field->type == PROTOBUF_C_TYPE_STRING) {
		wrong = wrong_with(value);
		return wrong ? status_make(STATUS_INVALID_ARGUMENT, wrong) : status_ok();
	}
	if (field->type != PROTOBUF_C_TYPE_MESSAGE)
		return status_ok();
	if (depth == DEPTH_MAX)
		return status_make(STATUS_INVALID_ARGUMENT, ": nested too deep");
	return walk(arena, field->descriptor, value, depth + 1);
}

static status walk_field(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
			 const ProtobufCFieldDescriptor *field, struct counts *counts,
			 struct bytes value, int depth)
{
	size_t at = (size_t)(field - descriptor->fields);
	uint32_t index = at < COUNTED_MAX ? counts->of[at]++ : 0;
	status inner = walk_value(arena, field, value, depth);

	return status_failed(inner) ? within(arena, field, index, inner.detail) : inner;
}

/* Each level of a message is a level of recursion, at most DEPTH_MAX. */
static status walk(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
		   struct bytes message, int depth)
{
	struct reader reader = reader_of(message);
	struct counts counts = {0};

	while (!reader.failed && reader.at < reader.end) {
		uint64_t key = reader_varint(&reader);
		const ProtobufCFieldDescriptor *field = NULL;
		struct bytes value;

		if (key >> 3 <= UINT32_MAX >> 3)
			field = protobuf_c_message_descriptor_get_field(descriptor,
									(unsigned)(key >> 3));
		switch ((enum wire_type)(key & 7)) {
		case WIRE_VARINT:
			reader_varint(&reader);
			break;
		case WIRE_64:
			reader_take(&reader, 8);
			break;
		case WIRE_32:
			reader_take(&reader, 4);
			break;
		case WIRE_LENGTH:
			value = reader_take(&reader, (size_t)reader_varint(&reader));
			if (field && !reader.failed)
				TRY(walk_field(arena, descriptor, field, &counts, value, depth));
			break;
		default: /* a group, which protobuf-c does not parse */
			return status_ok();
		}
	}
	return status_ok();
}

status wire_check_strings(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
			  struct bytes message)
{
	return walk(arena, descriptor, message, 0);
}
