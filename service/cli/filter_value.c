/* filter_value - words, JSON strings, and what they are for a field. */
#include "service/cli/filter_value.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const status no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				 .detail = "memory for a filter"};

void filter_text_skip(struct filter_text *text)
{
	while (isspace((unsigned char)*text->at))
		text->at++;
}

bool filter_text_take(struct filter_text *text, const char *sign)
{
	filter_text_skip(text);
	if (strncmp(text->at, sign, strlen(sign)) != 0)
		return false;
	text->at += strlen(sign);
	return true;
}

bool filter_text_take_word(struct filter_text *text, const char *word)
{
	const char *before = text->at;

	if (!filter_text_take(text, word))
		return false;
	if (!isalnum((unsigned char)*text->at) && *text->at != '_')
		return true;
	text->at = before;
	return false;
}

/* Characters, not bytes: what a user counts. */
static size_t character_of(const struct filter_text *text, const char *at)
{
	size_t n = 1;

	for (const char *c = text->begin; c < at; c++)
		n += ((unsigned char)*c & 0xC0) != 0x80;
	return n;
}

status filter_text_wrong(const struct filter_text *text, const char *at, const char *format, ...)
{
	va_list args;
	char *why;

	va_start(args, format);
	why = arena_vprintf(text->arena, format, args);
	va_end(args);
	return status_format(text->arena, STATUS_INVALID_ARGUMENT, "filter, at character %zu: %s",
			     character_of(text, at), why ? why : format);
}

static status read_json_string(struct filter_text *text, char **ret)
{
	const char *begin = text->at, *end = begin + 1;
	json_error_t error;
	json_t *json;

	while (*end && *end != '"')
		end += end[0] == '\\' && end[1] ? 2 : 1;
	if (!*end)
		return filter_text_wrong(text, begin, "the string that begins here has no end");
	json = json_loadb(begin, (size_t)(end + 1 - begin), JSON_DECODE_ANY, &error);
	if (!json)
		return filter_text_wrong(text, begin, "not a JSON string: %s", error.text);
	*ret = arena_copy(text->arena, json_string_value(json), json_string_length(json));
	json_decref(json);
	if (!*ret)
		return no_memory;
	text->at = end + 1;
	return status_ok();
}

static status read_word(struct filter_text *text, char **ret)
{
	const char *begin = text->at, *end = begin + strcspn(begin, ",)");

	/* "==" or "=>" is a slip of the pen, and would quietly find nothing. */
	if (end > begin && strchr("=<>", *begin))
		return filter_text_wrong(text, begin, "a value that begins with %c needs quotes",
					 *begin);
	text->at = end;
	while (end > begin && isspace((unsigned char)end[-1]))
		end--;
	if (end == begin)
		return filter_text_wrong(text, begin,
					 "a value must stand here; \"\" is an empty string");
	*ret = arena_copy(text->arena, begin, (size_t)(end - begin));
	return *ret ? status_ok() : no_memory;
}

static bool read_integer(const char *word, int64_t *ret)
{
	char *end;
	long long integer;

	errno = 0;
	integer = strtoll(word, &end, 10);
	if (errno || end == word || *end)
		return false;
	*ret = integer;
	return true;
}

static bool read_double(const char *word, double *ret)
{
	char *end;
	double number = strtod(word, &end);

	if (end == word || *end || !isfinite(number))
		return false;
	*ret = number;
	return true;
}

static bool set_number(const char *word, Sluice__V1__MetadataValue *value)
{
	if (read_integer(word, &value->int_value)) {
		value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE;
		return true;
	}
	value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_DOUBLE_VALUE;
	return read_double(word, &value->double_value);
}

static bool set_bool(const char *word, Sluice__V1__MetadataValue *value)
{
	value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE;
	value->bool_value = strcmp(word, "true") == 0;
	return value->bool_value || strcmp(word, "false") == 0;
}

/* at  where the value stands: one in quotes is a string and nothing else. */
static status set_value(const struct filter_text *text, const char *at,
			const Sluice__V1__FieldSchema *field, char *word,
			Sluice__V1__MetadataValue *value)
{
	switch (field->type) {
	case SLUICE__V1__FIELD_TYPE__FIELD_TYPE_INT:
	case SLUICE__V1__FIELD_TYPE__FIELD_TYPE_DOUBLE:
		if (*at == '"' || !set_number(word, value))
			return filter_text_wrong(text, at, "%s needs a number, not %.64s",
						 field->name, word);
		return status_ok();
	case SLUICE__V1__FIELD_TYPE__FIELD_TYPE_BOOL:
		if (*at == '"' || !set_bool(word, value))
			return filter_text_wrong(text, at, "%s needs true or false, not %.64s",
						 field->name, word);
		return status_ok();
	default:
		value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE;
		value->string_value = word;
		return status_ok();
	}
}

status filter_value_read(struct filter_text *text, const Sluice__V1__FieldSchema *field,
			 Sluice__V1__MetadataValue **ret)
{
	Sluice__V1__MetadataValue *value = ARENA_NEW(text->arena, Sluice__V1__MetadataValue);
	char *word = NULL;
	const char *at;

	if (!value)
		return no_memory;
	sluice__v1__metadata_value__init(value);
	filter_text_skip(text);
	at = text->at;
	TRY(*at == '"' ? read_json_string(text, &word) : read_word(text, &word));
	TRY(set_value(text, at, field, word, value));
	*ret = value;
	return status_ok();
}
