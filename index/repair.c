/* repair - finds what is damaged, has it made anew in a copy, and puts that in the place of the other. */
#include "index/repair_parts.h"

#include "index/ann/ann.h"
#include "index/backup_file.h"
#include "index/catalogue.h"
#include "index/directory.h"
#include "index/layout.h"
#include "index/resume_token.h"
#include "index/store/inspect.h"
#include "kernels/base/error_info.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DATA_FILE "data.mdb"
#define KEY_FILE "token.key"

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory to repair a collection");
}

void repair_say(const struct repairing *repairing, bool done, const char *file, const char *format,
		...)
{
	const struct repair_listener *listener = repairing->listener;
	char what[512];
	va_list values;

	va_start(values, format);
	vsnprintf(what, sizeof what, format, values);
	va_end(values);
	listener->note(listener->context, &(struct repair_note){.done = done,
								.collection = repairing->name,
								.file = file,
								.what = what});
}

struct sealed_file repair_file(const struct repairing *repairing, const char *directory,
			       uint64_t id)
{
	return (struct sealed_file){
		.directory = directory,
		.config = store_config(repairing->store),
		.incarnation = store_incarnation(repairing->store),
		.id = id,
	};
}

static void repairing_finish(struct repairing *repairing)
{
	for (size_t i = 0; i < repairing->n; i++) {
		sealed_salvage_close(repairing->segments[i].salvage);
		free(repairing->segments[i].rows);
	}
	free(repairing->lost);
	store_close(repairing->store);
}

SCOPE_DEFINE(repairing, repairing_finish)

/* --- putting aside --- */

/* DIR/damaged/NAME.TIME, or NAME.TIME.FILE; NULL without memory. */
static const char *place_aside(const struct repairing *repairing, const char *name,
			       const char *file)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return arena_printf(repairing->arena, "%s/damaged/%s.%lld%03ld%s%s", repairing->directory,
			    name, (long long)now.tv_sec, now.tv_nsec / 1000000, *file ? "." : "",
			    file);
}

static status put_aside(const struct repairing *repairing, const char *path, const char *name,
			const char *file)
{
	const char *folder = arena_printf(repairing->arena, "%s/damaged", repairing->directory);
	const char *aside = place_aside(repairing, name, file);

	if (!folder || !aside)
		return no_memory();
	TRY(directory_make(folder, repairing->arena));
	TRY(directory_rename(path, aside, repairing->arena));
	return directory_sync(folder, repairing->arena);
}

/* --- what is damaged --- */

/* A server makes an index where a segment has none. */
static status look_at_index(const struct repairing *repairing, const struct sealed_file *file,
			    const struct sealed *sealed)
{
	const char *name =
		arena_printf(repairing->arena, "%016llx.ann", (unsigned long long)file->id);
	const char *path = arena_printf(repairing->arena, "%s/%016llx.ann", repairing->live,
					(unsigned long long)file->id);
	SCOPED(ann) ann = NULL;
	status s;

	if (!name || !path)
		return no_memory();
	s = ann_open(file, sealed, repairing->arena, &ann);
	if (s.code != STATUS_DATA_LOSS)
		return s;
	TRY(put_aside(repairing, path, repairing->name, name));
	TRY(directory_sync(repairing->live, repairing->arena));
	repair_say(repairing, true, name, "put aside: a server makes it anew (%s)", s.detail);
	return status_ok();
}

static status look_at_segment(struct repairing *repairing, struct repair_segment *segment)
{
	const struct sealed_file file = repair_file(repairing, repairing->live, segment->says.id);
	const struct sealed_extent extent = {segment->says.n, segment->says.first_row,
					     segment->says.last_row};
	SCOPED(sealed) sealed = NULL;
	status s = sealed_open(&file, repairing->arena, &sealed);

	if (s.code != STATUS_DATA_LOSS) {
		TRY(s);
		return look_at_index(repairing, &file, sealed);
	}
	segment->damaged = true;
	repairing->n_damaged++;
	s = sealed_salvage_open(&file, &extent, repairing->arena, &segment->salvage);
	return s.code == STATUS_DATA_LOSS ? status_ok() : s;
}

static status look_at_segments(struct repairing *repairing)
{
	struct store_segment *segments = NULL;
	size_t n = 0;

	TRY(store_read_segments(repairing->store, repairing->arena, &segments, &n));
	repairing->segments = ARENA_ARRAY(repairing->arena, struct repair_segment, n);
	if (!repairing->segments)
		return no_memory();
	for (size_t i = 0; i < n; i++)
		repairing->segments[i].says = segments[i];
	repairing->n = n;
	for (size_t i = 0; i < n; i++)
		TRY(look_at_segment(repairing, &repairing->segments[i]));
	return status_ok();
}

/* --- the copy --- */

