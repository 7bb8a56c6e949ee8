/* plan - what a message's rules come to, worked out once. */
#include "service/schema/plan.h"

#include "service/schema/rules_private.h"
#include "service/schema/schema_private.h"

static enum plan_kind kind_of(enum schema_type type)
{
	switch (type) {
	case SCHEMA_GROUP:
		return PLAN_NONE;
	case SCHEMA_MESSAGE:
		return PLAN_MESSAGE;
	case SCHEMA_STRING:
		return PLAN_TEXT;
	case SCHEMA_BYTES:
		return PLAN_BYTES;
	default:
		switch (scalar_wire_type(type)) {
		case WIRE_32:
			return PLAN_FIXED32;
		case WIRE_64:
			return PLAN_FIXED64;
		default:
			return PLAN_VARINT;
		}
	}
}

/* --- rules --- */

static bool is_text(const struct plan_value *value)
{
	return value->kind == PLAN_TEXT || value->kind == PLAN_BYTES;
}

/* A number, of whatever kind: to be looked at one by one. */
static bool is_number(const struct plan_value *value)
{
	return !is_text(value) && value->kind != PLAN_MESSAGE && value->kind != PLAN_NONE;
}

static void bytes_at_least(struct plan_value *value, uint64_t count)
{
	if (count > value->min_bytes)
		value->min_bytes = count;
}

static void bytes_at_most(struct plan_value *value, uint64_t count)
{
	if (count < value->max_bytes)
		value->max_bytes = count;
}

/* A rule that the value has words for. False: it has none. */
static bool text_rule(struct plan_value *value, const struct rule *rule)
{
	bool is_bytes = value->field->type == SCHEMA_BYTES;

	switch (rule->kind) {
	case RULE_MIN_BYTES:
		bytes_at_least(value, rule->operand.count);
		return true;
	case RULE_MAX_BYTES:
		bytes_at_most(value, rule->operand.count);
		return true;
	case RULE_MIN_LEN:
		/* Characters take a byte or more; only where it is one at most does that say all. */
		if (!is_bytes && (rule->operand.count > 1 || !value->field->verify_utf8))
			return false;
		bytes_at_least(value, rule->operand.count);
		return true;
	case RULE_MAX_LEN:
		if (!is_bytes)
			return false;
		bytes_at_most(value, rule->operand.count);
		return true;
	case RULE_PATTERN:
		if (is_bytes || value->regex)
			return false;
		value->regex = rule->regex;
		return true;
	default:
		return false;
	}
}

static struct plan_value value_of(const struct schema_field *field, const struct field_rules *rules)
{
	struct plan_value value = {
		.kind = kind_of(field->type),
		.field = field,
		.message = field->message,
		.tag = scalar_tag(field),
		.max_bytes = SIZE_MAX,
	};

	if (!rules || rules->ignore == IGNORE_ALWAYS || rules->n_rules == 0)
		return value;
	if (value.kind == PLAN_FIXED32 && rules->only_finite) {
		value.kind = PLAN_FINITE;
		value.rules = rules;
		return value;
	}
	value.skip_zero = rules->ignore == IGNORE_IF_ZERO_VALUE;
	for (size_t i = 0; i < rules->n_rules; i++)
		if (!is_text(&value) || !text_rule(&value, &rules->rules[i]))
			value.rules = rules;
	if (value.rules && is_number(&value))
		value.kind = PLAN_SCALAR;
	return value;
}

/* Below, at or above 0, as zero is to an operand; 2: not comparable. */
static int zero_compare(enum schema_type type, const union rule_operand *operand)
{
	union schema_value other = operand->scalar;

	switch (type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		return other.number > 0 ? -1 : other.number < 0 ? 1 : other.number == 0 ? 0 : 2;
	case SCHEMA_UINT64:
	case SCHEMA_UINT32:
	case SCHEMA_FIXED64:
	case SCHEMA_FIXED32:
	case SCHEMA_BOOL:
		return other.uint > 0 ? -1 : 0;
	default:
		return other.sint > 0 ? -1 : other.sint < 0;
	}
}

