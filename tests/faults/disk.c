/* disk - records. All calls are under one lock, so their order is the order of what they did. */
#include "tests/faults/disk_state.h"

#include "tests/faults/libc.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS 4096
#define NOTHING SIZE_MAX

static struct disk *recording;
/* What a descriptor is of, by one more than its number among files; 0: nothing of ours. */
static size_t opened[DESCRIPTORS];
static bool is_sure[DESCRIPTORS];

/* --- the tree as it is --- */

static struct entry *names_find(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->entries[i].name, name) == 0)
			return &names->entries[i];
	return NULL;
}

static void names_put(struct names *names, const char *name, size_t file)
{
	struct entry *entry = names_find(names, name);

	if (!entry) {
		cr_assert_lt(names->n, DISK_ENTRIES_MAX);
		entry = &names->entries[names->n++];
		snprintf(entry->name, sizeof entry->name, "%s", name);
	}
	entry->file = file;
}

static void names_remove(struct names *names, const char *name)
{
	struct entry *entry = names_find(names, name);

	if (entry)
		*entry = names->entries[--names->n];
}

void names_apply(struct names *names, const struct event *event)
{
	switch (event->kind) {
	case EVENT_MAKE:
		names_put(names, event->name, event->file);
		return;
	case EVENT_RENAME:
		names_remove(names, event->name);
		names_put(names, event->to, event->file);
		return;
	case EVENT_REMOVE: {
		const struct entry *entry = names_find(names, event->name);

		/* Another may have the name by now. */
		if (entry && entry->file == event->file)
			names_remove(names, event->name);
		return;
	}
	case EVENT_WRITE:
	case EVENT_SIZE:
	case EVENT_SYNC:
	case EVENT_MARK:
		return;
	}
}

static size_t add_file(struct disk *disk, size_t parent, bool is_directory)
{
	cr_assert_lt(disk->n_files, DISK_FILES_MAX);
	disk->files[disk->n_files] = (struct file){.is_directory = is_directory, .parent = parent};
	return disk->n_files++;
}

/* Where a path leads: its directory, and its last name, which need not be there. False: not to us. */
static bool find_place(struct disk *disk, const char *path, size_t *ret, const char **ret_name)
{
	size_t length = strlen(disk->directory), at = 0;

	if (strncmp(path, disk->directory, length) != 0 || path[length] != '/')
		return false;
	for (path += length + 1;;) {
		const char *slash = strchr(path, '/');
		char name[DISK_NAME_MAX];
		struct entry *entry;

		if (!slash)
			break;
		snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
		path = slash + 1;
		entry = names_find(&disk->files[at].now, name);
		if (!entry)
			return false;
		at = entry->file;
	}
	*ret = at;
	*ret_name = path;
	return true;
}

/* The number of what is there; NOTHING. "" and "." are the directory, ".." is what it is in. */
static size_t find_file(struct disk *disk, const char *path)
{
	struct entry *entry;
	const char *name;
	size_t at;

	if (!find_place(disk, path, &at, &name))
		return strcmp(path, disk->directory) == 0 ? 0 : NOTHING;
	if (strcmp(name, "..") == 0)
		return disk->files[at].parent;
	if (!*name || strcmp(name, ".") == 0)
		return at;
	entry = names_find(&disk->files[at].now, name);
	return entry ? entry->file : NOTHING;
}

/* --- events --- */

/* Under the lock. */
static struct event *add_event(struct disk *disk, enum event_kind kind, size_t file)
{
	if (disk->n_events == disk->events_room) {
		disk->events_room = disk->events_room ? 2 * disk->events_room : 1024;
		disk->events = reallocarray(disk->events, disk->events_room, sizeof *disk->events);
		cr_assert_not_null(disk->events);
	}
	disk->events[disk->n_events] = (struct event){.kind = kind, .file = file};
	disk->n_syncs += kind == EVENT_SYNC;
	return &disk->events[disk->n_events++];
}

static void add_name(struct disk *disk, enum event_kind kind, size_t file, size_t directory,
		     const char *name, const char *to)
{
	struct event *event = add_event(disk, kind, file);

	event->directory = directory;
	snprintf(event->name, sizeof event->name, "%s", name);
	snprintf(event->to, sizeof event->to, "%s", to);
	names_apply(&disk->files[directory].now, event);
}

