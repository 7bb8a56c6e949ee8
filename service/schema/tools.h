/* tools - what a language model is told of Sluice: definitions of four tools that read.
 *
 * Each is a request of RetrievalService in its proto3 JSON form, with the fields that a model decides
 * on; what a model answers is that request as it stands. The sentences are the comments of the .proto,
 * the limits its rules (json_schema.h).
 */
#ifndef SLUICE_SERVICE_SCHEMA_TOOLS_H
#define SLUICE_SERVICE_SCHEMA_TOOLS_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"

enum tools_dialect {
	TOOLS_JSON_SCHEMA, /* [{name, title, method, schema}], whole 2020-12 schemas */
	TOOLS_OPENAI,      /* [{type, function: {name, description, strict, parameters}}] */
	TOOLS_ANTHROPIC,   /* [{name, description, input_schema}] */
	TOOLS_MCP,         /* {tools: [{name, title, description, inputSchema, annotations}]} */
};

/* tools_dialect_named - "json-schema", "openai", "anthropic" or "mcp"; false: none of these. */
bool tools_dialect_named(const char *name, enum tools_dialect *ret);

/* tools_print - appends a JSON document, the same bytes each time, to ret. Opens the contract.
 * Fails: RESOURCE_EXHAUSTED, or as contract_init */
status tools_print(enum tools_dialect dialect, struct arena *arena, struct buffer *ret);

#endif
