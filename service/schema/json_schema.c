/* json_schema - the dialects, what the parts share, and the whole.
 *
 * What strict modes take, from their vendors' documentation as of late 2025:
 * OpenAI: the root is an object and no anyOf; every property in required; additionalProperties false;
 *   enum, anyOf, $defs and $ref (with nothing beside it); pattern, format, minimum, maximum and their
 *   exclusive forms, minItems, maxItems. Not: oneOf, allOf, not, minLength, maxLength, uniqueItems,
 *   propertyNames, minProperties. At most 5,000 properties, 10 levels, 1,000 members of enums.
 * Anthropic: additionalProperties false; enum, anyOf, $defs and $ref, format, minItems 0 or 1; the root
 *   has no anyOf. Not: minimum, maximum, minLength, maxLength, maxItems, recursion. At most 24 optional
 *   properties and 16 unions in a strict request.
 * MCP: inputSchema is an object of JSON Schema, 2020-12 where it names no draft. Its clients hand it on to
 *   models' interfaces, most of which refuse oneOf at the root.
 */
#include "service/schema/json_schema_make.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

const struct json_traits json_traits[] = {
	[JSON_FULL] = {.ranges = true,
		       .lengths = true,
		       .patterns = true,
		       .items = true,
		       .compose = true,
		       .root_compose = true,
		       .wide = true,
		       .open_objects = true},
	[JSON_MCP] = {.ranges = true,
		      .lengths = true,
		      .patterns = true,
		      .items = true,
		      .compose = true,
		      .open_objects = true},
	[JSON_OPENAI] = {.all_required = true,
			 .ranges = true,
			 .patterns = true,
			 .items = true,
			 .bare_ref = true},
	[JSON_ANTHROPIC] = {0},
};

/* --- what the parts share --- */

void json_note(struct json_notes *notes, const char *format, ...)
{
	char text[2048];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (n < 0)
		return;
	if (notes->text.size > 0)
		buffer_append_u8(&notes->text, ' ');
	buffer_append(&notes->text, text, strlen(text));
}

void json_put(struct json_maker *maker, json_t *object, const char *key, json_t *value)
{
	maker->failed |= json_object_set_new(object, key, value) != 0;
}

void json_add(struct json_maker *maker, json_t *array, json_t *value)
{
	maker->failed |= json_array_append_new(array, value) != 0;
}

json_t *json_text(struct json_maker *maker, const char *text)
{
	json_t *ret = text ? json_string(text) : NULL;

	maker->failed |= !ret;
	return ret;
}

void json_also(struct json_maker *maker, json_t *schema, const char *key, json_t *value)
{
	json_t *all, *one;

	if (!json_object_get(schema, key)) {
		json_put(maker, schema, key, value);
		return;
	}
	/* A strict mode has no allOf: the first stands, and the server checks the rest. */
	if (!maker->traits->compose) {
		json_decref(value);
		return;
	}
	all = json_object_get(schema, "allOf");
	if (!all) {
		json_put(maker, schema, "allOf", json_array());
		all = json_object_get(schema, "allOf");
	}
	one = json_object();
	json_put(maker, one, key, value);
	json_add(maker, all, one);
}

void json_members_put(struct json_maker *maker, const struct rule *rule, json_t *list,
		      json_t *schema, struct json_notes *notes)
{
	struct buffer text = {0};
	json_t * not;

	if (rule->kind != RULE_NOT_IN) {
		json_also(maker, schema, "enum", list);
	} else if (maker->traits->compose) {
		not = json_object();
		json_put(maker, not, "enum", list);
		json_also(maker, schema, "not", not);
	} else {
		json_print(list, 0, &text);
		json_note(notes, "None of %.*s.", (int)text.size, (const char *)text.data);
		json_decref(list);
	}
	buffer_finish(&text);
}

/* The first paragraph, on one line. */
static void paragraph_append(struct buffer *text, const char *comment)
{
	bool space = false;

	for (const char *at = comment; *at; at++) {
		if (at[0] == '\n' && at[1 + strspn(at + 1, " \t\r")] == '\n')
			break;
		if (isspace((unsigned char)*at)) {
			space = text->size > 0;
			continue;
		}
		if (space)
			buffer_append_u8(text, ' ');
		space = false;
		buffer_append_u8(text, (uint8_t)*at);
	}
}

const char *json_description(struct json_maker *maker, const char *comment,
			     const struct json_notes *notes)
{
	struct buffer text = {0};
	const char *ret = NULL;

	if (comment)
		paragraph_append(&text, comment);
	if (notes && notes->text.size > 0) {
		buffer_append(&text, " ", text.size > 0);
		buffer_append(&text, notes->text.data, notes->text.size);
	}
	if (text.size > 0) {
		ret = arena_copy(maker->arena, text.data, text.size);
		maker->failed |= !ret;
	}
	maker->failed |= text.failed;
	buffer_finish(&text);
	return ret;
}

/* --- the whole --- */

static json_t *root_make(struct json_maker *maker, const struct schema_message *message,
			 const struct json_options *options)
{
	struct json_notes notes = {0};
	json_t *object = json_object_make(maker, message, &options->selection, &notes);
	json_t *root = json_object(), *defs = json_definitions(maker);
	const char *comment = options->description ? options->description : message->comment;
	const char *description = json_description(maker, comment, &notes);

	if (options->with_draft)
		json_put(maker, root, "$schema",
			 json_text(maker, "https://json-schema.org/draft/2020-12/schema"));
	if (options->title)
		json_put(maker, root, "title", json_text(maker, options->title));
	if (description)
		json_put(maker, root, "description", json_text(maker, description));
	maker->failed |= json_object_update(root, object) != 0 || notes.text.failed;
	if (json_object_size(defs) > 0)
		json_put(maker, root, "$defs", defs);
	else
		json_decref(defs);
	json_decref(object);
	buffer_finish(&notes.text);
	return root;
}

status json_schema_make(const struct schema_message *message, const struct json_options *options,
			struct arena *arena, json_t **ret)
{
	struct json_maker maker = {.traits = &json_traits[options->dialect], .arena = arena};
	SCOPED(json_t) root = root_make(&maker, message, options);

	json_maker_finish(&maker);
	TRY(maker.wrong);
	if (maker.failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a JSON Schema");
	*ret = TAKE(root);
	return status_ok();
}

status json_schema_print(const struct schema_message *message, enum json_dialect dialect,
			 struct arena *arena, struct buffer *ret)
{
	const struct json_options options = {
		.dialect = dialect,
		.selection = {.root = true},
		.with_draft = dialect == JSON_FULL,
		.title = message->name,
	};
	SCOPED(json_t) root = NULL;

	TRY(json_schema_make(message, &options, arena, &root));
	json_print(root, 0, ret);
	buffer_append_u8(ret, '\n');
	if (ret->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a JSON Schema");
	return status_ok();
}
