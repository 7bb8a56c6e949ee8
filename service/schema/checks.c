/* checks - the limits of the contract, written out by hand for each message. */
#include "service/schema/checks.h"

#include "kernels/base/bytes.h"
#include "kernels/metric.h"
#include "kernels/score.h"

#include <math.h>

#define ID_BYTES_MAX 512
#define TEXT_BYTES_MAX 65536
#define CHUNK_BYTES_MAX 98304
#define METADATA_MAX 64
#define IDS_GET_MAX 1000
#define IDS_DELETE_MAX 10000
#define CHUNKS_MAX 2048

#define INVALID(...) status_format(arena, STATUS_INVALID_ARGUMENT, __VA_ARGS__)
#define UNSERVED(field)                                                                            \
	status_make(STATUS_UNIMPLEMENTED, "field " field " is not served by this version")

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* ^[a-z][a-z0-9_]{0,62}$, and with a dash too where one is allowed. */
static bool is_identifier(const char *name, bool dash)
{
	size_t n = strlen(name);

	if (n < 1 || n > 63 || !is_lower(name[0]))
		return false;
	for (size_t i = 1; i < n; i++)
		if (!is_lower(name[i]) && !is_digit(name[i]) && name[i] != '_' &&
		    !(dash && name[i] == '-'))
			return false;
	return true;
}

/* What was found, for a message: at most 64 bytes of it, and nothing that is not printable. */
static const char *quoted(struct arena *arena, const char *text)
{
	char shown[65];
	size_t n = 0;

	for (; text[n] && n < sizeof shown - 1; n++)
		shown[n] = text[n] >= ' ' && text[n] < 127 ? text[n] : '?';
	shown[n] = 0;
	return arena_printf(arena, "\"%s\"%s", shown, text[n] ? " (cut)" : "");
}

status check_name(struct arena *arena, const char *field, const char *name)
{
	if (is_identifier(name, true))
		return status_ok();
	return INVALID("%s: %s is not a name: a letter a-z, then up to 62 of a-z, 0-9, _ and -",
		       field, quoted(arena, name));
}

/* The path of what failed goes in front only where something failed: most never do. */
static status within(struct arena *arena, const char *path, size_t index, status inner)
{
	if (!status_failed(inner))
		return inner;
	return status_format(arena, inner.code, "%s[%zu]%s%s", path, index,
			     inner.detail[0] == ':' ? "" : ".", inner.detail);
}

static status check_string(struct arena *arena, const char *field, const char *text, size_t min,
			   size_t max)
{
	struct bytes bytes = bytes_of_string(text);

	if (bytes.size < min || bytes.size > max)
		return INVALID("%s: %zu bytes, %zu to %zu are allowed", field, bytes.size, min,
			       max);
	return status_ok();
}

static status check_ids(struct arena *arena, const char *field, char **ids, size_t n, size_t max)
{
	if (n < 1 || n > max)
		return INVALID("%s: %zu items, 1 to %zu are allowed", field, n, max);
	for (size_t i = 0; i < n; i++)
		TRY(within(arena, field, i, check_string(arena, "", ids[i], 1, ID_BYTES_MAX)));
	return status_ok();
}

static status check_index(struct arena *arena, const Sluice__V1__IndexOptions *index)
{
	float target = index->default_recall_target;

	if (index->kind < 0 || index->kind > SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS)
		return INVALID("collection.index.kind: %d is no index kind", (int)index->kind);
	if (index->kind == SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS)
		return UNSERVED("collection.index.kind = INDEX_KIND_FAISS");
	if (index->encoding < 0 ||
	    index->encoding > SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT16)
		return INVALID("collection.index.encoding: %d is no encoding",
			       (int)index->encoding);
	if (index->encoding == SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT16)
		return UNSERVED("collection.index.encoding = VECTOR_ENCODING_FLOAT16");
	TRY(check_string(arena, "collection.index.faiss_factory", index->faiss_factory, 0, 256));
	if (index->lists > 1048576)
		return INVALID("collection.index.lists: %u, at most 1048576", index->lists);
	if (target != 0 && !(target >= 0.5F && target <= 0.999F))
		return INVALID("collection.index.default_recall_target: %g, 0.5 to 0.999",
			       (double)target);
	return status_ok();
}

