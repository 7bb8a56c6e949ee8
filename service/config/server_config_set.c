/* server_config_set - fields told by name, in words: defaults, and what the environment says. */
#include "service/config/scalar.h"
#include "service/config/server_config.h"
#include "service/schema/check.h"
#include "service/schema/wire.h"

#include <string.h>

/* (sluice.config.v1.default_value) */
#define OPTION_DEFAULT_VALUE 50001
#define DEFAULTS_MAX LISTEN_MAX

/* Deeper than the messages of a configuration are in each other. */
#define DEPTH_MAX 4
#define NAME_MAX_BYTES 256

static status out_of_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a configuration");
}

/* The fields along a path, outermost first; 0 where it leads nowhere. */
static size_t path_fields(const struct schema_message *message, const char *path,
			  const struct schema_field *ret[DEPTH_MAX])
{
	size_t n = 0;

	while (message && n < DEPTH_MAX) {
		size_t size = strcspn(path, ".");
		char name[NAME_MAX_BYTES];

		if (size >= sizeof name)
			return 0;
		memcpy(name, path, size);
		name[size] = 0;
		ret[n] = schema_field_by_name(message, name);
		if (!ret[n])
			return 0;
		message = ret[n++]->message;
		if (!path[size])
			return n;
		path += size + 1;
	}
	return 0;
}

static void append_wrapped(struct buffer *encoded, const struct schema_field *field)
{
	struct buffer owned = {0};
	SCOPED(buffer) wrapped = &owned;
	struct buffer inner = *encoded;

	buffer_append_varint(wrapped, (uint64_t)field->number << 3 | WIRE_LENGTH);
	buffer_append_varint(wrapped, inner.size);
	buffer_append(wrapped, inner.data, inner.size);
	*encoded = owned;
	encoded->failed |= inner.failed;
	owned = inner; /* the scope frees it */
}

struct overriding {
	struct problems *problems;
	const char *path;
};

static bool note_violation(void *context, const struct violation *violation)
{
	const struct overriding *overriding = context;

	problems_note(overriding->problems, (struct place){0}, overriding->path, violation->rule_id,
		      "%s", violation->message);
	return true;
}

/* False, with the problem noted, where a text is no value of the field. */
static bool encode_texts(const struct schema_field *field, const char *const *texts, size_t n,
			 const struct overriding *overriding, struct buffer *ret)
{
	for (size_t i = 0; i < n; i++) {
		/* What is empty is a string that is empty: nothing is left out here. */
		struct scalar scalar = {.text = bytes_of_string(texts[i]), .quoted = !*texts[i]};
		const char *sentence;
		const char *rule =
			scalar_encode(field, scalar, overriding->problems->arena, ret, &sentence);

		if (!rule)
			continue;
		problems_note(overriding->problems, (struct place){0}, overriding->path, rule, "%s",
			      sentence);
		return false;
	}
	return true;
}

status server_config_set(const struct schema_message *message, const char *path,
			 const char *const *texts, size_t n, struct problems *problems,
			 struct server_config *config)
{
	struct overriding overriding = {problems, path};
	const struct check_options options = {
		.limits = &check_limits_strict,
		.report = note_violation,
		.context = &overriding,
	};
	const struct schema_field *fields[DEPTH_MAX];
	size_t n_fields = path_fields(message, path, fields), n_before = problems->n;
	struct buffer owned = {0};
	SCOPED(buffer) encoded = &owned;
	struct bytes bytes;

	if (n_fields == 0 || !scalar_fits(fields[n_fields - 1]))
		return status_format(problems->arena, STATUS_INTERNAL, "%s: no such field", path);
	if (!encode_texts(fields[n_fields - 1], texts, n, &overriding, encoded))
		return status_ok();
	for (size_t i = n_fields - 1; i > 0; i--)
		append_wrapped(encoded, fields[i - 1]);
	if (encoded->failed)
		return out_of_memory();
	bytes = bytes_of(encoded->data, encoded->size);
	TRY(check_message(message, bytes, &options, problems->arena));
	return problems->n > n_before
		       ? status_ok()
		       : server_config_merge(message, bytes, problems->arena, config);
}

/* --- defaults --- */

const char **server_config_defaults_of(const struct schema_field *field, struct arena *arena,
				       size_t *ret_n)
{
	const char **texts = ARENA_ARRAY(arena, const char *, DEFAULTS_MAX);
	struct wire wire = wire_of(field->options);

	*ret_n = 0;
	while (texts && wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		struct bytes value;

		if (tag.type == WIRE_VARINT) {
			wire_varint(&wire);
			continue;
		}
		if (tag.type != WIRE_LENGTH)
			break; /* no option that we have */
		value = wire_length_delimited(&wire);
		if (tag.number != OPTION_DEFAULT_VALUE || *ret_n == DEFAULTS_MAX)
			continue;
		texts[*ret_n] = arena_copy(arena, value.data, value.size);
		if (!texts[(*ret_n)++])
			return NULL;
	}
	return texts;
}

static status set_default(const struct schema_message *root, const struct schema_field *field,
			  const char *path, struct arena *arena, struct server_config *config)
{
	struct problems problems = {.arena = arena};
	size_t n;
	const char **texts = server_config_defaults_of(field, arena, &n);

	if (!texts)
		return out_of_memory();
	if (n == 0)
		return status_format(arena, STATUS_INTERNAL, "%s has no default", path);
	TRY(server_config_set(root, path, texts, n, &problems, config));
	if (problems.n)
		return status_format(arena, STATUS_INTERNAL, "the default of %s %s", path,
				     problems.list[0].sentence);
	return status_ok();
}

static status set_defaults(const struct schema_message *root, const struct schema_message *message,
			   const char *prefix, struct arena *arena, struct server_config *config)
{
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct schema_field *field = &message->fields[i];
		const char *path = arena_printf(arena, "%s%s%s", prefix, field->name,
						scalar_fits(field) ? "" : ".");

		if (!path)
			return out_of_memory();
		if (scalar_fits(field))
			TRY(set_default(root, field, path, arena, config));
		else
			TRY(set_defaults(root, field->message, path, arena, config));
	}
	return status_ok();
}

status server_config_defaults(const struct schema_message *message, struct arena *arena,
			      struct server_config *ret)
{
	struct server_config config = {0};

	TRY(set_defaults(message, message, "", arena, &config));
	*ret = config;
	return status_ok();
}
