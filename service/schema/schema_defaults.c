/* schema_defaults - a field's default out of the text that a descriptor keeps it as. */
#include "service/schema/schema_private.h"

#include <errno.h>
#include <stdlib.h>

static bool read_signed(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && *ret >= min && *ret <= max;
}

static bool read_unsigned(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	return errno == 0 && text[0] != '-' && end != text && *end == '\0' && *ret <= max;
}

/* "inf", "-inf" and "nan" too. */
static bool read_number(const char *text, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	return end != text && *end == '\0';
}

static bool read_enum(const struct schema_enum *enumeration, const char *text, int64_t *ret)
{
	for (size_t i = 0; i < enumeration->n_values; i++) {
		if (strcmp(enumeration->values[i].name, text) != 0)
			continue;
		*ret = enumeration->values[i].number;
		return true;
	}
	return false;
}

static int octal_of(uint8_t c)
{
	return c >= '0' && c <= '7' ? c - '0' : -1;
}

static int hex_of(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The letters of an escape and what they stand for. */
static int escaped_of(uint8_t c)
{
	static const char letters[] = "abfnrtv\\'\"?", meant[] = "\a\b\f\n\r\t\v\\'\"?";
	const char *at = c ? strchr(letters, c) : NULL;

	return at ? (uint8_t)meant[at - letters] : -1;
}

/* One byte out of a C escape behind its backslash. -1: it is none. */
static int unescape_one(struct reader *text)
{
	uint8_t c = reader_u8(text);
	int value = octal_of(c);

	if (value >= 0) {
		for (int i = 0; i < 2 && text->at < text->end && octal_of(*text->at) >= 0; i++)
			value = value * 8 + octal_of(reader_u8(text));
		return value <= 255 ? value : -1;
	}
	if (c != 'x' && c != 'X')
		return escaped_of(c);
	for (int i = 0; i < 2 && text->at < text->end && hex_of(*text->at) >= 0; i++)
		value = (value < 0 ? 0 : value * 16) + hex_of(reader_u8(text));
	return value;
}

/* The default of bytes is kept C-escaped, that of strings as it is. */
static bool read_bytes(struct arena *arena, struct bytes text, struct bytes *ret)
{
	struct reader reader = reader_of(text);
	uint8_t *bytes = arena_alloc(arena, text.size);
	size_t n = 0;

	if (!bytes)
		return false;
	while (reader.at < reader.end) {
		int byte = reader_u8(&reader);

		if (byte == '\\')
			byte = unescape_one(&reader);
		if (byte < 0 || reader.failed)
			return false;
		bytes[n++] = (uint8_t)byte;
	}
	*ret = bytes_of(bytes, n);
	return true;
}

bool default_read(struct arena *arena, struct schema_field *field, struct bytes text)
{
	union schema_value *value = &field->default_value;
	const char *string;

	if (field->type == SCHEMA_STRING) {
		value->bytes = text;
		return true;
	}
	if (field->type == SCHEMA_BYTES)
		return read_bytes(arena, text, &value->bytes);
	string = arena_copy(arena, text.data, text.size);
	if (!string)
		return false;
	switch (field->type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		return read_number(string, &value->number);
	case SCHEMA_INT32:
	case SCHEMA_SINT32:
	case SCHEMA_SFIXED32:
		return read_signed(string, INT32_MIN, INT32_MAX, &value->sint);
	case SCHEMA_INT64:
	case SCHEMA_SINT64:
	case SCHEMA_SFIXED64:
		return read_signed(string, INT64_MIN, INT64_MAX, &value->sint);
	case SCHEMA_UINT32:
	case SCHEMA_FIXED32:
		return read_unsigned(string, UINT32_MAX, &value->uint);
	case SCHEMA_UINT64:
	case SCHEMA_FIXED64:
		return read_unsigned(string, UINT64_MAX, &value->uint);
	case SCHEMA_BOOL:
		value->uint = strcmp(string, "true") == 0;
		return value->uint || strcmp(string, "false") == 0;
	case SCHEMA_ENUM:
		return read_enum(field->enumeration, string, &value->sint);
	default:
		return false;
	}
}
