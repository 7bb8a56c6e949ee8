/* tools - the envelopes of the dialects, around schemas of json_schema. */
#include "service/schema/tools.h"

#include "service/schema/contract.h"
#include "service/schema/json_schema_make.h"

/* A name has to suit every dialect: letters, digits, _ and -, at most 64. */
struct tool {
	const char *name, *title;
	const char *method;    /* of RetrievalService; its comment is the description */
	const char *fields[8]; /* of its request, by name */
};

/* Left out is what belongs to a program: how pages are cut and streams resumed, and what is settled
 * once for a collection. */
static const struct tool tools[] = {
	{"search_chunks",
	 "Search chunks",
	 "Search",
	 {"collection", "chunk_id", "vector", "filter", "limit", "min_score", "budget"}},
	{"get_chunks", "Get chunks", "GetChunks", {"collection", "ids", "read_mask"}},
	{"list_chunks",
	 "List chunks",
	 "ListChunks",
	 {"collection", "filter", "limit", "read_mask"}},
	{"count_chunks", "Count chunks", "CountChunks", {"collection", "filter"}},
};

#define N_TOOLS (sizeof tools / sizeof *tools)

static const char service_name[] = "sluice.v1.RetrievalService";

static const struct {
	const char *name;
	enum json_dialect schemas;
} dialects[] = {
	[TOOLS_JSON_SCHEMA] = {"json-schema", JSON_FULL},
	[TOOLS_OPENAI] = {"openai", JSON_OPENAI},
	[TOOLS_ANTHROPIC] = {"anthropic", JSON_ANTHROPIC},
	[TOOLS_MCP] = {"mcp", JSON_MCP},
};

bool tools_dialect_named(const char *name, enum tools_dialect *ret)
{
	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++)
		if (strcmp(dialects[i].name, name) == 0) {
			*ret = (enum tools_dialect)i;
			return true;
		}
	return false;
}

static const struct schema_method *method_of(const struct tool *tool)
{
	const struct schema_service *service = schema_service(contract_schema(), service_name);

	for (size_t i = 0; service && i < service->n_methods; i++)
		if (strcmp(service->methods[i].name, tool->method) == 0)
			return &service->methods[i];
	return NULL;
}

static status schema_of(const struct tool *tool, enum tools_dialect dialect, struct arena *arena,
			json_t **ret)
{
	const struct schema_method *method = method_of(tool);
	struct json_options options = {
		.dialect = dialects[dialect].schemas,
		.selection = {.fields = tool->fields, .root = true},
		.with_draft = dialect == TOOLS_JSON_SCHEMA,
	};

	if (!method)
		return status_format(arena, STATUS_INTERNAL, "the contract has no method %s",
				     tool->method);
	while (options.selection.n_fields < sizeof tool->fields / sizeof *tool->fields &&
	       tool->fields[options.selection.n_fields])
		options.selection.n_fields++;
	if (dialect == TOOLS_JSON_SCHEMA)
		options.title = tool->title;
	options.description = method->comment;
	return json_schema_make(method->input, &options, arena, ret);
}

/* Moves a member of one object to another; one that is not there is not moved. */
static void move(struct json_maker *maker, json_t *from, json_t *to, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (!value)
		return;
	json_put(maker, to, key, json_incref(value));
	json_object_del(from, key);
}

/* Takes schema. The description stands beside the schema rather than in it, but for whole schemas. */
static json_t *envelope(struct json_maker *maker, const struct tool *tool,
			enum tools_dialect dialect, json_t *schema)
{
	json_t *ret = json_object(), *inner, *annotations;

	if (dialect == TOOLS_OPENAI) {
		inner = json_object();
		json_put(maker, inner, "name", json_text(maker, tool->name));
		move(maker, schema, inner, "description");
		json_put(maker, inner, "strict", json_true());
		json_put(maker, inner, "parameters", schema);
		json_put(maker, ret, "type", json_text(maker, "function"));
		json_put(maker, ret, "function", inner);
		return ret;
	}
	json_put(maker, ret, "name", json_text(maker, tool->name));
	if (dialect == TOOLS_ANTHROPIC) {
		move(maker, schema, ret, "description");
		json_put(maker, ret, "input_schema", schema);
		return ret;
	}
	json_put(maker, ret, "title", json_text(maker, tool->title));
	if (dialect == TOOLS_MCP) {
		move(maker, schema, ret, "description");
		json_put(maker, ret, "inputSchema", schema);
		annotations = json_object();
		json_put(maker, annotations, "readOnlyHint", json_true());
		json_put(maker, annotations, "openWorldHint", json_false());
		json_put(maker, ret, "annotations", annotations);
		return ret;
	}
	json_put(maker, ret, "method",
		 json_text(maker, arena_printf(maker->arena, "%s/%s", service_name, tool->method)));
	json_put(maker, ret, "schema", schema);
	return ret;
}

status tools_print(enum tools_dialect dialect, struct arena *arena, struct buffer *ret)
{
	struct json_maker maker = {.arena = arena};
	SCOPED(json_t) list = json_array();
	SCOPED(json_t) whole = NULL;

	TRY(contract_init(arena));
	for (size_t i = 0; i < N_TOOLS; i++) {
		json_t *schema;

		TRY(schema_of(&tools[i], dialect, arena, &schema));
		json_add(&maker, list, envelope(&maker, &tools[i], dialect, schema));
	}
	if (dialect == TOOLS_MCP) {
		whole = json_object();
		json_put(&maker, whole, "tools", json_incref(list));
	}
	if (!maker.failed)
		json_print(whole ? whole : list, 0, ret);
	buffer_append_u8(ret, '\n');
	if (maker.failed || ret->failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for tool definitions");
	return status_ok();
}
