/* disk_loss - what is sure, and directories that a disk may have without the rest. */
#include "tests/faults/disk_state.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512

/* --- bytes --- */

void contents_resize(struct contents *contents, uint64_t size, bool grows)
{
	if (size == contents->size || (grows && size < contents->size))
		return;
	contents->bytes = realloc(contents->bytes, (size_t)size + 1);
	cr_assert_not_null(contents->bytes);
	if (size > contents->size)
		memset(contents->bytes + contents->size, 0, (size_t)size - contents->size);
	contents->size = (size_t)size;
}

void contents_write(struct contents *contents, uint64_t offset, const uint8_t *data, size_t size)
{
	contents_resize(contents, offset + size, true);
	memcpy(contents->bytes + offset, data, size);
}

static void contents_apply(struct contents *contents, const struct event *event)
{
	if (event->kind == EVENT_WRITE)
		contents_write(contents, event->offset, event->data, event->size);
	else if (event->kind == EVENT_SIZE)
		contents_resize(contents, event->size, event->grows);
}

/* --- what becomes sure --- */

static void add_unsure(struct file *file, size_t event)
{
	/* Powers of two make its room. */
	if ((file->n_unsure & (file->n_unsure - 1)) == 0) {
		size_t room = file->n_unsure ? 2 * file->n_unsure : 1;

		file->unsure = reallocarray(file->unsure, room, sizeof *file->unsure);
		cr_assert_not_null(file->unsure);
	}
	file->unsure[file->n_unsure++] = event;
}

static void make_sure(struct disk *disk, struct file *file, const struct event *event)
{
	struct contents contents = {file->bytes, file->size};

	(void)disk;
	if (file->is_directory)
		names_apply(&file->sure, event);
	else
		contents_apply(&contents, event);
	file->bytes = contents.bytes;
	file->size = contents.size;
}

static void sync_file(struct disk *disk, struct file *file)
{
	for (size_t i = 0; i < file->n_unsure; i++)
		make_sure(disk, file, &disk->events[file->unsure[i]]);
	file->n_unsure = 0;
}

static void advance_one(struct disk *disk, size_t at, void (*mark)(void *context, const void *what),
			void *context)
{
	const struct event *event = &disk->events[at];

	switch (event->kind) {
	case EVENT_WRITE:
		if (event->is_sure)
			make_sure(disk, &disk->files[event->file], event);
		else
			add_unsure(&disk->files[event->file], at);
		return;
	case EVENT_SIZE:
		add_unsure(&disk->files[event->file], at);
		return;
	case EVENT_SYNC:
		sync_file(disk, &disk->files[event->file]);
		return;
	case EVENT_MAKE:
	case EVENT_RENAME:
	case EVENT_REMOVE:
		add_unsure(&disk->files[event->directory], at);
		return;
	case EVENT_MARK:
		mark(context, event->mark);
		return;
	}
}

void disk_advance(struct disk *disk, size_t n, void (*mark)(void *context, const void *what),
		  void *context)
{
	for (; disk->advanced < n; disk->advanced++)
		advance_one(disk, disk->advanced, mark, context);
}

/* --- what is there without the rest --- */

/* How much of what is not sure a disk had: the extremes are as likely as all between. */
enum manner { KEEPS_NONE, KEEPS_ALL, KEEPS_HALF, KEEPS_MOST, KEEPS_FEW, KEEPS_FIRST, MANNERS };

struct loss {
	const struct disk *disk;
	struct random *random;
	enum manner manner;
	size_t last; /* KEEPS_FIRST: events up to here */
};

static bool keeps(struct loss *loss, size_t event)
{
	switch (loss->manner) {
	case KEEPS_NONE:
	case MANNERS:
		return false;
	case KEEPS_ALL:
		return true;
	case KEEPS_HALF:
		return random_below(loss->random, 2);
	case KEEPS_MOST:
		return random_below(loss->random, 8);
	case KEEPS_FEW:
		return !random_below(loss->random, 8);
	case KEEPS_FIRST:
		return event <= loss->last;
	}
	return false;
}

