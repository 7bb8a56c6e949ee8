/* backup_restore - copied file by file under a name with a dot, each held against the manifest on its way,
 * and then renamed: what layout.h does for a collection that is made.
 */
#include "index/backup.h"

#include "index/backup_file.h"
#include "index/backup_manifest.h"
#include "index/directory.h"
#include "index/layout.h"
#include "index/resume_token.h"
#include "index/store/inspect.h"
#include "kernels/base/error_info.h"

#include <unistd.h>

#define KEY_FILE "token.key"
#define DATA_FILE "data.mdb"

struct restoring {
	const char *from; /* the snapshot's directory */
	const char *new;  /* the collection's, under its name with a dot */
	const char *directory;
	const struct backup *backup;
	struct arena *arena;
	struct layout layout;
};

/* What was unsettled before stays so. */
static void restoring_finish(struct restoring *restoring)
{
	if (!restoring->layout.unsettled)
		layout_settle(&restoring->layout);
	layout_finish(&restoring->layout);
}

SCOPE_DEFINE(restoring, restoring_finish)

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to restore a snapshot");
}

static status damaged(const struct restoring *restoring, const char *path, const char *how)
{
	return status_as(status_format(restoring->arena, STATUS_DATA_LOSS, "%s: %s", path, how),
			 REASON_DATA_CORRUPT);
}

static status restore_file(const struct restoring *restoring, const struct backup_file *file)
{
	const char *from = arena_printf(restoring->arena, "%s/%s", restoring->from, file->name);
	const char *to = arena_printf(restoring->arena, "%s/%s", restoring->new, file->name);
	struct backup_file found = {0};
	const char *how;
	status s;

	if (!from || !to)
		return no_memory();
	/* The key is the directory's, not the collection's. */
	if (strcmp(file->name, KEY_FILE) == 0)
		to = NULL;
	s = backup_file_copy(from, to, NULL, restoring->arena, &found);
	if (s.code == STATUS_NOT_FOUND)
		return damaged(restoring, from, "the file is not there");
	TRY(s);
	how = backup_file_judge(file, &found);
	return how ? damaged(restoring, from, how) : status_ok();
}

/* What was copied is what the manifest says, and has to be a collection of that name too. */
static status check_store(const struct restoring *restoring)
{
	SCOPED(store) store = NULL;
	status s;

	TRY(inspect_pages(restoring->new, restoring->arena));
	s = inspect_open(restoring->new, restoring->arena, &store);
	/* Of an older format: it is upgraded when it is opened. */
	if (s.code == STATUS_FAILED_PRECONDITION)
		return status_ok();
	TRY(s);
	if (strcmp(store_config(store)->name, restoring->backup->collection) != 0 ||
	    memcmp(store_incarnation(store), restoring->backup->incarnation, 16) != 0)
		return damaged(restoring, restoring->from, "it holds another collection");
	return status_ok();
}

static status fill(const struct restoring *restoring)
{
	TRY(directory_remove(restoring->new, restoring->arena));
	TRY(directory_make_new(restoring->new, restoring->arena));
	for (size_t i = 0; i < restoring->backup->n_files; i++)
		TRY(restore_file(restoring, &restoring->backup->files[i]));
	TRY(check_store(restoring));
	return directory_sync(restoring->new, restoring->arena);
}

/* Tokens are authenticated with the directory's key: the first snapshot brings its own. */
static status restore_key(const struct restoring *restoring, bool *ret_differs)
{
	const char *path = arena_printf(restoring->arena, "%s/" KEY_FILE, restoring->directory);
	struct resume_key own, there;

	if (!path)
		return no_memory();
	TRY(resume_key_load(restoring->from, restoring->arena, &own));
	if (access(path, F_OK) == 0) {
		TRY(resume_key_load(restoring->directory, restoring->arena, &there));
		*ret_differs = memcmp(own.bytes, there.bytes, sizeof own.bytes) != 0;
		return status_ok();
	}
	TRY(directory_write_file(path, bytes_of(own.bytes, sizeof own.bytes), restoring->arena));
	return directory_sync(restoring->directory, restoring->arena);
}

static status has_all_files(const char *from, const struct backup *backup, struct arena *arena)
{
	bool data = false, key = false;

	for (size_t i = 0; i < backup->n_files; i++) {
		data = data || strcmp(backup->files[i].name, DATA_FILE) == 0;
		key = key || strcmp(backup->files[i].name, KEY_FILE) == 0;
	}
	if (data && key)
		return status_ok();
	return status_as(status_format(arena, STATUS_DATA_LOSS,
				       "%s/" BACKUP_MANIFEST ": it names no %s", from,
				       data ? KEY_FILE : DATA_FILE),
			 REASON_DATA_CORRUPT);
}

static status restore(struct restoring *restoring, bool *ret_key_differs)
{
	const char *name = restoring->backup->collection;
	struct arena *arena = restoring->arena;
	const char *root = arena_printf(arena, "%s/collections", restoring->directory);
	const char *live;
	status s;

	TRY(layout_open(&restoring->layout, restoring->directory, arena));
	live = layout_path(&restoring->layout, arena, LAYOUT_LIVE, name);
	restoring->new = layout_path(&restoring->layout, arena, LAYOUT_NEW, name);
	if (!root || !live || !restoring->new)
		return no_memory();
	if (access(live, F_OK) == 0)
		return status_as(status_format(arena, STATUS_ALREADY_EXISTS,
					       "%s has a collection %s", restoring->directory,
					       name),
				 REASON_COLLECTION_EXISTS);
	s = fill(restoring);
	if (!status_failed(s))
		s = restore_key(restoring, ret_key_differs);
	if (!status_failed(s))
		s = directory_rename(restoring->new, live, arena);
	if (!status_failed(s)) {
		s = directory_sync(root, arena);
		if (!status_failed(s))
			return s;
		(void)directory_rename(live, restoring->new, arena);
	}
	(void)directory_remove(restoring->new, arena);
	return s;
}

status backup_restore(const char *path, const char *directory, struct arena *arena,
		      struct backup_restored *ret)
{
	struct backup backup = {0};
	SCOPED(restoring) restoring = &(struct restoring){
		.from = path,
		.directory = directory,
		.backup = &backup,
		.arena = arena,
	};
	bool key_differs = false;

	layout_init(&restoring->layout);
	TRY(backup_manifest_read(path, arena, &backup));
	TRY(has_all_files(path, &backup, arena));
	TRY(restore(restoring, &key_differs));
	ret->backup = backup;
	ret->key_differs = key_differs;
	return status_ok();
}
