/* file_print - what tells one content of a path from the next, without reading it: a file that is written
 * again, one that is renamed over it, and a symbolic link that leads elsewhere, as Kubernetes turns a
 * whole folder of secrets.
 */
#ifndef SLUICE_SERVICE_FILE_PRINT_H
#define SLUICE_SERVICE_FILE_PRINT_H

#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* All zero: there is no file. Compared as bytes. */
struct file_print {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified, changed;
};

/* file_print_take - path  NULL: no file. */
static inline void file_print_take(const char *path, struct file_print *ret)
{
	struct stat found;

	memset(ret, 0, sizeof *ret);
	if (!path || stat(path, &found))
		return;
	ret->device = found.st_dev;
	ret->inode = found.st_ino;
	ret->size = found.st_size;
	ret->modified = found.st_mtim;
	ret->changed = found.st_ctim;
}

static inline void file_prints_take(const char *const *paths, struct file_print *ret, size_t n)
{
	for (size_t i = 0; i < n; i++)
		file_print_take(paths[i], &ret[i]);
}

static inline bool file_prints_equal(const struct file_print *a, const struct file_print *b,
				     size_t n)
{
	return memcmp(a, b, n * sizeof *a) == 0;
}

#endif
