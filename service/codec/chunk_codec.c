/* chunk_codec - chunks between the wire and plain data. */
#include "service/codec/chunk_codec.h"

#include "kernels/base/error_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *path;
	enum read_field field;
} read_paths[] = {
	{"id", READ_ID},         {"document_id", READ_DOCUMENT_ID}, {"ordinal", READ_ORDINAL},
	{"text", READ_TEXT},     {"token_count", READ_TOKEN_COUNT}, {"metadata", READ_METADATA},
	{"vector", READ_VECTOR},
};

#define N_READ_PATHS (sizeof read_paths / sizeof *read_paths)

static const status no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				 .detail = "the call's memory is used up"};

/* The rule takes what stands below a field too; here a field comes whole. */
static status unknown_path(struct arena *arena, const Google__Protobuf__FieldMask *mask, size_t i)
{
	const char *path = mask->paths[i];
	size_t top = strcspn(path, ".");
	char field[64];
	status s = status_format(arena, STATUS_INVALID_ARGUMENT,
				 "read_mask.paths[%zu]: \"%.*s%s\" is no field of Chunk%s", i,
				 (int)top, path, path[top] ? "..." : "",
				 path[top] ? ": a field comes whole" : "");

	snprintf(field, sizeof field, "read_mask.paths[%zu]", i);
	s = status_reason(s, arena, REASON_SCHEMA_VIOLATION, "field", field, NULL);
	return status_field(s, arena, field);
}

status read_mask_decode(struct arena *arena, const Google__Protobuf__FieldMask *mask,
			unsigned *ret_fields)
{
	unsigned fields = 0;

	for (size_t i = 0; mask && i < mask->n_paths; i++) {
		size_t at = 0;

		while (at < N_READ_PATHS && strcmp(mask->paths[i], read_paths[at].path) != 0)
			at++;
		if (at == N_READ_PATHS)
			return unknown_path(arena, mask, i);
		fields |= read_paths[at].field;
	}
	*ret_fields = fields ? fields : READ_RECORD;
	return status_ok();
}

static status list_decode(struct arena *arena, const Sluice__V1__StringList *list,
			  struct value *ret)
{
	struct bytes *items = ARENA_ARRAY(arena, struct bytes, list->n_values);

	if (!items)
		return no_memory;
	for (size_t i = 0; i < list->n_values; i++)
		items[i] = bytes_of_string(list->values[i]);
	*ret = (struct value){.kind = VALUE_STRING_LIST, .list = {items, list->n_values}};
	return status_ok();
}

status value_decode(struct arena *arena, const Sluice__V1__MetadataValue *message,
		    struct value *ret)
{
	switch (message->kind_case) {
	case SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE:
		*ret = (struct value){.kind = VALUE_STRING,
				      .string = bytes_of_string(message->string_value)};
		break;
	case SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE:
		*ret = (struct value){.kind = VALUE_INT, .integer = message->int_value};
		break;
	case SLUICE__V1__METADATA_VALUE__KIND_DOUBLE_VALUE:
		*ret = (struct value){.kind = VALUE_DOUBLE, .number = message->double_value};
		break;
	case SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE:
		*ret = (struct value){.kind = VALUE_BOOL, .boolean = message->bool_value};
		break;
	default:
		return list_decode(arena, message->string_list, ret);
	}
	return status_ok();
}

static status metadata_decode(struct arena *arena, const Sluice__V1__Chunk *message,
			      struct chunk *ret)
{
	size_t n = message->n_metadata, kept = 0;
	struct metadata *metadata = ARENA_ARRAY(arena, struct metadata, n);
	Sluice__V1__Chunk__MetadataEntry **entries = message->metadata;

	if (!metadata)
		return no_memory;
	/* An insertion sort: stable, and n is at most 64. */
	for (size_t i = 1; i < n; i++)
		for (size_t j = i; j > 0 && strcmp(entries[j - 1]->key, entries[j]->key) > 0; j--) {
			Sluice__V1__Chunk__MetadataEntry *entry = entries[j];

			entries[j] = entries[j - 1];
			entries[j - 1] = entry;
		}
	for (size_t i = 0; i < n; i++) {
		if (i + 1 < n && strcmp(entries[i]->key, entries[i + 1]->key) == 0)
			continue;
		metadata[kept].key = bytes_of_string(entries[i]->key);
		TRY(value_decode(arena, entries[i]->value, &metadata[kept].value));
		kept++;
	}
	ret->metadata = metadata;
	ret->n_metadata = kept;
	return status_ok();
}

