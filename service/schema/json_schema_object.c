/* json_schema_object - a message's object, and $defs. */
#include "service/schema/json_schema_maker.h"

#include <stdlib.h>

/* {"type": "null"} beside what may stand. Steals schema. */
static json_t *nullable(struct json_maker *maker, json_t *schema)
{
	json_t *type = json_object_get(schema, "type"), *any = json_object_get(schema, "anyOf");
	json_t *members = json_object_get(schema, "enum"), *types, *null, *ret;

	if (type) {
		types = json_array();
		json_add(maker, types, json_incref(type));
		json_add(maker, types, json_text(maker, "null"));
		json_put(maker, schema, "type", types);
		if (members)
			json_add(maker, members, json_null());
		return schema;
	}
	null = json_object();
	json_put(maker, null, "type", json_text(maker, "null"));
	if (any) {
		json_add(maker, any, null);
		return schema;
	}
	any = json_array();
	json_add(maker, any, schema);
	json_add(maker, any, null);
	ret = json_object();
	json_put(maker, ret, "anyOf", any);
	return ret;
}

json_t *json_described(struct json_maker *maker, json_t *schema, const char *description)
{
	json_t *ret, *any;

	if (!description || !schema)
		return schema;
	ret = json_object();
	json_put(maker, ret, "description", json_text(maker, description));
	if (maker->traits->bare_ref && json_object_get(schema, "$ref")) {
		any = json_array();
		json_add(maker, any, schema);
		json_put(maker, ret, "anyOf", any);
		return ret;
	}
	maker->failed |= json_object_update(ret, schema) != 0;
	json_decref(schema);
	return ret;
}

static json_t *property(struct json_maker *maker, const struct schema_field *field, bool optional)
{
	struct json_notes notes = {0};
	json_t *schema = json_field(maker, field, &notes);
	const char *description = json_description(maker, field->comment, &notes);

	maker->failed |= notes.text.failed;
	buffer_finish(&notes.text);
	if (optional && schema)
		schema = nullable(maker, schema);
	return json_described(maker, schema, description);
}

/* The object, of a oneof with only the chosen member. oneof  NULL: all are in. */
static json_t *object_with(struct json_maker *maker, const struct schema_message *message,
			   const struct json_selection *selection,
			   const struct schema_field *chosen)
{
	json_t *schema = json_object(), *properties = json_object(), *required = json_array();

	for (size_t i = 0; i < message->n_fields; i++) {
		const struct schema_field *field = &message->fields[i];
		bool needed = field == chosen || field->label_required || !json_zero_passes(field);

		if (!json_keeps(selection, field) ||
		    (chosen && field->oneof == chosen->oneof && field != chosen))
			continue;
		json_put(maker, properties, field->json_name,
			 property(maker, field, !needed && maker->traits->all_required));
		if (needed || maker->traits->all_required)
			json_add(maker, required, json_text(maker, field->json_name));
	}
	json_put(maker, schema, "type", json_text(maker, "object"));
	json_put(maker, schema, "properties", properties);
	if (json_array_size(required) > 0 || maker->traits->all_required)
		json_put(maker, schema, "required", required);
	else
		json_decref(required);
	json_put(maker, schema, "additionalProperties", json_false());
	return schema;
}

json_t *json_object_make(struct json_maker *maker, const struct schema_message *message,
			 const struct json_selection *selection, struct json_notes *notes)
{
	const struct schema_oneof *oneof = json_chosen_oneof(maker, message, selection);
	json_t *schema, *variants;

	if (!oneof) {
		schema = object_with(maker, message, selection, NULL);
	} else {
		variants = json_array();
		for (size_t i = 0; i < oneof->n_fields; i++)
			json_add(maker, variants,
				 object_with(maker, message, selection, oneof->fields[i]));
		schema = json_object();
		json_put(maker, schema, "anyOf", variants);
	}
	json_choices(maker, message, selection, schema, notes);
	return schema;
}

/* --- $defs --- */

static struct json_def *def_find(struct json_maker *maker, const struct schema_message *message)
{
	struct json_def *def = maker->defs;

	while (def && def->message != message)
		def = def->next;
	return def;
}

static bool name_is_taken(const struct json_maker *maker, const char *name)
{
	for (const struct json_def *def = maker->defs; def; def = def->next)
		if (strcmp(def->name, name) == 0)
			return true;
	return false;
}

static void def_make(struct json_maker *maker, struct json_def *def)
{
	const struct json_selection all = {0};
	struct json_notes notes = {0};
	json_t *schema = json_object_make(maker, def->message, &all, &notes);

	def->schema = json_described(maker, schema,
				     json_description(maker, def->message->comment, &notes));
	maker->failed |= notes.text.failed || !def->schema;
	buffer_finish(&notes.text);
}

json_t *json_reference(struct json_maker *maker, const struct schema_message *message)
{
	struct json_def *def = def_find(maker, message);
	json_t *ret = json_object();
	const char *path;

	if (!def) {
		def = ARENA_NEW(maker->arena, struct json_def);
		if (!def) {
			maker->failed = true;
			return ret;
		}
		def->message = message;
		def->name =
			name_is_taken(maker, message->name) ? message->full_name : message->name;
		def->next = maker->defs;
		maker->defs = def;
		def_make(maker, def);
	} else if (!def->schema && !maker->traits->compose && !status_failed(maker->wrong)) {
		maker->wrong = status_format(maker->arena, STATUS_UNIMPLEMENTED,
					     "%s holds itself, which strict modes do not take",
					     message->full_name);
	}
	path = arena_printf(maker->arena, "#/$defs/%s", def->name);
	json_put(maker, ret, "$ref", json_text(maker, path));
	return ret;
}

static int compare_defs(const void *a, const void *b)
{
	return strcmp((*(struct json_def *const *)a)->name, (*(struct json_def *const *)b)->name);
}

json_t *json_definitions(struct json_maker *maker)
{
	struct json_def **sorted;
	json_t *ret = json_object();
	size_t n = 0;

	for (struct json_def *def = maker->defs; def; def = def->next)
		n++;
	sorted = ARENA_ARRAY(maker->arena, struct json_def *, n);
	maker->failed |= !sorted;
	if (!sorted)
		return ret;
	n = 0;
	for (struct json_def *def = maker->defs; def; def = def->next)
		sorted[n++] = def;
	qsort(sorted, n, sizeof *sorted, compare_defs);
	for (size_t i = 0; i < n; i++)
		json_put(maker, ret, sorted[i]->name, json_incref(sorted[i]->schema));
	return ret;
}

void json_maker_finish(struct json_maker *maker)
{
	for (struct json_def *def = maker->defs; def; def = def->next)
		json_decref(def->schema);
}
