/* filter_codec - filters from the wire to plain data. */
#include "service/codec/filter_codec.h"

#include "kernels/base/error_info.h"
#include "service/codec/chunk_codec.h"

#include <stdio.h>

static const status no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				 .detail = "the call's memory is used up"};

/* Where in the request a condition stands, for whoever is told of it. */
struct position {
	const char *list; /* "all_of" */
	size_t i;
};

#define PATH_BYTES 96

/* "filter.all_of[3].equal_to" */
static const char *path_text(char text[PATH_BYTES], struct position position, const char *part)
{
	snprintf(text, PATH_BYTES, "filter.%s[%zu].%s", position.list, position.i, part);
	return text;
}

static status refuse(struct arena *arena, struct position position, const char *part,
		     const char *why)
{
	char text[PATH_BYTES];
	const char *path = path_text(text, position, part);
	status s = status_format(arena, STATUS_INVALID_ARGUMENT, "%s: %s", path, why);

	return status_field(status_reason(s, arena, REASON_SCHEMA_VIOLATION, "field", path, NULL),
			    arena, path);
}

static status not_declared(struct arena *arena, struct position position, const char *field,
			   const struct collection_config *config)
{
	char text[PATH_BYTES];
	const char *path = path_text(text, position, "field");
	status s = status_format(arena, STATUS_INVALID_ARGUMENT,
				 "%s: collection \"%s\" declares no field \"%.64s\"", path,
				 config->name, field);

	s = status_reason(s, arena, REASON_FIELD_NOT_DECLARED, "collection", config->name, "field",
			  field, NULL);
	return status_field(s, arena, path);
}

static status field_find(struct arena *arena, struct position position, const char *name,
			 const struct collection_config *config, size_t *ret)
{
	for (size_t i = 0; i < config->n_fields; i++)
		if (strcmp(config->fields[i].name, name) == 0) {
			*ret = i;
			return status_ok();
		}
	return not_declared(arena, position, name, config);
}

static status operand_decode(struct arena *arena, struct position position, const char *part,
			     const Sluice__V1__MetadataValue *message, struct value *ret)
{
	if (message->kind_case == SLUICE__V1__METADATA_VALUE__KIND_STRING_LIST)
		return refuse(arena, position, part,
			      "a string_list is no operand: name the labels with one_of");
	return value_decode(arena, message, ret);
}

static status values_decode(struct arena *arena, struct position position, const char *part,
			    Sluice__V1__MetadataValue *const *messages, size_t n,
			    struct condition *ret)
{
	struct value *values = ARENA_ARRAY(arena, struct value, n);

	if (!values)
		return no_memory;
	for (size_t i = 0; i < n; i++) {
		char text[32];

		snprintf(text, sizeof text, "%s.values[%zu]", part, i);
		TRY(operand_decode(arena, position,
				   n == 1 && !strcmp(part, "equal_to") ? part : text, messages[i],
				   &values[i]));
	}
	ret->test = CONDITION_ANY_OF_VALUES;
	ret->values = values;
	ret->n_values = n;
	return status_ok();
}

/* excluded, included  what the message has of the two; at most one. */
static status bound_decode(struct arena *arena, struct position position, const char *part,
			   const Sluice__V1__MetadataValue *excluded,
			   const Sluice__V1__MetadataValue *included, struct bound *ret)
{
	const Sluice__V1__MetadataValue *message = excluded ? excluded : included;

	if (!message)
		return status_ok();
	if (message->kind_case == SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE ||
	    message->kind_case == SLUICE__V1__METADATA_VALUE__KIND_STRING_LIST)
		return refuse(arena, position, part, "a bound is a string or a number");
	ret->kind = excluded ? BOUND_EXCLUDED : BOUND_INCLUDED;
	return value_decode(arena, message, &ret->value);
}

