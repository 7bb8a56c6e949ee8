/* config_load - files and variables, over what is known already. */
#include "service/config/config_load.h"

#include "service/config/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct config_variable config_variables[CONFIG_VARIABLES] = {
	{"SLUICE_CONFIG", NULL, false},
	{"SLUICE_DATA", "data_directory", false},
	{"SLUICE_LISTEN", "listen", true},
	{"SLUICE_GPU", "gpu.mode", false},
	{"SLUICE_LOG_LEVEL", "logging.level", false},
};

/* --- the file --- */

static status cannot_read(struct arena *arena, const char *file, int error)
{
	enum status_code code = error == ENOENT   ? STATUS_NOT_FOUND
				: error == EACCES ? STATUS_PERMISSION_DENIED
						  : STATUS_UNAVAILABLE;

	return status_format(arena, code, "cannot read %s: %s", file, strerror(error));
}

/* Up to one byte more than a document may have, so that the document says what is wrong. */
static status file_read(const char *file, struct arena *arena, struct bytes *ret)
{
	size_t size = DOCUMENT_BYTES_MAX + 1;
	char *text = arena_alloc(arena, size);
	FILE *in = text ? fopen(file, "rb") : NULL;
	size_t n;
	int error;

	if (!text)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a configuration");
	if (!in)
		return cannot_read(arena, file, errno);
	errno = 0;
	n = fread(text, 1, size, in);
	error = ferror(in) ? errno : 0;
	fclose(in);
	if (error)
		return cannot_read(arena, file, error);
	*ret = bytes_of(text, n);
	return status_ok();
}

static void check_conflicts(const struct server_config *config, const struct document *document,
			    struct problems *problems)
{
	const char *path = NULL, *sentence = NULL;
	const char *rule = server_config_conflict(config, problems->arena, &path, &sentence);

	if (rule && path && sentence)
		problems_note(problems, document_place(document, path), path, rule, "%s", sentence);
}

status config_load_text(struct bytes text, struct problems *problems, struct server_config *config)
{
	const struct schema_message *message;
	struct document read = {0};
	SCOPED(document) document = &read;
	struct server_config merged = *config;

	TRY(server_config_message(problems->arena, &message));
	if (!document_read(text, message, problems, document))
		return status_ok();
	TRY(server_config_merge(message, bytes_of(document->message.data, document->message.size),
				problems->arena, &merged));
	check_conflicts(&merged, document, problems);
	if (problems->n == 0)
		*config = merged;
	return status_ok();
}

status config_load_file(const char *file, struct problems *problems, struct server_config *config)
{
	struct bytes text;

	TRY(file_read(file, problems->arena, &text));
	return config_load_text(text, problems, config);
}

/* --- the environment --- */

/* The parts of text between commas: at most one more than there may be addresses. */
static size_t split(char *text, const char *ret[LISTEN_MAX + 1])
{
	char *rest = text, *part;
	size_t n = 0;

	while (n <= LISTEN_MAX && (part = strsep(&rest, ",")))
		ret[n++] = part;
	return n;
}

static status set_variable(const struct schema_message *message,
			   const struct config_variable *variable, const char *value,
			   struct arena *arena, struct server_config *config)
{
	struct problems problems = {.arena = arena};
	const char *texts[LISTEN_MAX + 1] = {value};
	size_t n = 1;
	char *copy;

	if (variable->is_list) {
		copy = arena_copy(arena, value, strlen(value));
		if (!copy)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a configuration");
		n = split(copy, texts);
	}
	TRY(server_config_set(message, variable->path, texts, n, &problems, config));
	if (problems.n)
		return status_format(arena, STATUS_INVALID_ARGUMENT, "%s: %s %s (%s)",
				     variable->name, variable->path, problems.list[0].sentence,
				     problems.list[0].rule);
	return status_ok();
}

status config_load_environment(struct arena *arena, struct server_config *config)
{
	const struct schema_message *message;

	TRY(server_config_message(arena, &message));
	for (size_t i = 0; i < CONFIG_VARIABLES; i++) {
		const struct config_variable *variable = &config_variables[i];
		const char *value = variable->path ? getenv(variable->name) : NULL;

		if (value && *value)
			TRY(set_variable(message, variable, value, arena, config));
	}
	return status_ok();
}
