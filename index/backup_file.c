/* backup_file - through a buffer, so that a file may be of any size. */
#include "index/backup_file.h"

#include "index/directory.h"
#include "index/file/file_io.h"
#include "kernels/base/checksum.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#define COPY_BYTES ((size_t)1 << 20)

struct file_copy {
	const char *from_path, *to_path;
	const struct deadline *deadline;
	struct arena *arena;
	int from, to;    /* -1: none */
	uint8_t *buffer; /* [COPY_BYTES] owned */
	uint64_t bytes;
	uint32_t checksum;
};

static void file_copy_finish(struct file_copy *copy)
{
	if (copy->from >= 0)
		(void)file_close(copy->from);
	if (copy->to >= 0)
		(void)file_close(copy->to);
	free(copy->buffer);
}

SCOPE_DEFINE(file_copy, file_copy_finish)

static status begin(struct file_copy *copy)
{
	copy->buffer = malloc(COPY_BYTES);
	if (!copy->buffer)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to copy a file");
	copy->from = file_open(copy->from_path, O_RDONLY);
	if (copy->from < 0)
		return directory_failure(copy->arena, "opening", copy->from_path);
	if (!copy->to_path)
		return status_ok();
	copy->to = file_open(copy->to_path, O_WRONLY | O_CREAT | O_EXCL);
	return copy->to < 0 ? directory_failure(copy->arena, "making", copy->to_path) : status_ok();
}

static status go_through(struct file_copy *copy)
{
	for (;;) {
		ssize_t n;

		TRY(deadline_check(copy->deadline));
		n = file_read(copy->from, copy->buffer, COPY_BYTES, copy->bytes);
		if (n < 0)
			return directory_failure(copy->arena, "reading", copy->from_path);
		if (n == 0)
			return status_ok();
		if (copy->to >= 0 && file_write(copy->to, copy->buffer, (size_t)n, copy->bytes))
			return directory_failure(copy->arena, "writing", copy->to_path);
		copy->checksum = checksum_crc32c(copy->checksum, bytes_of(copy->buffer, (size_t)n));
		copy->bytes += (uint64_t)n;
	}
}

status backup_file_copy(const char *from, const char *to, const struct deadline *deadline,
			struct arena *arena, struct backup_file *ret)
{
	SCOPED(file_copy) copy = &(struct file_copy){
		.from_path = from,
		.to_path = to,
		.deadline = deadline,
		.arena = arena,
		.from = -1,
		.to = -1,
	};

	TRY(begin(copy));
	TRY(go_through(copy));
	if (to && file_sync(copy->to))
		return directory_failure(arena, "syncing", to);
	ret->bytes = copy->bytes;
	ret->checksum = copy->checksum;
	return status_ok();
}

/* Another file system, one without links, or a file that has as many as there may be. */
static bool takes_no_link(int error)
{
	return error == EXDEV || error == EPERM || error == EMLINK || error == EOPNOTSUPP ||
	       error == ENOSYS;
}

status backup_file_link(const char *from, const char *to, const struct deadline *deadline,
			struct arena *arena)
{
	struct backup_file copied;

	if (file_link(from, to) == 0)
		return status_ok();
	if (!takes_no_link(errno))
		return directory_failure(arena, "linking", from);
	return backup_file_copy(from, to, deadline, arena, &copied);
}

const char *backup_path(const char *directory, const struct backup *backup, const char *suffix,
			struct arena *arena)
{
	return arena_printf(arena, "%s/snapshots/%s%s.%s%s", directory, *suffix ? "." : "",
			    backup->collection, backup->id, suffix);
}
