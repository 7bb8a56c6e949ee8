/* directory - system calls and what their failures mean to the caller. */
#include "index/directory.h"

#include "index/file/file_io.h"
#include "kernels/base/error_info.h"
#include "kernels/base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What the lock file says in the place of a pid, once all is settled: with a byte it keeps its block, so that a
 * server can start where the disk is full. */
#define SETTLED '\n'

/* How often the holder's pid is looked for, a millisecond apart. */
#define LOCK_LOOKS 100

/* Streams of entries, for SCOPED. */
struct listing {
	DIR *stream;
};

static void listing_close(struct listing *listing)
{
	if (listing->stream)
		closedir(listing->stream);
}

SCOPE_DEFINE(listing, listing_close)

static enum status_code code_of(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return STATUS_RESOURCE_EXHAUSTED;
	case EACCES:
	case EPERM:
	case EROFS:
		return STATUS_PERMISSION_DENIED;
	case ENOENT:
	case ENOTDIR:
		return STATUS_NOT_FOUND;
	case EEXIST:
		return STATUS_ALREADY_EXISTS;
	default:
		return STATUS_INTERNAL;
	}
}

static enum error_reason reason_of(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
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

status directory_failure(struct arena *arena, const char *what, const char *path)
{
	int error = errno;
	char text[128];

	return status_as(status_format(arena, code_of(error), "%s %s: %s", what, path,
				       strerror_r(error, text, sizeof text)),
			 reason_of(error));
}

status directory_sync(const char *path, struct arena *arena)
{
	if (file_sync_directory(path))
		return directory_failure(arena, "syncing the directory", path);
	return status_ok();
}

static bool is_directory(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static status make_one(const char *path, struct arena *arena)
{
	const char *parent = arena_printf(arena, "%s/..", path);
	int error;

	if (!parent)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	if (file_make_directory(path) == 0)
		return directory_sync(parent, arena);
	error = errno;
	if (is_directory(path))
		return status_ok();
	errno = error;
	return directory_failure(arena, "making the directory", path);
}

status directory_make(const char *path, struct arena *arena)
{
	char *part = arena_copy(arena, path, strlen(path));

	if (!part)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	for (char *slash = strchr(part + 1, '/'); *part && slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		TRY(make_one(part, arena));
		*slash = '/';
	}
	return make_one(path, arena);
}

status directory_make_new(const char *path, struct arena *arena)
{
	if (file_make_directory(path))
		return directory_failure(arena, "making the directory", path);
	return status_ok();
}

status directory_rename(const char *from, const char *to, struct arena *arena)
{
	if (file_rename(from, to))
		return directory_failure(arena, "renaming the directory", from);
	return status_ok();
}

status directory_each(const char *path, struct arena *arena,
		      status (*visit)(void *context, const char *name), void *context)
{
	SCOPED(listing) listing = &(struct listing){file_list(path)};
	struct dirent *entry;

	if (!listing->stream)
		return directory_failure(arena, "opening the directory", path);
	while (errno = 0, (entry = readdir(listing->stream))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		TRY(visit(context, entry->d_name));
	}
	if (errno)
		return directory_failure(arena, "reading the directory", path);
	return status_ok();
}

status directory_read_file(const char *path, void *ret, size_t room, size_t *ret_size,
			   struct arena *arena)
{
	int descriptor = file_open(path, O_RDONLY);
	status s = status_ok();
	ssize_t n;

	if (descriptor < 0)
		return directory_failure(arena, "opening", path);
	n = file_read(descriptor, ret, room, 0);
	if (n < 0)
		s = directory_failure(arena, "reading", path);
	else
		*ret_size = (size_t)n;
	(void)file_close(descriptor);
	return s;
}

static status write_whole(const char *path, struct bytes bytes, struct arena *arena)
{
	int descriptor = file_open(path, O_WRONLY | O_CREAT | O_TRUNC);
	status s = status_ok();

	if (descriptor < 0)
		return directory_failure(arena, "making", path);
	if (file_write(descriptor, bytes.data, bytes.size, 0) || file_sync(descriptor))
		s = directory_failure(arena, "writing", path);
	(void)file_close(descriptor);
	return s;
}

status directory_write_file(const char *path, struct bytes bytes, struct arena *arena)
{
	const char *new = arena_printf(arena, "%s.new", path);

	if (!new)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	TRY(write_whole(new, bytes, arena));
	if (file_rename(new, path))
		return directory_failure(arena, "renaming", new);
	return status_ok();
}

struct removal {
	const char *path;
	struct arena *arena;
};

static status remove_file(void *context, const char *name)
{
	const struct removal *removal = context;
	const char *path = arena_printf(removal->arena, "%s/%s", removal->path, name);

	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	if (file_remove(path) && errno != ENOENT)
		return directory_failure(removal->arena, "removing the file", path);
	return status_ok();
}

status directory_remove(const char *path, struct arena *arena)
{
	struct removal removal = {path, arena};
	status s = directory_each(path, arena, remove_file, &removal);

	if (s.code == STATUS_NOT_FOUND && !is_directory(path))
		return status_ok();
	TRY(s);
	if (file_remove_directory(path))
		return directory_failure(arena, "removing the directory", path);
	return status_ok();
}

/* The holder's pid, or 0 where the file says none that lives: it has the lock and is about to write. */
static long lock_holder(int descriptor)
{
	char text[32] = "";
	ssize_t n = file_read(descriptor, text, sizeof text - 1, 0);
	long pid = n > 0 ? strtol(text, NULL, 10) : 0;

	return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno != ESRCH) ? pid : 0;
}

static status lock_refused(const char *path, int descriptor, struct arena *arena)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	long pid = lock_holder(descriptor);

	for (int i = 0; pid == 0 && i < LOCK_LOOKS; i++) {
		nanosleep(&pause, NULL);
		pid = lock_holder(descriptor);
	}
	if (pid == 0)
		return status_format(arena, STATUS_FAILED_PRECONDITION,
				     "%s is locked: another process uses this directory", path);
	return status_format(arena, STATUS_FAILED_PRECONDITION,
			     "%s is locked: process %ld uses this directory", path, pid);
}

