/* json_schema_known - messages that proto3 JSON writes in a form of their own. */
#include "service/schema/json_schema_maker.h"

#include <ctype.h>

#define MINUTE_59 "[0-5][0-9]"

static json_t *typed(struct json_maker *maker, const char *type)
{
	json_t *schema = json_object();

	json_put(maker, schema, "type", json_text(maker, type));
	return schema;
}

/* Rules without a keyword, in words. */
static void rules_note(const struct field_rules *rules, struct json_notes *notes)
{
	for (size_t i = 0; rules && i < rules->n_rules; i++)
		json_note(notes, "Has to be %s.", rules->rules[i].text);
}

static json_t *with_pattern(struct json_maker *maker, const char *pattern, const char *note,
			    struct json_notes *notes)
{
	json_t *schema = typed(maker, "string");

	if (maker->traits->patterns)
		json_put(maker, schema, "pattern", json_text(maker, pattern));
	else
		json_note(notes, "%s", note);
	return schema;
}

static json_t *duration(struct json_maker *maker, const struct field_rules *rules,
			struct json_notes *notes)
{
	rules_note(rules, notes);
	return with_pattern(maker, "^-?(?:0|[1-9][0-9]{0,11})(?:\\.[0-9]{1,9})?s$",
			    "Seconds with an s behind them, as in 1.5s.", notes);
}

static json_t *timestamp(struct json_maker *maker, const struct field_rules *rules,
			 struct json_notes *notes)
{
	json_t *schema;

	rules_note(rules, notes);
	schema = with_pattern(maker,
			      "^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
			      "T(?:[01][0-9]|2[0-3]):" MINUTE_59 ":" MINUTE_59 "(?:\\.[0-9]{1,9})?"
			      "(?:Z|[+-](?:[01][0-9]|2[0-3]):" MINUTE_59 ")$",
			      "RFC 3339.", notes);
	json_put(maker, schema, "format", json_text(maker, "date-time"));
	return schema;
}

/* --- field masks --- */

/* token_count to tokenCount, as JSON writes a path. */
static const char *camel(struct json_maker *maker, struct bytes path)
{
	char *ret = arena_copy(maker->arena, path.data, path.size);
	size_t n = 0;

	if (!ret) {
		maker->failed = true;
		return "";
	}
	for (size_t i = 0; i < path.size; i++) {
		if (path.data[i] == '_' && i + 1 < path.size)
			ret[n++] = (char)toupper(path.data[++i]);
		else
			ret[n++] = (char)path.data[i];
	}
	ret[n] = '\0';
	return ret;
}

/* The paths of a rule as alternatives, or with commas. */
static const char *paths_of(struct json_maker *maker, const struct rule *rule, bool as_pattern)
{
	struct buffer text = {0};
	const char *ret;

	for (size_t i = 0; i < rule->set.n; i++) {
		const char *path = camel(maker, rule->set.members[i].scalar.bytes);

		if (i > 0)
			buffer_append(&text, as_pattern ? "|" : ", ", as_pattern ? 1 : 2);
		if (as_pattern)
			path = json_escape(maker->arena, bytes_of_string(path));
		if (path)
			buffer_append(&text, path, strlen(path));
		maker->failed |= !path;
	}
	ret = arena_copy(maker->arena, text.size ? (const char *)text.data : "", text.size);
	maker->failed |= text.failed || !ret;
	buffer_finish(&text);
	return ret ? ret : "";
}

/* None of the rule's, and nothing within one. */
static void refuse_paths(struct json_maker *maker, const struct rule *rule, json_t *schema)
{
	json_t *not = json_object();

	json_put(maker, not, "pattern",
		 json_text(maker, arena_printf(maker->arena, "(?:^|,)(?:%s)(?:[.,]|$)",
					       paths_of(maker, rule, true))));
	json_also(maker, schema, "not", not);
}

