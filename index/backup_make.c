/* backup_make - a snapshot of a collection that is being written.
 *
 * Which segments belong to the copy of LMDB's file that file alone says. A segment has its name before
 * the commit that names it, and loses it behind the commit that does not; so all that are there are
 * linked first, then the file is copied, then those that it does not name go. One that came and went
 * between the two is missing, and it is all done again: that takes a merge within the copying of one
 * file, and a new segment in the moment before.
 */
#include "index/backup_file.h"
#include "index/backup_manifest.h"

#include "index/ann/ann.h"
#include "index/ann/factory_file.h"
#include "index/collection_state.h"
#include "index/database_state.h"
#include "index/directory.h"
#include "index/file/file_io.h"
#include "index/resume_token.h"
#include "index/store/copy.h"
#include "index/store/inspect.h"
#include "kernels/base/error_info.h"
#include "kernels/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define TRIES 8
#define LOW_PRIORITY 10
#define DATA_FILE "data.mdb"
#define KEY_FILE "token.key"

/* One that is on its way. */
struct run {
	struct backup_making *making;
	struct arena *arena;
	const char *path; /* under its name with a dot */
	struct store_copied data;
	struct store_segment *segments; /* [n] as the copy names them */
	size_t n;
};

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a snapshot");
}

/* --- the segments' files --- */

/* ID.segment or ID.ann. */
static bool name_parse(const char *name, uint64_t *ret_id)
{
	char *rest;

	if (strspn(name, "0123456789abcdef") != 16)
		return false;
	*ret_id = strtoull(name, &rest, 16);
	return strcmp(rest, ".segment") == 0 || strcmp(rest, ".ann") == 0;
}

static status link_file(void *context, const char *name)
{
	const struct run *run = context;
	const char *from =
		arena_printf(run->arena, "%s/%s", run->making->collection->directory, name);
	const char *to = arena_printf(run->arena, "%s/%s", run->path, name);
	uint64_t id;
	status s;

	if (!name_parse(name, &id))
		return status_ok();
	if (!from || !to)
		return no_memory();
	s = backup_file_link(from, to, run->making->deadline, run->arena);
	/* It went in between, and is none of the copy's if that does not name it. */
	return s.code == STATUS_NOT_FOUND || s.code == STATUS_ALREADY_EXISTS ? status_ok() : s;
}

static status read_copy(struct run *run)
{
	struct backup *backup = &run->making->backup;
	struct store_state state = {0};
	SCOPED(store) store = NULL;

	TRY(inspect_pages(run->path, run->arena));
	TRY(inspect_open(run->path, run->arena, &store));
	TRY(store_read_state(store, run->arena, &state));
	TRY(store_read_segments(store, run->arena, &run->segments, &run->n));
	backup->generation = state.generation;
	backup->chunks = state.live_rows;
	return status_ok();
}

static bool is_named(const struct run *run, uint64_t id)
{
	for (size_t i = 0; i < run->n; i++)
		if (run->segments[i].id == id)
			return true;
	return false;
}

static status drop_unnamed(void *context, const char *name)
{
	const struct run *run = context;
	const char *path = arena_printf(run->arena, "%s/%s", run->path, name);
	uint64_t id;

	if (!name_parse(name, &id) || is_named(run, id))
		return status_ok();
	if (!path)
		return no_memory();
	return file_remove(path) && errno != ENOENT
		       ? directory_failure(run->arena, "removing the file", path)
		       : status_ok();
}

/* FAISS's own would be all in memory once more if it were opened: that it is as it was written is enough.
 * One of an earlier format is no index any more. */
static status check_index(const struct run *run, const struct sealed_file *file,
			  const struct sealed *sealed)
{
	const struct block_file block_file = factory_block_file(file);
	bool is_there = false, outdated = false;
	SCOPED(ann) ann = NULL;

	if (file->config->index_kind != INDEX_FAISS)
		return ann_open(file, sealed, run->arena, &ann);
	TRY(block_is_there(&block_file, run->arena, &is_there));
	if (is_there)
		TRY(block_is_older(&block_file, run->arena, &outdated));
	return is_there && !outdated ? block_look(&block_file, run->arena) : status_ok();
}

/* Each is opened, which reads every block. False in ret: one is not there. */
static status check_segments(const struct run *run, bool *ret_all)
{
	*ret_all = true;
	for (size_t i = 0; i < run->n && *ret_all; i++) {
		struct sealed_file file =
			collection_file(run->making->collection, run->segments[i].id);
		SCOPED(sealed) sealed = NULL;
		const char *path;

		file.directory = run->path;
		path = sealed_path(&file, run->arena);
		if (!path)
			return no_memory();
		*ret_all = access(path, F_OK) == 0;
		if (!*ret_all)
			break;
		TRY(deadline_check(run->making->deadline));
		TRY(sealed_open(&file, run->arena, &sealed));
		TRY(check_index(run, &file, sealed));
	}
	return status_ok();
}

static status try_once(struct run *run, bool *ret_whole)
{
	const struct backup_making *making = run->making;
	struct collection *collection = making->collection;
	const char *data = arena_printf(run->arena, "%s/" DATA_FILE, run->path);

	if (!data)
		return no_memory();
	TRY(directory_make_new(run->path, run->arena));
	TRY(directory_each(collection->directory, run->arena, link_file, run));
	TRY(store_copy(collection->store, data, making->deadline, run->arena, &run->data));
	TRY(read_copy(run));
	TRY(directory_each(run->path, run->arena, drop_unnamed, run));
	return check_segments(run, ret_whole);
}

/* --- the manifest --- */

struct summing {
	const struct run *run;
	size_t n_max;
};

