/* tools - each dialect keeps to the rules of those who read it, and is printed as it was before. */
#include "service/schema/tools.h"

#include <criterion/criterion.h>
#include <jansson.h>

#include <stdio.h>

#define DIALECTS 4

static struct arena arena;
static struct buffer printed[DIALECTS];
static json_t *documents[DIALECTS];

static void print_all(void)
{
	arena_init(&arena, (size_t)64 << 20);
	for (int i = 0; i < DIALECTS; i++) {
		status done = tools_print((enum tools_dialect)i, &arena, &printed[i]);

		cr_assert_not(status_failed(done), "%s", done.detail);
		documents[i] = json_loadb((const char *)printed[i].data, printed[i].size,
					  JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
		cr_assert_not_null(documents[i]);
	}
}

static void free_all(void)
{
	for (int i = 0; i < DIALECTS; i++) {
		json_decref(documents[i]);
		buffer_finish(&printed[i]);
	}
	arena_finish(&arena);
}

TestSuite(tools, .init = print_all, .fini = free_all);

static const char *const names[] = {"search_chunks", "get_chunks", "list_chunks", "count_chunks"};

/* --- a walk over the schemas of a dialect --- */

typedef void visit_schema(const json_t *root, const json_t *schema, bool at_root);

/* Every schema within, $defs and what stands in anyOf, items and properties. */
static void walk(const json_t *root, const json_t *schema, visit_schema *visit)
{
	static const char *const lists[] = {"anyOf", "oneOf", "allOf"};
	static const char *const maps[] = {"properties", "$defs"};
	static const char *const single[] = {"items", "not", "propertyNames"};
	const char *key;
	json_t *inner;
	size_t i;

	visit(root, schema, root == schema);
	for (size_t j = 0; j < sizeof lists / sizeof *lists; j++)
		json_array_foreach(json_object_get(schema, lists[j]), i, inner)
			walk(root, inner, visit);
	for (size_t j = 0; j < sizeof maps / sizeof *maps; j++)
		json_object_foreach(json_object_get(schema, maps[j]), key, inner)
			walk(root, inner, visit);
	for (size_t j = 0; j < sizeof single / sizeof *single; j++)
		if (json_object_get(schema, single[j]))
			walk(root, json_object_get(schema, single[j]), visit);
}

static void walk_tools(const json_t *list, const char *outer, const char *member,
		       visit_schema *visit)
{
	const json_t *tool;
	size_t i;

	json_array_foreach(list, i, tool)
	{
		const json_t *schema;

		if (outer)
			tool = json_object_get(tool, outer);
		schema = json_object_get(tool, member);
		cr_assert(json_is_object(schema));
		cr_assert_str_eq(json_string_value(json_object_get(schema, "type")), "object");
		walk(schema, schema, visit);
	}
}

static void want_only(const json_t *object, const char *const *allowed, size_t n)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		bool known = false;

		for (size_t i = 0; i < n; i++)
			known |= strcmp(allowed[i], key) == 0;
		cr_assert(known, "%s", key);
	}
}

#define WANT_ONLY(object, allowed)                                                                 \
	want_only((object), (allowed), sizeof(allowed) / sizeof *(allowed))

static bool is_object(const json_t *schema)
{
	const json_t *type = json_object_get(schema, "type");

	return json_object_get(schema, "properties") ||
	       (json_is_string(type) && strcmp(json_string_value(type), "object") == 0);
}

/* A reference to a definition that is there. */
static void want_reference(const json_t *root, const json_t *schema)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));

	if (!reference)
		return;
	cr_assert_eq(strncmp(reference, "#/$defs/", 8), 0, "%s", reference);
	cr_assert_not_null(json_object_get(json_object_get(root, "$defs"), reference + 8), "%s",
			   reference);
}

/* Whether a definition reaches itself. */
static bool reaches(const json_t *root, const json_t *schema, int depth)
{
	const char *reference = json_string_value(json_object_get(schema, "$ref"));
	const char *key;
	json_t *inner;
	size_t i;

	if (depth > 64)
		return true;
	if (reference &&
	    reaches(root, json_object_get(json_object_get(root, "$defs"), reference + 8),
		    depth + 1))
		return true;
	json_array_foreach(json_object_get(schema, "anyOf"), i,
			   inner) if (reaches(root, inner, depth + 1)) return true;
	json_object_foreach(json_object_get(schema, "properties"), key,
			    inner) if (reaches(root, inner, depth + 1)) return true;
	inner = json_object_get(schema, "items");
	return inner && reaches(root, inner, depth + 1);
}

