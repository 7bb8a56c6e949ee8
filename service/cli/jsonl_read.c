/* jsonl_read - JSON by jansson; what the message keeps is copied into the arena, so that the
 * parsed tree goes as soon as the line is read. */
#include "service/cli/jsonl.h"

#include <jansson.h>
#include <math.h>

static inline void json_closep(json_t **json)
{
	json_decref(*json);
}

#define SCOPED_JSON __attribute__((cleanup(json_closep))) json_t *

static const status no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				 .detail = "a line takes too much memory"};

static status wrong(struct arena *arena, const char *field, const char *what)
{
	return status_format(arena, STATUS_INVALID_ARGUMENT, "%.64s must be %s", field, what);
}

static status read_string(struct arena *arena, const char *field, const json_t *value, char **ret)
{
	char *copy;

	if (!json_is_string(value))
		return wrong(arena, field, "a string");
	copy = arena_copy(arena, json_string_value(value), json_string_length(value));
	if (!copy)
		return no_memory;
	*ret = copy;
	return status_ok();
}

static status read_u32(struct arena *arena, const char *field, const json_t *value, uint32_t *ret)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > UINT32_MAX)
		return wrong(arena, field, "an integer of 0 to 4294967295");
	*ret = (uint32_t)number;
	return status_ok();
}

static status read_values(struct arena *arena, const json_t *array, Sluice__V1__Vector **ret)
{
	Sluice__V1__Vector *vector = ARENA_NEW(arena, Sluice__V1__Vector);
	size_t n = json_array_size(array);

	if (!json_is_array(array) || n == 0)
		return wrong(arena, "vector", "an array of numbers");
	if (!vector)
		return no_memory;
	sluice__v1__vector__init(vector);
	vector->n_values = n;
	vector->values = ARENA_ARRAY(arena, float, n);
	if (!vector->values)
		return no_memory;
	for (size_t i = 0; i < n; i++) {
		const json_t *value = json_array_get(array, i);

		if (!json_is_number(value))
			return status_format(arena, STATUS_INVALID_ARGUMENT,
					     "vector[%zu] is not a number", i);
		vector->values[i] = (float)json_number_value(value);
		if (!isfinite(vector->values[i]))
			return status_format(arena, STATUS_INVALID_ARGUMENT,
					     "vector[%zu] is too large for a float", i);
	}
	*ret = vector;
	return status_ok();
}

static status read_list(struct arena *arena, const char *key, const json_t *array,
			Sluice__V1__MetadataValue *ret)
{
	Sluice__V1__StringList *list = ARENA_NEW(arena, Sluice__V1__StringList);
	size_t n = json_array_size(array);

	if (!list)
		return no_memory;
	sluice__v1__string_list__init(list);
	list->n_values = n;
	list->values = ARENA_ARRAY(arena, char *, n);
	if (!list->values)
		return no_memory;
	for (size_t i = 0; i < n; i++)
		if (status_failed(
			    read_string(arena, key, json_array_get(array, i), &list->values[i])))
			return status_format(arena, STATUS_INVALID_ARGUMENT,
					     "metadata %.64s[%zu] must be a string", key, i);
	ret->kind_case = SLUICE__V1__METADATA_VALUE__KIND_STRING_LIST;
	ret->string_list = list;
	return status_ok();
}

static status read_metadata_value(struct arena *arena, const char *key, const json_t *value,
				  Sluice__V1__MetadataValue *ret)
{
	sluice__v1__metadata_value__init(ret);
	switch (json_typeof(value)) {
	case JSON_STRING:
		ret->kind_case = SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE;
		return read_string(arena, key, value, &ret->string_value);
	case JSON_INTEGER:
		ret->kind_case = SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE;
		ret->int_value = json_integer_value(value);
		return status_ok();
	case JSON_REAL:
		ret->kind_case = SLUICE__V1__METADATA_VALUE__KIND_DOUBLE_VALUE;
		ret->double_value = json_real_value(value);
		return status_ok();
	case JSON_TRUE:
	case JSON_FALSE:
		ret->kind_case = SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE;
		ret->bool_value = json_is_true(value);
		return status_ok();
	case JSON_ARRAY:
		return read_list(arena, key, value, ret);
	case JSON_OBJECT:
	case JSON_NULL:
		break;
	}
	return status_format(arena, STATUS_INVALID_ARGUMENT,
			     "metadata %.64s must be a string, a number, true, false or an array "
			     "of strings",
			     key);
}

