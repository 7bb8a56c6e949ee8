/* schema_read - files and messages out of a FileDescriptorSet's bytes, and the steps that the other
 * readers share. */
#include "service/schema/schema_private.h"

const status schema_no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				 .detail = "the schema takes too much memory"};

const char *schema_shown(struct arena *arena, struct bytes text)
{
	char shown[129];
	size_t n = 0;
	char *copy;

	for (; n < text.size && n < sizeof shown - 1; n++)
		shown[n] = text.data[n] >= ' ' && text.data[n] < 127 ? (char)text.data[n] : '?';
	copy = arena_copy(arena, shown, n);
	return copy ? copy : "?";
}

static bool is_identifier(struct bytes name)
{
	for (size_t i = 0; i < name.size; i++) {
		uint8_t c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return name.size > 0;
}

/* Identifiers with dots between. */
static bool is_package(struct bytes name)
{
	size_t start = 0;

	for (size_t i = 0; i <= name.size; i++) {
		if (i < name.size && name.data[i] != '.')
			continue;
		if (!is_identifier(bytes_of(name.data + start, i - start)))
			return false;
		start = i + 1;
	}
	return true;
}

status reader_check(struct schema_reader *reader, struct bytes message, const char *what)
{
	const char *wrong = item_check(message);

	if (wrong)
		return SCHEMA_WRONG(reader, "%s: %s: %s", reader->file, what, wrong);
	return status_ok();
}

status reader_name(struct schema_reader *reader, struct bytes name, const char *scope,
		   const char **ret)
{
	if (name.size > NAME_BYTES_MAX || !is_identifier(name))
		return SCHEMA_WRONG(reader, "%s: in \"%s\": \"%s\" is not a name", reader->file,
				    scope, schema_shown(reader->detail, name));
	*ret = arena_copy(&reader->schema->arena, name.data, name.size);
	return *ret ? status_ok() : schema_no_memory;
}

status reader_full_name(struct schema_reader *reader, struct bytes name, const char *scope,
			const char **ret)
{
	const char *simple;

	TRY(reader_name(reader, name, scope, &simple));
	if (name.size + strlen(scope) + 1 > NAME_BYTES_MAX)
		return SCHEMA_WRONG(reader, "%s: \"%s\" has a full name over %d bytes",
				    reader->file, schema_shown(reader->detail, name),
				    NAME_BYTES_MAX);
	*ret = *scope ? arena_printf(&reader->schema->arena, "%s.%s", scope, simple) : simple;
	return *ret ? status_ok() : schema_no_memory;
}

status reader_options(struct schema_reader *reader, struct bytes message, uint32_t number,
		      struct bytes *ret)
{
	if (!item_gather(&reader->schema->arena, message, number, ret))
		return schema_no_memory;
	return reader_check(reader, *ret, "options");
}

void reader_path_push(struct schema_reader *reader, uint32_t number, size_t index)
{
	reader->path[reader->n_path++] = number;
	reader->path[reader->n_path++] = (uint32_t)index;
}

void reader_path_pop(struct schema_reader *reader)
{
	reader->n_path -= 2;
}

status reader_comment(struct schema_reader *reader, const char **ret)
{
	bool found = comments_find(&reader->comments, reader->path, reader->n_path,
				   &reader->schema->arena, ret);

	return found ? status_ok() : schema_no_memory;
}

static enum schema_well_known well_known_of(const char *full_name)
{
	static const struct {
		const char *name;
		enum schema_well_known well_known;
	} all[] = {
		{"Any", WELL_KNOWN_ANY},
		{"Duration", WELL_KNOWN_DURATION},
		{"Timestamp", WELL_KNOWN_TIMESTAMP},
		{"FieldMask", WELL_KNOWN_FIELD_MASK},
		{"DoubleValue", WELL_KNOWN_WRAPPER},
		{"FloatValue", WELL_KNOWN_WRAPPER},
		{"Int64Value", WELL_KNOWN_WRAPPER},
		{"UInt64Value", WELL_KNOWN_WRAPPER},
		{"Int32Value", WELL_KNOWN_WRAPPER},
		{"UInt32Value", WELL_KNOWN_WRAPPER},
		{"BoolValue", WELL_KNOWN_WRAPPER},
		{"StringValue", WELL_KNOWN_WRAPPER},
		{"BytesValue", WELL_KNOWN_WRAPPER},
	};
	static const char package[] = "google.protobuf.";

	if (strncmp(full_name, package, sizeof package - 1) != 0)
		return WELL_KNOWN_NONE;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(full_name + sizeof package - 1, all[i].name) == 0)
			return all[i].well_known;
	return WELL_KNOWN_NONE;
}

static status messages_read(struct schema_reader *reader, struct bytes bytes, uint32_t number,
			    struct features features, const char *scope);