status chunk_decode(struct arena *arena, const Sluice__V1__Chunk *message, struct chunk *ret)
{
	*ret = (struct chunk){
		.id = bytes_of_string(message->id),
		.document_id = bytes_of_string(message->document_id),
		.text = bytes_of_string(message->text),
		.ordinal = message->ordinal,
		.token_count = message->token_count,
		.vector = message->vector ? message->vector->values : NULL,
	};
	if (ret->token_count == 0)
		ret->token_count = (uint32_t)((ret->text.size + 3) / 4);
	return metadata_decode(arena, message, ret);
}

static char *string_of(struct bytes bytes)
{
	/* Strings of a fetched chunk have a NUL behind them; protobuf-c takes no const. */
	return bytes.size ? (char *)bytes.data : (char *)"";
}

static status list_to_message(struct arena *arena, const struct value *value,
			      Sluice__V1__MetadataValue *ret)
{
	Sluice__V1__StringList *list = ARENA_NEW(arena, Sluice__V1__StringList);

	if (!list)
		return no_memory;
	sluice__v1__string_list__init(list);
	list->n_values = value->list.n;
	list->values = ARENA_ARRAY(arena, char *, value->list.n);
	if (!list->values)
		return no_memory;
	for (size_t i = 0; i < value->list.n; i++)
		list->values[i] = string_of(value->list.items[i]);
	ret->string_list = list;
	return status_ok();
}

static status value_to_message(struct arena *arena, const struct value *value,
			       Sluice__V1__MetadataValue *ret)
{
	sluice__v1__metadata_value__init(ret);
	/* The numbers of value_kind are the field numbers of the oneof. */
	ret->kind_case = (Sluice__V1__MetadataValue__KindCase)value->kind;
	switch (value->kind) {
	case VALUE_STRING:
		ret->string_value = string_of(value->string);
		break;
	case VALUE_INT:
		ret->int_value = value->integer;
		break;
	case VALUE_DOUBLE:
		ret->double_value = value->number;
		break;
	case VALUE_BOOL:
		ret->bool_value = value->boolean;
		break;
	case VALUE_STRING_LIST:
		return list_to_message(arena, value, ret);
	}
	return status_ok();
}

static status metadata_to_message(struct arena *arena, const struct chunk *chunk,
				  Sluice__V1__Chunk *ret)
{
	struct entry {
		Sluice__V1__Chunk__MetadataEntry message;
		Sluice__V1__MetadataValue value;
	} *entries = ARENA_ARRAY(arena, struct entry, chunk->n_metadata);

	ret->metadata = ARENA_ARRAY(arena, Sluice__V1__Chunk__MetadataEntry *, chunk->n_metadata);
	if (!entries || !ret->metadata)
		return no_memory;
	ret->n_metadata = chunk->n_metadata;
	for (size_t i = 0; i < chunk->n_metadata; i++) {
		sluice__v1__chunk__metadata_entry__init(&entries[i].message);
		entries[i].message.key = string_of(chunk->metadata[i].key);
		entries[i].message.value = &entries[i].value;
		TRY(value_to_message(arena, &chunk->metadata[i].value, &entries[i].value));
		ret->metadata[i] = &entries[i].message;
	}
	return status_ok();
}

status chunk_to_message(struct arena *arena, const struct chunk *chunk, unsigned fields,
			uint32_t dim, Sluice__V1__Chunk *ret)
{
	sluice__v1__chunk__init(ret);
	if (fields & READ_ID)
		ret->id = string_of(chunk->id);
	if (fields & READ_DOCUMENT_ID)
		ret->document_id = string_of(chunk->document_id);
	if (fields & READ_ORDINAL)
		ret->ordinal = chunk->ordinal;
	if (fields & READ_TEXT)
		ret->text = string_of(chunk->text);
	if (fields & READ_TOKEN_COUNT)
		ret->token_count = chunk->token_count;
	if (fields & READ_METADATA)
		TRY(metadata_to_message(arena, chunk, ret));
	if (fields & READ_VECTOR && chunk->vector) {
		ret->vector = ARENA_NEW(arena, Sluice__V1__Vector);
		if (!ret->vector)
			return no_memory;
		sluice__v1__vector__init(ret->vector);
		ret->vector->values = chunk->vector;
		ret->vector->n_values = dim;
	}
	return status_ok();
}