static status read_metadata(struct arena *arena, json_t *object, Sluice__V1__Chunk *ret)
{
	struct entry {
		Sluice__V1__Chunk__MetadataEntry message;
		Sluice__V1__MetadataValue value;
	} *entries;
	size_t n = json_object_size(object), i = 0;
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return wrong(arena, "metadata", "an object");
	entries = ARENA_ARRAY(arena, struct entry, n);
	ret->metadata = ARENA_ARRAY(arena, Sluice__V1__Chunk__MetadataEntry *, n);
	if (!entries || !ret->metadata)
		return no_memory;
	json_object_foreach(object, key, value)
	{
		struct entry *entry = &entries[i];

		sluice__v1__chunk__metadata_entry__init(&entry->message);
		entry->message.key = arena_copy(arena, key, strlen(key));
		if (!entry->message.key)
			return no_memory;
		TRY(read_metadata_value(arena, key, value, &entry->value));
		entry->message.value = &entry->value;
		ret->metadata[i++] = &entry->message;
	}
	ret->n_metadata = i;
	return status_ok();
}

static status read_member(struct arena *arena, const char *key, json_t *value,
			  Sluice__V1__Chunk *ret)
{
	if (strcmp(key, "id") == 0)
		return read_string(arena, key, value, &ret->id);
	if (strcmp(key, "document_id") == 0)
		return read_string(arena, key, value, &ret->document_id);
	if (strcmp(key, "ordinal") == 0)
		return read_u32(arena, key, value, &ret->ordinal);
	if (strcmp(key, "text") == 0)
		return read_string(arena, key, value, &ret->text);
	if (strcmp(key, "token_count") == 0)
		return read_u32(arena, key, value, &ret->token_count);
	if (strcmp(key, "metadata") == 0)
		return read_metadata(arena, value, ret);
	if (strcmp(key, "vector") == 0)
		return read_values(arena, value, &ret->vector);
	return status_format(arena, STATUS_INVALID_ARGUMENT,
			     "\"%.64s\" is no field of a chunk (id, document_id, ordinal, text, "
			     "token_count, metadata, vector)",
			     key);
}

static status parse(struct arena *arena, struct bytes text, json_t **ret)
{
	json_error_t error;
	json_t *json =
		json_loadb((const char *)text.data, text.size, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		return status_format(arena, STATUS_INVALID_ARGUMENT, "bad JSON at column %d: %s",
				     error.column, error.text);
	*ret = json;
	return status_ok();
}

status jsonl_read(struct arena *arena, struct bytes line, Sluice__V1__Chunk *ret)
{
	Sluice__V1__Chunk chunk = SLUICE__V1__CHUNK__INIT;
	SCOPED_JSON object = NULL;
	const char *key;
	json_t *value;

	TRY(parse(arena, line, &object));
	if (!json_is_object(object))
		return status_make(STATUS_INVALID_ARGUMENT, "the line must be a JSON object");
	json_object_foreach(object, key, value) TRY(read_member(arena, key, value, &chunk));
	if (chunk.id[0] == '\0')
		return status_make(STATUS_INVALID_ARGUMENT, "the chunk has no id");
	*ret = chunk;
	return status_ok();
}

status jsonl_read_vector(struct arena *arena, struct bytes text, Sluice__V1__Vector **ret)
{
	SCOPED_JSON array = NULL;

	TRY(parse(arena, text, &array));
	return read_values(arena, array, ret);
}
