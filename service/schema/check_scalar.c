/* check_scalar - single values: off the wire, compared, and as a message shows them. */
#include "service/schema/check_walk.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* Bytes of a found value that a message shows. */
#define SHOWN_BYTES_MAX 64

static float float_of_bits(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

static double double_of_bits(uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof value);
	return value;
}

/* A varint of 32 bits is cut, not refused: so is it by every reader of protocol buffers. */
union schema_value scalar_read(struct wire *wire, enum schema_type type)
{
	union schema_value value = {0};

	switch (type) {
	case SCHEMA_DOUBLE:
		value.number = double_of_bits(wire_fixed64(wire));
		break;
	case SCHEMA_FLOAT:
		value.number = (double)float_of_bits(wire_fixed32(wire));
		break;
	case SCHEMA_INT64:
		value.sint = (int64_t)wire_varint(wire);
		break;
	case SCHEMA_UINT64:
		value.uint = wire_varint(wire);
		break;
	case SCHEMA_INT32:
	case SCHEMA_ENUM:
		value.sint = (int32_t)(uint32_t)wire_varint(wire);
		break;
	case SCHEMA_FIXED64:
		value.uint = wire_fixed64(wire);
		break;
	case SCHEMA_FIXED32:
		value.uint = wire_fixed32(wire);
		break;
	case SCHEMA_BOOL:
		value.uint = wire_varint(wire) != 0;
		break;
	case SCHEMA_UINT32:
		value.uint = (uint32_t)wire_varint(wire);
		break;
	case SCHEMA_SFIXED32:
		value.sint = (int32_t)wire_fixed32(wire);
		break;
	case SCHEMA_SFIXED64:
		value.sint = (int64_t)wire_fixed64(wire);
		break;
	case SCHEMA_SINT32:
		value.sint = (int32_t)wire_zigzag((uint32_t)wire_varint(wire));
		break;
	case SCHEMA_SINT64:
		value.sint = wire_zigzag(wire_varint(wire));
		break;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		value.bytes = wire_length_delimited(wire);
		break;
	}
	return value;
}

/* Which member of a value holds. */
enum kind { KIND_NUMBER, KIND_SINT, KIND_UINT, KIND_BYTES };

static enum kind kind_of(enum schema_type type)
{
	switch (type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		return KIND_NUMBER;
	case SCHEMA_UINT64:
	case SCHEMA_UINT32:
	case SCHEMA_FIXED64:
	case SCHEMA_FIXED32:
	case SCHEMA_BOOL:
		return KIND_UINT;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		return KIND_BYTES;
	default:
		return KIND_SINT;
	}
}

bool scalar_is_zero(enum schema_type type, union schema_value value)
{
	switch (kind_of(type)) {
	case KIND_NUMBER:
		return value.number == 0 && !signbit(value.number);
	case KIND_UINT:
		return value.uint == 0;
	case KIND_BYTES:
		return value.bytes.size == 0;
	default:
		return value.sint == 0;
	}
}

int scalar_compare(enum schema_type type, union schema_value a, union schema_value b)
{
	int order;

	switch (kind_of(type)) {
	case KIND_NUMBER:
		if (isnan(a.number) || isnan(b.number))
			return 2;
		return (a.number > b.number) - (a.number < b.number);
	case KIND_UINT:
		return (a.uint > b.uint) - (a.uint < b.uint);
	case KIND_BYTES:
		order = bytes_compare(a.bytes, b.bytes);
		return (order > 0) - (order < 0);
	default:
		return (a.sint > b.sint) - (a.sint < b.sint);
	}
}

/* --- for a message --- */

/* Quoted, what is not printable ASCII escaped, so that no log line and no terminal is at the mercy of
 * a client. */
static void bytes_print(struct bytes bytes, char *text, size_t size)
{
	size_t at = 0, shown = bytes.size > SHOWN_BYTES_MAX ? SHOWN_BYTES_MAX : bytes.size;

	text[at++] = '"';
	for (size_t i = 0; i < shown && at + 8 < size; i++) {
		uint8_t c = bytes.data[i];

		if (c == '"' || c == '\\')
			at += (size_t)snprintf(text + at, size - at, "\\%c", c);
		else if (c >= ' ' && c < 127)
			text[at++] = (char)c;
		else
			at += (size_t)snprintf(text + at, size - at, "\\x%02x", c);
	}
	if (shown < bytes.size)
		snprintf(text + at, size - at, "...\" (%zu bytes)", bytes.size);
	else
		snprintf(text + at, size - at, "\"");
}

static void enum_print(const struct schema_enum *enumeration, int64_t number, char *text,
		       size_t size)
{
	for (size_t i = 0; enumeration && i < enumeration->n_values; i++)
		if (enumeration->values[i].number == number) {
			snprintf(text, size, "%s", enumeration->values[i].name);
			return;
		}
	snprintf(text, size, "%" PRId64, number);
}

void scalar_print(const struct check_value *value, char *text, size_t size)
{
	const struct schema_field *field = value->field;

	switch (kind_of(field->type)) {
	case KIND_NUMBER:
		rules_number_print(field->type, value->value.number, text, size);
		break;
	case KIND_UINT:
		if (field->type == SCHEMA_BOOL)
			snprintf(text, size, "%s", value->value.uint ? "true" : "false");
		else
			snprintf(text, size, "%" PRIu64, value->value.uint);
		break;
	case KIND_BYTES:
		bytes_print(value->value.bytes, text, size);
		break;
	default:
		if (field->type == SCHEMA_ENUM)
			enum_print(field->enumeration, value->value.sint, text, size);
		else
			snprintf(text, size, "%" PRId64, value->value.sint);
	}
}
