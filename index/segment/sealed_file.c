/* sealed_file - names of segments' files, and what goes wrong with them. */
#include "index/segment/sealed_layout.h"

#include "kernels/base/error_info.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".segment"
#define SUFFIX_NEW ".segment.new"
#define ID_DIGITS 16

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
	return arena_printf(arena, "%s/%016llx" SUFFIX, file->directory,
			    (unsigned long long)file->id);
}

const char *sealed_path_new(const struct sealed_file *file, struct arena *arena)
{
	return arena_printf(arena, "%s/%016llx" SUFFIX_NEW, file->directory,
			    (unsigned long long)file->id);
}

static const char *file_name(const struct sealed_file *file, struct arena *arena)
{
	const char *name = arena_printf(arena, "%016llx" SUFFIX, (unsigned long long)file->id);

	return name ? name : "a segment";
}

status sealed_damaged(const struct sealed_file *file, struct arena *arena, const char *block,
		      const char *what)
{
	const char *name = file_name(file, arena), *collection = file->config->name;

	return status_reason(status_format(arena, STATUS_DATA_LOSS, "collection \"%s\": %s: %s",
					   collection, name, what),
			     arena, REASON_DATA_CORRUPT, "collection", collection, "file", name,
			     "block", block, NULL);
}

static enum status_code code_of(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return STATUS_RESOURCE_EXHAUSTED;
	default:
		return STATUS_INTERNAL;
	}
}

static enum error_reason reason_of(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return REASON_DISK_FULL;
	case EMFILE:
	case ENFILE:
		return REASON_LIMIT_REACHED;
	case ENOMEM:
		return REASON_MEMORY_LIMIT;
	default:
		return REASON_STORAGE_FAILED;
	}
}

static status failure(const struct sealed_file *file, struct arena *arena, const char *doing,
		      bool is_lost)
{
	int error = errno;
	char text[128];
	const char *name = file_name(file, arena), *collection = file->config->name;
	status s = status_format(arena, is_lost ? STATUS_DATA_LOSS : code_of(error),
				 "collection \"%s\": %s %s: %s", collection, doing, name,
				 strerror_r(error, text, sizeof text));

	return status_reason(s, arena, is_lost ? REASON_DATA_CORRUPT : reason_of(error),
			     "collection", collection, "file", name, NULL);
}

status sealed_failure(const struct sealed_file *file, struct arena *arena, const char *doing)
{
	return failure(file, arena, doing, false);
}

status sealed_unreadable(const struct sealed_file *file, struct arena *arena, const char *doing)
{
	return failure(file, arena, doing, errno == ENOENT || errno == EIO);
}

static status remove_one(const struct sealed_file *file, const char *path, struct arena *arena)
{
	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	if (unlink(path) && errno != ENOENT)
		return sealed_failure(file, arena, "removing");
	return status_ok();
}

status sealed_remove(const struct sealed_file *file, struct arena *arena)
{
	TRY(remove_one(file, sealed_path_new(file, arena), arena));
	return remove_one(file, sealed_path(file, arena), arena);
}

/* Whether the name is one of a segment's file, and then of which. */
static bool name_parse(const char *name, bool *ret_new, uint64_t *ret_id)
{
	const char *rest = name + strspn(name, "0123456789abcdef");

	if (rest - name != ID_DIGITS ||
	    (strcmp(rest, SUFFIX) != 0 && strcmp(rest, SUFFIX_NEW) != 0))
		return false;
	*ret_new = strcmp(rest, SUFFIX_NEW) == 0;
	*ret_id = strtoull(name, NULL, 16);
	return true;
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

	return status_as(status_format(arena, code_of(error),
				       "removing what is left of segments in %s: %s", directory,
				       strerror_r(error, text, sizeof text)),
			 REASON_STORAGE_FAILED);
}

status sealed_sweep(const char *directory, const uint64_t *ids, size_t n, struct arena *arena)
{
	SCOPED(listing) listing = &(struct listing){opendir(directory)};
	struct dirent *entry;
	uint64_t id = 0;
	bool new = false;

	if (!listing->stream)
		return sweep_failure(directory, arena);
	while (errno = 0, (entry = readdir(listing->stream))) {
		if (!name_parse(entry->d_name, &new, &id) || (!new && is_among(id, ids, n)))
			continue;
		if (unlinkat(dirfd(listing->stream), entry->d_name, 0) && errno != ENOENT)
			return sweep_failure(directory, arena);
	}
	return errno ? sweep_failure(directory, arena) : status_ok();
}
