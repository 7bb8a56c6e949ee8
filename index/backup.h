/* backup - snapshots that outlast a crash, a drop and a disk: what the contract calls a Snapshot. (A
 * struct snapshot is a cursor's view, and lives in memory.)
 *
 *	DIR/snapshots/NAME.ID/  MANIFEST   what there is: backup_manifest.h draws it
 *	                        data.mdb   LMDB's file as it was at one moment
 *	                        *.segment, *.ann   that its manifest names then: hard links, for they never
 *	                                   change; copies where the file system takes none
 *	                        token.key  what resume tokens are authenticated with
 *	DIR/snapshots/.NAME.ID.new, .NAME.ID.old
 *	                        being made, being removed; deleted at the next start
 *
 * A snapshot is made beside readers and writers, which wait for nothing. It holds what was
 * acknowledged before it was begun, whole batches of it, and the segments of that moment. It is there
 * whole, synced, or not at all; that nothing in it is damaged is looked at before it gets its name.
 * It stays when its collection is dropped. DIR/snapshots may be another disk.
 */
#ifndef SLUICE_INDEX_BACKUP_H
#define SLUICE_INDEX_BACKUP_H

#include "index/collection_config.h"
#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "kernels/base/pool.h"
#include "kernels/base/status.h"

struct collection;
struct database;

#define BACKUP_FORMAT 1
#define BACKUP_MANIFEST "MANIFEST"
#define BACKUP_ID_MAX 25 /* 20261126T061000Z-0f9a12bc */
#define BACKUP_FILE_NAME_MAX 31
#define BACKUP_VERSION_MAX 31

struct backup_file {
	char name[BACKUP_FILE_NAME_MAX + 1];
	uint64_t bytes;
	uint32_t checksum; /* CRC-32C of all of them */
};

struct backup {
	char id[BACKUP_ID_MAX + 1]; /* the time at which it was begun, and chance */
	char collection[COLLECTION_NAME_MAX + 1];
	char version[BACKUP_VERSION_MAX + 1]; /* of the server that made it */
	uint8_t incarnation[16];              /* of the collection */
	uint32_t format, store_format;
	int64_t create_time_ns; /* since 1970 */
	uint64_t generation, chunks, bytes;
	size_t n_files;
	struct backup_file *files; /* in an arena */
	/* Why the manifest cannot be read; NULL: it can. Then id and collection are all that is known. */
	const char *damage;
};

/* --- beside a server --- */

/* A snapshot in the making, its caller's until done is called. */
struct backup_making {
	struct job job; /* first; the database's */

	/* In, borrowed until done: */
	struct database *database;
	struct collection *collection; /* its reference must last until done */
	const char *version;
	const struct deadline *deadline; /* looked at once a MiB */
	struct arena *arena; /* for the result and details; the making's alone until done */
	void (*done)(
		struct backup_making *making); /* once, on a thread of its own: it may free it */

	/* Out, when done is called: */
	status result; /* RESOURCE_EXHAUSTED (DISK_FULL) DATA_LOSS INTERNAL FAILED_PRECONDITION
			* (dropped) DEADLINE_EXCEEDED CANCELLED: then nothing is left of it */
	struct backup backup;
};

/* backup_make - one at a time of a database, at low priority; the others wait. */
void backup_make(struct backup_making *making);

/* backup_list - those that are there, also damaged ones, by collection and age.
 * ret  [ret_n] in the arena. Fails: RESOURCE_EXHAUSTED INTERNAL */
status backup_list(const struct database *database, struct arena *arena, struct backup **ret,
		   size_t *ret_n);

/* backup_find - its manifest, and where its files are. Fails: NOT_FOUND (SNAPSHOT_NOT_FOUND) DATA_LOSS
 * FAILED_PRECONDITION (a newer format) RESOURCE_EXHAUSTED INTERNAL */
status backup_find(const struct database *database, struct bytes collection, struct bytes id,
		   struct arena *arena, struct backup *ret, const char **ret_path);

/* backup_remove - Fails: NOT_FOUND RESOURCE_EXHAUSTED INTERNAL */
status backup_remove(const struct database *database, struct bytes collection, struct bytes id,
		     struct arena *arena);

/* backup_sweep - removes what was half made or half removed; what cannot be is logged. directory  the
 * data directory. */
void backup_sweep(const char *directory, struct arena *arena);

/* --- without one --- */

struct backup_restored {
	struct backup backup;
	bool key_differs; /* the data directory has a token key of its own: tokens that are out end */
};

/* backup_restore - the collection, from the directory of a snapshot, into a data directory that no server
 * has, made where missing. Each file is held against the manifest while it is copied; the collection is
 * there whole, or not at all.
 * Fails: ALREADY_EXISTS (the data directory has a collection of the name) FAILED_PRECONDITION (a newer
 * format; a server has the directory) DATA_LOSS (naming the file) NOT_FOUND RESOURCE_EXHAUSTED
 * PERMISSION_DENIED INTERNAL */
status backup_restore(const char *path, const char *directory, struct arena *arena,
		      struct backup_restored *ret);

#endif
