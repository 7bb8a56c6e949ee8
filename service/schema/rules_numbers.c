/* rules_numbers - rules of numbers, enums and bools, of durations and timestamps, and of Any and
 * FieldMask, which have the same words: const, in, not_in. */
#include "service/schema/rules_private.h"

#include <math.h>

/* The bounds of a range, as indices into the note; SIZE_MAX: not given. */
struct bounds {
	size_t low, high;
};

/* A bound by its name; lt_now and gt_now are rules of their own. */
static bool is_low(const char *name)
{
	return strcmp(name, "gt") == 0 || strcmp(name, "gte") == 0;
}

static bool is_high(const char *name)
{
	return strcmp(name, "lt") == 0 || strcmp(name, "lte") == 0;
}

static struct bounds bounds_find(const struct note *note)
{
	struct bounds bounds = {SIZE_MAX, SIZE_MAX};

	for (size_t i = 0; i < note->message->n_fields; i++) {
		if (note->fields[i].n == 0)
			continue;
		if (is_low(note->message->fields[i].name))
			bounds.low = i;
		if (is_high(note->message->fields[i].name))
			bounds.high = i;
	}
	return bounds;
}

static int times_compare(struct rule_time a, struct rule_time b)
{
	if (a.seconds != b.seconds)
		return a.seconds < b.seconds ? -1 : 1;
	return a.nanos < b.nanos ? -1 : a.nanos > b.nanos;
}

static bool is_below(enum schema_type type, const union rule_operand *a,
		     const union rule_operand *b)
{
	switch (type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		return a->scalar.number < b->scalar.number;
	case SCHEMA_UINT32:
	case SCHEMA_UINT64:
	case SCHEMA_FIXED32:
	case SCHEMA_FIXED64:
		return a->scalar.uint < b->scalar.uint;
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		return times_compare(a->time, b->time) < 0;
	default:
		return a->scalar.sint < b->scalar.sint;
	}
}

/* A bound that is no number would hold for nothing or for everything. */
static status bound_read(struct rules_builder *builder, size_t i, union rule_operand *ret)
{
	bool number = builder->type == SCHEMA_FLOAT || builder->type == SCHEMA_DOUBLE;

	TRY(rule_operand(builder, i, 0, ret));
	if (number && isnan(ret->scalar.number))
		return rules_wrong(builder->context, rule_name(builder, i), "NaN is no bound");
	return status_ok();
}

/* One rule of both bounds, under the low one's name: "int32.gt_lte", "int32.gt_lte_exclusive" where
 * the high bound is the lower one, which leaves out what is between. */
static status range_add(struct rules_builder *builder)
{
	const struct schema_field *fields = builder->note.message->fields;
	struct bounds bounds = bounds_find(&builder->note);
	bool has_low = bounds.low != SIZE_MAX, has_high = bounds.high != SIZE_MAX;
	struct rule *rule;

	TRY(rule_add(builder, RULE_RANGE, has_low ? bounds.low : bounds.high, &rule));
	rule->range.has_low = has_low;
	rule->range.has_high = has_high;
	if (has_low) {
		TRY(bound_read(builder, bounds.low, &rule->range.low));
		rule->range.low_open = strcmp(fields[bounds.low].name, "gt") == 0;
	}
	if (has_high) {
		TRY(bound_read(builder, bounds.high, &rule->range.high));
		rule->range.high_open = strcmp(fields[bounds.high].name, "lt") == 0;
	}
	if (!has_low || !has_high)
		return status_ok();
	rule->range.outside = is_below(builder->type, &rule->range.high, &rule->range.low);
	rule->id = arena_printf(builder->context->arena, "%s_%s%s", rule->id,
				fields[bounds.high].name, rule->range.outside ? "_exclusive" : "");
	return rule->id ? status_ok() : rules_no_memory;
}

/* Both bounds are in the range of whichever comes first. */
static status bound_add(struct rules_builder *builder, bool *ranged)
{
	if (*ranged)
		return status_ok();
	*ranged = true;
	return range_add(builder);
}

/* Timestamps' within is a Duration, whatever the value is. */
static status within_add(struct rules_builder *builder, size_t i)
{
	const struct schema_field *field = &builder->note.message->fields[i];

	if (!field->message || field->message->well_known != WELL_KNOWN_DURATION)
		return rules_wrong(builder->context, rule_name(builder, i),
				   "the set declares it with another type");
	return rule_add_value(builder, RULE_WITHIN, i);
}

/* Whether a kind of value has a rule at all follows from its rules message. */
static status number_add(struct rules_builder *builder, size_t i, bool *ranged)
{
	const char *name = builder->note.message->fields[i].name;

	if (is_low(name) || is_high(name))
		return bound_add(builder, ranged);
	if (strcmp(name, "const") == 0)
		return rule_add_value(builder, RULE_CONST, i);
	if (strcmp(name, "in") == 0)
		return rule_add_set(builder, RULE_IN, i);
	if (strcmp(name, "not_in") == 0)
		return rule_add_set(builder, RULE_NOT_IN, i);
	if (strcmp(name, "finite") == 0)
		return rule_add_flag(builder, RULE_FINITE, i);
	if (strcmp(name, "defined_only") == 0 && builder->target->enumeration)
		return rule_add_flag(builder, RULE_DEFINED_ONLY, i);
	if (strcmp(name, "lt_now") == 0)
		return rule_add_flag(builder, RULE_LT_NOW, i);
	if (strcmp(name, "gt_now") == 0)
		return rule_add_flag(builder, RULE_GT_NOW, i);
	if (strcmp(name, "within") == 0)
		return within_add(builder, i);
	if (strcmp(name, "example") == 0)
		return status_ok();
	return rules_wrong(builder->context, rule_name(builder, i), "the rule is not known");
}

status rules_build_numbers(struct rules_builder *builder)
{
	bool ranged = false;

	for (size_t i = 0; i < builder->note.message->n_fields; i++)
		if (builder->note.fields[i].n > 0)
			TRY(number_add(builder, i, &ranged));
	return status_ok();
}