static bool zero_within(enum schema_type type, const struct rule *rule)
{
	int low = rule->range.has_low ? zero_compare(type, &rule->range.low) : 1;
	int high = rule->range.has_high ? zero_compare(type, &rule->range.high) : -1;
	bool above = rule->range.low_open ? low > 0 : low >= 0;
	bool below = rule->range.high_open ? high < 0 : high <= 0;

	if (low == 2 || high == 2)
		return false;
	return rule->range.outside ? above || below : above && below;
}

static bool zero_rule_holds(const struct schema_field *field, const struct rule *rule)
{
	switch (rule->kind) {
	case RULE_RANGE:
		return zero_within(field->type, rule);
	case RULE_FINITE:
		return true;
	case RULE_DEFINED_ONLY:
		return schema_enum_has(field->enumeration, 0);
	default:
		return false;
	}
}

/* Whether a field that is not there, and is zero for that, is surely as its rules want it. */
static bool zero_holds(const struct plan_value *value)
{
	if (value->skip_zero)
		return true;
	if (is_text(value))
		return !value->rules && value->min_bytes == 0 &&
		       (!value->regex || regex_match(value->regex, (struct bytes){NULL, 0}));
	for (size_t i = 0; value->rules && i < value->rules->n_rules; i++)
		if (!zero_rule_holds(value->field, &value->rules->rules[i]))
			return false;
	return true;
}

/* --- fields --- */

static void count_rules(struct plan_field *plan, const struct field_rules *rules)
{
	plan->max_items = UINT64_MAX;
	if (!rules || rules->ignore == IGNORE_ALWAYS)
		return;
	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];
		bool few = rule->kind == RULE_MIN_ITEMS || rule->kind == RULE_MIN_PAIRS;
		bool many = rule->kind == RULE_MAX_ITEMS || rule->kind == RULE_MAX_PAIRS;

		if (few && rule->operand.count > plan->min_items)
			plan->min_items = rule->operand.count;
		if (many && rule->operand.count < plan->max_items)
			plan->max_items = rule->operand.count;
		plan->unique |= rule->kind == RULE_UNIQUE;
	}
}

static status map_plan(struct plan_field *plan, const struct schema_field *field,
		       const struct field_rules *rules, struct arena *arena)
{
	const struct schema_field *parts = field->message->fields;

	plan->key = ARENA_NEW(arena, struct plan_value);
	if (!plan->key)
		return schema_no_memory;
	*plan->key = value_of(&parts[0], rules ? rules->keys : NULL);
	/* Keys are compared. */
	if (is_number(plan->key))
		plan->key->kind = PLAN_SCALAR;
	plan->value = value_of(&parts[1], rules ? rules->values : NULL);
	return status_ok();
}

static status repeated_plan(struct plan_field *plan, const struct schema_field *field,
			    struct message_plan *message, struct arena *arena)
{
	const struct field_rules *rules = field->rules;
	bool ignored = rules && rules->ignore == IGNORE_ALWAYS;

	plan->repeated = true;
	count_rules(plan, rules);
	if (rules && !ignored &&
	    (rules->required || (plan->min_items > 0 && rules->ignore != IGNORE_IF_ZERO_VALUE)))
		message->wanted |= plan->bit;
	if (ignored)
		rules = NULL;
	if (field->map)
		return map_plan(plan, field, rules, arena);
	plan->value = value_of(field, rules ? rules->items : NULL);
	if (scalar_is_packable(field->type))
		plan->packed_tag = field->number << 3 | WIRE_LENGTH;
	return status_ok();
}

static void singular_plan(struct plan_field *plan, const struct schema_field *field,
			  struct message_plan *message)
{
	const struct field_rules *rules = field->rules;
	bool required = rules && rules->required && rules->ignore != IGNORE_ALWAYS;

	plan->value = value_of(field, rules);
	plan->value.refuse_zero = required && !field->presence;
	/* What is there at all is looked at, zero or not. */
	if (field->presence)
		plan->value.skip_zero = false;
	if (required || (!field->presence && !zero_holds(&plan->value)))
		message->wanted |= plan->bit;
}

