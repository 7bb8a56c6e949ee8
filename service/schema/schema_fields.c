/* schema_fields - the fields, oneofs and extensions of a message.
 *
 * Fields are read as declared and then sorted by number. What has to wait for all of the set - their
 * types, and what follows from them - is left to schema_link in a struct field_link each.
 */
#include "service/schema/schema_private.h"

#include <stdlib.h>

#define NUMBER_MAX 536870911

/* lower_case to lowerCase, as protoc does where a descriptor names no json_name. */
static const char *json_name_make(struct arena *arena, const char *name)
{
	char *made = arena_alloc(arena, strlen(name) + 1);
	bool upper = false;
	size_t n = 0;

	if (!made)
		return NULL;
	for (; *name; name++) {
		if (*name == '_') {
			upper = true;
			continue;
		}
		made[n++] =
			upper && *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name;
		upper = false;
	}
	made[n] = '\0';
	return made;
}

static status json_name_read(struct schema_reader *reader, struct bytes text,
			     struct schema_field *field)
{
	struct arena *arena = &reader->schema->arena;

	if (text.size == 0) {
		field->json_name = json_name_make(arena, field->name);
	} else if (text.size > NAME_BYTES_MAX || memchr(text.data, 0, text.size) ||
		   !bytes_is_utf8(text)) {
		return SCHEMA_WRONG(reader, "%s: field %s has a bad json_name", reader->file,
				    field->name);
	} else {
		field->json_name = arena_copy(arena, text.data, text.size);
	}
	return field->json_name ? status_ok() : schema_no_memory;
}

/* Presence without what follows from its type and its oneof. */
static void field_features(struct schema_field *field, struct features features, uint64_t label)
{
	field->repeated = label == LABEL_REPEATED;
	field->label_required = label == LABEL_REQUIRED ||
				(features.presence == PRESENCE_REQUIRED && label != LABEL_REPEATED);
	field->presence = !field->repeated && (features.presence != PRESENCE_IMPLICIT ||
					       field->label_required || field->proto3_optional);
	field->verify_utf8 = features.utf8 == UTF8_VERIFY;
}

static status field_read(struct schema_reader *reader, struct bytes bytes, const char *scope,
			 struct field_link *link)
{
	struct schema_field *field = link->field;
	uint64_t number = item_varint(bytes, FIELD_NUMBER, 0);
	uint64_t type = item_varint(bytes, FIELD_TYPE, 0);
	uint64_t label = item_varint(bytes, FIELD_LABEL, LABEL_OPTIONAL);

	TRY(reader_check(reader, bytes, "a field"));
	TRY(reader_name(reader, item_bytes(bytes, FIELD_NAME), scope, &field->name));
	TRY(json_name_read(reader, item_bytes(bytes, FIELD_JSON_NAME), field));
	TRY(reader_options(reader, bytes, FIELD_OPTIONS, &field->options));
	TRY(reader_comment(reader, &field->comment));
	if (number < 1 || number > NUMBER_MAX)
		return SCHEMA_WRONG(reader, "%s: %s.%s: number %llu is not 1 to %d", reader->file,
				    scope, field->name, (unsigned long long)number, NUMBER_MAX);
	if (type > SCHEMA_SINT64 || label < LABEL_OPTIONAL || label > LABEL_REPEATED)
		return SCHEMA_WRONG(reader, "%s: %s.%s: type %llu or label %llu is not known",
				    reader->file, scope, field->name, (unsigned long long)type,
				    (unsigned long long)label);
	field->number = (uint32_t)number;
	field->type = (enum schema_type)type;
	field->proto3_optional = item_varint(bytes, FIELD_PROTO3_OPTIONAL, 0) != 0;
	link->type_name = item_bytes(bytes, FIELD_TYPE_NAME);
	link->default_text = item_bytes(bytes, FIELD_DEFAULT);
	link->oneof = item_varint(bytes, FIELD_ONEOF, NO_ONEOF);
	link->file = reader->file;
	field_features(field, reader->features, label);
	link->delimited = reader->features.encoding == ENCODING_DELIMITED;
	return status_ok();
}