static status message_read(struct schema_reader *reader, struct bytes bytes,
			   struct features features, const char *scope)
{
	struct schema *schema = reader->schema;
	struct schema_message *self = ARENA_NEW(&schema->arena, struct schema_message);
	struct bytes name;

	if (!self)
		return schema_no_memory;
	TRY(reader_check(reader, bytes, "a message"));
	name = item_bytes(bytes, MESSAGE_NAME);
	TRY(reader_full_name(reader, name, scope, &self->full_name));
	self->name = self->full_name + strlen(self->full_name) - name.size;
	self->file = reader->file;
	self->schema = schema;
	self->well_known = well_known_of(self->full_name);
	TRY(reader_comment(reader, &self->comment));
	TRY(reader_options(reader, bytes, MESSAGE_OPTIONS, &self->options));
	self->map_entry = item_varint(self->options, OPTION_MAP_ENTRY, 0) != 0;
	if (reader->editions)
		features = features_apply(features, self->options, MESSAGE_FEATURES);
	TRY(fields_read(reader, bytes, features, self));
	schema->messages[schema->n_messages++] = self;

	TRY(enums_read(reader, bytes, MESSAGE_ENUM, self->full_name));
	TRY(extensions_read(reader, bytes, MESSAGE_EXTENSION, features, self->full_name));
	return messages_read(reader, bytes, MESSAGE_NESTED, features, self->full_name);
}

static status messages_read(struct schema_reader *reader, struct bytes bytes, uint32_t number,
			    struct features features, const char *scope)
{
	struct wire wire = wire_of(bytes);
	struct item item;
	size_t i = 0;

	while (item_next(&wire, &item)) {
		if (!item_is(&item, number, WIRE_LENGTH))
			continue;
		if (reader->n_path >= 2 * (size_t)NESTING_MAX)
			return SCHEMA_WRONG(reader, "%s: messages are nested deeper than %d",
					    reader->file, NESTING_MAX);
		reader_path_push(reader, number, i++);
		TRY(message_read(reader, item.bytes, features, scope));
		reader_path_pop(reader);
	}
	return status_ok();
}

/* The file's name, package, features and comments. */
static status file_head_read(struct schema_reader *reader, struct bytes bytes,
			     const char **ret_package)
{
	struct arena *arena = &reader->schema->arena;
	struct bytes name = item_bytes(bytes, FILE_NAME), syntax = item_bytes(bytes, FILE_SYNTAX);
	struct bytes package = item_bytes(bytes, FILE_PACKAGE), options, info;
	uint64_t edition = item_varint(bytes, FILE_EDITION, 0);

	if (name.size == 0 || name.size > NAME_BYTES_MAX || memchr(name.data, 0, name.size) ||
	    !bytes_is_utf8(name))
		return SCHEMA_WRONG(reader, "a file without a name, or with a bad one");
	reader->file = arena_copy(arena, name.data, name.size);
	*ret_package = arena_copy(arena, package.data, package.size);
	if (!reader->file || !*ret_package)
		return schema_no_memory;
	if (package.size > NAME_BYTES_MAX || (package.size > 0 && !is_package(package)))
		return SCHEMA_WRONG(reader, "%s: \"%s\" is not a package", reader->file,
				    schema_shown(reader->detail, package));
	if (!features_of_file(syntax, edition, &reader->features))
		return SCHEMA_WRONG(reader, "%s: syntax \"%s\" with edition %lld is not known",
				    reader->file, schema_shown(reader->detail, syntax),
				    (long long)edition);
	reader->editions = edition != 0;
	TRY(reader_options(reader, bytes, FILE_OPTIONS, &options));
	if (reader->editions)
		reader->features = features_apply(reader->features, options, FILE_FEATURES);
	if (!item_gather(arena, bytes, FILE_SOURCE_INFO, &info))
		return schema_no_memory;
	TRY(reader_check(reader, info, "source_code_info"));
	return comments_read(arena, info, &reader->comments) ? status_ok() : schema_no_memory;
}

static status file_read(struct schema_reader *reader, struct bytes bytes)
{
	struct features features;
	const char *package = "";

	reader->file = "a file";
	reader->n_path = 0;
	TRY(reader_check(reader, bytes, "a file"));
	TRY(file_head_read(reader, bytes, &package));
	features = reader->features;
	TRY(messages_read(reader, bytes, FILE_MESSAGE, features, package));
	TRY(enums_read(reader, bytes, FILE_ENUM, package));
	TRY(extensions_read(reader, bytes, FILE_EXTENSION, features, package));
	return services_read(reader, bytes, package);
}

status schema_read(struct schema_reader *reader, struct bytes set)
{
	struct wire wire = wire_of(set);
	struct item item;

	reader->file = "the set";
	TRY(reader_check(reader, set, "its files"));
	while (item_next(&wire, &item))
		if (item_is(&item, 1, WIRE_LENGTH))
			TRY(file_read(reader, item.bytes));
	return status_ok();
}