static status field_plan(const struct schema_field *field, struct message_plan *message,
			 struct arena *arena)
{
	struct plan_field *plan = &message->fields[field->index];

	plan->bit = UINT64_C(1) << field->index;
	plan->excludes = plan->bit;
	plan->tag = field->type == SCHEMA_GROUP ? 0 : scalar_tag(field);
	for (size_t i = 0; field->oneof && i < field->oneof->n_fields; i++)
		plan->excludes |= UINT64_C(1) << field->oneof->fields[i]->index;
	if (field->repeated)
		return repeated_plan(plan, field, message, arena);
	singular_plan(plan, field, message);
	return status_ok();
}

/* --- messages --- */

static uint64_t bits_of(const struct schema_field *const *fields, size_t n)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < n; i++)
		bits |= UINT64_C(1) << fields[i]->index;
	return bits;
}

static status choices_plan(const struct schema_message *message, struct message_plan *plan,
			   struct arena *arena)
{
	size_t n = message->rules ? message->rules->n_oneofs : 0;

	plan->choices = ARENA_ARRAY(arena, struct plan_choice, n + message->n_oneofs);
	if (!plan->choices)
		return schema_no_memory;
	for (size_t i = 0; i < n; i++) {
		const struct message_oneof *oneof = &message->rules->oneofs[i];

		plan->choices[plan->n_choices++] = (struct plan_choice){
			bits_of(oneof->fields, oneof->n_fields), oneof->required};
		/* One that is there and zero is not counted; the walk knows. */
		for (size_t j = 0; j < oneof->n_fields; j++)
			if (!oneof->fields[j]->presence && !oneof->fields[j]->repeated)
				plan->fields[oneof->fields[j]->index].value.refuse_zero = true;
	}
	/* Of a oneof there is one at most in any case. */
	for (size_t i = 0; i < message->n_oneofs; i++)
		if (message->oneofs[i].required)
			plan->choices[plan->n_choices++] = (struct plan_choice){
				bits_of(message->oneofs[i].fields, message->oneofs[i].n_fields),
				true};
	return status_ok();
}

/* What follows from all that was put down. Only a number that is looked at is seen to be zero. */
static void value_finish(struct plan_value *value)
{
	if (value->refuse_zero && is_number(value))
		value->kind = PLAN_SCALAR;
	value->is_odd = value->rules || value->skip_zero || value->refuse_zero;
}

/* By the byte that a field begins with. */
static void tags_plan(const struct schema_message *message, struct message_plan *plan)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct plan_field *field = &plan->fields[i];

		value_finish(&plan->fields[i].value);
		if (field->key)
			value_finish(field->key);
		if (message->fields[i].number > 15)
			continue;
		if (field->tag)
			plan->by_tag[field->tag] = (uint8_t)(i + 1);
		if (field->packed_tag)
			plan->by_tag[field->packed_tag] = (uint8_t)(i + 1);
	}
}

/* A message that is left out is looked into all the same where it has no presence; there is none. */
static bool is_plannable(const struct schema_message *message)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct schema_field *field = &message->fields[i];

		if (field->message && !field->presence && !field->repeated)
			return false;
	}
	return message->n_fields <= PLAN_FIELDS_MAX;
}

status plan_make(const struct schema_message *message, struct arena *arena,
		 const struct message_plan **ret)
{
	struct message_plan *plan;

	*ret = NULL;
	if (!is_plannable(message))
		return status_ok();
	plan = ARENA_NEW(arena, struct message_plan);
	if (!plan)
		return schema_no_memory;
	plan->fields = ARENA_ARRAY(arena, struct plan_field, message->n_fields);
	if (!plan->fields)
		return schema_no_memory;
	for (size_t i = 0; i < message->n_fields; i++)
		TRY(field_plan(&message->fields[i], plan, arena));
	TRY(choices_plan(message, plan, arena));
	tags_plan(message, plan);
	*ret = plan;
	return status_ok();
}
