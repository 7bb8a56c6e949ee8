/* descriptors - sorted tables, filled in one walk over the set and searched by halves.
 *
 * The files' bytes stay where they are, so that what a client gets is what protoc wrote, options of
 * every kind included; the unpacked form lives only during the walk.
 */
#include "service/rpc/descriptors.h"

#include "service/rpc/protobuf_arena.h"

#include "google/protobuf/descriptor.pb-c.h"

#include <stdlib.h>

/* Far above what any set that is linked in needs. */
#define INDEX_BYTES_MAX ((size_t)64 << 20)

struct symbol {
	const char *name;
	const struct descriptor_file *file;
	bool is_message;
	bool server_streams; /* a method */
};

struct extension {
	const char *message_name;
	int32_t number;
	const struct descriptor_file *file;
};

struct descriptors {
	struct arena arena;
	struct descriptor_file *files; /* in the set's order: imports first */
	size_t n_files;
	struct symbol *symbols;       /* by name */
	struct extension *extensions; /* by name of the message, then number */
	int32_t *numbers;             /* [n_extensions] theirs, in the same order */
	size_t n_symbols, n_extensions;
};

/* It runs twice: to count, and to fill. */
struct walk {
	struct descriptors *to;
	const struct descriptor_file *file;
	bool filling, failed; /* failed: no memory */
};

typedef Google__Protobuf__FileDescriptorProto file_proto;
typedef Google__Protobuf__DescriptorProto message_proto;
typedef Google__Protobuf__EnumDescriptorProto enum_proto;
typedef Google__Protobuf__ServiceDescriptorProto service_proto;
typedef Google__Protobuf__FieldDescriptorProto field_proto;

/* --- the walk --- */

/* scope.name, and counts or stores it; "" where memory ends. */
static const char *walk_symbol(struct walk *walk, const char *scope, const char *name,
			       bool is_message)
{
	struct descriptors *to = walk->to;
	const char *full =
		arena_printf(&to->arena, "%s%s%s", scope, scope[0] ? "." : "", name ? name : "");

	if (!full) {
		walk->failed = true;
		return "";
	}
	if (walk->filling)
		to->symbols[to->n_symbols] =
			(struct symbol){.name = full, .file = walk->file, .is_message = is_message};
	to->n_symbols++;
	return full;
}

static void walk_extension(struct walk *walk, const char *scope, const field_proto *field)
{
	struct descriptors *to = walk->to;
	const char *message_name = field->extendee ? field->extendee : "";

	message_name += message_name[0] == '.';
	walk_symbol(walk, scope, field->name, false);
	if (walk->filling) {
		message_name = arena_copy(&to->arena, message_name, strlen(message_name));
		walk->failed |= !message_name;
		to->extensions[to->n_extensions] =
			(struct extension){message_name, field->number, walk->file};
	}
	to->n_extensions++;
}

/* Values stand beside their enum, not within it. */
static void walk_enum(struct walk *walk, const char *scope, const enum_proto *proto)
{
	walk_symbol(walk, scope, proto->name, false);
	for (size_t i = 0; i < proto->n_value; i++)
		walk_symbol(walk, scope, proto->value[i]->name, false);
}

/* As deep as messages are nested in the set; protobuf-c has recursed as deep to unpack it. */
static void walk_message(struct walk *walk, const char *scope, const message_proto *proto)
{
	const char *name = walk_symbol(walk, scope, proto->name, true);

	for (size_t i = 0; i < proto->n_field; i++)
		walk_symbol(walk, name, proto->field[i]->name, false);
	for (size_t i = 0; i < proto->n_oneof_decl; i++)
		walk_symbol(walk, name, proto->oneof_decl[i]->name, false);
	for (size_t i = 0; i < proto->n_enum_type; i++)
		walk_enum(walk, name, proto->enum_type[i]);
	for (size_t i = 0; i < proto->n_extension; i++)
		walk_extension(walk, name, proto->extension[i]);
	for (size_t i = 0; i < proto->n_nested_type; i++)
		walk_message(walk, name, proto->nested_type[i]);
}