static int fields_compare(const void *a, const void *b)
{
	const struct schema_field *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* The features of a field's own options, over those of its message, are in reader->features while it
 * is read. */
static status member_read(struct schema_reader *reader, struct bytes bytes,
			  struct features features, const char *scope, struct field_link *link)
{
	struct features outer = reader->features;
	struct wire wire = wire_of(bytes);
	struct item item;

	reader->features = features;
	/* Options that do not parse fail in field_read. */
	while (reader->editions && item_next(&wire, &item))
		if (item_is(&item, FIELD_OPTIONS, WIRE_LENGTH))
			reader->features =
				features_apply(reader->features, item.bytes, FIELD_FEATURES);
	TRY(field_read(reader, bytes, scope, link));
	reader->features = outer;
	return status_ok();
}

/* By number, each with its index; the links follow their fields. */
static status fields_sort(struct schema_reader *reader, struct schema_message *message,
			  struct field_link *links)
{
	struct schema_field *fields = message->fields;
	size_t n = message->n_fields;

	if (n > 1)
		qsort(fields, n, sizeof *fields, fields_compare);
	for (size_t i = 0; i < n; i++) {
		links[fields[i].index].field = &fields[i];
		fields[i].index = (uint32_t)i;
		if (i > 0 && fields[i].number == fields[i - 1].number)
			return SCHEMA_WRONG(reader, "%s: %s has two fields of number %u",
					    reader->file, message->full_name, fields[i].number);
	}
	return status_ok();
}

static status dense_make(struct arena *arena, struct schema_message *message)
{
	size_t n = message->n_fields;

	if (n > 0)
		message->dense_max = message->fields[n - 1].number;
	if (message->dense_max > DENSE_MAX)
		message->dense_max = DENSE_MAX;
	message->dense = ARENA_ARRAY(arena, uint16_t, message->dense_max + 1);
	if (!message->dense)
		return schema_no_memory;
	/* The fields with low numbers are the first ones, so their indices are low too. */
	for (size_t i = 0; i < n && message->fields[i].number <= message->dense_max; i++)
		message->dense[message->fields[i].number] = (uint16_t)(i + 1);
	return status_ok();
}

static status oneof_read(struct schema_reader *reader, struct bytes bytes, const char *scope,
			 struct schema_oneof *ret)
{
	TRY(reader_check(reader, bytes, "a oneof"));
	TRY(reader_name(reader, item_bytes(bytes, ONEOF_NAME), scope, &ret->name));
	TRY(reader_options(reader, bytes, ONEOF_OPTIONS, &ret->options));
	return reader_comment(reader, &ret->comment);
}

/* Which declared oneof each field is in, those for the word optional left out. */
static status oneofs_count(struct schema_reader *reader, struct schema_message *message,
			   struct field_link *links, size_t n_declared)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		if (links[i].oneof == NO_ONEOF)
			continue;
		if (links[i].oneof >= n_declared)
			return SCHEMA_WRONG(reader, "%s: field %s.%s is in a oneof that is not",
					    reader->file, message->full_name, links[i].field->name);
		if (links[i].field->repeated)
			return SCHEMA_WRONG(reader, "%s: the repeated field %s.%s is in a oneof",
					    reader->file, message->full_name, links[i].field->name);
		if (links[i].field->proto3_optional)
			links[i].oneof = NO_ONEOF;
		else
			message->oneofs[links[i].oneof].n_fields++;
	}
	return status_ok();
}

/* The fields of each oneof in the order of their declaration, by its declared index so far. */
static status oneofs_fill(struct schema_reader *reader, struct schema_message *message,
			  struct field_link *links, size_t n_declared)
{
	for (size_t i = 0; i < n_declared; i++) {
		struct schema_oneof *oneof = &message->oneofs[i];

		oneof->fields = ARENA_ARRAY(&reader->schema->arena, const struct schema_field *,
					    oneof->n_fields);
		if (!oneof->fields)
			return schema_no_memory;
		oneof->n_fields = 0;
	}
	for (size_t i = 0; i < message->n_fields; i++) {
		struct schema_oneof *oneof;

		if (links[i].oneof == NO_ONEOF)
			continue;
		oneof = &message->oneofs[links[i].oneof];
		oneof->fields[oneof->n_fields++] = links[i].field;
		links[i].field->presence = true;
	}
	return status_ok();
}

