/* json_schema_field - a field's value: one, a list or a map. */
#include "service/schema/json_schema_maker.h"

static const struct rule *rule_find(const struct field_rules *rules, enum rule_kind kind)
{
	for (size_t i = 0; rules && i < rules->n_rules; i++)
		if (rules->rules[i].kind == kind)
			return &rules->rules[i];
	return NULL;
}

/* --- one value --- */

static bool set_has(const struct rule *rule, int32_t number)
{
	if (rule->kind == RULE_CONST)
		return rule->operand.scalar.sint == number;
	for (size_t i = 0; i < rule->set.n; i++)
		if (rule->set.members[i].scalar.sint == number)
			return true;
	return false;
}

static bool enum_allows(const struct field_rules *rules, int32_t number)
{
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		if ((rule->kind == RULE_CONST || rule->kind == RULE_IN) && !set_has(rule, number))
			return false;
		if (rule->kind == RULE_NOT_IN && set_has(rule, number))
			return false;
	}
	return true;
}

/* The names that may stand; what each means is told behind them. */
static json_t *enum_schema(struct json_maker *maker, const struct schema_field *field,
			   const struct field_rules *rules, struct json_notes *notes)
{
	const struct schema_enum *enumeration = field->enumeration;
	json_t *schema = json_object(), *names = json_array();

	for (size_t i = 0; i < enumeration->n_values; i++) {
		const struct schema_enum_value *value = &enumeration->values[i];
		const char *meaning;

		if (!enum_allows(rules, value->number))
			continue;
		if (rules && rules->required && !field->presence && value->number == 0)
			continue;
		json_add(maker, names, json_text(maker, value->name));
		meaning = json_description(maker, value->comment, NULL);
		if (meaning)
			json_note(notes, "%s: %s", value->name, meaning);
	}
	json_put(maker, schema, "type", json_text(maker, "string"));
	json_put(maker, schema, "enum", names);
	return schema;
}

static json_t *bool_schema(struct json_maker *maker, const struct field_rules *rules)
{
	const struct rule *rule = rule_find(rules, RULE_CONST);
	json_t *schema = json_object(), *only;

	json_put(maker, schema, "type", json_text(maker, "boolean"));
	if (rule) {
		only = json_array();
		json_add(maker, only, json_boolean(rule->operand.scalar.uint != 0));
		json_put(maker, schema, "enum", only);
	}
	return schema;
}

static json_t *by_type(struct json_maker *maker, const struct schema_field *field,
		       const struct field_rules *rules, struct json_notes *notes)
{
	json_t *known;

	switch (field->type) {
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		known = json_well_known(maker, field, rules, notes);
		return known || maker->failed ? known : json_reference(maker, field->message);
	case SCHEMA_ENUM:
		return enum_schema(maker, field, rules, notes);
	case SCHEMA_BOOL:
		return bool_schema(maker, rules);
	case SCHEMA_STRING:
		return json_string_schema(maker, rules, notes);
	case SCHEMA_BYTES:
		return json_bytes_schema(maker, rules, notes);
	default:
		return json_number_schema(maker, field, rules, notes);
	}
}

static bool is_message(const struct schema_field *field)
{
	return field->type == SCHEMA_MESSAGE || field->type == SCHEMA_GROUP;
}

/* Zero, or what the schema says. */
static json_t *or_zero(struct json_maker *maker, const struct schema_field *field, json_t *schema)
{
	json_t *both = json_object(), *any = json_array(), *zero = json_object();

	json_put(maker, zero, "enum", json_zero(maker, field));
	json_add(maker, any, zero);
	json_add(maker, any, schema);
	json_put(maker, both, "anyOf", any);
	return both;
}

static json_t *shapeless(struct json_maker *maker)
{
	json_t *schema = json_object();

	json_put(maker, schema, "type", json_text(maker, "object"));
	return schema;
}

/* What is within a message that is not looked at is not looked at either. */
static bool is_shapeless(const struct json_maker *maker, const struct schema_field *value)
{
	return is_message(value) && value->message->well_known == WELL_KNOWN_NONE &&
	       maker->traits->open_objects;
}

/* A list or map of such messages. */
static bool is_unseen(const struct json_maker *maker, const struct schema_field *field,
		      const struct schema_field *value)
{
	return json_ignore(field) == IGNORE_ALWAYS && is_shapeless(maker, value);
}