static void walk_service(struct walk *walk, const char *scope, const service_proto *proto)
{
	const char *name = walk_symbol(walk, scope, proto->name, false);

	for (size_t i = 0; i < proto->n_method; i++) {
		walk_symbol(walk, name, proto->method[i]->name, false);
		if (walk->filling)
			walk->to->symbols[walk->to->n_symbols - 1].server_streams =
				proto->method[i]->server_streaming;
	}
}

static void walk_file(struct walk *walk, const file_proto *proto)
{
	const char *scope = proto->package ? proto->package : "";

	for (size_t i = 0; i < proto->n_message_type; i++)
		walk_message(walk, scope, proto->message_type[i]);
	for (size_t i = 0; i < proto->n_enum_type; i++)
		walk_enum(walk, scope, proto->enum_type[i]);
	for (size_t i = 0; i < proto->n_service; i++)
		walk_service(walk, scope, proto->service[i]);
	for (size_t i = 0; i < proto->n_extension; i++)
		walk_extension(walk, scope, proto->extension[i]);
}

/* --- opening --- */

static int compare_symbols(const void *a, const void *b)
{
	return strcmp(((const struct symbol *)a)->name, ((const struct symbol *)b)->name);
}

static int compare_extensions(const void *a, const void *b)
{
	const struct extension *x = a, *y = b;
	int order = strcmp(x->message_name, y->message_name);

	return order ? order : (x->number > y->number) - (x->number < y->number);
}

/* Where each file lies in the set. ret  NULL: only count. */
static status split_files(struct bytes set, struct bytes *ret, size_t *ret_n)
{
	const uint64_t file_tag = 1 << 3 | 2;
	struct reader reader = reader_of(set);
	size_t n = 0;

	while (reader.at != reader.end) {
		uint64_t tag = reader_varint(&reader);
		struct bytes file = reader_take(&reader, reader_varint(&reader));

		if (reader.failed || tag != file_tag)
			return status_make(STATUS_INVALID_ARGUMENT, "no FileDescriptorSet");
		if (ret)
			ret[n] = file;
		n++;
	}
	*ret_n = n;
	return status_ok();
}

static status link_imports(struct descriptors *to, struct descriptor_file *file,
			   const file_proto *proto)
{
	file->imports =
		ARENA_ARRAY(&to->arena, const struct descriptor_file *, proto->n_dependency);
	if (!file->imports)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for descriptors");
	for (size_t i = 0; i < proto->n_dependency; i++) {
		const struct descriptor_file *import = descriptors_file(to, proto->dependency[i]);

		if (import)
			file->imports[file->n_imports++] = import;
	}
	return status_ok();
}

static status read_files(struct descriptors *to, struct bytes set, struct arena *scratch,
			 file_proto ***ret)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(scratch);
	struct bytes *parts;
	file_proto **protos;
	size_t n;

	TRY(split_files(set, NULL, &n));
	parts = ARENA_ARRAY(scratch, struct bytes, n);
	protos = ARENA_ARRAY(scratch, file_proto *, n);
	to->files = ARENA_ARRAY(&to->arena, struct descriptor_file, n);
	if (!parts || !protos || !to->files)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for descriptors");
	TRY(split_files(set, parts, &to->n_files));
	for (size_t i = 0; i < n; i++) {
		struct descriptor_file *file = &to->files[i];

		protos[i] = google__protobuf__file_descriptor_proto__unpack(
			&allocator, parts[i].size, parts[i].data);
		if (!protos[i] || !protos[i]->name)
			return status_make(STATUS_INVALID_ARGUMENT, "no FileDescriptorProto");
		file->bytes = parts[i];
		file->name = arena_copy(&to->arena, protos[i]->name, strlen(protos[i]->name));
		if (!file->name)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for descriptors");
	}
	for (size_t i = 0; i < n; i++)
		TRY(link_imports(to, &to->files[i], protos[i]));
	*ret = protos;
	return status_ok();
}

static status walk_all(struct descriptors *to, file_proto **protos, bool filling)
{
	struct walk walk = {.to = to, .filling = filling};

	to->n_symbols = 0;
	to->n_extensions = 0;
	for (size_t i = 0; i < to->n_files; i++) {
		walk.file = &to->files[i];
		walk_file(&walk, protos[i]);
	}
	if (walk.failed)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for descriptors");
	return status_ok();
}