static status check_field(struct arena *arena, const Sluice__V1__Collection *collection, size_t i)
{
	const Sluice__V1__FieldSchema *field = collection->fields[i];

	if (!is_identifier(field->name, false))
		return INVALID("collection.fields[%zu].name: %s is not a field's name: a letter "
			       "a-z, then up to 62 of a-z, 0-9 and _",
			       i, quoted(arena, field->name));
	if (field->type < SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING ||
	    field->type > SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING_LIST)
		return INVALID("collection.fields[%zu].type: %d is no field type", i,
			       (int)field->type);
	for (size_t j = 0; j < i; j++)
		if (strcmp(field->name, collection->fields[j]->name) == 0)
			return INVALID("collection.fields[%zu].name: %s is declared twice", i,
				       quoted(arena, field->name));
	return status_ok();
}

status check_collection(struct arena *arena, const Sluice__V1__Collection *collection)
{
	if (!collection)
		return INVALID("collection: required");
	TRY(check_name(arena, "collection.name", collection->name));
	if (collection->dimension < 1 || collection->dimension > DIMENSION_MAX)
		return INVALID("collection.dimension: %u, 1 to %d are allowed",
			       collection->dimension, DIMENSION_MAX);
	if (collection->metric < SLUICE__V1__METRIC__METRIC_COSINE ||
	    collection->metric > SLUICE__V1__METRIC__METRIC_L2)
		return INVALID("collection.metric: %d; METRIC_COSINE, METRIC_INNER_PRODUCT or "
			       "METRIC_L2 is required",
			       (int)collection->metric);
	if (collection->index)
		TRY(check_index(arena, collection->index));
	if (collection->n_fields > 64)
		return INVALID("collection.fields: %zu items, at most 64", collection->n_fields);
	for (size_t i = 0; i < collection->n_fields; i++)
		TRY(check_field(arena, collection, i));
	return status_ok();
}

status check_list_collections(struct arena *arena,
			      const Sluice__V1__ListCollectionsRequest *request)
{
	if (request->page_size < 0)
		return INVALID("page_size: %d, at least 0", request->page_size);
	return check_string(arena, "page_token", request->page_token, 0, 512);
}

static status check_value_list(struct arena *arena, const char *field,
			       const Sluice__V1__StringList *list)
{
	if (list->n_values > 256)
		return INVALID("%s: %zu labels, at most 256", field, list->n_values);
	for (size_t i = 0; i < list->n_values; i++) {
		TRY(check_string(arena, field, list->values[i], 0, 1024));
		for (size_t j = 0; j < i; j++)
			if (strcmp(list->values[i], list->values[j]) == 0)
				return INVALID("%s: label %s comes twice", field,
					       quoted(arena, list->values[i]));
	}
	return status_ok();
}

static status check_value(struct arena *arena, const char *field,
			  const Sluice__V1__MetadataValue *value)
{
	if (!value)
		return INVALID("%s: has no value", field);
	switch (value->kind_case) {
	case SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE:
		return check_string(arena, field, value->string_value, 0, 4096);
	case SLUICE__V1__METADATA_VALUE__KIND_DOUBLE_VALUE:
		return isfinite(value->double_value) ? status_ok()
						     : INVALID("%s: not finite", field);
	case SLUICE__V1__METADATA_VALUE__KIND_STRING_LIST:
		return check_value_list(arena, field, value->string_list);
	case SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE:
	case SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE:
		return status_ok();
	default:
		return INVALID("%s: has no value", field);
	}
}

static status check_vector(struct arena *arena, const char *field, const Sluice__V1__Vector *vector)
{
	if (!vector)
		return INVALID("%s: required", field);
	if (vector->n_values < 1 || vector->n_values > DIMENSION_MAX)
		return INVALID("%s: %zu values, 1 to %d are allowed", field, vector->n_values,
			       DIMENSION_MAX);
	for (size_t i = 0; i < vector->n_values; i++)
		if (!isfinite(vector->values[i]))
			return INVALID("%s.values[%zu]: %g is not finite", field, i,
				       (double)vector->values[i]);
	return status_ok();
}

static status check_metadata(struct arena *arena, const Sluice__V1__Chunk *chunk)
{
	if (chunk->n_metadata > METADATA_MAX)
		return INVALID("metadata: %zu fields, at most %d", chunk->n_metadata, METADATA_MAX);
	for (size_t i = 0; i < chunk->n_metadata; i++) {
		const Sluice__V1__Chunk__MetadataEntry *entry = chunk->metadata[i];
		status value;

		if (!is_identifier(entry->key, false))
			return INVALID("metadata: key %s: a letter a-z, then up to 62 of a-z, 0-9 "
				       "and _",
				       quoted(arena, entry->key));
		value = check_value(arena, "", entry->value);
		if (status_failed(value))
			return INVALID("metadata[\"%s\"]%s", entry->key, value.detail);
	}
	return status_ok();
}

