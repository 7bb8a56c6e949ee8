/* strike - counts, and the calls on files. */
#include "tests/faults/strike_state.h"

#include "tests/faults/libc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

static struct strike now = {.nth = -1};
static atomic_bool begun, struck;
static atomic_long n_calls;
static _Atomic(const char *) name_struck;
static _Thread_local bool exempt;

int strike_now(enum strike_kind kind, enum strike_kind also, const char *name)
{
	long n;

	if (!atomic_load(&begun) || (kind != now.kind && also != now.kind) || exempt)
		return 0;
	n = atomic_fetch_add(&n_calls, 1);
	if (now.nth < 0 || n != now.nth)
		return 0;
	if (!atomic_exchange(&struck, true))
		atomic_store(&name_struck, name);
	return now.error;
}

bool strike_struck(void)
{
	return atomic_load(&struck);
}

const char *strike_name(void)
{
	const char *name = atomic_load(&name_struck);

	return name ? name : "nothing";
}

void strike_enter(void)
{
	exempt = false;
}

void strike_leave(void)
{
	exempt = true;
}

/* --- files --- */

/* errno is set, and the call has failed. */
static bool fails(enum strike_kind also, const char *name)
{
	int error = strike_now(STRIKE_FILE, also, name);

	if (error > 0)
		errno = error;
	return error > 0;
}

static int strike_open(const char *path, int flags, mode_t mode)
{
	return fails(STRIKE_FILE_WAITS, "open") ? -1 : libc_real.open(path, flags, mode);
}

/* In its middle, or whole where it has none. */
static size_t part_of(size_t size)
{
	return size > 1 ? size / 2 : size;
}

static ssize_t strike_read(int fd, void *ret, size_t size, off_t offset)
{
	int error = strike_now(STRIKE_FILE, STRIKE_FILE_WAITS, "pread");

	if (error == STRIKE_SHORT)
		return libc_real.pread(fd, ret, part_of(size), offset);
	errno = error;
	return error ? -1 : libc_real.pread(fd, ret, size, offset);
}

static ssize_t strike_write(int fd, const void *data, size_t size, off_t offset)
{
	int error = strike_now(STRIKE_FILE, STRIKE_FILE_WAITS, "pwrite");

	if (error == STRIKE_SHORT)
		return libc_real.pwrite(fd, data, part_of(size), offset);
	errno = error;
	return error ? -1 : libc_real.pwrite(fd, data, size, offset);
}

static int strike_allocate(int fd, int mode, off_t offset, off_t size)
{
	return fails(STRIKE_FILE_WAITS, "fallocate") ? -1
						     : libc_real.fallocate(fd, mode, offset, size);
}

static int strike_resize(int fd, off_t size)
{
	return fails(STRIKE_FILE_WAITS, "ftruncate") ? -1 : libc_real.ftruncate(fd, size);
}

static int strike_sync(int fd)
{
	return fails(STRIKE_FILE_WAITS, "fsync") ? -1 : libc_real.fsync(fd);
}

/* It is closed all the same. */
static int strike_close(int fd)
{
	int error = strike_now(STRIKE_FILE, STRIKE_FILE_WAITS, "close");
	int result = libc_real.close(fd);

	if (error <= 0)
		return result;
	errno = error;
	return -1;
}

static int strike_rename(const char *from, const char *to)
{
	return fails(STRIKE_FILE, "rename") ? -1 : libc_real.rename(from, to);
}

static int strike_link(const char *from, const char *to)
{
	return fails(STRIKE_FILE, "link") ? -1 : libc_real.link(from, to);
}

static int strike_unlink(const char *path)
{
	return fails(STRIKE_FILE, "unlink") ? -1 : libc_real.unlink(path);
}

static int strike_mkdir(const char *path, mode_t mode)
{
	return fails(STRIKE_FILE, "mkdir") ? -1 : libc_real.mkdir(path, mode);
}

static int strike_rmdir(const char *path)
{
	return fails(STRIKE_FILE, "rmdir") ? -1 : libc_real.rmdir(path);
}

static DIR *strike_opendir(const char *path)
{
	return fails(STRIKE_FILE, "opendir") ? NULL : libc_real.opendir(path);
}

static void *strike_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (fails(STRIKE_FILE, "mmap"))
		return MAP_FAILED;
	return libc_real.mmap(at, size, protection, flags, fd, offset);
}

static const struct file_io striking = {
	.open = strike_open,
	.pread = strike_read,
	.pwrite = strike_write,
	.fallocate = strike_allocate,
	.ftruncate = strike_resize,
	.fsync = strike_sync,
	.close = strike_close,
	.rename = strike_rename,
	.link = strike_link,
	.unlink = strike_unlink,
	.mkdir = strike_mkdir,
	.rmdir = strike_rmdir,
	.opendir = strike_opendir,
	.mmap = strike_mmap,
};

void strike_begin(const struct strike *strike)
{
	exempt = true;
	now = *strike;
	if (now.kind == STRIKE_MEMORY || now.kind == STRIKE_THREAD)
		now.error = EAGAIN;
	atomic_store(&n_calls, 0);
	atomic_store(&struck, false);
	atomic_store(&name_struck, NULL);
	if (now.kind == STRIKE_FILE || now.kind == STRIKE_FILE_WAITS)
		libc_stand_in(&striking);
	atomic_store(&begun, true);
}

long strike_end(void)
{
	atomic_store(&begun, false);
	libc_stand_in(NULL);
	return atomic_load(&n_calls);
}
