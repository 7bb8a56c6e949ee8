/* prepare - what a chunk must be before it is written: checks that need the collection alone.
 *
 * Everything is checked before the first vector is scaled, so that a refused batch is as it was.
 */
#include "index/collection.h"
#include "kernels/score.h"

#include <string.h>

/* For "%.*s" of a chunk's id. */
static int id_width(const struct chunk *chunk)
{
	return (int)(chunk->id.size < CHUNK_ID_MAX ? chunk->id.size : CHUNK_ID_MAX);
}

static const char *id_text(const struct chunk *chunk)
{
	return (const char *)chunk->id.data;
}

static const char *kind_name(enum value_kind kind)
{
	switch (kind) {
	case VALUE_STRING:
		return "string";
	case VALUE_INT:
		return "int";
	case VALUE_DOUBLE:
		return "double";
	case VALUE_BOOL:
		return "bool";
	case VALUE_STRING_LIST:
		return "string list";
	}
	return "of no known kind";
}

static status check_finite(const struct chunk *chunk, uint32_t dim, struct arena *arena)
{
	if (vector_is_finite(chunk->vector, dim))
		return status_ok();
	for (uint32_t i = 0; i < dim; i++)
		if (!vector_is_finite(&chunk->vector[i], 1))
			return status_format(arena, STATUS_INVALID_ARGUMENT,
					     "chunk \"%.*s\": value %u of the vector is %g",
					     id_width(chunk), id_text(chunk), i,
					     (double)chunk->vector[i]);
	return status_ok();
}

static status check_vector(const struct chunk *chunk, const struct collection_config *config,
			   struct arena *arena)
{
	double norm;

	TRY(check_finite(chunk, config->dim, arena));
	norm = vector_norm(chunk->vector, config->dim);
	if (config->metric == METRIC_COSINE && norm == 0)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "chunk \"%.*s\": all %u values of the vector are zero, and "
				     "METRIC_COSINE has no angle to it",
				     id_width(chunk), id_text(chunk), config->dim);
	if (config->metric != METRIC_COSINE && norm > VECTOR_NORM_MAX)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "chunk \"%.*s\": the vector's length is %g, above %g",
				     id_width(chunk), id_text(chunk), norm, VECTOR_NORM_MAX);
	return status_ok();
}

static const struct metadata *find_metadata(const struct chunk *chunk, const char *name)
{
	struct bytes wanted = bytes_of_string(name);
	size_t low = 0, high = chunk->n_metadata;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = bytes_compare(chunk->metadata[middle].key, wanted);

		if (order == 0)
			return &chunk->metadata[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static status check_field(const struct chunk *chunk, const struct field_schema *field,
			  struct arena *arena)
{
	const struct metadata *metadata = find_metadata(chunk, field->name);
	enum value_kind kind;

	if (!metadata && field->required)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "chunk \"%.*s\": the metadata field \"%s\" is required",
				     id_width(chunk), id_text(chunk), field->name);
	if (!metadata)
		return status_ok();
	kind = metadata->value.kind;
	if (kind == field->type || (kind == VALUE_INT && field->type == VALUE_DOUBLE))
		return status_ok();
	return status_format(arena, STATUS_INVALID_ARGUMENT,
			     "chunk \"%.*s\": the metadata field \"%s\" is %s where %s is declared",
			     id_width(chunk), id_text(chunk), field->name, kind_name(kind),
			     kind_name(field->type));
}

status collection_prepare_upsert(const struct collection *collection, struct chunk *chunks,
				 size_t n, struct arena *arena)
{
	const struct collection_config *config = collection_config(collection);

	for (size_t i = 0; i < n; i++) {
		TRY(check_vector(&chunks[i], config, arena));
		for (size_t j = 0; j < config->n_fields; j++)
			TRY(check_field(&chunks[i], &config->fields[j], arena));
	}
	if (config->metric != METRIC_COSINE)
		return status_ok();
	/* None is zero, so none is left as it is. */
	for (size_t i = 0; i < n; i++)
		(void)vector_normalise(chunks[i].vector, config->dim);
	return status_ok();
}