static status range_decode(struct arena *arena, struct position position,
			   const Sluice__V1__ValueRange *message, struct condition *ret)
{
	struct bound *low = &ret->low, *high = &ret->high;

	ret->test = CONDITION_RANGE;
	TRY(bound_decode(arena, position, message->gt ? "range.gt" : "range.gte", message->gt,
			 message->gte, low));
	TRY(bound_decode(arena, position, message->lt ? "range.lt" : "range.lte", message->lt,
			 message->lte, high));
	if (low->kind == BOUND_NONE && high->kind == BOUND_NONE)
		return refuse(arena, position, "range", "it needs a bound: gt, gte, lt or lte");
	if (low->kind != BOUND_NONE && high->kind != BOUND_NONE &&
	    (low->value.kind == VALUE_STRING) != (high->value.kind == VALUE_STRING))
		return refuse(arena, position, "range",
			      "one bound is a string and the other a number");
	return status_ok();
}

static status condition_decode(struct arena *arena, struct position position,
			       const Sluice__V1__Condition *message,
			       const struct collection_config *config, struct condition *ret)
{
	*ret = (struct condition){0};
	TRY(field_find(arena, position, message->field, config, &ret->field));
	switch (message->test_case) {
	case SLUICE__V1__CONDITION__TEST_EQUAL_TO:
		return values_decode(arena, position, "equal_to",
				     (Sluice__V1__MetadataValue *const *)&message->equal_to, 1,
				     ret);
	case SLUICE__V1__CONDITION__TEST_ONE_OF:
		return values_decode(arena, position, "one_of", message->one_of->values,
				     message->one_of->n_values, ret);
	case SLUICE__V1__CONDITION__TEST_RANGE:
		return range_decode(arena, position, message->range, ret);
	case SLUICE__V1__CONDITION__TEST_EXISTS:
		ret->test = CONDITION_EXISTS;
		ret->absent = !message->exists;
		return status_ok();
	default:
		ret->test = CONDITION_PREFIX;
		ret->prefix = bytes_of_string(message->prefix);
		return status_ok();
	}
}

static status conditions_decode(struct arena *arena, const char *list,
				Sluice__V1__Condition *const *messages, size_t n,
				const struct collection_config *config,
				const struct condition **ret)
{
	struct condition *conditions = ARENA_ARRAY(arena, struct condition, n);

	if (!conditions)
		return no_memory;
	for (size_t i = 0; i < n; i++)
		TRY(condition_decode(arena, (struct position){list, i}, messages[i], config,
				     &conditions[i]));
	*ret = conditions;
	return status_ok();
}

static status documents_decode(struct arena *arena, const Sluice__V1__DocumentIds *message,
			       struct filter *ret)
{
	struct bytes *ids;

	if (!message)
		return status_ok();
	ids = ARENA_ARRAY(arena, struct bytes, message->n_ids);
	if (!ids)
		return no_memory;
	for (size_t i = 0; i < message->n_ids; i++)
		ids[i] = bytes_of_string(message->ids[i]);
	ret->document_ids = ids;
	ret->n_document_ids = message->n_ids;
	return status_ok();
}

status filter_decode(struct arena *arena, const Sluice__V1__Filter *message,
		     const struct collection_config *config, struct filter *ret)
{
	struct filter filter = {0};

	if (message) {
		const Sluice__V1__Conditions *any_of = message->any_of;

		TRY(documents_decode(arena, message->document_ids, &filter));
		filter.n_all_of = message->n_all_of;
		TRY(conditions_decode(arena, "all_of", message->all_of, message->n_all_of, config,
				      &filter.all_of));
		filter.has_any_of = any_of != NULL;
		filter.n_any_of = any_of ? any_of->n_conditions : 0;
		if (any_of)
			TRY(conditions_decode(arena, "any_of.conditions", any_of->conditions,
					      any_of->n_conditions, config, &filter.any_of));
		filter.n_none_of = message->n_none_of;
		TRY(conditions_decode(arena, "none_of", message->none_of, message->n_none_of,
				      config, &filter.none_of));
	}
	*ret = filter;
	return status_ok();
}

status filter_refuse_empty(struct arena *arena, const struct filter *filter)
{
	status s;

	if (!filter_is_empty(filter))
		return status_ok();
	s = status_make(STATUS_INVALID_ARGUMENT,
			"filter: it names nothing, so it would delete every chunk");
	return status_field(status_reason(s, arena, REASON_EMPTY_FILTER, NULL), arena, "filter");
}
