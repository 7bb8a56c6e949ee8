/* jsonl_write - JSON written straight into a buffer: a tree of a vector's numbers would cost an
 * allocation each. */
#include "service/cli/jsonl.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void text_append(struct buffer *buffer, const char *text)
{
	buffer_append(buffer, text, strlen(text));
}

static const char *escape_of(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

void json_write_string(struct buffer *buffer, const char *text)
{
	const char *start = text;

	buffer_append_u8(buffer, '"');
	for (; *text; text++) {
		const char *escape = escape_of(*text);
		char coded[8];

		if (!escape && (unsigned char)*text >= 0x20 && *text != 0x7f)
			continue;
		buffer_append(buffer, start, (size_t)(text - start));
		start = text + 1;
		if (!escape) {
			snprintf(coded, sizeof coded, "\\u%04x", (unsigned)*text);
			escape = coded;
		}
		text_append(buffer, escape);
	}
	buffer_append(buffer, start, (size_t)(text - start));
	buffer_append_u8(buffer, '"');
}

void json_write_double(struct buffer *buffer, double value)
{
	char text[40];

	/* 15 digits always survive the way from decimal, 17 always that from binary. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	text_append(buffer, text);
	if (!strpbrk(text, ".e"))
		text_append(buffer, ".0");
}

void json_write_float(struct buffer *buffer, float value)
{
	/* Of values with more than six digits nearly all need eight or nine. */
	static const int precisions[] = {6, 8, 9};
	char text[24];

	for (size_t i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "%.*g", precisions[i], (double)value);
		/* As jsonl_read does it: by way of a double. */
		if ((float)strtod(text, NULL) == value)
			break;
	}
	text_append(buffer, text);
	/* An integer has no negative zero. */
	if (value == 0 && signbit(value))
		text_append(buffer, ".0");
}

void json_write_member(struct buffer *buffer, bool *first, const char *name)
{
	if (!*first)
		text_append(buffer, ", ");
	*first = false;
	json_write_string(buffer, name);
	text_append(buffer, ": ");
}

static void integer_append(struct buffer *buffer, int64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)value);
	text_append(buffer, text);
}

static void list_append(struct buffer *buffer, const Sluice__V1__StringList *list)
{
	buffer_append_u8(buffer, '[');
	for (size_t i = 0; list && i < list->n_values; i++) {
		if (i > 0)
			text_append(buffer, ", ");
		json_write_string(buffer, list->values[i]);
	}
	buffer_append_u8(buffer, ']');
}

static void value_append(struct buffer *buffer, const Sluice__V1__MetadataValue *value)
{
	switch (value->kind_case) {
	case SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE:
		json_write_string(buffer, value->string_value);
		break;
	case SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE:
		integer_append(buffer, value->int_value);
		break;
	case SLUICE__V1__METADATA_VALUE__KIND_DOUBLE_VALUE:
		json_write_double(buffer, value->double_value);
		break;
	case SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE:
		text_append(buffer, value->bool_value ? "true" : "false");
		break;
	case SLUICE__V1__METADATA_VALUE__KIND_STRING_LIST:
		list_append(buffer, value->string_list);
		break;
	default: /* a kind of a later version */
		text_append(buffer, "null");
	}
}

static void metadata_append(struct buffer *buffer, const Sluice__V1__Chunk *chunk)
{
	bool first = true;

	buffer_append_u8(buffer, '{');
	for (size_t i = 0; i < chunk->n_metadata; i++) {
		const Sluice__V1__Chunk__MetadataEntry *entry = chunk->metadata[i];

		if (!entry->value)
			continue;
		json_write_member(buffer, &first, entry->key);
		value_append(buffer, entry->value);
	}
	buffer_append_u8(buffer, '}');
}

static void vector_append(struct buffer *buffer, const Sluice__V1__Vector *vector)
{
	buffer_append_u8(buffer, '[');
	for (size_t i = 0; i < vector->n_values; i++) {
		if (i > 0)
			text_append(buffer, ", ");
		json_write_float(buffer, vector->values[i]);
	}
	buffer_append_u8(buffer, ']');
}

bool jsonl_write_members(struct buffer *buffer, const Sluice__V1__Chunk *chunk)
{
	bool first = true;

	if (chunk->id[0]) {
		json_write_member(buffer, &first, "id");
		json_write_string(buffer, chunk->id);
	}
	if (chunk->document_id[0]) {
		json_write_member(buffer, &first, "document_id");
		json_write_string(buffer, chunk->document_id);
	}
	if (chunk->document_id[0] || chunk->ordinal) {
		json_write_member(buffer, &first, "ordinal");
		integer_append(buffer, chunk->ordinal);
	}
	if (chunk->text[0]) {
		json_write_member(buffer, &first, "text");
		json_write_string(buffer, chunk->text);
	}
	if (chunk->token_count) {
		json_write_member(buffer, &first, "token_count");
		integer_append(buffer, chunk->token_count);
	}
	if (chunk->n_metadata) {
		json_write_member(buffer, &first, "metadata");
		metadata_append(buffer, chunk);
	}
	if (chunk->vector) {
		json_write_member(buffer, &first, "vector");
		vector_append(buffer, chunk->vector);
	}
	return !first;
}

void jsonl_write(struct buffer *buffer, const Sluice__V1__Chunk *chunk)
{
	buffer_append_u8(buffer, '{');
	jsonl_write_members(buffer, chunk);
	buffer_append_u8(buffer, '}');
}
