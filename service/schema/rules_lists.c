/* rules_lists - rules of repeated fields and maps, and of what is in them. */
#include "service/schema/rules_private.h"

/* The rules of items, keys or values: FieldRules again, about another field. */
static status inner_compile(struct rules_builder *builder, size_t i,
			    const struct schema_field *field, const struct field_rules **ret)
{
	struct rules_context context = *builder->context;
	struct field_rules *rules;
	struct rules_target target = {
		.field = field,
		.of_items = field == builder->target,
		.outer = builder->rules,
		.place = &builder->note.message->fields[i],
	};

	TRY(rule_type_check(builder, i, SCHEMA_MESSAGE));
	context.place = arena_printf(context.arena, "%s%s.%s.", context.place,
				     builder->type_field->name, target.place->name);
	if (!context.place)
		return rules_no_memory;
	TRY(rules_compile_values(&context, builder->note.fields[i].values[0].bytes, &target,
				 &rules));
	*ret = rules;
	return status_ok();
}

/* Uniqueness is of scalars; two messages are not compared. */
static status unique_add(struct rules_builder *builder, size_t i)
{
	size_t n = builder->n;

	TRY(rule_add_flag(builder, RULE_UNIQUE, i));
	if (builder->n > n && builder->target->message)
		return rules_wrong(builder->context, rule_name(builder, i),
				   "messages cannot be unique");
	return status_ok();
}

static status repeated_add(struct rules_builder *builder, size_t i)
{
	const char *name = builder->note.message->fields[i].name;

	if (strcmp(name, "min_items") == 0)
		return rule_add_count(builder, RULE_MIN_ITEMS, i);
	if (strcmp(name, "max_items") == 0)
		return rule_add_count(builder, RULE_MAX_ITEMS, i);
	if (strcmp(name, "unique") == 0)
		return unique_add(builder, i);
	if (strcmp(name, "items") == 0)
		return inner_compile(builder, i, builder->target, &builder->rules->items);
	return rules_wrong(builder->context, rule_name(builder, i), "the rule is not known");
}

static status map_add(struct rules_builder *builder, size_t i)
{
	const struct schema_field *entry = builder->target->message->fields;
	const char *name = builder->note.message->fields[i].name;

	if (strcmp(name, "min_pairs") == 0)
		return rule_add_count(builder, RULE_MIN_PAIRS, i);
	if (strcmp(name, "max_pairs") == 0)
		return rule_add_count(builder, RULE_MAX_PAIRS, i);
	if (strcmp(name, "keys") == 0)
		return inner_compile(builder, i, &entry[0], &builder->rules->keys);
	if (strcmp(name, "values") == 0)
		return inner_compile(builder, i, &entry[1], &builder->rules->values);
	return rules_wrong(builder->context, rule_name(builder, i), "the rule is not known");
}

status rules_build_lists(struct rules_builder *builder)
{
	for (size_t i = 0; i < builder->note.message->n_fields; i++) {
		if (builder->note.fields[i].n == 0)
			continue;
		TRY(builder->target->map ? map_add(builder, i) : repeated_add(builder, i));
	}
	return status_ok();
}