static status link_whole(const struct repairing *repairing, uint64_t id)
{
	static const char *const suffixes[] = {".segment", ".ann"};

	for (size_t i = 0; i < 2; i++) {
		const char *from = arena_printf(repairing->arena, "%s/%016llx%s", repairing->live,
						(unsigned long long)id, suffixes[i]);
		const char *to = arena_printf(repairing->arena, "%s/%016llx%s", repairing->work,
					      (unsigned long long)id, suffixes[i]);
		status s;

		if (!from || !to)
			return no_memory();
		s = backup_file_link(from, to, NULL, repairing->arena);
		if (s.code != STATUS_NOT_FOUND || i == 0)
			TRY(s);
	}
	return status_ok();
}

static status copy_collection(struct repairing *repairing)
{
	const char *from = arena_printf(repairing->arena, "%s/" DATA_FILE, repairing->live);
	const char *to = arena_printf(repairing->arena, "%s/" DATA_FILE, repairing->work);
	struct backup_file copied;

	if (!from || !to)
		return no_memory();
	TRY(directory_remove(repairing->work, repairing->arena));
	TRY(directory_make_new(repairing->work, repairing->arena));
	TRY(backup_file_copy(from, to, NULL, repairing->arena, &copied));
	for (size_t i = 0; i < repairing->n; i++)
		if (!repairing->segments[i].damaged)
			TRY(link_whole(repairing, repairing->segments[i].says.id));
	return status_ok();
}

/* The name is never without a collection, where the file system can do that. */
static status exchange(const char *a, const char *b, const char *aside, struct arena *arena)
{
	if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
		return directory_rename(a, aside, arena);
	if (errno != EINVAL && errno != ENOSYS)
		return directory_failure(arena, "exchanging the directory", a);
	TRY(directory_rename(b, aside, arena));
	return directory_rename(a, b, arena);
}

static status put_in_place(const struct repairing *repairing)
{
	struct arena *arena = repairing->arena;
	const char *root = arena_printf(arena, "%s/collections", repairing->directory);
	const char *folder = arena_printf(arena, "%s/damaged", repairing->directory);
	const char *aside = place_aside(repairing, repairing->name, "");

	if (!root || !folder || !aside)
		return no_memory();
	TRY(directory_sync(repairing->work, arena));
	TRY(directory_make(folder, arena));
	TRY(exchange(repairing->work, repairing->live, aside, arena));
	TRY(directory_sync(root, arena));
	TRY(directory_sync(folder, arena));
	repair_say(repairing, true, DATA_FILE, "as it was before it is %s", aside);
	return status_ok();
}

static status remake(struct repairing *repairing)
{
	TRY(copy_collection(repairing));
	store_close(TAKE(repairing->store));
	TRY(store_open(repairing->work, repairing->arena, &repairing->store));
	TRY(repair_rebuild(repairing));
	store_close(TAKE(repairing->store));
	return put_in_place(repairing);
}

/* --- one collection --- */

/* What could not be done is told; what ends it all is not. */
static status told(const struct repairing *repairing, status s)
{
	if (s.code != STATUS_DATA_LOSS && s.code != STATUS_FAILED_PRECONDITION)
		return s;
	repair_say(repairing, false, DATA_FILE, "%s: it is left as it is", s.detail);
	return status_ok();
}

static status repair(struct repairing *repairing)
{
	status s;

	TRY(inspect_pages(repairing->live, repairing->arena));
	TRY(inspect_open(repairing->live, repairing->arena, &repairing->store));
	TRY(look_at_segments(repairing));
	if (repairing->n_damaged == 0)
		return status_ok();
	s = remake(repairing);
	store_close(TAKE(repairing->store));
	if (status_failed(s))
		(void)directory_remove(repairing->work, repairing->arena);
	return s;
}

struct all {
	const char *directory;
	const struct repair_listener *listener;
	struct arena *arena;
	struct layout layout;
	char (*names)[COLLECTION_NAME_MAX + 1]; /* [n] owned */
	size_t n, n_max;
};

static void all_finish(struct all *all)
{
	/* What was unsettled before stays so. */
	if (!all->layout.unsettled)
		layout_settle(&all->layout);
	layout_finish(&all->layout);
	free(all->names);
}

SCOPE_DEFINE(all, all_finish)

static status repair_named(const struct all *all, const char *name)
{
	SCOPED(repairing) repairing = &(struct repairing){
		.listener = all->listener,
		.arena = all->arena,
		.directory = all->directory,
		.name = name,
		.live = layout_path(&all->layout, all->arena, LAYOUT_LIVE, name),
		.work = arena_printf(all->arena, "%s/collections/.%s.repair", all->directory, name),
	};

	if (!repairing->live || !repairing->work)
		return no_memory();
	return told(repairing, repair(repairing));
}

