/* file_io - libc's calls, or what a test has put in their place; EINTR and short writes end here. */
#include "index/file/file_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0600
#define DIRECTORY_MODE 0700

static int libc_open(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

static const struct file_io libc = {
	.open = libc_open,
	.pread = pread,
	.pwrite = pwrite,
	.fallocate = fallocate,
	.ftruncate = ftruncate,
	.fsync = fsync,
	.close = close,
	.rename = rename,
	.link = link,
	.unlink = unlink,
	.mkdir = mkdir,
	.rmdir = rmdir,
	.opendir = opendir,
	.mmap = mmap,
};

/* A thread in the background may look while a test changes it. */
static _Atomic(const struct file_io *) used = &libc;

void file_io_set(const struct file_io *other)
{
	atomic_store(&used, other ? other : &libc);
}

/* Of libc, or of the stand-in. */
#define CALL(name, ...) (atomic_load_explicit(&used, memory_order_acquire)->name(__VA_ARGS__))

/* Until no signal comes between. */
#define RETRY(result, call)                                                                        \
	do                                                                                         \
		(result) = (call);                                                                 \
	while ((result) < 0 && errno == EINTR)

int file_open(const char *path, int flags)
{
	int descriptor;

	RETRY(descriptor, CALL(open, path, flags | O_CLOEXEC, FILE_MODE));
	return descriptor;
}

ssize_t file_read(int descriptor, void *ret, size_t size, uint64_t offset)
{
	char *at = ret;
	size_t done = 0;

	while (done < size) {
		ssize_t n;

		RETRY(n, CALL(pread, descriptor, at + done, size - done, (off_t)(offset + done)));
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int file_write(int descriptor, const void *data, size_t size, uint64_t offset)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n;

		RETRY(n, CALL(pwrite, descriptor, at, size, (off_t)offset));
		if (n == 0)
			errno = ENOSPC;
		if (n <= 0)
			return -1;
		at += n;
		size -= (size_t)n;
		offset += (uint64_t)n;
	}
	return 0;
}

int file_allocate(int descriptor, uint64_t size)
{
	int result;

	RETRY(result, CALL(fallocate, descriptor, 0, 0, (off_t)size));
	if (result == 0 || errno != EOPNOTSUPP)
		return result;
	/* A file system without it: libc writes to each block. */
	result = posix_fallocate(descriptor, 0, (off_t)size);
	if (result == 0)
		return 0;
	errno = result;
	return -1;
}

int file_resize(int descriptor, uint64_t size)
{
	int result;

	RETRY(result, CALL(ftruncate, descriptor, (off_t)size));
	return result;
}

int file_sync(int descriptor)
{
	int result;

	RETRY(result, CALL(fsync, descriptor));
	return result;
}

/* On Linux it is closed also where it says EINTR. */
int file_close(int descriptor)
{
	int result = CALL(close, descriptor);

	return result < 0 && errno == EINTR ? 0 : result;
}

int file_sync_directory(const char *path)
{
	int descriptor = file_open(path, O_RDONLY | O_DIRECTORY);
	int failed = 0;

	if (descriptor < 0)
		return -1;
	if (file_sync(descriptor))
		failed = errno;
	(void)file_close(descriptor);
	errno = failed;
	return failed ? -1 : 0;
}

int file_rename(const char *from, const char *to)
{
	int result;

	RETRY(result, CALL(rename, from, to));
	return result;
}

int file_link(const char *from, const char *to)
{
	int result;

	RETRY(result, CALL(link, from, to));
	return result;
}

int file_remove(const char *path)
{
	int result;

	RETRY(result, CALL(unlink, path));
	return result;
}

int file_make_directory(const char *path)
{
	int result;

	RETRY(result, CALL(mkdir, path, DIRECTORY_MODE));
	return result;
}

int file_remove_directory(const char *path)
{
	int result;

	RETRY(result, CALL(rmdir, path));
	return result;
}

DIR *file_list(const char *path)
{
	return CALL(opendir, path);
}

void *file_map(void *at, size_t size, int protection, int flags, int descriptor)
{
	return CALL(mmap, at, size, protection, flags, descriptor, 0);
}

void file_unmap(void *at, size_t size)
{
	munmap(at, size);
}