static void refuse_zero(struct json_maker *maker, const struct schema_field *field, json_t *schema,
			struct json_notes *notes)
{
	json_t * not;

	/* Strings, bytes and enums have seen to it. */
	if (field->type == SCHEMA_STRING || field->type == SCHEMA_BYTES ||
	    field->type == SCHEMA_ENUM)
		return;
	if (!maker->traits->compose) {
		json_note(notes, field->type == SCHEMA_BOOL ? "Has to be true." : "Not 0.");
		return;
	}
	not = json_object();
	json_put(maker, not, "enum", json_zero(maker, field));
	json_also(maker, schema, "not", not);
}

json_t *json_value(struct json_maker *maker, const struct schema_field *field,
		   const struct field_rules *rules, struct json_notes *notes)
{
	bool own = rules && rules == field->rules;
	enum rule_ignore ignore = own     ? json_ignore(field)
				  : rules ? rules->ignore
					  : IGNORE_UNSPECIFIED;
	json_t *schema;

	if (ignore == IGNORE_ALWAYS && is_shapeless(maker, field))
		return shapeless(maker);
	if (ignore == IGNORE_ALWAYS)
		rules = NULL;
	schema = by_type(maker, field, rules, notes);
	if (!rules || is_message(field))
		return schema;
	if (rules->required && own && !field->presence)
		refuse_zero(maker, field, schema, notes);
	/* A field with presence is looked at where it was sent, zero or not. */
	if (ignore == IGNORE_IF_ZERO_VALUE && !(own && field->presence) && maker->traits->compose &&
	    !json_rules_pass_zero(field, rules))
		return or_zero(maker, field, schema);
	return schema;
}

/* --- lists and maps --- */

/* A value's schema with its notes as its own description. */
static json_t *value_described(struct json_maker *maker, const struct schema_field *field,
			       const struct field_rules *rules)
{
	struct json_notes notes = {0};
	json_t *schema = json_value(maker, field, rules, &notes);
	const char *description = json_description(maker, NULL, &notes);

	buffer_finish(&notes.text);
	return json_described(maker, schema, description);
}

struct counts {
	uint64_t min, max; /* max 0: none */
	bool or_none;      /* an empty one is not looked at */
};

static struct counts counts_of(const struct schema_field *field, const struct field_rules *rules)
{
	const struct rule *min = rule_find(rules, field->map ? RULE_MIN_PAIRS : RULE_MIN_ITEMS);
	const struct rule *max = rule_find(rules, field->map ? RULE_MAX_PAIRS : RULE_MAX_ITEMS);
	struct counts ret = {.min = min ? min->operand.count : 0,
			     .max = max ? max->operand.count : 0};

	ret.or_none = json_ignore(field) == IGNORE_IF_ZERO_VALUE;
	if (rules && rules->required && ret.min == 0)
		ret.min = 1;
	return ret;
}

static void counts_note(struct counts counts, const char *unit, struct json_notes *notes)
{
	const char *end = counts.or_none && counts.min ? ", or none." : ".";

	if (counts.min && counts.max)
		json_note(notes, "%llu to %llu %s%s", (unsigned long long)counts.min,
			  (unsigned long long)counts.max, unit, end);
	else if (counts.max)
		json_note(notes, "At most %llu %s%s", (unsigned long long)counts.max, unit, end);
	else if (counts.min > 1)
		json_note(notes, "At least %llu %s%s", (unsigned long long)counts.min, unit, end);
}

static void counts_put(struct json_maker *maker, struct counts counts, json_t *schema,
		       const char *min_key, const char *max_key)
{
	json_t *any, *none, *enough;

	if (counts.min && counts.or_none) {
		none = json_object();
		json_put(maker, none, max_key, json_integer(0));
		enough = json_object();
		json_put(maker, enough, min_key, json_integer((json_int_t)counts.min));
		any = json_array();
		json_add(maker, any, none);
		json_add(maker, any, enough);
		json_put(maker, schema, "anyOf", any);
	} else if (counts.min) {
		json_put(maker, schema, min_key, json_integer((json_int_t)counts.min));
	}
	if (counts.max)
		json_put(maker, schema, max_key, json_integer((json_int_t)counts.max));
}

