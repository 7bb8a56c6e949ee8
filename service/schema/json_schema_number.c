/* json_schema_number - numbers: their type's own range, their rules, and their forms as strings. */
#include "service/schema/json_schema_maker.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What a value may be: two ranges at most, where allowed is what is not between two bounds. */
struct limits {
	bool has_low, has_high, low_open, high_open;
	union schema_value low, high;
};

static bool is_float(const struct schema_field *field)
{
	return field->type == SCHEMA_DOUBLE || field->type == SCHEMA_FLOAT;
}

static bool is_unsigned(const struct schema_field *field)
{
	return field->type == SCHEMA_UINT64 || field->type == SCHEMA_UINT32 ||
	       field->type == SCHEMA_FIXED64 || field->type == SCHEMA_FIXED32;
}

static bool is_wide(const struct schema_field *field)
{
	return field->type == SCHEMA_INT64 || field->type == SCHEMA_UINT64 ||
	       field->type == SCHEMA_SINT64 || field->type == SCHEMA_FIXED64 ||
	       field->type == SCHEMA_SFIXED64;
}

/* A float as the shortest decimal that is read back as it: 0.999, not 0.999000013. */
static double shortest(const struct schema_field *field, double value)
{
	char text[RULES_NUMBER_BYTES];

	if (field->type != SCHEMA_FLOAT)
		return value;
	rules_number_print(SCHEMA_FLOAT, value, text, sizeof text);
	return strtod(text, NULL);
}

/* NULL where it is no number of JSON. */
static json_t *number_of(const struct schema_field *field, union schema_value value)
{
	if (is_float(field))
		return isfinite(value.number) ? json_real(shortest(field, value.number)) : NULL;
	if (!is_unsigned(field))
		return json_integer(value.sint);
	/* jansson's integers are signed: above them, to the nearest double. */
	if (value.uint > INT64_MAX)
		return json_real((double)value.uint);
	return json_integer((json_int_t)value.uint);
}

/* Puts a number into a list, and its form as a string where it has one. */
static void member_add(struct json_maker *maker, const struct schema_field *field,
		       union schema_value value, json_t *list)
{
	char text[24];

	if (is_float(field) && !isfinite(value.number)) {
		if (maker->traits->wide)
			json_add(maker, list,
				 json_text(maker, isnan(value.number) ? "NaN"
						  : value.number > 0  ? "Infinity"
								      : "-Infinity"));
		return;
	}
	json_add(maker, list, number_of(field, value));
	if (!is_wide(field) || !maker->traits->wide)
		return;
	if (is_unsigned(field))
		snprintf(text, sizeof text, "%llu", (unsigned long long)value.uint);
	else
		snprintf(text, sizeof text, "%lld", (long long)value.sint);
	json_add(maker, list, json_text(maker, text));
}

json_t *json_zero(struct json_maker *maker, const struct schema_field *field)
{
	json_t *list = json_array();

	if (field->type == SCHEMA_STRING || field->type == SCHEMA_BYTES)
		json_add(maker, list, json_text(maker, ""));
	else if (field->type == SCHEMA_BOOL)
		json_add(maker, list, json_false());
	else if (field->type == SCHEMA_ENUM)
		for (size_t i = 0; i < field->enumeration->n_values; i++) {
			if (field->enumeration->values[i].number == 0)
				json_add(maker, list,
					 json_text(maker, field->enumeration->values[i].name));
		}
	else
		member_add(maker, field, (union schema_value){0}, list);
	return list;
}

/* The range that a type has by itself, as far as its decimals go. */
static struct limits limits_of_type(const struct schema_field *field)
{
	struct limits ret = {.has_low = true, .has_high = true};

	if (is_unsigned(field)) {
		ret.high.uint = is_wide(field) ? UINT64_MAX : UINT32_MAX;
	} else if (is_wide(field)) {
		ret.low.sint = INT64_MIN;
		ret.high.sint = INT64_MAX;
	} else if (field->type == SCHEMA_FLOAT) {
		ret.low.number = -(double)FLT_MAX;
		ret.high.number = (double)FLT_MAX;
	} else if (field->type == SCHEMA_DOUBLE) {
		ret.has_low = ret.has_high = false;
	} else {
		ret.low.sint = INT32_MIN;
		ret.high.sint = INT32_MAX;
	}
	return ret;
}

static void limits_put(struct json_maker *maker, const struct schema_field *field,
		       const struct limits *limits, json_t *schema)
{
	/* 2^64 - 1 is no number of jansson's; 2^64 is one of double's. */
	bool whole = is_unsigned(field) && limits->has_high && !limits->high_open &&
		     limits->high.uint == UINT64_MAX;

	if (limits->has_low && !(is_float(field) && isinf(limits->low.number)))
		json_put(maker, schema, limits->low_open ? "exclusiveMinimum" : "minimum",
			 number_of(field, limits->low));
	if (whole)
		json_put(maker, schema, "exclusiveMaximum", json_real(0x1p64));
	else if (limits->has_high && !(is_float(field) && isinf(limits->high.number)))
		json_put(maker, schema, limits->high_open ? "exclusiveMaximum" : "maximum",
			 number_of(field, limits->high));
}

