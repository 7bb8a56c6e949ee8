/* tools - GetToolSchemas gives what sluice tools prints: the files in tests/data/tools. */
#include "tests/e2e/world.h"

#include "sluice/v1/admin_service.pb-c.h"

#include <stdio.h>

TestSuite(tools, .init = world_open, .fini = world_close, .timeout = 120);

static const struct method get_tool_schemas = {
	"/sluice.v1.AdminService/GetToolSchemas",
	&sluice__v1__get_tool_schemas_response__descriptor,
};

static const struct {
	Sluice__V1__ToolDialect dialect;
	const char *file;
} dialects[] = {
	{SLUICE__V1__TOOL_DIALECT__TOOL_DIALECT_UNSPECIFIED, "json-schema"},
	{SLUICE__V1__TOOL_DIALECT__TOOL_DIALECT_JSON_SCHEMA, "json-schema"},
	{SLUICE__V1__TOOL_DIALECT__TOOL_DIALECT_OPENAI, "openai"},
	{SLUICE__V1__TOOL_DIALECT__TOOL_DIALECT_ANTHROPIC, "anthropic"},
	{SLUICE__V1__TOOL_DIALECT__TOOL_DIALECT_MCP, "mcp"},
};

static const char *file_text(const char *name)
{
	FILE *file = fopen(text_of("tests/data/tools/%s.json", name), "r");
	size_t size = 1 << 20;
	char *text = arena_alloc(&world.session.arena, size);

	cr_assert_not_null(file, "%s", name);
	text[fread(text, 1, size - 1, file)] = '\0';
	fclose(file);
	return text;
}

Test(tools, are_served_in_every_dialect)
{
	for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
		Sluice__V1__GetToolSchemasRequest request =
			SLUICE__V1__GET_TOOL_SCHEMAS_REQUEST__INIT;
		const Sluice__V1__GetToolSchemasResponse *response;
		struct answer answer;

		request.dialect = dialects[i].dialect;
		answer = session_call(&world.session, &get_tool_schemas, &request.base);
		cr_assert_eq(answer.code, GRPC_STATUS_OK, "%s", answer.detail);
		response = answer.message;
		cr_assert_str_eq(response->schemas_json, file_text(dialects[i].file));
	}
}

Test(tools, a_dialect_that_is_none_is_refused)
{
	Sluice__V1__GetToolSchemasRequest request = SLUICE__V1__GET_TOOL_SCHEMAS_REQUEST__INIT;

	request.dialect = (Sluice__V1__ToolDialect)5;
	WANT(session_call(&world.session, &get_tool_schemas, &request.base),
	     GRPC_STATUS_INVALID_ARGUMENT, "dialect");
}
