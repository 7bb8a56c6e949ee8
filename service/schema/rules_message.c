/* rules_message - the annotations of oneofs, and the oneofs that a message's own annotation makes. */
#include "service/schema/rules_private.h"
#include "service/schema/schema_item.h"

/* CEL in MessageRules, by number: older sets do not declare all of it. */
enum { MESSAGE_CEL = 3, MESSAGE_CEL_EXPRESSION = 5 };

static status required_read(struct rules_context *context, const struct schema_oneof *oneof,
			    bool *ret)
{
	static const char *const known[] = {"required", NULL};
	const struct schema_message *message;
	struct bytes bytes;
	struct note note;

	*ret = false;
	TRY(note_option(context, oneof->options, &bytes));
	if (!bytes.data)
		return status_ok();
	TRY(note_message(context, "buf.validate.OneofRules", &message));
	TRY(note_read(context, message, bytes, "", &note));
	TRY(note_only(context, &note, known));
	return note_flag(context, &note, "required", ret);
}

status rules_compile_oneofs(struct schema *schema, struct schema_message *message,
			    struct arena *detail)
{
	struct rules_context context = {
		.schema = schema,
		.arena = schema_arena(schema),
		.detail = detail,
		.message = message,
		.place = "",
	};

	for (size_t i = 0; i < message->n_oneofs; i++) {
		struct schema_oneof *oneof = &message->oneofs[i];

		context.name = oneof->name;
		TRY(required_read(&context, oneof, &oneof->required));
	}
	return status_ok();
}

/* "gt, gte" */
static const char *names_join(struct arena *arena, const struct message_oneof *oneof)
{
	const char *names = oneof->fields[0]->name;

	for (size_t i = 1; names && i < oneof->n_fields; i++)
		names = arena_printf(arena, "%s, %s", names, oneof->fields[i]->name);
	return names;
}

static status oneof_field(struct rules_context *context, struct message_oneof *oneof,
			  struct bytes name)
{
	const char *copy = arena_copy(context->arena, name.data, name.size);
	const struct schema_field *field;

	if (!copy)
		return rules_no_memory;
	field = schema_field_by_name(context->message, copy);
	if (!field || strlen(copy) != name.size)
		return rules_wrong(context, "oneof", "%.64s is no field of the message", copy);
	for (size_t i = 0; i < oneof->n_fields; i++)
		if (oneof->fields[i] == field)
			return rules_wrong(context, "oneof", "%s is named twice", copy);
	oneof->fields[oneof->n_fields++] = field;
	return status_ok();
}

static status message_oneof(struct rules_context *context, struct bytes bytes,
			    struct message_oneof *ret)
{
	static const char *const known[] = {"fields", "required", NULL};
	const struct schema_message *message;
	const struct note_field *fields;
	struct note note;

	TRY(note_message(context, "buf.validate.MessageOneofRule", &message));
	TRY(note_read(context, message, bytes, "oneof", &note));
	TRY(note_only(context, &note, known));
	TRY(note_flag(context, &note, "required", &ret->required));
	TRY(note_take(context, &note, "fields", SCHEMA_STRING, &fields));
	if (!fields)
		return rules_wrong(context, "oneof", "no field is named");
	/* A field is named once at most, so no more can be put down. */
	ret->fields = ARENA_ARRAY(context->arena, const struct schema_field *,
				  context->message->n_fields);
	if (!ret->fields)
		return rules_no_memory;
	for (size_t i = 0; i < fields->n; i++)
		TRY(oneof_field(context, ret, fields->values[i].bytes));
	ret->names = names_join(context->arena, ret);
	return ret->names ? status_ok() : rules_no_memory;
}

static status message_rules(struct rules_context *context, struct bytes bytes,
			    const struct message_rules **ret)
{
	static const char *const known[] = {"oneof", NULL};
	struct message_rules *rules = ARENA_NEW(context->arena, struct message_rules);
	const struct schema_message *message;
	const struct note_field *given;
	struct message_oneof *oneofs;
	struct note note;

	if (!rules)
		return rules_no_memory;
	if (item_count(bytes, MESSAGE_CEL, WIRE_LENGTH) > 0)
		return rules_cel(context, "cel");
	if (item_count(bytes, MESSAGE_CEL_EXPRESSION, WIRE_LENGTH) > 0)
		return rules_cel(context, "cel_expression");
	TRY(note_message(context, "buf.validate.MessageRules", &message));
	TRY(note_read(context, message, bytes, "", &note));
	TRY(note_only(context, &note, known));
	TRY(note_take(context, &note, "oneof", SCHEMA_MESSAGE, &given));
	if (given) {
		oneofs = ARENA_ARRAY(context->arena, struct message_oneof, given->n);
		if (!oneofs)
			return rules_no_memory;
		for (size_t i = 0; i < given->n; i++)
			TRY(message_oneof(context, given->values[i].bytes, &oneofs[i]));
		rules->oneofs = oneofs;
		rules->n_oneofs = given->n;
	}
	*ret = rules;
	return status_ok();
}

status rules_compile_message(struct schema *schema, const struct schema_message *message,
			     struct arena *arena, const struct message_rules **ret)
{
	struct rules_context context = {
		.schema = schema,
		.arena = schema_arena(schema),
		.detail = arena,
		.message = message,
		.name = "",
		.place = "",
	};
	struct bytes bytes;

	TRY(note_option(&context, message->options, &bytes));
	if (!bytes.data) {
		*ret = NULL;
		return status_ok();
	}
	return message_rules(&context, bytes, ret);
}