static status lock_take(const char *path, int descriptor, struct arena *arena, bool *ret_unsettled)
{
	char text[32], settled = 0;
	ssize_t before;
	int n;

	if (flock(descriptor, LOCK_EX | LOCK_NB)) {
		if (errno == EWOULDBLOCK)
			return lock_refused(path, descriptor, arena);
		return directory_failure(arena, "locking", path);
	}
	before = file_read(descriptor, &settled, 1, 0);
	if (before < 0)
		return directory_failure(arena, "reading", path);
	/* The lock is the kernel's and ends with the process; the pid is for a message, and stays until
	 * directory_settle: it is there from before the first write, and never away in between. */
	n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (file_write(descriptor, text, (size_t)n, 0) || file_resize(descriptor, (uint64_t)n) ||
	    file_sync(descriptor))
		return directory_failure(arena, "writing", path);
	*ret_unsettled = before > 0 && settled != SETTLED;
	return status_ok();
}

void directory_settle(int descriptor)
{
	const char settled = SETTLED;

	if (file_write(descriptor, &settled, 1, 0) == 0)
		(void)file_resize(descriptor, 1);
}

status directory_lock(const char *path, struct arena *arena, int *ret_descriptor,
		      bool *ret_unsettled)
{
	int descriptor = file_open(path, O_RDWR | O_CREAT);
	status s;

	if (descriptor < 0)
		return directory_failure(arena, "opening", path);
	s = lock_take(path, descriptor, arena, ret_unsettled);
	if (status_failed(s)) {
		(void)file_close(descriptor);
		return s;
	}
	*ret_descriptor = descriptor;
	return status_ok();
}

status directory_lock_shared(const char *path, struct arena *arena, int *ret_descriptor)
{
	int descriptor = file_open(path, O_RDONLY);
	status s = status_ok();

	if (descriptor < 0)
		return directory_failure(arena, "opening", path);
	if (flock(descriptor, LOCK_SH | LOCK_NB))
		s = errno == EWOULDBLOCK ? lock_refused(path, descriptor, arena)
					 : directory_failure(arena, "locking", path);
	if (status_failed(s)) {
		(void)file_close(descriptor);
		return s;
	}
	*ret_descriptor = descriptor;
	return status_ok();
}