/* --- what each may hold --- */

static void visit_full(const json_t *root, const json_t *schema, bool at_root)
{
	want_reference(root, schema);
	cr_assert_eq(json_object_get(schema, "$schema") != NULL, at_root);
	if (at_root)
		cr_assert_str_eq(json_string_value(json_object_get(schema, "$schema")),
				 "https://json-schema.org/draft/2020-12/schema");
	if (is_object(schema) && json_object_get(schema, "type"))
		cr_assert_not_null(json_object_get(schema, "additionalProperties"));
}

Test(tools, json_schema_is_whole)
{
	size_t i;
	json_t *tool;

	walk_tools(documents[TOOLS_JSON_SCHEMA], NULL, "schema", visit_full);

	json_array_foreach(documents[TOOLS_JSON_SCHEMA], i, tool)
		cr_assert_str_eq(json_string_value(json_object_get(tool, "name")), names[i]);
	cr_assert_eq(json_array_size(documents[TOOLS_JSON_SCHEMA]), 4);
}

static void visit_openai(const json_t *root, const json_t *schema, bool at_root)
{
	static const char *const allowed[] = {
		"type",
		"description",
		"properties",
		"required",
		"additionalProperties",
		"enum",
		"anyOf",
		"$defs",
		"$ref",
		"items",
		"minItems",
		"maxItems",
		"minimum",
		"exclusiveMinimum",
		"maximum",
		"pattern",
		"format",
		"exclusiveMaximum",
	};
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *required = json_object_get(schema, "required"), *name;
	size_t i;

	WANT_ONLY(schema, allowed);
	want_reference(root, schema);
	if (json_object_get(schema, "$ref"))
		cr_assert_eq(json_object_size(schema), 1);
	if (at_root)
		cr_assert_null(json_object_get(schema, "anyOf"));
	if (!is_object(schema))
		return;
	cr_assert(json_is_false(json_object_get(schema, "additionalProperties")));
	cr_assert_eq(json_array_size(required), json_object_size(properties));
	json_array_foreach(required, i, name)
		cr_assert_not_null(json_object_get(properties, json_string_value(name)));
}

Test(tools, openai_is_strict)
{
	static const char *const outer[] = {"type", "function"};
	static const char *const inner[] = {"name", "description", "strict", "parameters"};
	json_t *tool;
	size_t i;

	walk_tools(documents[TOOLS_OPENAI], "function", "parameters", visit_openai);

	json_array_foreach(documents[TOOLS_OPENAI], i, tool)
	{
		const json_t *function = json_object_get(tool, "function");
		const json_t *parameters = json_object_get(function, "parameters");

		WANT_ONLY(tool, outer);
		WANT_ONLY(function, inner);
		cr_assert_str_eq(json_string_value(json_object_get(tool, "type")), "function");
		cr_assert_str_eq(json_string_value(json_object_get(function, "name")), names[i]);
		cr_assert(json_is_true(json_object_get(function, "strict")));
		cr_assert_not(reaches(parameters, parameters, 0));
	}
}

static void visit_anthropic(const json_t *root, const json_t *schema, bool at_root)
{
	static const char *const allowed[] = {
		"type",     "description", "properties", "required", "additionalProperties",
		"enum",     "anyOf",       "$defs",      "$ref",     "items",
		"minItems", "format",
	};
	const json_t *min = json_object_get(schema, "minItems");

	WANT_ONLY(schema, allowed);
	want_reference(root, schema);
	cr_assert(!min || json_number_value(min) <= 1);
	if (at_root)
		cr_assert_null(json_object_get(schema, "anyOf"));
	if (is_object(schema))
		cr_assert(json_is_false(json_object_get(schema, "additionalProperties")));
}

static size_t optional, unions;

