/* json_schema_zero - whether a field that is not there meets its rules.
 *
 * A field without presence is looked at even where it was not sent: then it is zero, or empty. Where
 * zero breaks a rule, JSON Schema has to call the property required.
 */
#include "service/schema/json_schema_maker.h"

enum rule_ignore json_ignore(const struct schema_field *field)
{
	const struct message_rules *rules = field->container->rules;
	enum rule_ignore own = field->rules ? field->rules->ignore : IGNORE_UNSPECIFIED;

	if (own != IGNORE_UNSPECIFIED)
		return own;
	for (size_t i = 0; rules && i < rules->n_oneofs; i++)
		for (size_t j = 0; j < rules->oneofs[i].n_fields; j++)
			if (rules->oneofs[i].fields[j] == field)
				return IGNORE_IF_ZERO_VALUE;
	return own;
}

static bool is_float(const struct schema_field *field)
{
	return field->type == SCHEMA_DOUBLE || field->type == SCHEMA_FLOAT;
}

static bool is_unsigned(const struct schema_field *field)
{
	return field->type == SCHEMA_UINT64 || field->type == SCHEMA_UINT32 ||
	       field->type == SCHEMA_FIXED64 || field->type == SCHEMA_FIXED32 ||
	       field->type == SCHEMA_BOOL;
}

/* -1, 0 or 1. */
static int sign_of(const struct schema_field *field, union schema_value value)
{
	if (field->type == SCHEMA_STRING || field->type == SCHEMA_BYTES)
		return value.bytes.size > 0;
	if (is_float(field))
		return (value.number > 0) - (value.number < 0);
	if (is_unsigned(field))
		return value.uint > 0;
	return (value.sint > 0) - (value.sint < 0);
}

static bool range_has_zero(const struct schema_field *field, const struct rule *rule)
{
	int low = sign_of(field, rule->range.low.scalar);
	int high = sign_of(field, rule->range.high.scalar);
	bool above = !rule->range.has_low || (rule->range.low_open ? low < 0 : low <= 0);
	bool below = !rule->range.has_high || (rule->range.high_open ? high > 0 : high >= 0);

	return rule->range.outside ? above || below : above && below;
}

static bool set_has_zero(const struct schema_field *field, const struct rule *rule)
{
	for (size_t i = 0; i < rule->set.n; i++)
		if (sign_of(field, rule->set.members[i].scalar) == 0)
			return true;
	return false;
}

static bool rule_passes(const struct schema_field *field, const struct rule *rule)
{
	const struct bytes empty = {(const uint8_t *)"", 0};

	switch (rule->kind) {
	case RULE_CONST:
		return sign_of(field, rule->operand.scalar) == 0;
	case RULE_RANGE:
		return range_has_zero(field, rule);
	case RULE_IN:
		return set_has_zero(field, rule);
	case RULE_NOT_IN:
		return !set_has_zero(field, rule);
	case RULE_DEFINED_ONLY:
		return schema_enum_has(field->enumeration, 0);
	case RULE_LEN:
	case RULE_MIN_LEN:
	case RULE_LEN_BYTES:
	case RULE_MIN_BYTES:
	case RULE_MIN_ITEMS:
	case RULE_MIN_PAIRS:
		return rule->operand.count == 0;
	case RULE_PREFIX:
	case RULE_SUFFIX:
	case RULE_CONTAINS:
		return rule->operand.scalar.bytes.size == 0;
	case RULE_NOT_CONTAINS:
		return rule->operand.scalar.bytes.size != 0;
	case RULE_PATTERN:
		return regex_match(rule->regex, empty);
	case RULE_FORMAT:
		return format_matches(rule->format.format, empty, rule->format.strict);
	default:
		return true;
	}
}

bool json_rules_pass_zero(const struct schema_field *field, const struct field_rules *rules)
{
	for (size_t i = 0; i < rules->n_rules; i++)
		if (!rule_passes(field, &rules->rules[i]))
			return false;
	return true;
}

bool json_zero_passes(const struct schema_field *field)
{
	const struct field_rules *rules = field->rules;

	if (!rules || json_ignore(field) == IGNORE_ALWAYS)
		return true;
	if (rules->required)
		return false;
	/* Not there, and not zero either: not looked at. */
	if (field->presence || json_ignore(field) == IGNORE_IF_ZERO_VALUE)
		return true;
	return json_rules_pass_zero(field, rules);
}
