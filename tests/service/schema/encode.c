/* encode - one pass over the text; a message within is written to a buffer of its own first. */
#include "tests/service/schema/encode.h"

#include "service/schema/wire.h"

#include <stdio.h>
#include <stdlib.h>

static const char *piece_encode(struct buffer *to, const char *at);

/* A test's own mistake. */
static _Noreturn void give_up(const char *at)
{
	fprintf(stderr, "encode: not understood: %s\n", at);
	abort();
}

static const char *spaces_skip(const char *at)
{
	while (*at == ' ' || *at == '\n' || *at == '\t')
		at++;
	return at;
}

static const char *pieces_encode(struct buffer *to, const char *at, char end)
{
	for (at = spaces_skip(at); *at != end; at = spaces_skip(at))
		at = piece_encode(to, at);
	return end ? at + 1 : at;
}

static const char *hex_encode(struct buffer *to, const char *at)
{
	unsigned byte;
	int n;

	while (sscanf(at, "%2x%n", &byte, &n) == 1 && n == 2 && *at != ' ') {
		buffer_append_u8(to, (uint8_t)byte);
		at += 2;
	}
	return at;
}

static const char *string_encode(struct buffer *to, const char *at)
{
	for (; *at != '"'; at++) {
		if (*at == 0)
			give_up("a string that does not end");
		if (*at == '\\' && at[1] == 'x') {
			char digits[3] = {at[2], at[3], 0};

			buffer_append_u8(to, (uint8_t)strtoul(digits, NULL, 16));
			at += 3;
			continue;
		}
		at += *at == '\\';
		buffer_append_u8(to, (uint8_t)*at);
	}
	return at + 1;
}

/* An integer, also one above INT64_MAX. */
static const char *integer_read(const char *at, uint64_t *ret)
{
	char *end;

	*ret = *at == '-' ? (uint64_t)strtoll(at, &end, 10) : strtoull(at, &end, 10);
	if (end == at)
		give_up(at);
	return end;
}

static const char *number_encode(struct buffer *to, const char *at)
{
	char kind = *at, *end;
	uint64_t integer;
	double real;
	float single;

	switch (kind) {
	case 'f':
	case 'd':
		real = strtod(at + 1, &end);
		single = (float)real;
		if (kind == 'f')
			buffer_append(to, &single, sizeof single);
		else
			buffer_append(to, &real, sizeof real);
		return end;
	case 'i':
		end = (char *)(uintptr_t)integer_read(at + 1, &integer);
		buffer_append_u32(to, (uint32_t)integer);
		return end;
	case 'l':
		end = (char *)(uintptr_t)integer_read(at + 1, &integer);
		buffer_append_u64(to, integer);
		return end;
	case 'z':
		end = (char *)(uintptr_t)integer_read(at + 1, &integer);
		buffer_append_varint(to, integer << 1 ^ (0 - (integer >> 63)));
		return end;
	default:
		end = (char *)(uintptr_t)integer_read(at, &integer);
		buffer_append_varint(to, integer);
		return end;
	}
}

static const char *packed_encode(struct buffer *to, const char *at)
{
	for (at = spaces_skip(at); *at != ']'; at = spaces_skip(at))
		at = number_encode(to, at);
	return at + 1;
}

static enum wire_type wire_type_of(char kind)
{
	switch (kind) {
	case '"':
	case '{':
	case '[':
		return WIRE_LENGTH;
	case '(':
		return WIRE_GROUP;
	case 'f':
	case 'i':
		return WIRE_32;
	case 'd':
	case 'l':
		return WIRE_64;
	default:
		return WIRE_VARINT;
	}
}

static void tag_encode(struct buffer *to, uint64_t number, enum wire_type type)
{
	buffer_append_varint(to, number << 3 | (uint64_t)type);
}

static const char *value_encode(struct buffer *to, uint64_t number, const char *at)
{
	SCOPED(buffer) inside = &(struct buffer){0};
	enum wire_type type = wire_type_of(*at);

	tag_encode(to, number, type);
	if (type == WIRE_GROUP) {
		at = pieces_encode(to, at + 1, ')');
		tag_encode(to, number, WIRE_GROUP_END);
		return at;
	}
	if (type != WIRE_LENGTH)
		return number_encode(to, at);
	if (*at == '"')
		at = string_encode(inside, at + 1);
	else if (*at == '{')
		at = pieces_encode(inside, at + 1, '}');
	else
		at = packed_encode(inside, at + 1);
	buffer_append_varint(to, inside->size);
	buffer_append(to, inside->data, inside->size);
	return at;
}

static const char *piece_encode(struct buffer *to, const char *at)
{
	const char *end;
	uint64_t number;
	size_t start, size;

	if (*at == '=')
		return hex_encode(to, at + 1);
	end = integer_read(at, &number);
	if (*end == ':')
		return value_encode(to, number, end + 1);
	if (*end != '*' || number == 0)
		give_up(at);
	start = to->size;
	end = piece_encode(to, end + 1);
	size = to->size - start;
	while (--number > 0) {
		uint8_t *room = (uint8_t *)buffer_reserve(to, size);

		if (!room)
			give_up("no memory");
		memcpy(room, to->data + start, size);
		to->size += size;
	}
	return end;
}

void encode(struct buffer *to, const char *text)
{
	pieces_encode(to, text, 0);
	if (to->failed)
		give_up("no memory");
}
