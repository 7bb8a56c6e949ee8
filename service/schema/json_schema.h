/* json_schema - a message as JSON Schema, draft 2020-12: its proto3 JSON form under its own rules.
 *
 * What is described is the form that proto3 JSON writers give: lowerCamelCase names, enums by name,
 * 64-bit integers as decimal strings, and as numbers too, since readers take both; bytes in base64,
 * with or without padding. Not in the schema, though a reader takes it: null, a field's original name,
 * an enum's number, a 32-bit or floating number in quotes, a decimal with a sign + or leading zeros.
 *
 * A rule that JSON Schema cannot say in full is said as far as a schema refuses nothing that the checker
 * accepts: n bytes of text at most are n code points at most, n at least are n / 4; the range of a
 * duration, the content of bytes and the like stand in the description. A float's bound is its
 * shortest decimal, so numbers within half a step of it may be judged differently.
 *
 * The dialects are those of tool definitions (tools.h): they know fewer keywords, and what they cannot
 * say becomes a sentence of the description.
 */
#ifndef SLUICE_SERVICE_SCHEMA_JSON_SCHEMA_H
#define SLUICE_SERVICE_SCHEMA_JSON_SCHEMA_H

#include "service/schema/schema.h"

enum json_dialect {
	JSON_FULL,      /* 2020-12, every rule that it can say */
	JSON_MCP,       /* the same for a model: integers as numbers, no oneOf at the root */
	JSON_OPENAI,    /* strict: every field required, optional ones nullable */
	JSON_ANTHROPIC, /* strict: no limits but enum, format and an item at least */
};

/* json_schema_print - the schema of a message as a JSON document, two spaces a level, a line feed
 * behind it; the same bytes each time.
 * message  compiled.
 * Fails: UNIMPLEMENTED (a message that holds itself, in JSON_OPENAI and JSON_ANTHROPIC)
 * RESOURCE_EXHAUSTED */
status json_schema_print(const struct schema_message *message, enum json_dialect dialect,
			 struct arena *arena, struct buffer *ret);

#endif
