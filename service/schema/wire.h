/* wire - tags and values off the front of a message's bytes, for the files of this folder.
 *
 * Stricter than a bare varint reader: a tag is at most 32 bits, field number 0 and wire types 6 and 7 are
 * failures, and a length has to fit into what is left. After a failure `failed` says why and at which
 * byte; nothing read from then on means anything.
 */
#ifndef SLUICE_SERVICE_SCHEMA_WIRE_H
#define SLUICE_SERVICE_SCHEMA_WIRE_H

#include "kernels/base/bytes.h"

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_64 = 1,
	WIRE_LENGTH = 2,
	WIRE_GROUP = 3,
	WIRE_GROUP_END = 4,
	WIRE_32 = 5,
};

struct wire {
	const uint8_t *at, *end;
	const char *failed; /* "a varint is longer than 10 bytes"; NULL: nothing is wrong */
};

static inline struct wire wire_of(struct bytes bytes)
{
	return (struct wire){bytes.data, bytes.data ? bytes.data + bytes.size : NULL, NULL};
}

static inline bool wire_more(const struct wire *wire)
{
	return !wire->failed && wire->at < wire->end;
}

static inline uint64_t wire_fail(struct wire *wire, const char *why)
{
	if (!wire->failed)
		wire->failed = why;
	return 0;
}

static inline uint64_t wire_varint(struct wire *wire)
{
	uint64_t value = 0;

	if (wire->at < wire->end && *wire->at < 0x80)
		return *wire->at++;
	for (unsigned shift = 0; shift < 70; shift += 7) {
		uint8_t byte;

		if (wire->at == wire->end)
			return wire_fail(wire, "a varint is cut off");
		byte = *wire->at++;
		if (shift == 63 && byte > 1)
			return wire_fail(wire, "a varint has more than 64 bits");
		value |= (uint64_t)(byte & 0x7F) << shift;
		if (byte < 0x80)
			return value;
	}
	return wire_fail(wire, "a varint is longer than 10 bytes");
}

struct wire_tag {
	uint32_t number;
	enum wire_type type;
};

static inline struct wire_tag wire_tag(struct wire *wire)
{
	const uint8_t *start = wire->at;
	uint64_t tag = wire_varint(wire);

	/* Nor may it be written longer than that takes: other readers stop at five bytes. */
	if (tag > UINT32_MAX || wire->at - start > 5)
		wire_fail(wire, "a tag has more than 32 bits");
	else if (tag >> 3 == 0)
		wire_fail(wire, "a field has number 0");
	else if ((tag & 7) > WIRE_32)
		wire_fail(wire, "a wire type is 6 or 7");
	return (struct wire_tag){(uint32_t)tag >> 3, (enum wire_type)(tag & 7)};
}

static inline struct bytes wire_take(struct wire *wire, uint64_t size)
{
	struct bytes taken = {wire->at, (size_t)size};

	if (wire->failed || size > (uint64_t)(wire->end - wire->at)) {
		wire_fail(wire, "a value is longer than what is left");
		return (struct bytes){NULL, 0};
	}
	wire->at += size;
	return taken;
}

static inline struct bytes wire_length_delimited(struct wire *wire)
{
	const uint8_t *start = wire->at;
	uint64_t size = wire_varint(wire);

	if (wire->at - start > 5)
		wire_fail(wire, "a length has more than 32 bits");
	return wire_take(wire, size);
}

static inline uint32_t wire_fixed32(struct wire *wire)
{
	struct bytes taken = wire_take(wire, 4);

	return wire->failed ? 0 : load_u32(taken.data);
}

static inline uint64_t wire_fixed64(struct wire *wire)
{
	struct bytes taken = wire_take(wire, 8);

	return wire->failed ? 0 : load_u64(taken.data);
}

/* wire_pass - steps over a value; of a group, whose tags have none, over nothing. */
static inline void wire_pass(struct wire *wire, enum wire_type type)
{
	switch (type) {
	case WIRE_VARINT:
		wire_varint(wire);
		break;
	case WIRE_64:
		wire_take(wire, 8);
		break;
	case WIRE_32:
		wire_take(wire, 4);
		break;
	case WIRE_LENGTH:
		wire_length_delimited(wire);
		break;
	case WIRE_GROUP:
	case WIRE_GROUP_END:
		break;
	}
}

static inline int64_t wire_zigzag(uint64_t value)
{
	return (int64_t)(value >> 1 ^ (0 - (value & 1)));
}

#endif
