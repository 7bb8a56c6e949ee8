/* json_schema_print - JSON text of a tree. jansson's own printer shows 0.999 with seventeen digits and
 * breaks every array into lines. */
#include "service/schema/json_schema_maker.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 100

static void text_append(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

static void string_append(struct buffer *buffer, const char *text)
{
	buffer_append_u8(buffer, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		char coded[8];

		if (c == '"' || c == '\\') {
			buffer_append_u8(buffer, '\\');
			buffer_append_u8(buffer, c);
		} else if (c == '\n') {
			text_append(buffer, "\\n");
		} else if (c < 0x20 || c == 0x7f) {
			snprintf(coded, sizeof coded, "\\u%04x", c);
			text_append(buffer, coded);
		} else {
			buffer_append_u8(buffer, c);
		}
	}
	buffer_append_u8(buffer, '"');
}

static void real_append(struct buffer *buffer, double value)
{
	char text[40];

	if (value == floor(value) && fabs(value) < 1e21) {
		snprintf(text, sizeof text, "%.0f", value);
		text_append(buffer, text);
		return;
	}
	/* 15 digits always survive the way from decimal, 17 always that from binary. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	text_append(buffer, text);
}

static void line_break(struct buffer *buffer, int level)
{
	buffer_append_u8(buffer, '\n');
	for (int i = 0; i < level; i++)
		text_append(buffer, "  ");
}

static bool is_scalar(const json_t *value)
{
	return !json_is_object(value) && !json_is_array(value);
}

/* Whether it goes on one line: few scalars, or one member that is short itself. As deep as a schema's
 * lists stand in lists: not at all. */
static bool is_short(const json_t *value)
{
	size_t bytes = 0, i;
	const char *key;
	json_t *item;

	if (json_is_object(value)) {
		if (json_object_size(value) > 1)
			return false;
		json_object_foreach(
			(json_t *)(uintptr_t)value, key,
			item) if (json_is_object(item) ||
				  (json_is_array(item) && !is_short(item))) return false;
		return true;
	}
	json_array_foreach(value, i, item)
	{
		if (!is_scalar(item))
			return false;
		bytes += json_is_string(item) ? json_string_length(item) + 4 : 8;
	}
	return bytes <= LINE_MAX_BYTES;
}

static void array_append(const json_t *array, int level, struct buffer *buffer)
{
	bool one_line = is_short(array);
	size_t i;
	json_t *item;

	buffer_append_u8(buffer, '[');
	json_array_foreach(array, i, item)
	{
		if (i > 0)
			text_append(buffer, one_line ? ", " : ",");
		if (!one_line)
			line_break(buffer, level + 1);
		json_print(item, level + 1, buffer);
	}
	if (!one_line)
		line_break(buffer, level);
	buffer_append_u8(buffer, ']');
}

static void object_append(const json_t *object, int level, struct buffer *buffer)
{
	bool one_line = is_short(object), first = true;
	const char *key;
	json_t *item;

	buffer_append_u8(buffer, '{');
	json_object_foreach((json_t *)(uintptr_t)object, key, item)
	{
		if (!first)
			buffer_append_u8(buffer, ',');
		first = false;
		if (!one_line)
			line_break(buffer, level + 1);
		string_append(buffer, key);
		text_append(buffer, ": ");
		json_print(item, level + 1, buffer);
	}
	if (!one_line)
		line_break(buffer, level);
	buffer_append_u8(buffer, '}');
}

void json_print(const json_t *value, int level, struct buffer *ret)
{
	char text[24];

	/* A tree whose making ended early. */
	if (!value) {
		ret->failed = true;
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		object_append(value, level, ret);
		break;
	case JSON_ARRAY:
		array_append(value, level, ret);
		break;
	case JSON_STRING:
		string_append(ret, json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
		text_append(ret, text);
		break;
	case JSON_REAL:
		real_append(ret, json_real_value(value));
		break;
	case JSON_TRUE:
		text_append(ret, "true");
		break;
	case JSON_FALSE:
		text_append(ret, "false");
		break;
	default:
		text_append(ret, "null");
	}
}
