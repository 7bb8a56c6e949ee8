/* sealed_file - the files of segments, and what lies beside them, by their names. */
#include "index/segment/sealed_layout.h"

#include "index/file/file_io.h"
#include "index/segment/block_name.h"
#include "kernels/base/error_info.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const suffixes[] = {BLOCK_SUFFIX_SEGMENT, BLOCK_SUFFIX_ANN};

struct listing {
	DIR *stream;
};

static void listing_close(struct listing *listing)
{
	if (listing->stream)
		closedir(listing->stream);
}

SCOPE_DEFINE(listing, listing_close)

const char *sealed_path(const struct sealed_file *file, struct arena *arena)
{
	const struct block_file block_file = sealed_block_file(file);

	return block_path(&block_file, arena);
}

status sealed_remove(const struct sealed_file *file, struct arena *arena)
{
	struct block_file block_file = sealed_block_file(file);
	struct block_kind beside = *block_file.kind;

	/* What was made from the segment goes first: it is of no use alone. */
	beside.suffix = BLOCK_SUFFIX_ANN;
	block_file.kind = &beside;
	TRY(block_remove(&block_file, arena));
	block_file = sealed_block_file(file);
	return block_remove(&block_file, arena);
}

/* Whether the name is one of a segment's files, and then of which. */
static bool name_parse(const char *name, bool *ret_new, uint64_t *ret_id)
{
	const char *rest = name + strspn(name, "0123456789abcdef");

	if (rest - name != BLOCK_ID_DIGITS)
		return false;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		size_t length = strlen(suffixes[i]);

		if (strncmp(rest, suffixes[i], length) != 0 ||
		    (rest[length] && strcmp(rest + length, BLOCK_SUFFIX_NEW) != 0))
			continue;
		*ret_new = rest[length] != '\0';
		*ret_id = strtoull(name, NULL, 16);
		return true;
	}
	return false;
}

static bool is_among(uint64_t id, const uint64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

static status sweep_failure(const char *directory, struct arena *arena)
{
	int error = errno;
	char text[128];

	return status_as(status_format(arena, block_code_of(error),
				       "removing what is left of segments in %s: %s", directory,
				       strerror_r(error, text, sizeof text)),
			 REASON_STORAGE_FAILED);
}

status sealed_sweep(const char *directory, const uint64_t *ids, size_t n, struct arena *arena)
{
	SCOPED(listing) listing = &(struct listing){file_list(directory)};
	struct dirent *entry;
	const char *path;
	uint64_t id = 0;
	bool new = false;

	if (!listing->stream)
		return sweep_failure(directory, arena);
	while (errno = 0, (entry = readdir(listing->stream))) {
		if (!name_parse(entry->d_name, &new, &id) || (!new && is_among(id, ids, n)))
			continue;
		path = arena_printf(arena, "%s/%s", directory, entry->d_name);
		if (!path)
			return block_no_memory("memory for a path");
		if (file_remove(path) && errno != ENOENT)
			return sweep_failure(directory, arena);
	}
	return errno ? sweep_failure(directory, arena) : status_ok();
}
