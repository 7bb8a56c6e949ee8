/* schema_comments - the comments in front of declarations, out of SourceCodeInfo.
 *
 * A location names its declaration by a path: numbers of descriptor.proto's fields and indices in turn.
 * Those that carry a comment are sorted by path once; each declaration then looks its own up.
 */
#include "service/schema/schema_private.h"

#include <stdlib.h>

enum { INFO_LOCATION = 1, LOCATION_PATH = 1, LOCATION_LEADING = 3 };

static int paths_compare(const uint32_t *a, size_t n_a, const uint32_t *b, size_t n_b)
{
	for (size_t i = 0; i < n_a && i < n_b; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	return n_a == n_b ? 0 : n_a < n_b ? -1 : 1;
}

static int comments_compare(const void *a, const void *b)
{
	const struct comment *x = a, *y = b;

	return paths_compare(x->path, x->n_path, y->path, y->n_path);
}

/* Room for the numbers of a path: packed, a number takes a byte at least. */
static size_t path_bound(struct bytes location)
{
	struct wire wire = wire_of(location);
	struct item item;
	size_t n = 0;

	while (item_next(&wire, &item))
		if (item.number == LOCATION_PATH)
			n += item.type == WIRE_LENGTH ? item.bytes.size : 1;
	return n;
}

/* Packed or not. False: no memory. A path that does not parse is cut, and not found or found wrongly:
 * a comment is all it can spoil. */
static bool path_read(struct arena *arena, struct bytes location, struct comment *ret)
{
	struct wire wire = wire_of(location);
	uint32_t *path = ARENA_ARRAY(arena, uint32_t, path_bound(location));
	struct item item;
	size_t n = 0;

	if (!path)
		return false;
	while (item_next(&wire, &item)) {
		struct wire packed = wire_of(item.bytes);

		if (item_is(&item, LOCATION_PATH, WIRE_VARINT))
			path[n++] = (uint32_t)item.bits;
		if (item_is(&item, LOCATION_PATH, WIRE_LENGTH))
			while (wire_more(&packed))
				path[n++] = (uint32_t)wire_varint(&packed);
	}
	ret->path = path;
	ret->n_path = n;
	return true;
}

bool comments_read(struct arena *arena, struct bytes source_info, struct comments *ret)
{
	struct wire wire = wire_of(source_info);
	struct comments comments = {NULL, 0};
	struct item item;

	while (item_next(&wire, &item))
		if (item_is(&item, INFO_LOCATION, WIRE_LENGTH))
			comments.n += item_bytes(item.bytes, LOCATION_LEADING).size > 0;
	comments.all = ARENA_ARRAY(arena, struct comment, comments.n);
	if (!comments.all)
		return false;

	comments.n = 0;
	wire = wire_of(source_info);
	while (item_next(&wire, &item)) {
		struct comment *comment = &comments.all[comments.n];
		struct bytes location = item.bytes, text;

		if (!item_is(&item, INFO_LOCATION, WIRE_LENGTH))
			continue;
		text = item_bytes(location, LOCATION_LEADING);
		if (text.size == 0)
			continue;
		comment->text = text;
		if (!path_read(arena, location, comment))
			return false;
		comments.n++;
	}
	if (comments.n > 1)
		qsort(comments.all, comments.n, sizeof *comments.all, comments_compare);
	*ret = comments;
	return true;
}

/* The lines, each without the space that follows the slashes; no line end behind the last. */
static char *comment_clean(struct arena *arena, struct bytes text)
{
	char *clean = arena_alloc(arena, text.size + 1);
	bool line_start = true;
	size_t n = 0;

	if (!clean)
		return NULL;
	for (size_t i = 0; i < text.size; i++) {
		char c = (char)text.data[i];

		if (!(line_start && c == ' ') && c != '\0')
			clean[n++] = c;
		line_start = c == '\n';
	}
	while (n > 0 && (clean[n - 1] == '\n' || clean[n - 1] == ' '))
		n--;
	clean[n] = '\0';
	return clean;
}

bool comments_find(const struct comments *comments, const uint32_t *path, size_t n_path,
		   struct arena *arena, const char **ret)
{
	struct comment key = {.path = path, .n_path = n_path};
	const struct comment *found = NULL;

	if (comments->n > 0)
		found = bsearch(&key, comments->all, comments->n, sizeof key, comments_compare);
	*ret = NULL;
	if (!found || !bytes_is_utf8(found->text))
		return true;
	*ret = comment_clean(arena, found->text);
	return *ret != NULL;
}
