/* schema - the messages, fields and enums of a FileDescriptorSet, with their buf.validate rules.
 *
 * One source for all that is known of a message: check.h walks a request's bytes beside it, yaml.h
 * reads a configuration into it, json_schema.h prints it. A schema is read from the bytes that protoc
 * writes; every kind of file is understood: proto2, proto3 and editions.
 *
 * Life cycle: schema_open, then any number of look-ups, schema_close. Everything reached from a schema
 * lives as long as it does. Rules are compiled on demand, message by message (schema_compile), so that
 * one bad annotation in a set spoils only the messages that reach it. A schema whose messages are
 * compiled is immutable: any number of threads may read.
 */
#ifndef SLUICE_SERVICE_SCHEMA_SCHEMA_H
#define SLUICE_SERVICE_SCHEMA_SCHEMA_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As FieldDescriptorProto.Type numbers them. */
enum schema_type {
	SCHEMA_DOUBLE = 1,
	SCHEMA_FLOAT = 2,
	SCHEMA_INT64 = 3,
	SCHEMA_UINT64 = 4,
	SCHEMA_INT32 = 5,
	SCHEMA_FIXED64 = 6,
	SCHEMA_FIXED32 = 7,
	SCHEMA_BOOL = 8,
	SCHEMA_STRING = 9,
	SCHEMA_GROUP = 10, /* a message between start and end tags */
	SCHEMA_MESSAGE = 11,
	SCHEMA_BYTES = 12,
	SCHEMA_UINT32 = 13,
	SCHEMA_ENUM = 14,
	SCHEMA_SFIXED32 = 15,
	SCHEMA_SFIXED64 = 16,
	SCHEMA_SINT32 = 17,
	SCHEMA_SINT64 = 18,
};

/* Messages with a meaning of their own to rules, JSON and YAML. */
enum schema_well_known {
	WELL_KNOWN_NONE,
	WELL_KNOWN_ANY,
	WELL_KNOWN_DURATION,
	WELL_KNOWN_TIMESTAMP,
	WELL_KNOWN_FIELD_MASK,
	WELL_KNOWN_WRAPPER, /* google.protobuf.Int32Value and its kin: one field, number 1 */
};

struct schema;
struct schema_message;
struct message_rules; /* rules.h */
struct field_rules;   /* rules.h */
struct message_plan;  /* plan.h */

struct schema_enum_value {
	const char *name;
	int32_t number;
	const char *comment; /* NULL: none, or the set has no source info */
};

struct schema_enum {
	const char *full_name; /* "sluice.v1.Metric", no dot in front */
	const char *comment;
	struct schema_enum_value *values; /* [n_values] as declared */
	size_t n_values;
	int32_t *numbers; /* [n_values] ascending, for schema_enum_has */
};

struct schema_oneof {
	const char *name;
	const char *comment;
	uint32_t index;                     /* in message->oneofs */
	bool required;                      /* (buf.validate.oneof).required, once compiled */
	const struct schema_field **fields; /* [n_fields] its members */
	size_t n_fields;
	struct bytes options; /* OneofOptions as encoded; for rules */
};

/* A value as rules compare it. Which member holds follows from the type: number for float and double,
 * sint for signed integers and enums, uint for unsigned ones and bool, bytes for string, bytes and a
 * message's encoding. */
union schema_value {
	double number;
	int64_t sint;
	uint64_t uint;
	struct bytes bytes;
};

struct schema_field {
	const char *name;
	const char *json_name;
	const char *comment; /* leading, without the slashes; lines parted by \n; NULL: none */
	uint32_t number;
	uint32_t index; /* in message->fields */
	enum schema_type type;
	bool repeated;        /* a map too */
	bool map;             /* message is the entry: fields 1 (key) and 2 (value) */
	bool presence;        /* set and zero is other than unset */
	bool proto3_optional; /* presence by the word optional: its oneof is left out */
	bool label_required;  /* proto2's required */
	bool verify_utf8;     /* a string that has to be UTF-8 */
	bool has_default;     /* proto2 and editions: [default = ...] */
	union schema_value default_value;
	const struct schema_message *message;   /* of a message, a group and a map; else NULL */
	const struct schema_enum *enumeration;  /* of an enum, else NULL */
	const struct schema_oneof *oneof;       /* NULL: in none */
	const struct schema_message *container; /* the message it is declared in */
	struct bytes options;                   /* FieldOptions as encoded; for rules and tests */
	const struct field_rules *rules;        /* once compiled; NULL: none */
};

