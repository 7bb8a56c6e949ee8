/* backup - the snapshots of a data directory by name: found, listed, removed. What has a name without a
 * dot is whole, and gets and loses it by rename.
 */
#include "index/backup.h"

#include "index/backup_file.h"
#include "index/backup_manifest.h"
#include "index/catalogue.h"
#include "index/database_state.h"
#include "index/directory.h"
#include "kernels/base/error_info.h"
#include "kernels/base/log.h"

#include <stdlib.h>
#include <unistd.h>

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for snapshots");
}

static bool id_is_valid(struct bytes id)
{
	static const char shape[] = "00000000T000000Z-00000000";

	if (id.size != BACKUP_ID_MAX)
		return false;
	for (size_t i = 0; i < id.size; i++) {
		uint8_t c = id.data[i];
		bool digit = (c >= '0' && c <= '9') || (i > 16 && c >= 'a' && c <= 'f');

		if (shape[i] == '0' ? !digit : c != (uint8_t)shape[i])
			return false;
	}
	return true;
}

/* NAME.ID */
static bool name_parse(struct bytes name, struct backup *ret)
{
	const uint8_t *dot = memchr(name.data, '.', name.size);
	struct bytes collection, id;

	if (!dot)
		return false;
	collection = bytes_of(name.data, (size_t)(dot - name.data));
	id = bytes_of(dot + 1, name.size - collection.size - 1);
	if (!catalogue_name_valid(collection) || !id_is_valid(id))
		return false;
	*ret = (struct backup){0};
	memcpy(ret->collection, collection.data, collection.size);
	memcpy(ret->id, id.data, id.size);
	return true;
}

static status no_such(const struct backup *backup, struct arena *arena)
{
	status s = status_format(arena, STATUS_NOT_FOUND, "collection %s has no snapshot \"%s\"",
				 backup->collection, backup->id);

	s = status_reason(s, arena, REASON_SNAPSHOT_NOT_FOUND, "collection", backup->collection,
			  "snapshot_id", backup->id, NULL);
	return status_about(s, arena, RESOURCE_SNAPSHOT, backup->id);
}

/* Files that are not to be had are the server's trouble, not the client's. */
static status as_trouble_of_server(status s)
{
	if (s.code == STATUS_NOT_FOUND || s.code == STATUS_PERMISSION_DENIED)
		return status_as(status_make(STATUS_INTERNAL, s.detail), REASON_STORAGE_FAILED);
	return s;
}

/* The manifest of a snapshot whose name is in it. */
static status read_manifest(const char *path, struct arena *arena, struct backup *named)
{
	struct backup read;

	TRY(as_trouble_of_server(backup_manifest_read(path, arena, &read)));
	if (strcmp(read.collection, named->collection) != 0 || strcmp(read.id, named->id) != 0)
		return status_as(status_format(arena, STATUS_DATA_LOSS,
					       "%s/" BACKUP_MANIFEST ": it is of %s.%s", path,
					       read.collection, read.id),
				 REASON_DATA_CORRUPT);
	*named = read;
	return status_ok();
}

static status name_of(struct bytes collection, struct bytes id, struct arena *arena,
		      struct backup *ret)
{
	*ret = (struct backup){0};
	if (!catalogue_name_valid(collection) || !id_is_valid(id))
		return status_as(status_make(STATUS_NOT_FOUND, "no snapshot has such a name"),
				 REASON_SNAPSHOT_NOT_FOUND);
	memcpy(ret->collection, collection.data, collection.size);
	memcpy(ret->id, id.data, id.size);
	(void)arena;
	return status_ok();
}

status backup_find(const struct database *database, struct bytes collection, struct bytes id,
		   struct arena *arena, struct backup *ret, const char **ret_path)
{
	struct backup backup;
	const char *path;

	TRY(name_of(collection, id, arena, &backup));
	path = backup_path(database->layout.directory, &backup, "", arena);
	if (!path)
		return no_memory();
	if (access(path, F_OK))
		return no_such(&backup, arena);
	TRY(read_manifest(path, arena, &backup));
	*ret = backup;
	*ret_path = path;
	return status_ok();
}

/* --- all of them --- */

struct listing {
	const char *root;
	struct arena *arena;
	struct backup *backups; /* [n] owned */
	size_t n, n_max;
};