/* --- folders of other names --- */

/* What the store of a folder says; "" where it cannot be read. */
static status own_name(const struct all *all, const char *name, char ret[COLLECTION_NAME_MAX + 1])
{
	const char *path = layout_path(&all->layout, all->arena, LAYOUT_LIVE, name);
	SCOPED(store) store = NULL;
	status s;

	ret[0] = '\0';
	if (!path)
		return no_memory();
	s = inspect_pages(path, all->arena);
	if (!status_failed(s))
		s = inspect_open(path, all->arena, &store);
	if (store)
		memcpy(ret, store_config(store)->name, COLLECTION_NAME_MAX + 1);
	return s.code == STATUS_RESOURCE_EXHAUSTED ? s : status_ok();
}

/* Whether the other folder is free, or has the name of this one. */
static status rename_folder(const struct all *all, const char *name, const char *own)
{
	const struct repairing speaker = {
		.listener = all->listener, .arena = all->arena, .name = name};
	const char *from = layout_path(&all->layout, all->arena, LAYOUT_LIVE, name);
	const char *to = layout_path(&all->layout, all->arena, LAYOUT_LIVE, own);
	const char *root = arena_printf(all->arena, "%s/collections", all->directory);
	char other[COLLECTION_NAME_MAX + 1];

	if (!from || !to || !root)
		return no_memory();
	TRY(own_name(all, own, other));
	if (access(to, F_OK)) {
		TRY(directory_rename(from, to, all->arena));
	} else if (strcmp(other, name) != 0 ||
		   renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE)) {
		repair_say(&speaker, false, DATA_FILE,
			   "it is of the collection \"%s\", whose folder is taken", own);
		return status_ok();
	}
	repair_say(&speaker, true, DATA_FILE,
		   "it is of the collection \"%s\", and has its name now", own);
	return directory_sync(root, all->arena);
}

static status right_names(const struct all *all)
{
	for (size_t i = 0; i < all->n; i++) {
		char own[COLLECTION_NAME_MAX + 1];

		TRY(own_name(all, all->names[i], own));
		if (own[0] && strcmp(own, all->names[i]) != 0)
			TRY(rename_folder(all, all->names[i], own));
	}
	return status_ok();
}

/* --- the directory --- */

static status note_name(void *context, const char *name)
{
	struct all *all = context;

	if (!catalogue_name_valid(bytes_of_string(name)))
		return status_ok();
	if (all->n == all->n_max) {
		size_t n_max = all->n_max ? 2 * all->n_max : 16;
		void *names = reallocarray(all->names, n_max, sizeof *all->names);

		if (!names)
			return no_memory();
		all->names = names;
		all->n_max = n_max;
	}
	memcpy(all->names[all->n++], name, strlen(name) + 1);
	return status_ok();
}

static status list(struct all *all)
{
	const char *root = arena_printf(all->arena, "%s/collections", all->directory);

	all->n = 0;
	return root ? directory_each(root, all->arena, note_name, all) : no_memory();
}

/* Without it a server makes another, and tokens that are out end. */
static status repair_key(const struct all *all)
{
	const struct repairing speaker = {
		.listener = all->listener, .arena = all->arena, .directory = all->directory};
	const char *path = arena_printf(all->arena, "%s/" KEY_FILE, all->directory);
	struct resume_key key;
	status s;

	if (!path)
		return no_memory();
	if (access(path, F_OK))
		return status_ok();
	s = resume_key_load(all->directory, all->arena, &key);
	if (s.code != STATUS_DATA_LOSS)
		return s;
	TRY(put_aside(&speaker, path, KEY_FILE, ""));
	repair_say(&speaker, true, KEY_FILE,
		   "put aside: a server makes another, and resume tokens that are out end");
	return status_ok();
}

status repair_directory(const char *directory, const char *collection,
			const struct repair_listener *listener, struct arena *arena)
{
	SCOPED(all) all =
		&(struct all){.directory = directory, .listener = listener, .arena = arena};
	const char *root = arena_printf(arena, "%s/collections", directory);
	bool found = !collection;

	layout_init(&all->layout);
	if (!root)
		return no_memory();
	if (access(root, F_OK))
		return directory_failure(arena, "opening", root);
	TRY(layout_open(&all->layout, directory, arena));
	TRY(repair_key(all));
	TRY(list(all));
	TRY(right_names(all));
	TRY(list(all));
	for (size_t i = 0; i < all->n; i++) {
		if (collection && strcmp(collection, all->names[i]) != 0)
			continue;
		found = true;
		TRY(repair_named(all, all->names[i]));
	}
	return found ? status_ok()
		     : status_format(arena, STATUS_NOT_FOUND, "%s has no collection \"%s\"",
				     directory, collection);
}
