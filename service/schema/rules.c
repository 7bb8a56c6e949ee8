/* rules - the annotations of fields, and which typed rules fit which field. */
#include "service/schema/rules.h"

#include "service/schema/rules_private.h"
#include "service/schema/schema_item.h"

/* CEL in FieldRules, by number: older sets do not declare all of it. */
enum { FIELD_CEL = 23, FIELD_CEL_EXPRESSION = 29 };

/* Of FieldRules: looked at before the rest is read. */
enum { FIELD_IGNORE = 27 };

/* The names of scalars' rules are those of the types; by enum schema_type. */
static const char *const type_names[] = {
	[SCHEMA_DOUBLE] = "double",     [SCHEMA_FLOAT] = "float",
	[SCHEMA_INT64] = "int64",       [SCHEMA_UINT64] = "uint64",
	[SCHEMA_INT32] = "int32",       [SCHEMA_FIXED64] = "fixed64",
	[SCHEMA_FIXED32] = "fixed32",   [SCHEMA_BOOL] = "bool",
	[SCHEMA_STRING] = "string",     [SCHEMA_BYTES] = "bytes",
	[SCHEMA_UINT32] = "uint32",     [SCHEMA_ENUM] = "enum",
	[SCHEMA_SFIXED32] = "sfixed32", [SCHEMA_SFIXED64] = "sfixed64",
	[SCHEMA_SINT32] = "sint32",     [SCHEMA_SINT64] = "sint64",
};

/* The type of a value, a wrapper's own looked through. */
static enum schema_type value_type(const struct rules_target *target)
{
	const struct schema_field *field = target->field;

	if (field->message && field->message->well_known == WELL_KNOWN_WRAPPER && !field->map)
		return field->message->fields[0].type;
	return field->type;
}

/* The member of FieldRules that fits; NULL: none does. */
static const char *fitting(const struct rules_target *target)
{
	const struct schema_field *field = target->field;

	if (field->map)
		return "map";
	if (field->repeated && !target->of_items)
		return "repeated";
	if (!field->message)
		return type_names[field->type];
	switch (field->message->well_known) {
	case WELL_KNOWN_ANY:
		return "any";
	case WELL_KNOWN_DURATION:
		return "duration";
	case WELL_KNOWN_TIMESTAMP:
		return "timestamp";
	case WELL_KNOWN_FIELD_MASK:
		return "field_mask";
	case WELL_KNOWN_WRAPPER:
		return type_names[value_type(target)];
	case WELL_KNOWN_NONE:
		break;
	}
	return NULL;
}

static status typed_build(struct rules_builder *builder)
{
	switch (builder->type) {
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		return rules_build_strings(builder);
	default:
		return rules_build_numbers(builder);
	}
}

/* The one typed rules message of FieldRules, if it is given. */
static status typed_compile(struct rules_context *context, const struct note *note, size_t i,
			    const struct rules_target *target, struct field_rules *rules)
{
	struct rules_builder builder = {
		.context = context,
		.type_field = &note->message->fields[i],
		.target = target->field,
		.of_items = target->of_items,
		.type = value_type(target),
		.rules = rules,
	};
	const char *name = builder.type_field->name, *fits = fitting(target);
	bool list = strcmp(name, "repeated") == 0 || strcmp(name, "map") == 0;

	if (!fits || strcmp(fits, name) != 0)
		return rules_wrong(context, name, "the rules do not fit the field, which takes %s",
				   fits ? fits : "none of a type");
	if (!builder.type_field->message)
		return rules_wrong(context, name, "the set declares it with another type");
	TRY(note_read(context, builder.type_field->message, note->fields[i].values[0].bytes, name,
		      &builder.note));
	builder.all = ARENA_ARRAY(context->arena, struct rule, builder.note.message->n_fields);
	if (!builder.all)
		return rules_no_memory;
	rules->type_field = builder.type_field;
	TRY(list ? rules_build_lists(&builder) : typed_build(&builder));
	for (size_t j = 0; j < builder.n; j++) {
		builder.all[j].text = rules_text(&builder, &builder.all[j]);
		if (!builder.all[j].text)
			return rules_no_memory;
	}
	rules->rules = builder.all;
	rules->n_rules = builder.n;
	return status_ok();
}

static status ignore_read(struct rules_context *context, const struct note *note,
			  enum rule_ignore *ret)
{
	const struct note_field *ignore;
	int64_t value;