static json_t *list_of(struct json_maker *maker, json_t *items, struct counts counts,
		       struct json_notes *notes)
{
	json_t *schema = json_object();

	json_put(maker, schema, "type", json_text(maker, "array"));
	json_put(maker, schema, "items", items);
	if (!maker->traits->items || (counts.or_none && counts.min && !maker->traits->compose)) {
		counts_note(counts, "items", notes);
		counts.max = 0;
		counts.min = counts.min > 0 && !counts.or_none;
	}
	counts_put(maker, counts, schema, "minItems", "maxItems");
	return schema;
}

static json_t *list_schema(struct json_maker *maker, const struct schema_field *field,
			   const struct field_rules *rules, struct json_notes *notes)
{
	const struct field_rules *items = rules ? rules->items : NULL;
	json_t *values = is_unseen(maker, field, field) ? shapeless(maker)
							: value_described(maker, field, items);
	json_t *schema = list_of(maker, values, counts_of(field, rules), notes);

	if (rule_find(rules, RULE_UNIQUE) && maker->traits->lengths)
		json_put(maker, schema, "uniqueItems", json_true());
	else if (rule_find(rules, RULE_UNIQUE))
		json_note(notes, "No two are the same.");
	return schema;
}

/* A key is a string in JSON whatever its type. */
static json_t *key_schema(struct json_maker *maker, const struct schema_field *key,
			  const struct field_rules *rules)
{
	struct json_notes notes = {0};
	json_t *schema, *names;

	if (key->type == SCHEMA_STRING) {
		schema = json_string_schema(maker, rules, &notes);
		json_object_del(schema, "type");
	} else if (key->type == SCHEMA_BOOL) {
		schema = json_object();
		names = json_array();
		json_add(maker, names, json_text(maker, "true"));
		json_add(maker, names, json_text(maker, "false"));
		json_put(maker, schema, "enum", names);
	} else {
		schema = json_number_key(maker, key, rules);
	}
	buffer_finish(&notes.text);
	return schema;
}

/* Where objects have no names of their own choosing: a list of {"key": ..., "value": ...}. */
static json_t *pairs_schema(struct json_maker *maker, const struct schema_field *field,
			    const struct field_rules *rules, struct json_notes *notes)
{
	const struct schema_field *key = &field->message->fields[0], *value = key + 1;
	json_t *pair = json_object(), *properties = json_object(), *required = json_array();

	json_put(maker, properties, "key", value_described(maker, key, rules ? rules->keys : NULL));
	json_put(maker, properties, "value",
		 value_described(maker, value, rules ? rules->values : NULL));
	json_add(maker, required, json_text(maker, "key"));
	json_add(maker, required, json_text(maker, "value"));
	json_put(maker, pair, "type", json_text(maker, "object"));
	json_put(maker, pair, "properties", properties);
	json_put(maker, pair, "required", required);
	json_put(maker, pair, "additionalProperties", json_false());
	return list_of(maker, pair, counts_of(field, rules), notes);
}

static json_t *map_schema(struct json_maker *maker, const struct schema_field *field,
			  const struct field_rules *rules, struct json_notes *notes)
{
	const struct schema_field *key = &field->message->fields[0], *value = key + 1;
	json_t *schema;

	if (!maker->traits->open_objects)
		return pairs_schema(maker, field, rules, notes);
	schema = json_object();
	json_put(maker, schema, "type", json_text(maker, "object"));
	json_put(maker, schema, "propertyNames",
		 key_schema(maker, key, rules ? rules->keys : NULL));
	json_put(maker, schema, "additionalProperties",
		 is_unseen(maker, field, value)
			 ? shapeless(maker)
			 : value_described(maker, value, rules ? rules->values : NULL));
	counts_put(maker, counts_of(field, rules), schema, "minProperties", "maxProperties");
	return schema;
}

json_t *json_field(struct json_maker *maker, const struct schema_field *field,
		   struct json_notes *notes)
{
	const struct field_rules *rules = field->rules;

	if (!field->repeated)
		return json_value(maker, field, rules, notes);
	if (json_ignore(field) == IGNORE_ALWAYS)
		rules = NULL;
	if (field->map)
		return map_schema(maker, field, rules, notes);
	return list_schema(maker, field, rules, notes);
}
