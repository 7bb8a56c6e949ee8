/* format_text - identifiers and header fields: formats of one alphabet and a length. */
#include "service/schema/format_parts.h"

#define UUID_BYTES 36
#define TRIMMED_UUID_BYTES 32
#define ULID_BYTES 26

bool format_is_uuid(struct bytes text)
{
	if (text.size != UUID_BYTES)
		return false;
	for (size_t i = 0; i < text.size; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text.data[i] != '-' : !is_hex(text.data[i]))
			return false;
	}
	return true;
}

bool format_is_trimmed_uuid(struct bytes text)
{
	if (text.size != TRIMMED_UUID_BYTES)
		return false;
	for (size_t i = 0; i < text.size; i++)
		if (!is_hex(text.data[i]))
			return false;
	return true;
}

bool format_is_ulid(struct bytes text)
{
	/* 26 digits of five bits are 130: the first has three. */
	if (text.size != ULID_BYTES || text.data[0] < '0' || text.data[0] > '7')
		return false;
	for (size_t i = 1; i < text.size; i++) {
		uint8_t c = text.data[i];

		if (!is_digit(c) && (!is_letter(c) || is_one_of(c, "ILOUilou")))
			return false;
	}
	return true;
}

bool format_is_protobuf_name(struct bytes text)
{
	bool begins = true;

	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];

		if (is_letter(c) || c == '_' || (is_digit(c) && !begins))
			begins = false;
		else if (c == '.' && !begins)
			begins = true;
		else
			return false;
	}
	return !begins;
}

/* What no header may hold, or it would end there. */
static bool is_loose(struct bytes text)
{
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] == '\0' || text.data[i] == '\n' || text.data[i] == '\r')
			return false;
	return true;
}

bool format_is_header_name(struct bytes text, bool strict)
{
	if (strict && text.size > 0 && text.data[0] == ':')
		text = from(text, 1); /* a pseudo header of HTTP/2 */
	if (text.size == 0)
		return false;
	if (!strict)
		return is_loose(text);
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];

		/* The comma is no token character of RFC 7230, but protovalidate takes it. */
		if (!is_letter(c) && !is_digit(c) && !is_one_of(c, "!#$%&'*+,-.^_|~`"))
			return false;
	}
	return true;
}

bool format_is_header_value(struct bytes text, bool strict)
{
	if (!strict)
		return is_loose(text);
	for (size_t i = 0; i < text.size; i++) {
		uint8_t c = text.data[i];

		if ((c < ' ' && c != '\t') || c == 0x7F)
			return false;
	}
	return true;
}