/* The decimals of a range of 64-bit integers; an open bound is moved by one. */
static void limits_pattern(const struct schema_field *field, const struct limits *limits,
			   struct buffer *pattern)
{
	struct limits in = limits_of_type(field);

	if (limits->has_low)
		in.low = limits->low;
	if (limits->has_high)
		in.high = limits->high;
	if (is_unsigned(field))
		json_decimals(pattern, in.low.uint + (limits->low_open ? 1 : 0),
			      in.high.uint - (limits->high_open ? 1 : 0));
	else
		json_signed_decimals(pattern, in.low.sint + (limits->low_open ? 1 : 0),
				     in.high.sint - (limits->high_open ? 1 : 0));
}

/* --- rules --- */

static const struct rule *rule_find(const struct field_rules *rules, enum rule_kind kind)
{
	for (size_t i = 0; rules && i < rules->n_rules; i++)
		if (rules->rules[i].kind == kind)
			return &rules->rules[i];
	return NULL;
}

/* The rule's ranges within the type's. ret  [2]. Gives how many. */
static size_t limits_of_rule(const struct schema_field *field, const struct rule *rule,
			     struct limits ret[2])
{
	ret[0] = limits_of_type(field);
	if (!rule)
		return 1;
	ret[1] = ret[0];
	if (rule->range.has_low) {
		ret[0].has_low = true;
		ret[0].low = rule->range.low.scalar;
		ret[0].low_open = rule->range.low_open;
	}
	if (!rule->range.has_high)
		return 1;
	if (!rule->range.outside) {
		ret[0].has_high = true;
		ret[0].high = rule->range.high.scalar;
		ret[0].high_open = rule->range.high_open;
		return 1;
	}
	ret[1].has_high = true;
	ret[1].high = rule->range.high.scalar;
	ret[1].high_open = rule->range.high_open;
	return 2;
}

static void number_print(const struct schema_field *field, union schema_value value, char *text,
			 size_t size)
{
	if (is_float(field))
		snprintf(text, size, "%.9g", shortest(field, value.number));
	else if (is_unsigned(field))
		snprintf(text, size, "%llu", (unsigned long long)value.uint);
	else
		snprintf(text, size, "%lld", (long long)value.sint);
}

static void range_note(const struct schema_field *field, const struct rule *rule,
		       struct json_notes *notes)
{
	char low[32], high[32];

	number_print(field, rule->range.low.scalar, low, sizeof low);
	number_print(field, rule->range.high.scalar, high, sizeof high);
	if (rule->range.outside)
		json_note(notes, "At %s %s or at %s %s.", rule->range.high_open ? "below" : "most",
			  high, rule->range.low_open ? "above" : "least", low);
	else if (rule->range.has_low && rule->range.has_high && !rule->range.low_open &&
		 !rule->range.high_open)
		json_note(notes, "From %s to %s.", low, high);
	else if (rule->range.has_low && rule->range.has_high)
		json_note(notes, "%s %s and %s %s.", rule->range.low_open ? "Above" : "From", low,
			  rule->range.high_open ? "below" : "at most", high);
	else if (rule->range.has_low)
		json_note(notes, "%s %s.", rule->range.low_open ? "Above" : "At least", low);
	else
		json_note(notes, "%s %s.", rule->range.high_open ? "Below" : "At most", high);
}

/* A list of what a const, in or not_in names. */
static json_t *members_of(struct json_maker *maker, const struct schema_field *field,
			  const struct rule *rule)
{
	json_t *list = json_array();

	if (rule->kind == RULE_CONST)
		member_add(maker, field, rule->operand.scalar, list);
	else
		for (size_t i = 0; i < rule->set.n; i++)
			member_add(maker, field, rule->set.members[i].scalar, list);
	return list;
}

/* NaN and the infinities, where no rule refuses them. A range refuses NaN. */
static json_t *specials(struct json_maker *maker, const struct field_rules *rules)
{
	const struct rule *range = rule_find(rules, RULE_RANGE);
	bool outside = range && range->range.outside;
	json_t *list;

	if (rule_find(rules, RULE_FINITE) || rule_find(rules, RULE_CONST) ||
	    rule_find(rules, RULE_IN))
		return NULL;
	list = json_array();
	if (!range)
		json_add(maker, list, json_text(maker, "NaN"));
	if (!range || outside || !range->range.has_high)
		json_add(maker, list, json_text(maker, "Infinity"));
	if (!range || outside || !range->range.has_low)
		json_add(maker, list, json_text(maker, "-Infinity"));
	if (json_array_size(list) == 0) {
		json_decref(list);
		return NULL;
	}
	return list;
}

