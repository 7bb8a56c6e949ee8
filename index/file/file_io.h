/* file_io - the system calls that make, change and remove files of a data directory, in one place.
 *
 * Each is libc's call of that name, with its result and errno, but that none fails with EINTR; what is read
 * or written comes whole. All of index/ goes through here, apart from LMDB itself: so a test sees each
 * change in order, and can have any of them fail (file_io_set). Without that it costs a look at a pointer.
 * Safe from any thread.
 */
#ifndef SLUICE_INDEX_FILE_FILE_IO_H
#define SLUICE_INDEX_FILE_FILE_IO_H

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* file_open - files are made with the mode 0600. */
int file_open(const char *path, int flags);

/* file_read - up to size bytes at offset: less where the file ends. -1: failed. */
ssize_t file_read(int descriptor, void *ret, size_t size, uint64_t offset);

/* file_write - all of it, or -1; a write that takes nothing is ENOSPC. */
int file_write(int descriptor, const void *data, size_t size, uint64_t offset);

/* file_allocate - as posix_fallocate, from the file's start; but gives -1 and errno. */
int file_allocate(int descriptor, uint64_t size);
int file_resize(int descriptor, uint64_t size);
int file_sync(int descriptor);

/* file_close - the descriptor is gone, whatever it says. */
int file_close(int descriptor);

/* file_sync_directory - that entries were made, renamed and removed. */
int file_sync_directory(const char *path);

int file_rename(const char *from, const char *to);
int file_link(const char *from, const char *to);
int file_remove(const char *path);
int file_make_directory(const char *path); /* with the mode 0700 */
int file_remove_directory(const char *path);
DIR *file_list(const char *path);

/* file_map - as mmap, of a file or of no file (-1); file_unmap is munmap's. MAP_FAILED: failed. */
void *file_map(void *at, size_t size, int protection, int flags, int descriptor);
void file_unmap(void *at, size_t size);

/* What stands in for libc, with libc's arguments and results; of each function all or none. */
struct file_io {
	int (*open)(const char *path, int flags, mode_t mode);
	ssize_t (*pread)(int descriptor, void *ret, size_t size, off_t offset);
	ssize_t (*pwrite)(int descriptor, const void *data, size_t size, off_t offset);
	int (*fallocate)(int descriptor, int mode, off_t offset, off_t size);
	int (*ftruncate)(int descriptor, off_t size);
	int (*fsync)(int descriptor);
	int (*close)(int descriptor);
	int (*rename)(const char *from, const char *to);
	int (*link)(const char *from, const char *to);
	int (*unlink)(const char *path);
	int (*mkdir)(const char *path, mode_t mode);
	int (*rmdir)(const char *path);
	DIR *(*opendir)(const char *path);
	void *(*mmap)(void *at, size_t size, int protection, int flags, int descriptor,
		      off_t offset);
};

/* file_io_set - for tests. A call that has begun is as it was; so keep the stand-in. NULL: libc again. */
void file_io_set(const struct file_io *stand_in);

#endif
