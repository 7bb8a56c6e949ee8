/* schema_item - see the header. Messages given to the look-ups have passed item_check. */
#include "service/schema/schema_item.h"

/* What is between a start tag that was just read and its end, with the groups inside. */
static void skip_group(struct wire *wire)
{
	size_t depth = 1;

	while (depth > 0 && wire_more(wire)) {
		struct wire_tag tag = wire_tag(wire);

		wire_pass(wire, tag.type);
		if (tag.type == WIRE_GROUP)
			depth++;
		else if (tag.type == WIRE_GROUP_END)
			depth--;
	}
	if (depth > 0)
		wire_fail(wire, "a group has no end");
}

bool item_next(struct wire *wire, struct item *ret)
{
	if (wire_more(wire)) {
		struct wire_tag tag = wire_tag(wire);

		*ret = (struct item){.number = tag.number, .type = tag.type};
		if (wire->failed)
			return false;
		switch (tag.type) {
		case WIRE_VARINT:
			ret->bits = wire_varint(wire);
			return !wire->failed;
		case WIRE_64:
			ret->bits = wire_fixed64(wire);
			return !wire->failed;
		case WIRE_LENGTH:
			ret->bytes = wire_length_delimited(wire);
			return !wire->failed;
		case WIRE_32:
			ret->bits = wire_fixed32(wire);
			return !wire->failed;
		case WIRE_GROUP:
			skip_group(wire);
			return !wire->failed;
		case WIRE_GROUP_END:
			wire_fail(wire, "a group ends that did not begin");
			return false;
		}
	}
	return false;
}

const char *item_check(struct bytes message)
{
	struct wire wire = wire_of(message);
	struct item item;

	while (item_next(&wire, &item))
		;
	return wire.failed;
}

size_t item_count(struct bytes message, uint32_t number, enum wire_type type)
{
	struct wire wire = wire_of(message);
	struct item item;
	size_t n = 0;

	while (item_next(&wire, &item))
		n += item_is(&item, number, type);
	return n;
}

uint64_t item_varint(struct bytes message, uint32_t number, uint64_t fallback)
{
	struct wire wire = wire_of(message);
	struct item item;

	while (item_next(&wire, &item))
		if (item_is(&item, number, WIRE_VARINT))
			fallback = item.bits;
	return fallback;
}

struct bytes item_bytes(struct bytes message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct bytes last = {NULL, 0};
	struct item item;

	while (item_next(&wire, &item))
		if (item_is(&item, number, WIRE_LENGTH))
			last = item.bytes;
	return last;
}

bool item_gather(struct arena *arena, struct bytes message, uint32_t number, struct bytes *ret)
{
	struct wire wire = wire_of(message);
	struct bytes last = {NULL, 0};
	struct item item;
	size_t n = 0, size = 0;
	uint8_t *whole;

	while (item_next(&wire, &item)) {
		if (!item_is(&item, number, WIRE_LENGTH))
			continue;
		last = item.bytes;
		size += item.bytes.size;
		n++;
	}
	*ret = last;
	if (n < 2)
		return true;
	whole = arena_alloc(arena, size);
	if (!whole)
		return false;
	*ret = bytes_of(whole, size);
	wire = wire_of(message);
	while (item_next(&wire, &item)) {
		if (!item_is(&item, number, WIRE_LENGTH) || item.bytes.size == 0)
			continue;
		memcpy(whole, item.bytes.data, item.bytes.size);
		whole += item.bytes.size;
	}
	return true;
}