/* A path is one of the rule's, or within one. */
static json_t *field_mask(struct json_maker *maker, const struct field_rules *rules,
			  struct json_notes *notes)
{
	static const char tail[] = "(?:\\.[a-z][A-Za-z0-9]*)*";
	json_t *schema = typed(maker, "string");
	const char *paths = "[a-z][A-Za-z0-9]*";

	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		if (rule->kind == RULE_IN || rule->kind == RULE_NOT_IN)
			json_note(notes, "Names parted by commas, %s: %s.",
				  rule->kind == RULE_IN ? "of these" : "but none of these",
				  paths_of(maker, rule, false));
		else
			json_note(notes, "Has to be %s.", rule->text);
		if (rule->kind == RULE_IN)
			paths = paths_of(maker, rule, true);
		else if (rule->kind == RULE_NOT_IN && maker->traits->compose)
			refuse_paths(maker, rule, schema);
	}
	if (maker->traits->patterns)
		json_put(
			maker, schema, "pattern",
			json_text(maker, arena_printf(maker->arena, "^(?:(?:%s)%s(?:,(?:%s)%s)*)?$",
						      paths, tail, paths, tail)));
	return schema;
}

/* --- messages of any shape --- */

static json_t *any(struct json_maker *maker, const struct field_rules *rules)
{
	json_t *schema = typed(maker, "object"), *properties = json_object(),
	       *required = json_array();
	json_t *type = typed(maker, "string"), *list, *not;

	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];

		list = json_array();
		for (size_t j = 0; j < rule->set.n; j++)
			json_add(maker, list,
				 json_stringn((const char *)rule->set.members[j].scalar.bytes.data,
					      rule->set.members[j].scalar.bytes.size));
		if (rule->kind == RULE_IN) {
			json_put(maker, type, "enum", list);
			continue;
		}
		not = json_object();
		json_put(maker, not, "enum", list);
		json_also(maker, type, "not", not);
	}
	json_put(maker, properties, "@type", type);
	json_add(maker, required, json_text(maker, "@type"));
	json_put(maker, schema, "properties", properties);
	json_put(maker, schema, "required", required);
	return schema;
}

/* Struct, Value and ListValue, where a dialect has objects of any shape; else their JSON as text. */
static json_t *of_any_shape(struct json_maker *maker, const char *type, struct json_notes *notes)
{
	if (!maker->traits->open_objects) {
		json_note(notes, "JSON as text.");
		return typed(maker, "string");
	}
	return type ? typed(maker, type) : json_object();
}

static json_t *wrapped(struct json_maker *maker, const struct schema_field *field,
		       const struct field_rules *rules, struct json_notes *notes)
{
	return json_value(maker, &field->message->fields[0], rules, notes);
}

json_t *json_well_known(struct json_maker *maker, const struct schema_field *field,
			const struct field_rules *rules, struct json_notes *notes)
{
	const char *name = field->message->full_name;

	switch (field->message->well_known) {
	case WELL_KNOWN_DURATION:
		return duration(maker, rules, notes);
	case WELL_KNOWN_TIMESTAMP:
		return timestamp(maker, rules, notes);
	case WELL_KNOWN_FIELD_MASK:
		return field_mask(maker, rules, notes);
	case WELL_KNOWN_WRAPPER:
		return wrapped(maker, field, rules, notes);
	case WELL_KNOWN_ANY:
		rules_note(rules, notes);
		if (!maker->traits->open_objects)
			return of_any_shape(maker, NULL, notes);
		return any(maker, rules);
	default:
		break;
	}
	if (strcmp(name, "google.protobuf.Struct") == 0)
		return of_any_shape(maker, "object", notes);
	if (strcmp(name, "google.protobuf.ListValue") == 0)
		return of_any_shape(maker, "array", notes);
	if (strcmp(name, "google.protobuf.Value") == 0)
		return of_any_shape(maker, NULL, notes);
	return NULL;
}
