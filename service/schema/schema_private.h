/* schema_private - what the files that read a FileDescriptorSet share.
 *
 * Reading is four steps, each over the whole set: measure (how many of each thing), read (names,
 * numbers, comments; types only by name), sort, link (types by address). The set is not trusted: names
 * are checked before they are copied, nesting has a limit, and the schema's arena has a cap.
 */
#ifndef SLUICE_SERVICE_SCHEMA_SCHEMA_PRIVATE_H
#define SLUICE_SERVICE_SCHEMA_SCHEMA_PRIVATE_H

#include "service/schema/schema.h"
#include "service/schema/schema_item.h"

/* As deep as protoc nests messages. */
#define NESTING_MAX 32
#define NAME_BYTES_MAX 1024
#define SCHEMA_BYTES_MAX ((size_t)256 << 20)
/* Numbers up to here are found without a search. */
#define DENSE_MAX 64

/* Numbers of descriptor.proto, by message. */
enum {
	FILE_NAME = 1,
	FILE_PACKAGE = 2,
	FILE_MESSAGE = 4,
	FILE_ENUM = 5,
	FILE_SERVICE = 6,
	FILE_EXTENSION = 7,
	FILE_OPTIONS = 8,
	FILE_SOURCE_INFO = 9,
	FILE_SYNTAX = 12,
	FILE_EDITION = 14,

	MESSAGE_NAME = 1,
	MESSAGE_FIELD = 2,
	MESSAGE_NESTED = 3,
	MESSAGE_ENUM = 4,
	MESSAGE_EXTENSION = 6,
	MESSAGE_OPTIONS = 7,
	MESSAGE_ONEOF = 8,

	FIELD_NAME = 1,
	FIELD_EXTENDEE = 2,
	FIELD_NUMBER = 3,
	FIELD_LABEL = 4,
	FIELD_TYPE = 5,
	FIELD_TYPE_NAME = 6,
	FIELD_DEFAULT = 7,
	FIELD_OPTIONS = 8,
	FIELD_ONEOF = 9,
	FIELD_JSON_NAME = 10,
	FIELD_PROTO3_OPTIONAL = 17,

	ONEOF_NAME = 1,
	ONEOF_OPTIONS = 2,

	ENUM_NAME = 1,
	ENUM_VALUE = 2,
	ENUM_VALUE_NAME = 1,
	ENUM_VALUE_NUMBER = 2,

	SERVICE_NAME = 1,
	SERVICE_METHOD = 2,
	METHOD_NAME = 1,
	METHOD_INPUT = 2,
	METHOD_OUTPUT = 3,
	METHOD_CLIENT_STREAMS = 5,
	METHOD_SERVER_STREAMS = 6,

	/* "features" of each kind of options */
	FILE_FEATURES = 50,
	MESSAGE_FEATURES = 12,
	FIELD_FEATURES = 21,
	ONEOF_FEATURES = 1,

	OPTION_MAP_ENTRY = 7,
};

enum { LABEL_OPTIONAL = 1, LABEL_REQUIRED = 2, LABEL_REPEATED = 3 };

struct schema_extended {
	const char *extendee; /* its full name */
	struct schema_field *field;
};

struct regex; /* regex.h */

/* A pattern that is compiled: many fields have the same one. */
struct schema_pattern {
	struct schema_pattern *next;
	struct bytes pattern;
	const struct regex *regex;
};

struct schema {
	struct arena arena;
	struct schema_pattern *patterns;  /* newest first */
	struct schema_message **messages; /* [n_messages] by full name, as are the others */
	struct schema_enum **enums;
	struct schema_service **services;
	struct schema_extended *extensions; /* by extendee and number */
	size_t n_messages, n_enums, n_services, n_extensions;
};

/* Editions' features, those that change what is on the wire or what it means. As FeatureSet numbers
 * their values. */
struct features {
	enum { PRESENCE_EXPLICIT = 1, PRESENCE_IMPLICIT = 2, PRESENCE_REQUIRED = 3 } presence;
	enum { UTF8_VERIFY = 2, UTF8_NONE = 3 } utf8;
	enum { ENCODING_LENGTH = 1, ENCODING_DELIMITED = 2 } encoding;
};