static void make(struct disk *disk, const char *path, bool is_directory)
{
	const char *name;
	size_t directory;

	if (find_place(disk, path, &directory, &name) &&
	    !names_find(&disk->files[directory].now, name))
		add_name(disk, EVENT_MAKE, add_file(disk, directory, is_directory), directory, name,
			 "");
}

static size_t file_of(int fd)
{
	return fd >= 0 && fd < DESCRIPTORS && opened[fd] ? opened[fd] - 1 : NOTHING;
}

static void resize(struct disk *disk, size_t file, uint64_t size, bool grows)
{
	struct event *event = add_event(disk, EVENT_SIZE, file);

	event->size = (size_t)size;
	event->grows = grows;
}

/* --- calls --- */

#define RECORDED(result, call, note)                                                               \
	do {                                                                                       \
		struct disk *disk = recording;                                                     \
		pthread_mutex_lock(&disk->lock);                                                   \
		(result) = (call);                                                                 \
		if ((result) >= 0) {                                                               \
			note;                                                                      \
		}                                                                                  \
		pthread_mutex_unlock(&disk->lock);                                                 \
	} while (0)

static void note_open(struct disk *disk, int fd, const char *path, int flags)
{
	size_t file;

	if (flags & O_CREAT)
		make(disk, path, false);
	file = find_file(disk, path);
	if (file == NOTHING)
		return;
	cr_assert_lt(fd, DESCRIPTORS);
	opened[fd] = file + 1;
	is_sure[fd] = flags & (O_DSYNC | O_SYNC);
	if (flags & O_TRUNC)
		resize(disk, file, 0, false);
}

static int record_open(const char *path, int flags, mode_t mode)
{
	int fd;

	RECORDED(fd, libc_real.open(path, flags, mode), note_open(disk, fd, path, flags));
	return fd;
}

static void note_write(struct disk *disk, int fd, const void *data, size_t size, off_t offset)
{
	size_t file = file_of(fd);
	struct event *event;

	if (file == NOTHING || size == 0)
		return;
	event = add_event(disk, EVENT_WRITE, file);
	event->is_sure = is_sure[fd];
	event->offset = (uint64_t)offset;
	event->size = size;
	event->data = malloc(size);
	cr_assert_not_null(event->data);
	memcpy(event->data, data, size);
}

static ssize_t record_write(int fd, const void *data, size_t size, off_t offset)
{
	ssize_t n;

	RECORDED(n, libc_real.pwrite(fd, data, size, offset),
		 note_write(disk, fd, data, (size_t)n, offset));
	return n;
}

static int record_allocate(int fd, int mode, off_t offset, off_t size)
{
	int result;

	RECORDED(result, libc_real.fallocate(fd, mode, offset, size),
		 if (file_of(fd) != NOTHING)
			 resize(disk, file_of(fd), (uint64_t)(offset + size), true));
	return result;
}

static int record_resize(int fd, off_t size)
{
	int result;

	RECORDED(result, libc_real.ftruncate(fd, size),
		 if (file_of(fd) != NOTHING) resize(disk, file_of(fd), (uint64_t)size, false));
	return result;
}

static int record_sync(int fd)
{
	int result;

	RECORDED(result, libc_real.fsync(fd),
		 if (file_of(fd) != NOTHING) add_event(disk, EVENT_SYNC, file_of(fd)));
	return result;
}

static int record_close(int fd)
{
	int result;

	if (fd >= 0 && fd < DESCRIPTORS)
		opened[fd] = 0;
	RECORDED(result, libc_real.close(fd), (void)0);
	return result;
}

static void note_rename(struct disk *disk, const char *from, const char *to)
{
	const char *name, *name_to;
	size_t directory, directory_to, file = find_file(disk, from);

	if (file == NOTHING || !find_place(disk, from, &directory, &name))
		return;
	cr_assert(find_place(disk, to, &directory_to, &name_to) && directory == directory_to,
		  "%s is renamed to %s, another directory", from, to);
	/* What had the name goes with that. */
	add_name(disk, EVENT_RENAME, file, directory, name, name_to);
}

static int record_rename(const char *from, const char *to)
{
	int result;

	RECORDED(result, libc_real.rename(from, to), note_rename(disk, from, to));
	return result;
}

static void note_link(struct disk *disk, const char *from, const char *to)
{
	size_t file = find_file(disk, from), directory;
	const char *name;

	if (file != NOTHING && find_place(disk, to, &directory, &name))
		add_name(disk, EVENT_MAKE, file, directory, name, "");
}

