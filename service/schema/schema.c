/* schema - opening and closing, look-ups by name, and the rules of what a message reaches. */
#include "service/schema/schema.h"

#include "service/schema/plan.h"
#include "service/schema/rules.h"
#include "service/schema/rules_private.h"
#include "service/schema/schema_private.h"

#include <stdlib.h>

/* The arrays that schema_read fills, and those that only linking needs. */
static status arrays_make(struct schema_reader *reader, struct arena *scratch,
			  const struct schema_counts *counts)
{
	struct schema *schema = reader->schema;
	struct arena *arena = &schema->arena;

	schema->messages = ARENA_ARRAY(arena, struct schema_message *, counts->messages);
	schema->enums = ARENA_ARRAY(arena, struct schema_enum *, counts->enums);
	schema->services = ARENA_ARRAY(arena, struct schema_service *, counts->services);
	schema->extensions = ARENA_ARRAY(arena, struct schema_extended, counts->extensions);
	reader->links = ARENA_ARRAY(scratch, struct field_link, counts->fields);
	reader->methods = ARENA_ARRAY(scratch, struct method_link, counts->methods);
	if (!schema->messages || !schema->enums || !schema->services || !schema->extensions ||
	    !reader->links || !reader->methods)
		return schema_no_memory;
	return status_ok();
}

static status schema_fill(struct schema *schema, struct bytes set, struct arena *detail,
			  struct arena *scratch)
{
	struct schema_reader reader = {.schema = schema, .detail = detail};
	struct schema_counts counts = schema_measure(set);

	TRY(arrays_make(&reader, scratch, &counts));
	TRY(schema_read(&reader, set));
	return schema_link(&reader);
}

status schema_open(struct bytes set, struct arena *arena, struct schema **ret)
{
	SCOPED(schema) schema = calloc(1, sizeof *schema);
	struct arena scratch;
	status filled;

	if (!schema)
		return schema_no_memory;
	arena_init(&schema->arena, SCHEMA_BYTES_MAX);
	arena_init(&scratch, SCHEMA_BYTES_MAX);
	filled = schema_fill(schema, set, arena, &scratch);
	arena_finish(&scratch);
	/* A step may have taken a lack of memory for something else. */
	if (status_failed(filled) && schema->arena.exhausted)
		return schema_no_memory;
	TRY(filled);
	*ret = TAKE(schema);
	return status_ok();
}

void schema_close(struct schema *schema)
{
	if (!schema)
		return;
	arena_finish(&schema->arena);
	free(schema);
}

struct schema_message *schema_message_find(const struct schema *schema, struct bytes full_name)
{
	size_t low = 0, high = schema->n_messages;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *name = schema->messages[middle]->full_name;
		int order = bytes_compare(bytes_of_string(name), full_name);

		if (order == 0)
			return schema->messages[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct schema_enum *schema_enum_find(const struct schema *schema, struct bytes full_name)
{
	size_t low = 0, high = schema->n_enums;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const char *name = schema->enums[middle]->full_name;
		int order = bytes_compare(bytes_of_string(name), full_name);

		if (order == 0)
			return schema->enums[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct schema_message *schema_message(const struct schema *schema, const char *full_name)
{
	return schema_message_find(schema, bytes_of_string(full_name));
}

const struct schema_enum *schema_enum(const struct schema *schema, const char *full_name)
{
	return schema_enum_find(schema, bytes_of_string(full_name));
}

const struct schema_service *schema_service(const struct schema *schema, const char *full_name)
{
	for (size_t i = 0; i < schema->n_services; i++)
		if (strcmp(schema->services[i]->full_name, full_name) == 0)
			return schema->services[i];
	return NULL;
}

const struct schema_field *schema_extension(const struct schema *schema, const char *extendee,
					    uint32_t number)
{
	for (size_t i = 0; i < schema->n_extensions; i++)
		if (schema->extensions[i].field->number == number &&
		    strcmp(schema->extensions[i].extendee, extendee) == 0)
			return schema->extensions[i].field;
	return NULL;
}

struct schema_message **schema_messages(const struct schema *schema, size_t *ret_n)
{
	*ret_n = schema->n_messages;
	return schema->messages;
}

const struct schema_field *schema_field_by_name(const struct schema_message *message,
						const char *name)
{
	for (size_t i = 0; i < message->n_fields; i++)
		if (strcmp(message->fields[i].name, name) == 0)
			return &message->fields[i];
	return NULL;
}

bool schema_enum_has(const struct schema_enum *enumeration, int32_t number)
{
	size_t low = 0, high = enumeration->n_values;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (enumeration->numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < enumeration->n_values && enumeration->numbers[low] == number;
}

struct arena *schema_arena(struct schema *schema)
{
	return &schema->arena;
}

/* The message that a field's values are, where rules look into them; else NULL. */
static struct schema_message *reached(struct schema *schema, const struct schema_field *field)
{
	const struct field_rules *rules = field->rules;
	const struct schema_message *message = field->message;
	const struct field_rules *inner = NULL;

	if (!message || (rules && rules->ignore == IGNORE_ALWAYS))
		return NULL;
	if (field->map)
		message = message->fields[1].message;
	if (rules && field->repeated)
		inner = field->map ? rules->values : rules->items;
	if (!message || (inner && inner->ignore == IGNORE_ALWAYS))
		return NULL;
	/* As it can be written to. */
	return schema_message(schema, message->full_name);
}

/* The messages being compiled. Each is marked as compiled when it is listed, so that one which
 * reaches itself is listed once. */
struct compilation {
	struct schema *schema;
	struct arena *detail;
	struct schema_message **list; /* [n] room for all of the schema's */
	size_t n;
};

static void list_add(struct compilation *self, struct schema_message *message)
{
	if (!message || message->compiled)
		return;
	message->compiled = true;
	self->list[self->n++] = message;
}

static status compile_one(struct compilation *self, struct schema_message *message)
{
	TRY(rules_compile_message(self->schema, message, self->detail, &message->rules));
	TRY(rules_compile_oneofs(self->schema, message, self->detail));
	for (size_t i = 0; i < message->n_fields; i++) {
		struct schema_field *field = &message->fields[i];

		TRY(rules_compile_field(self->schema, field, self->detail, &field->rules));
		list_add(self, reached(self->schema, field));
	}
	return status_ok();
}

static status compile_all(struct compilation *self)
{
	for (size_t i = 0; i < self->n; i++)
		TRY(compile_one(self, self->list[i]));
	for (size_t i = 0; i < self->n; i++)
		TRY(plan_make(self->list[i], &self->schema->arena, &self->list[i]->plan));
	return status_ok();
}

status schema_compile(struct schema *schema, struct schema_message *message, struct arena *arena)
{
	struct compilation self = {.schema = schema, .detail = arena};
	status compiled;

	if (message->compiled)
		return status_ok();
	self.list = calloc(schema->n_messages, sizeof *self.list);
	if (!self.list)
		return schema_no_memory;
	list_add(&self, message);
	schema->arena.exhausted = false;
	compiled = compile_all(&self);
	/* What reaches the bad one is not compiled either. */
	if (status_failed(compiled))
		for (size_t i = 0; i < self.n; i++)
			self.list[i]->compiled = false;
	free(self.list);
	if (status_failed(compiled) && schema->arena.exhausted)
		return schema_no_memory;
	return compiled;
}