struct schema_message {
	const char *full_name; /* "sluice.v1.SearchRequest", no dot in front */
	const char *name;
	const char *comment;
	const char *file; /* "sluice/v1/retrieval_service.proto" */
	enum schema_well_known well_known;
	bool map_entry;
	struct schema_field *fields; /* [n_fields] by number */
	size_t n_fields;
	struct schema_oneof *oneofs; /* [n_oneofs] without those of proto3 optional */
	size_t n_oneofs;
	struct bytes options;              /* MessageOptions as encoded */
	const struct message_rules *rules; /* once compiled; NULL: none */
	const struct message_plan *plan;   /* once compiled; NULL: none */
	bool compiled;
	struct schema *schema;
	uint16_t *dense; /* [dense_max + 1] field number -> index + 1; for the common low numbers */
	uint32_t dense_max;
};

struct schema_method {
	const char *name;
	const char *comment;
	const struct schema_message *input, *output;
	bool client_streams, server_streams;
};

struct schema_service {
	const char *full_name;
	const char *comment;
	struct schema_method *methods;
	size_t n_methods;
};

/* schema_open - set  a FileDescriptorSet, imports first; borrowed as long as the schema lives.
 * arena  for the detail of a failure.
 * Fails: INVALID_ARGUMENT (the set does not parse, or names a type that it lacks; it is named)
 * RESOURCE_EXHAUSTED */
status schema_open(struct bytes set, struct arena *arena, struct schema **ret);

/* schema_close - NULL is fine. */
void schema_close(struct schema *schema);

SCOPE_DEFINE(schema, schema_close)

/* Each gives NULL where there is none. Names are full ones without a dot in front. */
struct schema_message *schema_message(const struct schema *schema, const char *full_name);
const struct schema_enum *schema_enum(const struct schema *schema, const char *full_name);
const struct schema_service *schema_service(const struct schema *schema, const char *full_name);

/* schema_extension - the extension of a message by field number: an annotation's own declaration. */
const struct schema_field *schema_extension(const struct schema *schema, const char *extendee,
					    uint32_t number);

/* schema_messages - all, sorted by full name. */
struct schema_message **schema_messages(const struct schema *schema, size_t *ret_n);

const struct schema_field *schema_field_by_name(const struct schema_message *message,
						const char *name);

/* schema_field_by_number - NULL where there is none. The hot look-up of a walk. */
static inline const struct schema_field *
schema_field_by_number(const struct schema_message *message, uint32_t number)
{
	const struct schema_field *fields = message->fields;
	size_t low = 0, high = message->n_fields;

	if (number <= message->dense_max)
		return message->dense[number] ? &fields[message->dense[number] - 1] : NULL;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (fields[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < message->n_fields && fields[low].number == number ? &fields[low] : NULL;
}

bool schema_enum_has(const struct schema_enum *enumeration, int32_t number);

/* schema_compile - the rules of a message and of every message that it reaches; once is enough, and
 * cheap again. Not thread safe.
 * arena  for the detail of a failure.
 * Fails: UNIMPLEMENTED (CEL) INVALID_ARGUMENT (any other annotation that is not understood, with file,
 * message, field and rule) RESOURCE_EXHAUSTED */
status schema_compile(struct schema *schema, struct schema_message *message, struct arena *arena);

/* schema_arena - what lives as long as the schema is put here; for the files of this folder. */
struct arena *schema_arena(struct schema *schema);

#endif
