/* get_tool_schemas - AdminService.GetToolSchemas: what sluice tools prints. */
#include "service/admin/admin.h"
#include "service/codec/message.h"
#include "service/rpc/protobuf_arena.h"
#include "service/schema/tools.h"
#include "sluice/v1/admin_service.pb-c.h"

struct get_tool_schemas {
	enum tools_dialect dialect;
};

/* The check of the message has let no other number pass. */
static enum tools_dialect dialect_of(Sluice__V1__ToolDialect dialect)
{
	switch (dialect) {
	case SLUICE__V1__TOOL_DIALECT__TOOL_DIALECT_OPENAI:
		return TOOLS_OPENAI;
	case SLUICE__V1__TOOL_DIALECT__TOOL_DIALECT_ANTHROPIC:
		return TOOLS_ANTHROPIC;
	case SLUICE__V1__TOOL_DIALECT__TOOL_DIALECT_MCP:
		return TOOLS_MCP;
	default:
		return TOOLS_JSON_SCHEMA;
	}
}

static status get_tool_schemas_request(struct rpc_call *call, struct bytes message)
{
	struct get_tool_schemas *get = rpc_state(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__GetToolSchemasRequest *request;

	TRY(message_unpack(rpc_arena(call), &sluice__v1__get_tool_schemas_request__descriptor,
			   message, &unpacked));
	request = (const Sluice__V1__GetToolSchemasRequest *)unpacked;
	get->dialect = dialect_of(request->dialect);
	return status_ok();
}

static enum rpc_step get_tool_schemas_next(struct rpc_call *call, struct buffer *ret)
{
	struct get_tool_schemas *get = rpc_state(call);
	Sluice__V1__GetToolSchemasResponse response = SLUICE__V1__GET_TOOL_SCHEMAS_RESPONSE__INIT;
	struct buffer memory = {0};
	SCOPED(buffer) text = &memory;
	status made = tools_print(get->dialect, rpc_arena(call), text);

	buffer_append_u8(text, '\0');
	if (!status_failed(made) && text->failed)
		made = status_make(STATUS_RESOURCE_EXHAUSTED, "memory for tool definitions");
	if (status_failed(made))
		return rpc_fail(call, made);
	response.schemas_json = (char *)text->data;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

const struct rpc_method get_tool_schemas_method = {
	.path = "/sluice.v1.AdminService/GetToolSchemas",
	.state_size = sizeof(struct get_tool_schemas),
	.request = get_tool_schemas_request,
	.next = get_tool_schemas_next,
};