static int record_link(const char *from, const char *to)
{
	int result;

	RECORDED(result, libc_real.link(from, to), note_link(disk, from, to));
	return result;
}

static void note_remove(struct disk *disk, const char *path)
{
	size_t file = find_file(disk, path), directory;
	const char *name;

	if (file != NOTHING && find_place(disk, path, &directory, &name))
		add_name(disk, EVENT_REMOVE, file, directory, name, "");
}

static int record_unlink(const char *path)
{
	int result;

	RECORDED(result, libc_real.unlink(path), note_remove(disk, path));
	return result;
}

static int record_mkdir(const char *path, mode_t mode)
{
	int result;

	RECORDED(result, libc_real.mkdir(path, mode), make(disk, path, true));
	return result;
}

static int record_rmdir(const char *path)
{
	int result;

	RECORDED(result, libc_real.rmdir(path), note_remove(disk, path));
	return result;
}

static ssize_t plain_read(int fd, void *ret, size_t size, off_t offset)
{
	return libc_real.pread(fd, ret, size, offset);
}

static DIR *plain_opendir(const char *path)
{
	return libc_real.opendir(path);
}

static void *plain_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return libc_real.mmap(at, size, protection, flags, fd, offset);
}

static const struct file_io recorder = {
	.open = record_open,
	.pread = plain_read,
	.pwrite = record_write,
	.fallocate = record_allocate,
	.ftruncate = record_resize,
	.fsync = record_sync,
	.close = record_close,
	.rename = record_rename,
	.link = record_link,
	.unlink = record_unlink,
	.mkdir = record_mkdir,
	.rmdir = record_rmdir,
	.opendir = plain_opendir,
	.mmap = plain_mmap,
};

/* --- beginning and end --- */

static void read_bytes(struct file *file, const char *path)
{
	struct stat about;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	cr_assert(fd >= 0 && fstat(fd, &about) == 0, "%s", path);
	file->size = (size_t)about.st_size;
	file->bytes = malloc(file->size + 1);
	cr_assert_not_null(file->bytes);
	cr_assert_eq(pread(fd, file->bytes, file->size, 0), (ssize_t)file->size);
	close(fd);
}

static void read_tree(struct disk *disk, size_t at, const char *path)
{
	DIR *stream = opendir(path);
	struct dirent *entry;

	cr_assert_not_null(stream, "%s", path);
	while ((entry = readdir(stream))) {
		char inner[1024];
		size_t file;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
		file = add_file(disk, at, entry->d_type == DT_DIR);
		names_put(&disk->files[at].now, entry->d_name, file);
		if (entry->d_type == DT_DIR)
			read_tree(disk, file, inner);
		else
			read_bytes(&disk->files[file], inner);
	}
	closedir(stream);
	disk->files[at].sure = disk->files[at].now;
}

struct disk *disk_open(const char *directory)
{
	struct disk *disk = calloc(1, sizeof *disk);

	cr_assert(disk && !recording);
	disk->files = calloc(DISK_FILES_MAX, sizeof *disk->files);
	cr_assert_not_null(disk->files);
	snprintf(disk->directory, sizeof disk->directory, "%s", directory);
	pthread_mutex_init(&disk->lock, NULL);
	add_file(disk, 0, true);
	read_tree(disk, 0, directory);
	memset(opened, 0, sizeof opened);
	recording = disk;
	libc_stand_in(&recorder);
	return disk;
}

void disk_stop(struct disk *disk)
{
	cr_assert_eq(recording, disk);
	libc_stand_in(NULL);
	recording = NULL;
}

void disk_close(struct disk *disk)
{
	if (!disk)
		return;
	for (size_t i = 0; i < disk->n_events; i++)
		free(disk->events[i].data);
	for (size_t i = 0; i < disk->n_files; i++) {
		free(disk->files[i].bytes);
		free(disk->files[i].unsure);
	}
	free(disk->events);
	free(disk->files);
	pthread_mutex_destroy(&disk->lock);
	free(disk);
}

void disk_mark(struct disk *disk, const void *what)
{
	pthread_mutex_lock(&disk->lock);
	add_event(disk, EVENT_MARK, 0)->mark = what;
	pthread_mutex_unlock(&disk->lock);
}

size_t disk_length(const struct disk *disk)
{
	return disk->n_events;
}

size_t disk_syncs(const struct disk *disk)
{
	return disk->n_syncs;
}