static status build_tables(struct descriptors *to, file_proto **protos)
{
	TRY(walk_all(to, protos, false));
	to->symbols = ARENA_ARRAY(&to->arena, struct symbol, to->n_symbols);
	to->extensions = ARENA_ARRAY(&to->arena, struct extension, to->n_extensions);
	to->numbers = ARENA_ARRAY(&to->arena, int32_t, to->n_extensions);
	if (!to->symbols || !to->extensions || !to->numbers)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for descriptors");
	TRY(walk_all(to, protos, true));
	qsort(to->symbols, to->n_symbols, sizeof *to->symbols, compare_symbols);
	qsort(to->extensions, to->n_extensions, sizeof *to->extensions, compare_extensions);
	for (size_t i = 0; i < to->n_extensions; i++)
		to->numbers[i] = to->extensions[i].number;
	return status_ok();
}

status descriptors_open(struct bytes set, struct descriptors **ret)
{
	SCOPED(descriptors) descriptors = calloc(1, sizeof *descriptors);
	struct arena scratch_arena;
	SCOPED(arena) scratch = &scratch_arena;
	file_proto **protos;

	arena_init(scratch, INDEX_BYTES_MAX);
	if (!descriptors)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for descriptors");
	arena_init(&descriptors->arena, INDEX_BYTES_MAX);
	TRY(read_files(descriptors, set, scratch, &protos));
	TRY(build_tables(descriptors, protos));
	*ret = TAKE(descriptors);
	return status_ok();
}

void descriptors_close(struct descriptors *descriptors)
{
	if (!descriptors)
		return;
	arena_finish(&descriptors->arena);
	free(descriptors);
}

/* --- asking --- */

const struct descriptor_file *descriptors_file(const struct descriptors *descriptors,
					       const char *file_name)
{
	for (size_t i = 0; i < descriptors->n_files; i++) {
		if (strcmp(descriptors->files[i].name, file_name) == 0)
			return &descriptors->files[i];
	}
	return NULL;
}

static const struct symbol *find_symbol(const struct descriptors *descriptors, const char *name)
{
	struct symbol key = {.name = name};

	return bsearch(&key, descriptors->symbols, descriptors->n_symbols, sizeof key,
		       compare_symbols);
}

const struct descriptor_file *descriptors_symbol(const struct descriptors *descriptors,
						 const char *name)
{
	const struct symbol *symbol = find_symbol(descriptors, name);

	return symbol ? symbol->file : NULL;
}

bool descriptors_is_message(const struct descriptors *descriptors, const char *name)
{
	const struct symbol *symbol = find_symbol(descriptors, name);

	return symbol && symbol->is_message;
}

bool descriptors_server_streams(const struct descriptors *descriptors, const char *name)
{
	const struct symbol *symbol = find_symbol(descriptors, name);

	return symbol && symbol->server_streams;
}

const struct descriptor_file *descriptors_extension(const struct descriptors *descriptors,
						    const char *message_name, int32_t number)
{
	struct extension key = {.message_name = message_name, .number = number};
	const struct extension *extension =
		bsearch(&key, descriptors->extensions, descriptors->n_extensions, sizeof key,
			compare_extensions);

	return extension ? extension->file : NULL;
}

size_t descriptors_extension_numbers(const struct descriptors *descriptors,
				     const char *message_name, const int32_t **ret)
{
	size_t begin = 0, end;

	while (begin < descriptors->n_extensions &&
	       strcmp(descriptors->extensions[begin].message_name, message_name) != 0)
		begin++;
	end = begin;
	while (end < descriptors->n_extensions &&
	       strcmp(descriptors->extensions[end].message_name, message_name) == 0)
		end++;
	*ret = descriptors->numbers + begin;
	return end - begin;
}

size_t descriptors_n_files(const struct descriptors *descriptors)
{
	return descriptors->n_files;
}

size_t descriptors_with_imports(const struct descriptor_file *file,
				const struct descriptor_file **ret)
{
	size_t n = 1;

	ret[0] = file;
	/* What is behind i is still to be looked at: a queue that keeps what it has seen. */
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < ret[i]->n_imports; j++) {
			size_t seen = 0;

			while (seen < n && ret[seen] != ret[i]->imports[j])
				seen++;
			if (seen == n)
				ret[n++] = ret[i]->imports[j];
		}
	}
	return n;
}