/* A location of SourceCodeInfo that has a comment in front. */
struct comment {
	const uint32_t *path; /* numbers and indices from the file down */
	size_t n_path;
	struct bytes text;
};

struct comments {
	struct comment *all; /* by path */
	size_t n;
};

/* A field whose type is not looked up yet. */
struct field_link {
	struct schema_field *field;
	struct bytes type_name; /* ".sluice.v1.Chunk"; data NULL: none */
	struct bytes default_text;
	uint64_t oneof; /* as declared; NO_ONEOF: none */
	bool delimited;
	const char *file;
};

#define NO_ONEOF UINT64_MAX

struct method_link {
	struct schema_method *method;
	struct bytes input, output;
	const char *file;
};

struct schema_reader {
	struct schema *schema;
	struct arena *detail; /* for the detail of a failure */
	struct field_link *links;
	struct method_link *methods;
	size_t n_links, n_methods;

	/* of the file being read */
	const char *file;
	struct comments comments;
	struct features features;
	uint32_t path[2 * NESTING_MAX + 4];
	size_t n_path;
	bool editions;
};

/* What a set holds; it bounds every array of the reader. */
struct schema_counts {
	size_t messages, enums, services, extensions, fields, methods;
};

#define SCHEMA_WRONG(reader, ...)                                                                  \
	status_format((reader)->detail, STATUS_INVALID_ARGUMENT, __VA_ARGS__)

extern const status schema_no_memory;

/* schema_shown - what a set said, for a detail: cut, without what does not print. */
const char *schema_shown(struct arena *arena, struct bytes text);

/* schema_measure - counts what schema_read will meet; what does not parse is not counted. */
struct schema_counts schema_measure(struct bytes set);

/* schema_read - all files of a set. Fails as schema_open. */
status schema_read(struct schema_reader *reader, struct bytes set);

/* reader_* - steps that the reading files share. */
status reader_check(struct schema_reader *reader, struct bytes message, const char *what);
status reader_name(struct schema_reader *reader, struct bytes name, const char *scope,
		   const char **ret);
status reader_full_name(struct schema_reader *reader, struct bytes name, const char *scope,
			const char **ret);
status reader_options(struct schema_reader *reader, struct bytes message, uint32_t number,
		      struct bytes *ret);
void reader_path_push(struct schema_reader *reader, uint32_t number, size_t index);
void reader_path_pop(struct schema_reader *reader);
/* reader_comment - of the place that the path names; NULL: none. */
status reader_comment(struct schema_reader *reader, const char **ret);

/* fields_read - the fields and oneofs of a message; bytes have passed reader_check. */
status fields_read(struct schema_reader *reader, struct bytes bytes, struct features features,
		   struct schema_message *message);
/* extensions_read - those declared in a message or a file, under a field number. */
status extensions_read(struct schema_reader *reader, struct bytes bytes, uint32_t number,
		       struct features features, const char *scope);

/* enums_read - those declared in a message or a file, under a field number. */
status enums_read(struct schema_reader *reader, struct bytes bytes, uint32_t number,
		  const char *scope);
status services_read(struct schema_reader *reader, struct bytes bytes, const char *scope);

/* schema_link - types by address: everything sorted, and every name found. */
status schema_link(struct schema_reader *reader);

/* default_read - [default = text] by the field's type. False: it is no such value, or no memory. */
bool default_read(struct arena *arena, struct schema_field *field, struct bytes text);

/* features_of_file - by its syntax or edition. False: an edition that is not known. */
bool features_of_file(struct bytes syntax, uint64_t edition, struct features *ret);
/* features_apply - the features set in options, over those of the parent. */
struct features features_apply(struct features parent, struct bytes options, uint32_t number);

/* comments_read - of SourceCodeInfo; false: no memory. */
bool comments_read(struct arena *arena, struct bytes source_info, struct comments *ret);
/* comments_find - NULL in ret: none; false: no memory. */
bool comments_find(const struct comments *comments, const uint32_t *path, size_t n_path,
		   struct arena *arena, const char **ret);

struct schema_message *schema_message_find(const struct schema *schema, struct bytes full_name);
const struct schema_enum *schema_enum_find(const struct schema *schema, struct bytes full_name);

#endif
