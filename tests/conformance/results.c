/* results - the few messages of the protocol, written field by field. */
#include "tests/conformance/results.h"

#include "service/schema/wire.h"

#define PATH_ELEMENTS_MAX 128

void encode_bytes(struct buffer *to, uint32_t number, struct bytes value)
{
	buffer_append_varint(to, (uint64_t)number << 3 | WIRE_LENGTH);
	buffer_append_varint(to, value.size);
	buffer_append(to, value.data, value.size);
}

void encode_number(struct buffer *to, uint32_t number, uint64_t value)
{
	buffer_append_varint(to, (uint64_t)number << 3 | WIRE_VARINT);
	buffer_append_varint(to, value);
}

/* Appends what was built as field number of another message, and empties it. */
static void encode_built(struct buffer *to, uint32_t number, struct buffer *built)
{
	encode_bytes(to, number, bytes_of(built->data, built->size));
	built->size = 0;
}

/* --- FieldPath --- */

static void element_begin(struct buffer *element, const struct schema_field *field)
{
	encode_number(element, 1, field->number);
	encode_bytes(element, 2, bytes_of_string(field->name));
	encode_number(element, 3, (uint64_t)field->type);
}

static void key_encode(struct buffer *element, const struct check_path *path)
{
	const struct schema_field *fields = path->field->message->fields;

	encode_number(element, 4, (uint64_t)fields[0].type);
	encode_number(element, 5, (uint64_t)fields[1].type);
	switch (fields[0].type) {
	case SCHEMA_BOOL:
		encode_number(element, 7, path->key.uint);
		break;
	case SCHEMA_STRING:
		encode_bytes(element, 10, path->key.bytes);
		break;
	case SCHEMA_UINT32:
	case SCHEMA_UINT64:
	case SCHEMA_FIXED32:
	case SCHEMA_FIXED64:
		encode_number(element, 9, path->key.uint);
		break;
	default:
		encode_number(element, 8, (uint64_t)path->key.sint);
	}
}

static void field_path_encode(struct buffer *to, const struct check_path *path)
{
	const struct check_path *elements[PATH_ELEMENTS_MAX];
	SCOPED(buffer) element = &(struct buffer){0};
	size_t n = 0;

	for (; path && n < PATH_ELEMENTS_MAX; path = path->outer)
		elements[n++] = path;
	while (n > 0) {
		path = elements[--n];
		if (path->field)
			element_begin(element, path->field);
		else
			encode_bytes(element, 2, bytes_of_string(path->oneof->name));
		if (path->subscript == SUBSCRIPT_INDEX)
			encode_number(element, 6, path->index);
		else if (path->subscript == SUBSCRIPT_KEY)
			key_encode(element, path);
		encode_built(to, 1, element);
	}
}

static void rule_element_encode(struct buffer *to, const struct schema_field *field)
{
	SCOPED(buffer) element = &(struct buffer){0};

	element_begin(element, field);
	encode_built(to, 1, element);
}

static void rule_path_encode(struct buffer *to, const struct violation *violation)
{
	const struct field_rules *rules = violation->rules;

	if (rules->outer) {
		rule_element_encode(to, rules->outer->type_field);
		rule_element_encode(to, rules->place);
	}
	if (violation->is_required) {
		rule_element_encode(to, rules->required_field);
		return;
	}
	rule_element_encode(to, rules->type_field);
	rule_element_encode(to, violation->rule->field);
}

/* --- results --- */

void violation_append(struct buffer *violations, struct bytes violation)
{
	encode_bytes(violations, 1, violation);
}

void violation_encode(struct buffer *violations, const struct violation *violation)
{
	SCOPED(buffer) out = &(struct buffer){0};
	SCOPED(buffer) path = &(struct buffer){0};

	encode_bytes(out, 2, bytes_of_string(violation->rule_id));
	encode_bytes(out, 3, bytes_of_string(violation->message));
	if (violation->for_key)
		encode_number(out, 4, 1);
	if (violation->path) {
		field_path_encode(path, violation->path);
		encode_built(out, 5, path);
	}
	if (violation->rules) {
		rule_path_encode(path, violation);
		encode_built(out, 6, path);
	}
	violation_append(violations, bytes_of(out->data, out->size));
}

void result_encode(struct buffer *to, enum result result, struct bytes value)
{
	encode_bytes(to, (uint32_t)result, value);
}

void result_encode_text(struct buffer *to, enum result result, const char *text)
{
	result_encode(to, result, bytes_of_string(text));
}

void result_encode_success(struct buffer *to)
{
	encode_number(to, RESULT_SUCCESS, 1);
}

void response_append(struct buffer *response, struct bytes name, struct bytes result)
{
	SCOPED(buffer) entry = &(struct buffer){0};

	encode_bytes(entry, 1, name);
	encode_bytes(entry, 2, result);
	encode_built(response, 1, entry);
}