static void visit_sizes(const json_t *root, const json_t *schema, bool at_root)
{
	(void)root;
	(void)at_root;
	optional += json_object_size(json_object_get(schema, "properties")) -
		    json_array_size(json_object_get(schema, "required"));
	unions += json_object_get(schema, "anyOf") != NULL;
}

Test(tools, anthropic_is_within_what_strict_takes)
{
	static const char *const allowed[] = {"name", "description", "input_schema"};
	json_t *tool;
	size_t i;

	walk_tools(documents[TOOLS_ANTHROPIC], NULL, "input_schema", visit_anthropic);

	json_array_foreach(documents[TOOLS_ANTHROPIC], i, tool)
	{
		json_t *schema = json_object_get(tool, "input_schema");

		WANT_ONLY(tool, allowed);
		cr_assert_str_eq(json_string_value(json_object_get(tool, "name")), names[i]);
		cr_assert_not(reaches(schema, schema, 0));
		/* Of one strict request: any one of the tools is. */
		optional = unions = 0;
		walk(schema, schema, visit_sizes);
		cr_assert_leq(optional, 24, "%s: %zu", names[i], optional);
		cr_assert_leq(unions, 16, "%s: %zu", names[i], unions);
	}
}

static void visit_mcp(const json_t *root, const json_t *schema, bool at_root)
{
	static const char *const combined[] = {"oneOf", "anyOf", "allOf", "not"};

	want_reference(root, schema);
	for (size_t i = 0; at_root && i < sizeof combined / sizeof *combined; i++)
		cr_assert_null(json_object_get(schema, combined[i]));
}

Test(tools, mcp_is_an_answer_to_tools_list)
{
	static const char *const allowed[] = {"name", "title", "description", "inputSchema",
					      "annotations"};
	const json_t *list = json_object_get(documents[TOOLS_MCP], "tools");
	json_t *tool;
	size_t i;

	cr_assert_eq(json_object_size(documents[TOOLS_MCP]), 1);
	cr_assert_eq(json_array_size(list), 4);
	walk_tools(list, NULL, "inputSchema", visit_mcp);

	json_array_foreach(list, i, tool)
	{
		const char *name = json_string_value(json_object_get(tool, "name"));
		const json_t *annotations = json_object_get(tool, "annotations");

		WANT_ONLY(tool, allowed);
		cr_assert_str_eq(name, names[i]);
		cr_assert_eq(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_.-"),
			     strlen(name));
		cr_assert(json_is_true(json_object_get(annotations, "readOnlyHint")));
		cr_assert(json_is_string(json_object_get(tool, "description")));
	}
}

/* --- the same bytes --- */

static const char *const files[] = {"json-schema", "openai", "anthropic", "mcp"};

Test(tools, print_the_same_bytes_each_time)
{
	for (int i = 0; i < DIALECTS; i++) {
		struct buffer again = {0};

		cr_assert_not(status_failed(tools_print((enum tools_dialect)i, &arena, &again)));
		cr_assert(bytes_equal(bytes_of(again.data, again.size),
				      bytes_of(printed[i].data, printed[i].size)));
		buffer_finish(&again);
	}
}

/* Where it is meant to differ: sluice tools --dialect D >tests/data/tools/D.json. */
Test(tools, are_as_the_files_have_them)
{
	for (int i = 0; i < DIALECTS; i++) {
		char *path = arena_printf(&arena, "tests/data/tools/%s.json", files[i]);
		char *text = arena_alloc(&arena, printed[i].size + 1);
		FILE *file = fopen(path, "r");
		size_t n;

		cr_assert_not_null(file, "%s", path);
		n = fread(text, 1, printed[i].size + 1, file);
		fclose(file);
		cr_assert(
			bytes_equal(bytes_of(text, n), bytes_of(printed[i].data, printed[i].size)),
			"%s differs from what is printed", path);
	}
}

Test(tools, dialects_have_names)
{
	enum tools_dialect dialect;

	for (int i = 0; i < DIALECTS; i++) {
		cr_assert(tools_dialect_named(files[i], &dialect));
		cr_assert_eq(dialect, (enum tools_dialect)i);
	}
	cr_assert_not(tools_dialect_named("nonsense", &dialect));
}
