/* schema_link - sorts what was read by name, and finds the types that fields and methods name. */
#include "service/schema/schema_private.h"

#include <stdlib.h>

static int messages_compare(const void *a, const void *b)
{
	const struct schema_message *const *x = a, *const *y = b;

	return strcmp((*x)->full_name, (*y)->full_name);
}

static int enums_compare(const void *a, const void *b)
{
	const struct schema_enum *const *x = a, *const *y = b;

	return strcmp((*x)->full_name, (*y)->full_name);
}

static int services_compare(const void *a, const void *b)
{
	const struct schema_service *const *x = a, *const *y = b;

	return strcmp((*x)->full_name, (*y)->full_name);
}

static int extensions_compare(const void *a, const void *b)
{
	const struct schema_extended *x = a, *y = b;
	int order = strcmp(x->extendee, y->extendee);

	if (order != 0)
		return order;
	return x->field->number < y->field->number ? -1 : x->field->number > y->field->number;
}

static status doubled(struct schema_reader *reader, const char *name)
{
	return SCHEMA_WRONG(reader, "%s is declared twice in the set", name);
}

static status names_sort(struct schema_reader *reader)
{
	struct schema *schema = reader->schema;

	qsort(schema->messages, schema->n_messages, sizeof(void *), messages_compare);
	qsort(schema->enums, schema->n_enums, sizeof(void *), enums_compare);
	qsort(schema->services, schema->n_services, sizeof(void *), services_compare);
	qsort(schema->extensions, schema->n_extensions, sizeof *schema->extensions,
	      extensions_compare);
	for (size_t i = 1; i < schema->n_messages; i++)
		if (messages_compare(&schema->messages[i - 1], &schema->messages[i]) == 0)
			return doubled(reader, schema->messages[i]->full_name);
	for (size_t i = 1; i < schema->n_enums; i++)
		if (enums_compare(&schema->enums[i - 1], &schema->enums[i]) == 0)
			return doubled(reader, schema->enums[i]->full_name);
	for (size_t i = 1; i < schema->n_services; i++)
		if (services_compare(&schema->services[i - 1], &schema->services[i]) == 0)
			return doubled(reader, schema->services[i]->full_name);
	for (size_t i = 1; i < schema->n_extensions; i++)
		if (extensions_compare(&schema->extensions[i - 1], &schema->extensions[i]) == 0)
			return doubled(reader, schema->extensions[i].field->name);
	return status_ok();
}

/* Without the dot that protoc puts in front of a full name. Empty: it is none. */
static struct bytes full_name_of(struct bytes type_name)
{
	if (type_name.size < 2 || type_name.data[0] != '.')
		return bytes_of("", 0);
	return bytes_of(type_name.data + 1, type_name.size - 1);
}

static const char *place_of(const struct field_link *link)
{
	return link->field->container ? link->field->container->full_name : "an extension";
}

/* The message or enum; a descriptor may leave the type itself to the name. */
static status type_find(struct schema_reader *reader, struct field_link *link)
{
	struct schema_field *field = link->field;
	struct bytes name = full_name_of(link->type_name);

	if (field->type == 0 || field->type == SCHEMA_MESSAGE || field->type == SCHEMA_GROUP)
		field->message = schema_message_find(reader->schema, name);
	if (field->type == 0 || field->type == SCHEMA_ENUM)
		field->enumeration = schema_enum_find(reader->schema, name);
	if (field->type == 0 && field->message)
		field->type = SCHEMA_MESSAGE;
	if (field->type == 0 && field->enumeration)
		field->type = SCHEMA_ENUM;
	if (field->message || field->enumeration)
		return status_ok();
	if (field->type != 0 && field->type != SCHEMA_MESSAGE && field->type != SCHEMA_GROUP &&
	    field->type != SCHEMA_ENUM)
		return status_ok();
	return SCHEMA_WRONG(reader, "%s: %s.%s: the set has no type \"%s\"", link->file,
			    place_of(link), field->name,
			    schema_shown(reader->detail, link->type_name));
}