static status sum_file(void *context, const char *name)
{
	const struct summing *summing = context;
	const struct run *run = summing->run;
	struct backup *backup = &run->making->backup;
	const char *path = arena_printf(run->arena, "%s/%s", run->path, name);
	struct backup_file *file = &backup->files[backup->n_files];

	if (!path)
		return no_memory();
	if (backup->n_files == summing->n_max || strlen(name) > BACKUP_FILE_NAME_MAX)
		return status_make(STATUS_INTERNAL, "a snapshot has a file that nobody made");
	memcpy(file->name, name, strlen(name) + 1);
	if (strcmp(name, DATA_FILE) == 0) {
		file->bytes = run->data.bytes;
		file->checksum = run->data.checksum;
	} else {
		TRY(backup_file_copy(path, NULL, run->making->deadline, run->arena, file));
	}
	backup->bytes += file->bytes;
	backup->n_files++;
	return status_ok();
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(((const struct backup_file *)a)->name, ((const struct backup_file *)b)->name);
}

static status write_key(const struct run *run)
{
	const struct resume_key *key = database_resume_key(run->making->database);
	const char *path = arena_printf(run->arena, "%s/" KEY_FILE, run->path);

	if (!path)
		return no_memory();
	return directory_write_file(path, bytes_of(key->bytes, sizeof key->bytes), run->arena);
}

static status write_manifest(struct run *run)
{
	/* A segment and an index each, the data and the key. */
	struct summing summing = {run, 2 * run->n + 2};
	struct backup *backup = &run->making->backup;

	backup->files = ARENA_ARRAY(run->making->arena, struct backup_file, summing.n_max);
	if (!backup->files)
		return no_memory();
	TRY(directory_each(run->path, run->arena, sum_file, &summing));
	qsort(backup->files, backup->n_files, sizeof *backup->files, compare_files);
	TRY(backup_manifest_write(run->path, backup, run->arena));
	return directory_sync(run->path, run->arena);
}

/* --- all together --- */

static status begin(struct backup_making *making)
{
	struct timespec now;
	uint32_t chance;
	struct tm day;

	clock_gettime(CLOCK_REALTIME, &now);
	if (getrandom(&chance, sizeof chance, 0) != (ssize_t)sizeof chance ||
	    !gmtime_r(&now.tv_sec, &day))
		return status_make(STATUS_INTERNAL, "a snapshot can be given no name");
	making->backup = (struct backup){
		.format = BACKUP_FORMAT,
		.store_format = STORE_FORMAT,
		.create_time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
	};
	snprintf(making->backup.id, sizeof making->backup.id, "%04u%02u%02uT%02u%02u%02uZ-%08x",
		 (unsigned)(day.tm_year + 1900) % 10000, (unsigned)(day.tm_mon + 1) % 100,
		 (unsigned)day.tm_mday % 100, (unsigned)day.tm_hour % 100,
		 (unsigned)day.tm_min % 100, (unsigned)day.tm_sec % 100, chance);
	snprintf(making->backup.version, sizeof making->backup.version, "%s", making->version);
	memcpy(making->backup.collection, collection_config(making->collection)->name,
	       sizeof making->backup.collection);
	memcpy(making->backup.incarnation, collection_incarnation(making->collection),
	       sizeof making->backup.incarnation);
	return status_ok();
}

static status fill(struct run *run)
{
	bool whole = false;

	for (int i = 0; i < TRIES && !whole; i++) {
		if (i > 0)
			TRY(directory_remove(run->path, run->arena));
		if (collection_is_dropped(run->making->collection))
			return collection_deleted(run->making->collection, run->arena);
		TRY(try_once(run, &whole));
	}
	if (!whole)
		return status_as(status_make(STATUS_INTERNAL,
					     "the collection's segments changed too often for a "
					     "snapshot: try again"),
				 REASON_STORAGE_FAILED);
	TRY(write_key(run));
	return write_manifest(run);
}

static status make(struct backup_making *making, struct arena *arena)
{
	const char *directory = making->database->layout.directory;
	const char *root = arena_printf(arena, "%s/snapshots", directory);
	struct run run = {.making = making, .arena = arena};
	const char *path;
	status s;

	TRY(deadline_check(making->deadline));
	TRY(begin(making));
	path = backup_path(directory, &making->backup, "", arena);
	run.path = backup_path(directory, &making->backup, ".new", arena);
	if (!root || !path || !run.path)
		return no_memory();
	TRY(directory_make(root, arena));
	s = fill(&run);
	if (!status_failed(s))
		s = directory_rename(run.path, path, arena);
	if (!status_failed(s)) {
		s = directory_sync(root, arena);
		if (!status_failed(s))
			return s;
		(void)directory_rename(path, run.path, arena);
	}
	(void)directory_remove(run.path, arena);
	return s;
}

/* As for a client, that speaks of the collection and not of the server's files. */
static status as_trouble_of_server(status s)
{
	switch (s.code) {
	case STATUS_NOT_FOUND:
	case STATUS_ALREADY_EXISTS:
	case STATUS_PERMISSION_DENIED:
		return status_as(status_make(STATUS_INTERNAL, s.detail), REASON_STORAGE_FAILED);
	default:
		return s;
	}
}

static void run_making(struct job *job)
{
	struct backup_making *making = (struct backup_making *)job;

	/* Of this thread alone. */
	(void)setpriority(PRIO_PROCESS, 0, LOW_PRIORITY);
	making->result = as_trouble_of_server(make(making, making->arena));
	if (!status_failed(making->result))
		log_write(LOG_INFO, "collection %s: snapshot %s, %llu bytes",
			  making->backup.collection, making->backup.id,
			  (unsigned long long)making->backup.bytes);
	making->done(making);
}

void backup_make(struct backup_making *making)
{
	making->job.run = run_making;
	pool_submit(making->database->backups, &making->job);
}
