/* rules_build - what every kind of rules is made of: one rule of the note's field, with its operands. */
#include "service/schema/rules_private.h"
#include "service/schema/schema_item.h"

const char *rule_name(const struct rules_builder *builder, size_t i)
{
	const char *name =
		arena_printf(builder->context->detail, "%s.%s", builder->type_field->name,
			     builder->note.message->fields[i].name);

	return name ? name : builder->type_field->name;
}

status rule_add(struct rules_builder *builder, enum rule_kind kind, size_t i, struct rule **ret)
{
	const struct schema_field *field = &builder->note.message->fields[i];
	struct rule *rule = &builder->all[builder->n];

	rule->kind = kind;
	rule->field = field;
	rule->id = arena_printf(builder->context->arena, "%s.%s", builder->type_field->name,
				field->name);
	if (!rule->id)
		return rules_no_memory;
	builder->n++;
	*ret = rule;
	return status_ok();
}

status rule_type_check(const struct rules_builder *builder, size_t i, enum schema_type type)
{
	if (builder->note.message->fields[i].type == type)
		return status_ok();
	return rules_wrong(builder->context, rule_name(builder, i),
			   "the set declares it with another type");
}

/* Of a Duration or a Timestamp. */
static status time_read(const struct rules_builder *builder, size_t i, struct bytes bytes,
			struct rule_time *ret)
{
	const char *wrong = item_check(bytes);
	int64_t nanos = (int64_t)item_varint(bytes, 2, 0);

	if (wrong)
		return rules_wrong(builder->context, rule_name(builder, i), "%s", wrong);
	if (nanos <= -1000000000 || nanos >= 1000000000)
		return rules_wrong(builder->context, rule_name(builder, i),
				   "%lld nanos are a second or more", (long long)nanos);
	ret->seconds = (int64_t)item_varint(bytes, 1, 0);
	ret->nanos = (int32_t)nanos;
	return status_ok();
}

static bool is_time(const struct schema_field *field)
{
	return field->message && (field->message->well_known == WELL_KNOWN_DURATION ||
				  field->message->well_known == WELL_KNOWN_TIMESTAMP);
}

/* The type that the operand of a value's rule has: an enum is compared by number, and Any and
 * FieldMask are asked for names. */
static enum schema_type operand_type(const struct rules_builder *builder,
				     const struct schema_field *field)
{
	if (builder->type == SCHEMA_ENUM)
		return SCHEMA_INT32;
	if (builder->type != SCHEMA_MESSAGE && builder->type != SCHEMA_GROUP)
		return builder->type;
	return is_time(builder->target) || !field->repeated ? SCHEMA_MESSAGE : SCHEMA_STRING;
}

status rule_operand(const struct rules_builder *builder, size_t i, size_t j,
		    union rule_operand *ret)
{
	const struct schema_field *field = &builder->note.message->fields[i];
	union schema_value value = builder->note.fields[i].values[j];

	TRY(rule_type_check(builder, i, operand_type(builder, field)));
	if (is_time(field) != is_time(builder->target))
		return rules_wrong(builder->context, rule_name(builder, i),
				   "the set declares it with another type");
	if (is_time(field))
		return time_read(builder, i, value.bytes, &ret->time);
	ret->scalar = value;
	return status_ok();
}

status rule_add_value(struct rules_builder *builder, enum rule_kind kind, size_t i)
{
	struct rule *rule;

	TRY(rule_add(builder, kind, i, &rule));
	return rule_operand(builder, i, 0, &rule->operand);
}

status rule_add_set(struct rules_builder *builder, enum rule_kind kind, size_t i)
{
	size_t n = builder->note.fields[i].n;
	union rule_operand *members = ARENA_ARRAY(builder->context->arena, union rule_operand, n);
	struct rule *rule;

	if (!members)
		return rules_no_memory;
	TRY(rule_add(builder, kind, i, &rule));
	for (size_t j = 0; j < n; j++)
		TRY(rule_operand(builder, i, j, &members[j]));
	rule->set.members = members;
	rule->set.n = n;
	return status_ok();
}

status rule_add_count(struct rules_builder *builder, enum rule_kind kind, size_t i)
{
	struct rule *rule;

	TRY(rule_type_check(builder, i, SCHEMA_UINT64));
	TRY(rule_add(builder, kind, i, &rule));
	rule->operand.count = builder->note.fields[i].values[0].uint;
	return status_ok();
}

status rule_add_flag(struct rules_builder *builder, enum rule_kind kind, size_t i)
{
	struct rule *rule;

	TRY(rule_type_check(builder, i, SCHEMA_BOOL));
	if (!builder->note.fields[i].values[0].uint)
		return status_ok();
	return rule_add(builder, kind, i, &rule);
}