/* What may be a map's key. */
static bool is_key(enum schema_type type)
{
	switch (type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
	case SCHEMA_GROUP:
	case SCHEMA_MESSAGE:
	case SCHEMA_BYTES:
	case SCHEMA_ENUM:
		return false;
	default:
		return true;
	}
}

/* Types are all known by now. */
static status map_check(struct schema_reader *reader, const struct field_link *link)
{
	const struct schema_message *entry = link->field->message;

	if (entry->n_fields == 2 && entry->fields[0].number == 1 && entry->fields[1].number == 2 &&
	    is_key(entry->fields[0].type) && !entry->fields[0].repeated &&
	    !entry->fields[1].repeated)
		return status_ok();
	return SCHEMA_WRONG(reader, "%s: %s.%s: %s is no entry of a map", link->file,
			    place_of(link), link->field->name, entry->full_name);
}

/* What follows from a field's type. */
static status field_finish(struct schema_reader *reader, struct field_link *link)
{
	struct schema_field *field = link->field;
	bool in_entry = field->container && field->container->map_entry;

	field->map = field->repeated && field->message && field->message->map_entry;
	if (field->map)
		TRY(map_check(reader, link));
	if (field->message && !field->repeated)
		field->presence = true;
	if (link->delimited && field->type == SCHEMA_MESSAGE && !field->map && !in_entry)
		field->type = SCHEMA_GROUP;
	field->verify_utf8 = field->verify_utf8 && field->type == SCHEMA_STRING;
	if (!link->default_text.data)
		return status_ok();
	if (field->repeated || field->message ||
	    !default_read(&reader->schema->arena, field, link->default_text))
		return SCHEMA_WRONG(reader, "%s: %s.%s: the default \"%s\" does not fit",
				    link->file, place_of(link), field->name,
				    schema_shown(reader->detail, link->default_text));
	field->has_default = true;
	return status_ok();
}

/* A wrapper's rules are those of its one field, so that has to be there. */
static status well_known_check(struct schema_reader *reader)
{
	struct schema *schema = reader->schema;

	for (size_t i = 0; i < schema->n_messages; i++) {
		const struct schema_message *message = schema->messages[i];
		const struct schema_field *value = schema_field_by_number(message, 1);

		if (message->well_known == WELL_KNOWN_WRAPPER &&
		    (message->n_fields != 1 || !value || value->message || value->repeated))
			return SCHEMA_WRONG(reader, "%s: %s has to have one scalar field, 1",
					    message->file, message->full_name);
	}
	return status_ok();
}

static status methods_link(struct schema_reader *reader)
{
	for (size_t i = 0; i < reader->n_methods; i++) {
		struct method_link *link = &reader->methods[i];
		struct schema_method *method = link->method;

		method->input = schema_message_find(reader->schema, full_name_of(link->input));
		method->output = schema_message_find(reader->schema, full_name_of(link->output));
		if (!method->input || !method->output)
			return SCHEMA_WRONG(reader, "%s: method %s: the set has no type \"%s\"",
					    link->file, method->name,
					    schema_shown(reader->detail, method->input
										 ? link->output
										 : link->input));
	}
	return status_ok();
}

status schema_link(struct schema_reader *reader)
{
	struct schema *schema = reader->schema;

	TRY(names_sort(reader));
	for (size_t i = 0; i < schema->n_extensions; i++) {
		struct schema_extended *extended = &schema->extensions[i];

		extended->field->container = schema_message(schema, extended->extendee);
		if (!extended->field->container)
			return SCHEMA_WRONG(reader, "extension %s: the set has no type \"%s\"",
					    extended->field->name, extended->extendee);
	}
	for (size_t i = 0; i < reader->n_links; i++)
		TRY(type_find(reader, &reader->links[i]));
	for (size_t i = 0; i < reader->n_links; i++)
		TRY(field_finish(reader, &reader->links[i]));
	TRY(well_known_check(reader));
	return methods_link(reader);
}