	TRY(note_take(context, note, "ignore", SCHEMA_ENUM, &ignore));
	value = ignore ? ignore->values[0].sint : IGNORE_UNSPECIFIED;
	if (value != IGNORE_UNSPECIFIED && value != IGNORE_IF_ZERO_VALUE && value != IGNORE_ALWAYS)
		return rules_wrong(context, "ignore", "%lld is not known", (long long)value);
	*ret = (enum rule_ignore)value;
	return status_ok();
}

static bool finite_alone(const struct field_rules *rules, enum schema_type type)
{
	return (type == SCHEMA_FLOAT || type == SCHEMA_DOUBLE) && rules->n_rules == 1 &&
	       rules->rules[0].kind == RULE_FINITE && !rules->required &&
	       rules->ignore == IGNORE_UNSPECIFIED;
}

/* All but what makes a field's rules void as a whole. */
static status note_compile(struct rules_context *context, const struct note *note,
			   const struct rules_target *target, struct field_rules *rules)
{
	bool required;

	TRY(note_flag(context, note, "required", &required));
	rules->required_field = schema_field_by_name(note->message, "required");
	/* What is an item is there: nothing can be required of it. */
	rules->required = required && !target->outer;
	for (size_t i = 0; i < note->message->n_fields; i++) {
		const struct schema_field *field = &note->message->fields[i];

		if (note->fields[i].n == 0)
			continue;
		if (field->oneof)
			TRY(typed_compile(context, note, i, target, rules));
		else if (strcmp(field->name, "required") != 0 && strcmp(field->name, "ignore") != 0)
			return rules_wrong(context, field->name, "the rule is not known");
	}
	if (!target->field->message && (target->of_items || !target->field->repeated))
		rules->only_finite = finite_alone(rules, target->field->type);
	return status_ok();
}

status rules_compile_values(struct rules_context *context, struct bytes bytes,
			    const struct rules_target *target, struct field_rules **ret)
{
	const struct schema_message *message;
	struct field_rules *rules = ARENA_NEW(context->arena, struct field_rules);
	struct note note;

	if (!rules)
		return rules_no_memory;
	TRY(note_message(context, "buf.validate.FieldRules", &message));
	rules->outer = target->outer;
	rules->place = target->place;
	/* Rules that are never looked at are not compiled, as protovalidate has it. */
	if (item_varint(bytes, FIELD_IGNORE, IGNORE_UNSPECIFIED) == IGNORE_ALWAYS &&
	    !item_check(bytes)) {
		rules->ignore = IGNORE_ALWAYS;
		*ret = rules;
		return status_ok();
	}
	if (item_count(bytes, FIELD_CEL, WIRE_LENGTH) > 0)
		return rules_cel(context, "cel");
	if (item_count(bytes, FIELD_CEL_EXPRESSION, WIRE_LENGTH) > 0)
		return rules_cel(context, "cel_expression");
	TRY(note_read(context, message, bytes, "", &note));
	TRY(ignore_read(context, &note, &rules->ignore));
	TRY(note_compile(context, &note, target, rules));
	*ret = rules;
	return status_ok();
}

/* Whether a message's own oneof rules name a field: then it is ignored while it is zero. */
static bool in_message_oneof(const struct schema_field *field)
{
	const struct message_rules *rules = field->container->rules;

	for (size_t i = 0; rules && i < rules->n_oneofs; i++)
		for (size_t j = 0; j < rules->oneofs[i].n_fields; j++)
			if (rules->oneofs[i].fields[j] == field)
				return true;
	return false;
}

status rules_compile_field(struct schema *schema, const struct schema_field *field,
			   struct arena *arena, const struct field_rules **ret)
{
	struct rules_context context = {
		.schema = schema,
		.arena = schema_arena(schema),
		.detail = arena,
		.message = field->container,
		.name = field->name,
		.place = "",
	};
	struct rules_target target = {.field = field};
	struct field_rules *rules = NULL;
	struct bytes bytes;

	TRY(note_option(&context, field->options, &bytes));
	if (!bytes.data) {
		*ret = NULL;
		return status_ok();
	}
	TRY(rules_compile_values(&context, bytes, &target, &rules));
	/* Only where the annotation itself says nothing of ignore. */
	if (in_message_oneof(field) && item_count(bytes, FIELD_IGNORE, WIRE_VARINT) == 0)
		rules->ignore = IGNORE_IF_ZERO_VALUE;
	*ret = rules;
	return status_ok();
}
