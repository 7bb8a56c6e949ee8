/* libc - symbols in the place of libc's. Without a stand-in each is a call of the real one. */
#undef _FORTIFY_SOURCE
#include "tests/faults/libc.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct file_io libc_real;

static ssize_t (*real_write)(int, const void *, size_t);
static const struct file_io *instead;

/* dlsym gives an object's address, and ISO C has no cast of it to a function's. */
#define FIND(target, name)                                                                         \
	do {                                                                                       \
		void *found_ = dlsym(RTLD_NEXT, name);                                             \
		__builtin_memcpy(&(target), &found_, sizeof(target));                              \
	} while (0)

static __attribute__((constructor)) void find_all(void)
{
	FIND(real_write, "write");
	FIND(libc_real.open, "open");
	FIND(libc_real.pread, "pread");
	FIND(libc_real.pwrite, "pwrite");
	FIND(libc_real.fallocate, "fallocate");
	FIND(libc_real.ftruncate, "ftruncate");
	FIND(libc_real.fsync, "fsync");
	FIND(libc_real.close, "close");
	FIND(libc_real.rename, "rename");
	FIND(libc_real.link, "link");
	FIND(libc_real.unlink, "unlink");
	FIND(libc_real.mkdir, "mkdir");
	FIND(libc_real.rmdir, "rmdir");
	FIND(libc_real.opendir, "opendir");
	FIND(libc_real.mmap, "mmap");
}

void libc_stand_in(const struct file_io *stand_in)
{
	instead = stand_in;
	file_io_set(stand_in);
}

static const struct file_io *table(void)
{
	if (!libc_real.open)
		find_all();
	return instead ? instead : &libc_real;
}

/* --- what liblmdb.so calls --- */

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list args;

	if (flags & (O_CREAT | __O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return table()->open(path, flags, mode);
}

int close(int fd)
{
	return table()->close(fd);
}

int fdatasync(int fd)
{
	return table()->fsync(fd);
}

int ftruncate(int fd, off_t size)
{
	return table()->ftruncate(fd, size);
}

ssize_t pread(int fd, void *ret, size_t size, off_t offset)
{
	return table()->pread(fd, ret, size, offset);
}

/* ThreadSanitizer maps its own memory by this before it can bear to be asked for libc's. */
#ifndef __SANITIZE_THREAD__
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return table()->mmap(at, size, protection, flags, fd, offset);
}
#endif

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return table()->pwrite(fd, data, size, offset);
}

/* At the descriptor's own place, which moves; -1: it is no file. */
static off_t place_of(int fd)
{
	struct stat about;
	int error = errno;
	off_t at = fstat(fd, &about) == 0 && S_ISREG(about.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;

	errno = error;
	return at;
}

ssize_t write(int fd, const void *data, size_t size)
{
	off_t at = instead ? place_of(fd) : -1;
	ssize_t n;

	if (!real_write)
		find_all();
	if (at < 0)
		return real_write(fd, data, size);
	n = instead->pwrite(fd, data, size, at);
	if (n > 0)
		lseek(fd, n, SEEK_CUR);
	return n;
}

ssize_t writev(int fd, const struct iovec *parts, int n_parts)
{
	ssize_t done = 0;

	for (int i = 0; i < n_parts; i++) {
		ssize_t n = write(fd, parts[i].iov_base, parts[i].iov_len);

		if (n < 0)
			return done ? done : -1;
		done += n;
		if ((size_t)n < parts[i].iov_len)
			break;
	}
	return done;
}
