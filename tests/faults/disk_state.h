/* disk_state - what disk.c records and disk_loss.c makes directories of. */
#ifndef SLUICE_TESTS_FAULTS_DISK_STATE_H
#define SLUICE_TESTS_FAULTS_DISK_STATE_H

#include "tests/faults/disk.h"

#include <pthread.h>
#include <stdint.h>

enum { DISK_ENTRIES_MAX = 64, DISK_NAME_MAX = 64, DISK_FILES_MAX = 1024 };

enum event_kind {
	EVENT_MAKE,
	EVENT_WRITE,
	EVENT_SIZE, /* at least so many bytes, or just so many */
	EVENT_SYNC,
	EVENT_RENAME,
	EVENT_REMOVE,
	EVENT_MARK,
};

struct event {
	enum event_kind kind;
	bool is_sure; /* WRITE: it was synced with its end */
	bool grows;   /* SIZE: the file does not become smaller */
	size_t file;  /* what is made, changed, synced or moved */
	size_t directory;
	char name[DISK_NAME_MAX], to[DISK_NAME_MAX]; /* in the directory */
	uint64_t offset;
	size_t size;
	uint8_t *data; /* [size] owned */
	const void *mark;
};

struct entry {
	char name[DISK_NAME_MAX];
	size_t file;
};

/* Of a directory. */
struct names {
	size_t n;
	struct entry entries[DISK_ENTRIES_MAX];
};

struct file {
	bool is_directory;
	size_t parent;
	struct names now; /* of a directory, as the process sees it */

	/* As far as disk_advance has come: */
	struct names sure;
	uint8_t *bytes; /* [size] owned; that are sure */
	size_t size;
	size_t *unsure; /* [n_unsure] owned; events in their order */
	size_t n_unsure;
};

struct disk {
	char directory[512];
	pthread_mutex_t lock;
	struct event *events; /* [n_events] owned */
	size_t n_events, events_room, n_syncs;
	struct file *files; /* [n_files] owned; 0 is the directory itself */
	size_t n_files;
	size_t advanced;
};

/* Both forms of bytes that a change makes of others. */
struct contents {
	uint8_t *bytes;
	size_t size;
};

void contents_write(struct contents *contents, uint64_t offset, const uint8_t *data, size_t size);
void contents_resize(struct contents *contents, uint64_t size, bool grows);

/* names_apply - a MAKE, RENAME or REMOVE. */
void names_apply(struct names *names, const struct event *event);

#endif