/* Closes the gaps of oneofs without a member, and tells each member its oneof. */
static void oneofs_close_up(struct schema_message *message, size_t n_declared)
{
	for (size_t i = 0; i < n_declared; i++) {
		struct schema_oneof *oneof = &message->oneofs[message->n_oneofs];

		if (message->oneofs[i].n_fields == 0)
			continue;
		*oneof = message->oneofs[i];
		oneof->index = (uint32_t)message->n_oneofs++;
		for (size_t j = 0; j < oneof->n_fields; j++)
			message->fields[oneof->fields[j]->index].oneof = oneof;
	}
}

static status oneofs_read(struct schema_reader *reader, struct bytes bytes,
			  struct schema_message *message, struct field_link *links)
{
	size_t n_declared = item_count(bytes, MESSAGE_ONEOF, WIRE_LENGTH), declared = 0;
	struct wire wire = wire_of(bytes);
	struct item item;

	message->oneofs = ARENA_ARRAY(&reader->schema->arena, struct schema_oneof, n_declared);
	if (!message->oneofs)
		return schema_no_memory;
	while (item_next(&wire, &item)) {
		struct schema_oneof *oneof = &message->oneofs[declared];

		if (!item_is(&item, MESSAGE_ONEOF, WIRE_LENGTH))
			continue;
		reader_path_push(reader, MESSAGE_ONEOF, declared++);
		TRY(oneof_read(reader, item.bytes, message->full_name, oneof));
		reader_path_pop(reader);
	}
	TRY(oneofs_count(reader, message, links, n_declared));
	TRY(oneofs_fill(reader, message, links, n_declared));
	oneofs_close_up(message, n_declared);
	return status_ok();
}

status fields_read(struct schema_reader *reader, struct bytes bytes, struct features features,
		   struct schema_message *message)
{
	struct field_link *links = &reader->links[reader->n_links];
	struct wire wire = wire_of(bytes);
	struct item item;

	message->fields = ARENA_ARRAY(&reader->schema->arena, struct schema_field,
				      item_count(bytes, MESSAGE_FIELD, WIRE_LENGTH));
	if (!message->fields)
		return schema_no_memory;
	while (item_next(&wire, &item)) {
		size_t i = message->n_fields;

		if (!item_is(&item, MESSAGE_FIELD, WIRE_LENGTH))
			continue;
		links[i].field = &message->fields[i];
		links[i].field->index = (uint32_t)i;
		links[i].field->container = message;
		reader_path_push(reader, MESSAGE_FIELD, i);
		TRY(member_read(reader, item.bytes, features, message->full_name, &links[i]));
		reader_path_pop(reader);
		message->n_fields++;
		reader->n_links++;
	}
	TRY(fields_sort(reader, message, links));
	TRY(dense_make(&reader->schema->arena, message));
	return oneofs_read(reader, bytes, message, links);
}

status extensions_read(struct schema_reader *reader, struct bytes bytes, uint32_t number,
		       struct features features, const char *scope)
{
	struct schema *schema = reader->schema;
	struct wire wire = wire_of(bytes);
	struct item item;
	size_t i = 0;

	while (item_next(&wire, &item)) {
		struct schema_extended *extended = &schema->extensions[schema->n_extensions];
		struct field_link *link = &reader->links[reader->n_links];
		struct bytes extendee;

		if (!item_is(&item, number, WIRE_LENGTH))
			continue;
		link->field = ARENA_NEW(&schema->arena, struct schema_field);
		if (!link->field)
			return schema_no_memory;
		reader_path_push(reader, number, i++);
		TRY(member_read(reader, item.bytes, features, scope, link));
		reader_path_pop(reader);
		reader->n_links++;
		/* An extension's oneof and presence are its own. */
		link->oneof = NO_ONEOF;
		link->field->presence = !link->field->repeated;
		extendee = item_bytes(item.bytes, FIELD_EXTENDEE);
		if (extendee.size < 2 || extendee.size > NAME_BYTES_MAX || extendee.data[0] != '.')
			return SCHEMA_WRONG(reader, "%s: extension %s extends \"%s\"", reader->file,
					    link->field->name,
					    schema_shown(reader->detail, extendee));
		extended->extendee =
			arena_copy(&schema->arena, extendee.data + 1, extendee.size - 1);
		if (!extended->extendee)
			return schema_no_memory;
		extended->field = link->field;
		schema->n_extensions++;
	}
	return status_ok();
}