/* A write that is there in part: sector by sector. */
static void apply_torn(struct loss *loss, struct contents *contents, const struct event *event)
{
	uint64_t at = event->offset, end = event->offset + event->size;

	while (at < end) {
		uint64_t next = (at / SECTOR + 1) * SECTOR;

		next = next < end ? next : end;
		if (random_below(loss->random, 2))
			contents_write(contents, at, event->data + (at - event->offset),
				       (size_t)(next - at));
		at = next;
	}
}

static void apply_some(struct loss *loss, struct contents *contents, size_t at)
{
	const struct event *event = &loss->disk->events[at];
	bool is_last = loss->manner == KEEPS_FIRST && at == loss->last;

	if (event->kind == EVENT_WRITE && loss->manner != KEEPS_NONE && loss->manner != KEEPS_ALL &&
	    (is_last || random_below(loss->random, 6) == 0))
		apply_torn(loss, contents, event);
	else if (keeps(loss, at))
		contents_apply(contents, event);
}

/* The change that was under way, if it is one of the file's. */
static bool is_next(const struct loss *loss, size_t file)
{
	const struct disk *disk = loss->disk;
	const struct event *next = &disk->events[disk->advanced];

	if (disk->advanced == disk->n_events)
		return false;
	switch (next->kind) {
	case EVENT_WRITE:
	case EVENT_SIZE:
		return next->file == file;
	case EVENT_MAKE:
	case EVENT_RENAME:
	case EVENT_REMOVE:
		return next->directory == file;
	case EVENT_SYNC:
	case EVENT_MARK:
		return false;
	}
	return false;
}

static void lose_bytes(struct loss *loss, size_t file, const char *path)
{
	const struct file *from = &loss->disk->files[file];
	struct contents contents = {malloc(from->size + 1), from->size};
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	cr_assert(contents.bytes && fd >= 0, "%s", path);
	if (from->size)
		memcpy(contents.bytes, from->bytes, from->size);
	for (size_t i = 0; i < from->n_unsure; i++)
		apply_some(loss, &contents, from->unsure[i]);
	if (is_next(loss, file))
		apply_some(loss, &contents, loss->disk->advanced);
	cr_assert_eq(pwrite(fd, contents.bytes, contents.size, 0), (ssize_t)contents.size);
	close(fd);
	free(contents.bytes);
}

static void lose_names(struct loss *loss, size_t directory, const char *path)
{
	const struct file *from = &loss->disk->files[directory];
	struct names *names = malloc(sizeof *names);

	cr_assert(names && mkdir(path, 0700) == 0, "%s", path);
	*names = from->sure;
	for (size_t i = 0; i < from->n_unsure; i++)
		if (keeps(loss, from->unsure[i]))
			names_apply(names, &loss->disk->events[from->unsure[i]]);
	if (is_next(loss, directory) && keeps(loss, loss->disk->advanced))
		names_apply(names, &loss->disk->events[loss->disk->advanced]);
	for (size_t i = 0; i < names->n; i++) {
		char inner[1024];
		size_t file = names->entries[i].file;

		snprintf(inner, sizeof inner, "%s/%s", path, names->entries[i].name);
		if (loss->disk->files[file].is_directory)
			lose_names(loss, file, inner);
		else
			lose_bytes(loss, file, inner);
	}
	free(names);
}

void disk_lose_power(const struct disk *disk, struct random *random, const char *directory)
{
	struct loss loss = {
		.disk = disk,
		.random = random,
		.manner = (enum manner)random_below(random, MANNERS),
		.last = disk->advanced,
	};

	/* Among the last ones: those before are mostly sure. */
	if (loss.manner == KEEPS_FIRST)
		loss.last -= random_below(random, loss.last < 60 ? loss.last + 1 : 60);
	lose_names(&loss, 0, directory);
}