static status check_chunk(struct arena *arena, Sluice__V1__Chunk *chunk)
{
	Sluice__V1__Vector *vector = chunk->vector;
	size_t size;

	TRY(check_string(arena, "id", chunk->id, 1, ID_BYTES_MAX));
	TRY(check_string(arena, "document_id", chunk->document_id, 0, ID_BYTES_MAX));
	TRY(check_string(arena, "text", chunk->text, 0, TEXT_BYTES_MAX));
	TRY(check_metadata(arena, chunk));
	TRY(check_vector(arena, "vector", vector));
	chunk->vector = NULL;
	size = sluice__v1__chunk__get_packed_size(chunk);
	chunk->vector = vector;
	if (size > CHUNK_BYTES_MAX)
		return INVALID(": %zu bytes without the vector, at most %d", size, CHUNK_BYTES_MAX);
	return status_ok();
}

status check_upsert(struct arena *arena, const Sluice__V1__UpsertChunksRequest *request)
{
	TRY(check_name(arena, "collection", request->collection));
	if (request->n_chunks < 1 || request->n_chunks > CHUNKS_MAX)
		return INVALID("chunks: %zu items, 1 to %d are allowed", request->n_chunks,
			       CHUNKS_MAX);
	for (size_t i = 0; i < request->n_chunks; i++)
		TRY(within(arena, "chunks", i, check_chunk(arena, request->chunks[i])));
	return status_ok();
}

status check_delete(struct arena *arena, const Sluice__V1__DeleteChunksRequest *request)
{
	TRY(check_name(arena, "collection", request->collection));
	switch (request->selector_case) {
	case SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS:
		return check_ids(arena, "ids.ids", request->ids->ids, request->ids->n_ids,
				 IDS_DELETE_MAX);
	case SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_FILTER:
		return UNSERVED("filter");
	default:
		return INVALID("selector: one of ids and filter is required");
	}
}

static status check_accuracy(struct arena *arena, const Sluice__V1__Accuracy *accuracy)
{
	switch (accuracy->kind_case) {
	case SLUICE__V1__ACCURACY__KIND_EXACT:
		return status_ok();
	case SLUICE__V1__ACCURACY__KIND_RECALL_TARGET:
		if (accuracy->recall_target >= 0.5F && accuracy->recall_target <= 0.999F)
			return status_ok();
		return INVALID("accuracy.recall_target: %g, 0.5 to 0.999 are allowed",
			       (double)accuracy->recall_target);
	default:
		return INVALID("accuracy: one of exact and recall_target is required");
	}
}

status check_search(struct arena *arena, const Sluice__V1__SearchRequest *request)
{
	TRY(check_name(arena, "collection", request->collection));
	switch (request->query_case) {
	case SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR:
		TRY(check_vector(arena, "vector", request->vector));
		break;
	case SLUICE__V1__SEARCH_REQUEST__QUERY_CHUNK_ID:
		TRY(check_string(arena, "chunk_id", request->chunk_id, 1, ID_BYTES_MAX));
		break;
	default:
		return INVALID("query: one of vector and chunk_id is required");
	}
	if (request->filter)
		return UNSERVED("filter");
	if (request->_limit_case && request->limit < 1)
		return INVALID("limit: 0, at least 1");
	if (request->budget)
		return UNSERVED("budget");
	if (request->_min_score_case && !isfinite(request->min_score))
		return INVALID("min_score: not finite");
	if (request->accuracy)
		TRY(check_accuracy(arena, request->accuracy));
	if (request->max_hits_per_message > 1024)
		return INVALID("max_hits_per_message: %u, at most 1024",
			       request->max_hits_per_message);
	if (request->neighbors)
		return UNSERVED("neighbors");
	if (request->resume_token.len > 0)
		return UNSERVED("resume_token");
	return status_ok();
}

status check_get(struct arena *arena, const Sluice__V1__GetChunksRequest *request)
{
	TRY(check_name(arena, "collection", request->collection));
	return check_ids(arena, "ids", request->ids, request->n_ids, IDS_GET_MAX);
}

status check_list(struct arena *arena, const Sluice__V1__ListChunksRequest *request)
{
	TRY(check_name(arena, "collection", request->collection));
	if (request->filter)
		return UNSERVED("filter");
	if (request->_limit_case && request->limit < 1)
		return INVALID("limit: 0, at least 1");
	if (request->resume_token.len > 0)
		return UNSERVED("resume_token");
	return status_ok();
}

status check_count(struct arena *arena, const Sluice__V1__CountChunksRequest *request)
{
	TRY(check_name(arena, "collection", request->collection));
	if (request->filter)
		return UNSERVED("filter");
	return status_ok();
}
