/* check_path - where something is wrong, as a client reads it: chunks[3].metadata["lang"]. */
#include "service/schema/check_walk.h"

#include <inttypes.h>
#include <stdio.h>

/* A path as deep as a walk can go, and the fields of a schema are deep enough besides. */
#define PATH_DEPTH_MAX 128

/* Appends to a text that may be full: its length grows, what is past its size is dropped. */
struct path_text {
	char *text;
	size_t size, length;
};

static void path_append(struct path_text *to, const char *piece, size_t n)
{
	for (size_t i = 0; i < n; i++, to->length++)
		if (to->length + 1 < to->size)
			to->text[to->length] = piece[i];
}

static void path_append_string(struct path_text *to, const char *piece)
{
	path_append(to, piece, strlen(piece));
}

static void path_append_key(struct path_text *to, const struct check_path *path)
{
	const struct schema_field *key_field = &path->field->message->fields[0];
	const struct check_value value = {key_field, path->key};
	char key[SHOWN_VALUE_MAX];

	scalar_print(&value, key, sizeof key);
	path_append_string(to, "[");
	path_append_string(to, key);
	path_append_string(to, "]");
}

static void path_append_element(struct path_text *to, const struct check_path *path)
{
	char index[32];

	if (to->length > 0)
		path_append_string(to, ".");
	path_append_string(to, path->field ? path->field->name : path->oneof->name);
	if (path->subscript == SUBSCRIPT_INDEX) {
		snprintf(index, sizeof index, "[%" PRIu64 "]", path->index);
		path_append_string(to, index);
	} else if (path->subscript == SUBSCRIPT_KEY) {
		path_append_key(to, path);
	}
}

size_t check_path_print(const struct check_path *path, char *text, size_t size)
{
	const struct check_path *elements[PATH_DEPTH_MAX];
	struct path_text to = {text, size, 0};
	size_t n = 0;

	for (; path && n < PATH_DEPTH_MAX; path = path->outer)
		elements[n++] = path;
	while (n > 0)
		path_append_element(&to, elements[--n]);
	if (size > 0)
		text[to.length < size ? to.length : size - 1] = 0;
	return to.length;
}
