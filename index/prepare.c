/* prepare - what a chunk must be before it is written: checks that need the collection alone.
 *
 * Everything is checked before the first vector is scaled, so that a refused batch is as it was.
 */
#include "index/collection.h"
#include "kernels/base/error_info.h"
#include "kernels/float16.h"
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

/* The status with a reason, its chunk, and up to three pairs more. */
#define ABOUT(chunk, arena, reason, s, ...)                                                        \
	status_reason((s), (arena), (reason), "chunk_id", ERROR_BYTES((chunk)->id), __VA_ARGS__)

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
			return ABOUT(chunk, arena, REASON_VECTOR_OUT_OF_RANGE,
				     status_format(arena, STATUS_INVALID_ARGUMENT,
						   "chunk \"%.*s\": value %u of the vector is %g",
						   id_width(chunk), id_text(chunk), i,
						   (double)chunk->vector[i]),
				     NULL);
	return status_ok();
}

/* Stored in halves; under COSINE it is scaled before. */
static status check_halves(const struct chunk *chunk, const struct collection_config *config,
			   struct arena *arena)
{
	uint32_t i = 0;

	while (i < config->dim && fabsf(chunk->vector[i]) <= FLOAT16_MAX)
		i++;
	if (i == config->dim)
		return status_ok();
	return ABOUT(chunk, arena, REASON_VECTOR_OUT_OF_RANGE,
		     status_format(arena, STATUS_INVALID_ARGUMENT,
				   "chunk \"%.*s\": value %u of the vector is %g, beyond what "
				   "VECTOR_ENCODING_FLOAT16 holds, %g",
				   id_width(chunk), id_text(chunk), i, (double)chunk->vector[i],
				   (double)FLOAT16_MAX),
		     "collection", config->name, NULL);
}

static status check_vector(const struct chunk *chunk, const struct collection_config *config,
			   struct arena *arena)
{
	double norm;

	TRY(check_finite(chunk, config->dim, arena));
	norm = vector_norm(chunk->vector, config->dim);
	if (config->metric == METRIC_COSINE && norm == 0)
		return ABOUT(chunk, arena, REASON_ZERO_VECTOR,
			     status_format(arena, STATUS_INVALID_ARGUMENT,
					   "chunk \"%.*s\": all %u values of the vector are zero, "
					   "and METRIC_COSINE has no angle to it",
					   id_width(chunk), id_text(chunk), config->dim),
			     "collection", config->name, NULL);
	if (config->metric != METRIC_COSINE && norm > VECTOR_NORM_MAX)
		return ABOUT(chunk, arena, REASON_VECTOR_OUT_OF_RANGE,
			     status_format(arena, STATUS_INVALID_ARGUMENT,
					   "chunk \"%.*s\": the vector's length is %g, above %g",
					   id_width(chunk), id_text(chunk), norm, VECTOR_NORM_MAX),
			     "collection", config->name, NULL);
	if (config->metric != METRIC_COSINE && config->encoding == ENCODING_FLOAT16)
		return check_halves(chunk, config, arena);
	return status_ok();
}

static status check_field(const struct chunk *chunk, const struct field_schema *field,
			  struct arena *arena)
{
	const struct value *value = chunk_find_field(chunk, field->name);
	enum value_kind kind;

	if (!value && field->required)
		return ABOUT(chunk, arena, REASON_FIELD_REQUIRED,
			     status_format(arena, STATUS_INVALID_ARGUMENT,
					   "chunk \"%.*s\": the metadata field \"%s\" is required",
					   id_width(chunk), id_text(chunk), field->name),
			     "field", field->name, NULL);
	if (!value)
		return status_ok();
	kind = value->kind;
	if (kind == field->type || (kind == VALUE_INT && field->type == VALUE_DOUBLE))
		return status_ok();
	return ABOUT(chunk, arena, REASON_FIELD_TYPE_MISMATCH,
		     status_format(
			     arena, STATUS_INVALID_ARGUMENT,
			     "chunk \"%.*s\": the metadata field \"%s\" is %s where %s is declared",
			     id_width(chunk), id_text(chunk), field->name, kind_name(kind),
			     kind_name(field->type)),
		     "field", field->name, "expected", kind_name(field->type), "found",
		     kind_name(kind), NULL);
}

/* The chunk's number first: whoever sent the batch finds its line by it. part is what is at fault. */
static status numbered(status s, size_t i, const char *part, struct arena *arena)
{
	const char *detail = arena_printf(arena, "chunks[%zu]: %s", i, s.detail);
	const char *field = arena_printf(arena, "chunks[%zu].%s", i, part ? part : "metadata");

	if (detail)
		s.detail = detail;
	return field ? status_field(s, arena, field) : s;
}

static status check_chunk(const struct chunk *chunk, size_t i,
			  const struct collection_config *config, struct arena *arena)
{
	status checked = check_vector(chunk, config, arena);

	if (status_failed(checked))
		return numbered(checked, i, "vector.values", arena);
	for (size_t at = 0; at < config->n_fields; at++) {
		checked = check_field(chunk, &config->fields[at], arena);
		if (status_failed(checked))
			return numbered(
				checked, i,
				arena_printf(arena, "metadata[\"%s\"]", config->fields[at].name),
				arena);
	}
	return status_ok();
}

/* Here and not when it is sealed: so an answer is the same before and after. */
static void round_to_halves(float *vector, uint32_t dim)
{
	for (uint32_t i = 0; i < dim; i++)
		vector[i] = float16_widen(float16_narrow(vector[i]));
}

status collection_prepare_upsert(const struct collection *collection, struct chunk *chunks,
				 size_t n, struct arena *arena)
{
	const struct collection_config *config = collection_config(collection);

	for (size_t i = 0; i < n; i++)
		TRY(check_chunk(&chunks[i], i, config, arena));
	for (size_t i = 0; i < n; i++) {
		/* None is zero, so none is left as it is. */
		if (config->metric == METRIC_COSINE)
			(void)vector_normalise(chunks[i].vector, config->dim);
		if (config->encoding == ENCODING_FLOAT16)
			round_to_halves(chunks[i].vector, config->dim);
	}
	return status_ok();
}
