/* What libc leaves to its callers ends in file_io: signals that come between, and parts. */
#include "index/file/file_io.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static struct scratch scratch;
static char path[300];

static void begin(void)
{
	scratch_open(&scratch);
	snprintf(path, sizeof path, "%s/file", scratch.path);
}

static void end(void)
{
	file_io_set(NULL);
	scratch_close(&scratch);
}

TestSuite(file_io, .init = begin, .fini = end);

/* Every other call is interrupted; the others take three bytes at most. */
static int calls;

static int interrupted(void)
{
	if (calls++ % 2)
		return 0;
	errno = EINTR;
	return 1;
}

static int part_open(const char *name, int flags, mode_t mode)
{
	return interrupted() ? -1 : open(name, flags, mode);
}

static ssize_t part_read(int fd, void *ret, size_t size, off_t offset)
{
	return interrupted() ? -1 : pread(fd, ret, size < 3 ? size : 3, offset);
}

static ssize_t part_write(int fd, const void *data, size_t size, off_t offset)
{
	return interrupted() ? -1 : pwrite(fd, data, size < 3 ? size : 3, offset);
}

static int part_sync(int fd)
{
	return interrupted() ? -1 : fsync(fd);
}

static int part_close(int fd)
{
	close(fd);
	errno = EINTR;
	return -1;
}

static int part_rename(const char *from, const char *to)
{
	return interrupted() ? -1 : rename(from, to);
}

static int part_truncate(int fd, off_t size)
{
	return interrupted() ? -1 : ftruncate(fd, size);
}

static const struct file_io in_parts = {
	.open = part_open,
	.pread = part_read,
	.pwrite = part_write,
	.fsync = part_sync,
	.close = part_close,
	.rename = part_rename,
	.ftruncate = part_truncate,
};

Test(file_io, signals_and_parts_are_not_its_callers_trouble)
{
	static const char text[] = "sixteen of bytes";
	char got[32] = "";
	char other[310];
	int fd;

	snprintf(other, sizeof other, "%s.other", path);
	file_io_set(&in_parts);
	fd = file_open(path, O_RDWR | O_CREAT);
	cr_assert_geq(fd, 0);
	cr_assert_eq(file_write(fd, text, sizeof text, 5), 0);
	cr_assert_eq(file_read(fd, got, sizeof text, 5), (ssize_t)sizeof text);
	cr_assert_str_eq(got, text);
	cr_assert_eq(file_resize(fd, 9), 0);
	cr_assert_eq(file_read(fd, got, sizeof got, 5), 4);
	cr_assert_eq(file_sync(fd), 0);
	cr_assert_eq(file_close(fd), 0);
	cr_assert_eq(file_rename(path, other), 0);
	cr_assert_eq(access(other, F_OK), 0);
}

static ssize_t full_write(int fd, const void *data, size_t size, off_t offset)
{
	(void)fd, (void)data, (void)size;
	return offset ? 0 : 1;
}

Test(file_io, a_write_that_takes_nothing_is_a_full_disk)
{
	static const struct file_io full = {.pwrite = full_write};

	file_io_set(&full);
	errno = 0;
	cr_assert_eq(file_write(1, "ab", 2, 0), -1);
	cr_assert_eq(errno, ENOSPC);
}

Test(file_io, room_is_taken_and_files_are_their_owners)
{
	struct stat about;
	int fd = file_open(path, O_WRONLY | O_CREAT);

	cr_assert_geq(fd, 0);
	cr_assert_eq(file_allocate(fd, 100000), 0);
	cr_assert_eq(fstat(fd, &about), 0);
	cr_assert_eq(about.st_size, 100000);
	cr_assert_geq(about.st_blocks * 512, 100000);
	cr_assert_eq(about.st_mode & 0777, 0600);
	cr_assert_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	cr_assert_eq(file_close(fd), 0);
	cr_assert_eq(file_sync_directory(scratch.path), 0);
}

Test(file_io, a_directory_that_is_not_there_says_so)
{
	errno = 0;
	cr_assert_eq(file_sync_directory("/nowhere"), -1);
	cr_assert_eq(errno, ENOENT);
}
