/* block_failure - names of block files, and what goes wrong with them. */
#include "index/segment/block_file.h"

#include "index/file/file_io.h"
#include "index/segment/block_name.h"
#include "kernels/base/error_info.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static char *path_print(const struct block_file *file, struct arena *arena, const char *behind)
{
	return arena_printf(arena, "%s/%016llx%s%s", file->directory, (unsigned long long)file->id,
			    file->kind->suffix, behind);
}

const char *block_path(const struct block_file *file, struct arena *arena)
{
	return path_print(file, arena, "");
}

const char *block_path_new(const struct block_file *file, struct arena *arena)
{
	return path_print(file, arena, BLOCK_SUFFIX_NEW);
}

static const char *file_name(const struct block_file *file, struct arena *arena)
{
	const char *name =
		arena_printf(arena, "%016llx%s", (unsigned long long)file->id, file->kind->suffix);

	return name ? name : "a file";
}

status block_damaged(const struct block_file *file, struct arena *arena, const char *block,
		     const char *what)
{
	const char *name = file_name(file, arena), *collection = file->collection;

	return status_reason(status_format(arena, STATUS_DATA_LOSS, "collection \"%s\": %s: %s",
					   collection, name, what),
			     arena, REASON_DATA_CORRUPT, "collection", collection, "file", name,
			     "block", block, NULL);
}

enum status_code block_code_of(int error)
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

static status failure(const struct block_file *file, struct arena *arena, const char *doing,
		      bool is_lost)
{
	int error = errno;
	char text[128];
	const char *name = file_name(file, arena), *collection = file->collection;
	status s = status_format(arena, is_lost ? STATUS_DATA_LOSS : block_code_of(error),
				 "collection \"%s\": %s %s: %s", collection, doing, name,
				 strerror_r(error, text, sizeof text));

	return status_reason(s, arena, is_lost ? REASON_DATA_CORRUPT : reason_of(error),
			     "collection", collection, "file", name, NULL);
}

status block_failure(const struct block_file *file, struct arena *arena, const char *doing)
{
	return failure(file, arena, doing, false);
}

status block_unreadable(const struct block_file *file, struct arena *arena, const char *doing)
{
	return failure(file, arena, doing, errno == ENOENT || errno == EIO);
}

status block_no_memory(const char *what)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, what), REASON_MEMORY_LIMIT);
}

static status remove_one(const struct block_file *file, const char *path, struct arena *arena)
{
	if (!path)
		return block_no_memory("memory for a path");
	if (file_remove(path) && errno != ENOENT)
		return block_failure(file, arena, "removing");
	return status_ok();
}

status block_remove(const struct block_file *file, struct arena *arena)
{
	TRY(remove_one(file, block_path_new(file, arena), arena));
	return remove_one(file, block_path(file, arena), arena);
}

status block_is_there(const struct block_file *file, struct arena *arena, bool *ret)
{
	const char *path = block_path(file, arena);

	if (!path)
		return block_no_memory("memory for a path");
	if (access(path, F_OK) == 0)
		*ret = true;
	else if (errno == ENOENT)
		*ret = false;
	else
		return block_failure(file, arena, "looking for");
	return status_ok();
}
