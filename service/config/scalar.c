/* scalar - names and texts; numbers and durations are in files of their own. */
#include "service/config/scalar_parts.h"

#include <ctype.h>
#include <string.h>

bool scalar_fits(const struct schema_field *field)
{
	if (field->type == SCHEMA_MESSAGE)
		return field->message->well_known == WELL_KNOWN_DURATION;
	return field->type != SCHEMA_GROUP;
}

const char *reading_refuse(struct reading *reading, const char *rule, const char *wanted)
{
	const char *kind = reading->scalar.quoted ? "the string " : "";
	const char *sentence;

	if (reading->scalar.text.size == 0 && !reading->scalar.quoted)
		sentence = arena_printf(reading->arena, "must be %s, and nothing is there", wanted);
	else
		sentence = arena_printf(reading->arena, "must be %s, found %s%s", wanted, kind,
					problem_quote(reading->arena, reading->scalar.text));
	reading->sentence = sentence ? sentence : wanted;
	return rule;
}

static bool text_is(struct bytes text, const char *string)
{
	return bytes_equal(text, bytes_of_string(string));
}

static const char *encode_bool(struct reading *reading, struct buffer *ret)
{
	struct bytes text = reading->scalar.text;
	bool is = text_is(text, "true");

	if (reading->scalar.quoted || (!is && !text_is(text, "false")))
		return reading_refuse(reading, "yaml.type", "true or false");
	scalar_append_tag(ret, reading->field->number, WIRE_VARINT);
	buffer_append_varint(ret, is);
	return NULL;
}

static const char *encode_text(struct reading *reading, struct buffer *ret)
{
	struct scalar scalar = reading->scalar;

	if (!scalar.quoted &&
	    (scalar.text.size == 0 || text_is(scalar.text, "~") || text_is(scalar.text, "null")))
		return reading_refuse(reading, "yaml.type", "a string, in quotes if need be");
	scalar_append_tag(ret, reading->field->number, WIRE_LENGTH);
	buffer_append_varint(ret, scalar.text.size);
	buffer_append(ret, scalar.text.data, scalar.text.size);
	return NULL;
}

bool scalar_is_unspecified(const struct schema_enum_value *value)
{
	static const char tail[] = "_UNSPECIFIED";
	size_t size = strlen(value->name);

	return value->number == 0 && size >= sizeof tail - 1 &&
	       strcmp(value->name + size - (sizeof tail - 1), tail) == 0;
}

/* How many bytes all names begin with, up to the last underscore: 9 of GPU_MODE_OFF. */
static size_t enum_prefix(const struct schema_enum *enumeration)
{
	const char *first = enumeration->n_values ? enumeration->values[0].name : "";
	size_t n = strlen(first);

	for (size_t i = 1; i < enumeration->n_values; i++) {
		const char *name = enumeration->values[i].name;
		size_t same = 0;

		while (same < n && name[same] == first[same])
			same++;
		n = same;
	}
	while (n > 0 && first[n - 1] != '_')
		n--;
	return enumeration->n_values > 1 ? n : 0;
}

const char *scalar_enum_name(struct arena *arena, const struct schema_enum *enumeration,
			     const char *name)
{
	char *copy;

	name += enum_prefix(enumeration);
	copy = arena_copy(arena, name, strlen(name));
	for (char *at = copy; at && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return copy;
}

/* "auto, off, required or software" */
static const char *enum_names(struct arena *arena, const struct schema_enum *enumeration)
{
	const char *names = NULL, *last = NULL;

	for (size_t i = 0; i < enumeration->n_values; i++) {
		const char *name;

		if (scalar_is_unspecified(&enumeration->values[i]))
			continue;
		name = scalar_enum_name(arena, enumeration, enumeration->values[i].name);
		if (last)
			names = names ? arena_printf(arena, "%s, %s", names, last) : last;
		last = name ? name : "";
	}
	if (!last)
		return "nothing";
	names = names ? arena_printf(arena, "%s or %s", names, last) : last;
	return names ? names : last;
}

static const char *encode_enum(struct reading *reading, struct buffer *ret)
{
	const struct schema_enum *enumeration = reading->field->enumeration;
	struct bytes text = reading->scalar.text;

	for (size_t i = 0; i < enumeration->n_values; i++) {
		const struct schema_enum_value *value = &enumeration->values[i];
		const char *name = scalar_enum_name(reading->arena, enumeration, value->name);

		if (scalar_is_unspecified(value) || !name)
			continue;
		if (!text_is(text, name) && !text_is(text, value->name))
			continue;
		scalar_append_tag(ret, reading->field->number, WIRE_VARINT);
		buffer_append_varint(ret, (uint64_t)(int64_t)value->number);
		return NULL;
	}
	return reading_refuse(reading, "yaml.enum", enum_names(reading->arena, enumeration));
}

static const char *encode(struct reading *reading, struct buffer *ret)
{
	switch (reading->field->type) {
	case SCHEMA_BOOL:
		return encode_bool(reading, ret);
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		return encode_text(reading, ret);
	case SCHEMA_ENUM:
		return encode_enum(reading, ret);
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return scalar_encode_real(reading, ret);
	case SCHEMA_UINT32:
	case SCHEMA_UINT64:
	case SCHEMA_FIXED32:
	case SCHEMA_FIXED64:
		return scalar_encode_unsigned(reading, ret);
	case SCHEMA_INT32:
	case SCHEMA_INT64:
	case SCHEMA_SINT32:
	case SCHEMA_SINT64:
	case SCHEMA_SFIXED32:
	case SCHEMA_SFIXED64:
		return scalar_encode_signed(reading, ret);
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		break;
	}
	if (scalar_fits(reading->field))
		return scalar_encode_duration(reading, ret);
	return reading_refuse(reading, "yaml.type", "keys with values");
}

const char *scalar_encode(const struct schema_field *field, struct scalar scalar,
			  struct arena *arena, struct buffer *ret, const char **ret_sentence)
{
	struct reading reading = {.field = field, .scalar = scalar, .arena = arena};
	const char *rule = encode(&reading, ret);

	if (rule)
		*ret_sentence = reading.sentence;
	return rule;
}