/* The pattern of n ranges of integers. */
static json_t *decimals_text(struct json_maker *maker, const struct schema_field *field,
			     const struct limits *limits, size_t n)
{
	struct buffer pattern = {0};
	json_t *text;

	buffer_append(&pattern, "^(?:", 4);
	for (size_t i = 0; i < n; i++) {
		buffer_append(&pattern, "|", i > 0);
		limits_pattern(field, &limits[i], &pattern);
	}
	buffer_append(&pattern, ")$", sizeof ")$"); /* and its NUL */
	text = json_text(maker, pattern.failed ? NULL : (const char *)pattern.data);
	buffer_finish(&pattern);
	return text;
}

/* The other form of a number: NULL where it has none. */
static json_t *string_form(struct json_maker *maker, const struct schema_field *field,
			   const struct field_rules *rules, const struct limits *limits, size_t n)
{
	json_t *schema, *list;

	if (!maker->traits->wide || (!is_float(field) && !is_wide(field)))
		return NULL;
	if (is_float(field)) {
		list = specials(maker, rules);
		if (!list)
			return NULL;
		schema = json_object();
		json_put(maker, schema, "enum", list);
		return schema;
	}
	schema = json_object();
	json_put(maker, schema, "type", json_text(maker, "string"));
	json_put(maker, schema, "pattern", decimals_text(maker, field, limits, n));
	return schema;
}

static json_t *ranges_schema(struct json_maker *maker, const struct schema_field *field,
			     const struct limits *limits, size_t n)
{
	json_t *schema = json_object(), *any, *one;

	json_put(maker, schema, "type", json_text(maker, is_float(field) ? "number" : "integer"));
	if (n == 1) {
		limits_put(maker, field, limits, schema);
		return schema;
	}
	any = json_array();
	for (size_t i = 0; i < n; i++) {
		one = json_object();
		limits_put(maker, field, &limits[i], one);
		json_add(maker, any, one);
	}
	json_put(maker, schema, "anyOf", any);
	return schema;
}

/* Leaves of the type's own range that an unsigned number is not negative. */
static void limits_spare(const struct schema_field *field, const struct rule *range,
			 struct limits *limits)
{
	limits->has_low = is_unsigned(field) || (range && range->range.has_low);
	limits->has_high = range && range->range.has_high;
}

json_t *json_number_schema(struct json_maker *maker, const struct schema_field *field,
			   const struct field_rules *rules, struct json_notes *notes)
{
	const struct rule *range = rule_find(rules, RULE_RANGE);
	struct limits limits[2];
	size_t n = limits_of_rule(field, range, limits);
	json_t *schema, *other, *both, *any;

	/* A model is spared what a type says by itself. */
	if (!maker->traits->wide && n == 1)
		limits_spare(field, range, &limits[0]);
	if (!maker->traits->ranges) {
		limits[0] = (struct limits){0};
		n = 1;
		if (range)
			range_note(field, range, notes);
		else if (is_unsigned(field))
			json_note(notes, "Not negative.");
	}
	schema = ranges_schema(maker, field, limits, n);
	n = limits_of_rule(field, range, limits);
	other = string_form(maker, field, rules, limits, n);
	if (other) {
		any = json_array();
		json_add(maker, any, schema);
		json_add(maker, any, other);
		both = json_object();
		json_put(maker, both, "anyOf", any);
		schema = both;
	}
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		if (rule->kind == RULE_CONST || rule->kind == RULE_IN || rule->kind == RULE_NOT_IN)
			json_members_put(maker, rule, members_of(maker, field, rule), schema,
					 notes);
	}
	return schema;
}

/* The members of a set as strings. */
static json_t *texts_of(struct json_maker *maker, json_t *members)
{
	json_t *ret = json_array(), *member;
	char text[24];
	size_t i;

	json_array_foreach(members, i, member)
	{
		if (!json_is_integer(member))
			continue;
		snprintf(text, sizeof text, "%lld", (long long)json_integer_value(member));
		json_add(maker, ret, json_text(maker, text));
	}
	json_decref(members);
	return ret;
}

json_t *json_number_key(struct json_maker *maker, const struct schema_field *field,
			const struct field_rules *rules)
{
	struct limits limits[2];
	size_t n = limits_of_rule(field, rule_find(rules, RULE_RANGE), limits);
	json_t *schema = json_object(), *members, *not;

	json_put(maker, schema, "pattern", decimals_text(maker, field, limits, n));
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		if (rule->kind != RULE_CONST && rule->kind != RULE_IN && rule->kind != RULE_NOT_IN)
			continue;
		members = texts_of(maker, members_of(maker, field, rule));
		if (rule->kind == RULE_NOT_IN) {
			not = json_object();
			json_put(maker, not, "enum", members);
			json_also(maker, schema, "not", not);
		} else {
			json_also(maker, schema, "enum", members);
		}
	}
	return schema;
}