static void listing_finish(struct listing *listing)
{
	free(listing->backups);
}

SCOPE_DEFINE(listing, listing_finish)

static status list_one(void *context, const char *name)
{
	struct listing *listing = context;
	const char *path = arena_printf(listing->arena, "%s/%s", listing->root, name);
	struct backup backup;
	status s;

	if (!name_parse(bytes_of_string(name), &backup))
		return status_ok();
	if (!path)
		return no_memory();
	if (listing->n == listing->n_max) {
		size_t n_max = listing->n_max ? 2 * listing->n_max : 16;
		void *backups = reallocarray(listing->backups, n_max, sizeof *listing->backups);

		if (!backups)
			return no_memory();
		listing->backups = backups;
		listing->n_max = n_max;
	}
	s = read_manifest(path, listing->arena, &backup);
	if (s.code == STATUS_RESOURCE_EXHAUSTED)
		return s;
	if (status_failed(s))
		backup.damage = s.detail;
	listing->backups[listing->n++] = backup;
	return status_ok();
}

static int compare(const void *a, const void *b)
{
	const struct backup *left = a, *right = b;
	int by_name = strcmp(left->collection, right->collection);

	return by_name ? by_name : strcmp(left->id, right->id);
}

status backup_list(const struct database *database, struct arena *arena, struct backup **ret,
		   size_t *ret_n)
{
	SCOPED(listing) listing = &(struct listing){
		.root = arena_printf(arena, "%s/snapshots", database->layout.directory),
		.arena = arena,
	};
	status s;

	if (!listing->root)
		return no_memory();
	s = directory_each(listing->root, arena, list_one, listing);
	if (s.code != STATUS_NOT_FOUND)
		TRY(as_trouble_of_server(s));
	if (listing->n > 0)
		qsort(listing->backups, listing->n, sizeof *listing->backups, compare);
	*ret = arena_copy(arena, listing->backups, listing->n * sizeof *listing->backups);
	*ret_n = listing->n;
	return *ret ? status_ok() : no_memory();
}

/* --- removing --- */

status backup_remove(const struct database *database, struct bytes collection, struct bytes id,
		     struct arena *arena)
{
	const char *directory = database->layout.directory;
	const char *root = arena_printf(arena, "%s/snapshots", directory);
	struct backup backup;
	const char *path, *old;
	status s;

	TRY(name_of(collection, id, arena, &backup));
	path = backup_path(directory, &backup, "", arena);
	old = backup_path(directory, &backup, ".old", arena);
	if (!root || !path || !old)
		return no_memory();
	s = directory_rename(path, old, arena);
	if (s.code == STATUS_NOT_FOUND)
		return no_such(&backup, arena);
	TRY(as_trouble_of_server(s));
	TRY(as_trouble_of_server(directory_sync(root, arena)));
	return as_trouble_of_server(directory_remove(old, arena));
}

struct sweep {
	const char *root;
	struct arena *arena;
};

static status sweep_one(void *context, const char *name)
{
	const struct sweep *sweep = context;
	const char *path = arena_printf(sweep->arena, "%s/%s", sweep->root, name);
	size_t size = strlen(name);
	struct backup backup;
	status s;

	if (size < 6 || name[0] != '.' ||
	    (strcmp(name + size - 4, ".new") != 0 && strcmp(name + size - 4, ".old") != 0) ||
	    !name_parse(bytes_of(name + 1, size - 5), &backup))
		return status_ok();
	s = path ? directory_remove(path, sweep->arena) : no_memory();
	/* It is in nobody's way. */
	if (status_failed(s))
		log_write(LOG_WARNING, "what is left of a snapshot stays: %s", s.detail);
	else
		log_write(LOG_INFO, "removed the leftover %s", path);
	return status_ok();
}

void backup_sweep(const char *directory, struct arena *arena)
{
	struct sweep sweep = {arena_printf(arena, "%s/snapshots", directory), arena};
	status s = sweep.root ? directory_each(sweep.root, arena, sweep_one, &sweep) : no_memory();

	if (status_failed(s) && s.code != STATUS_NOT_FOUND)
		log_write(LOG_WARNING, "what is left of snapshots may stay: %s", s.detail);
}
