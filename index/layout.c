/* layout - a collection is what has a name without a dot. It gets one by rename, whole, and loses
 * it by rename, whole; all else happens under names with a dot.
 */
#include "index/layout.h"

#include "index/catalogue.h"
#include "index/directory.h"
#include "index/file/file_io.h"
#include "index/store/store.h"
#include "kernels/base/log.h"

#include <stdlib.h>
#include <string.h>

static status no_memory(void)
{
	return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
}

void layout_init(struct layout *layout)
{
	*layout = (struct layout){.lock_descriptor = -1};
}

void layout_finish(struct layout *layout)
{
	if (layout->lock_descriptor >= 0)
		(void)file_close(layout->lock_descriptor);
	free(layout->directory);
	layout_init(layout);
}

void layout_settle(struct layout *layout)
{
	if (layout->lock_descriptor >= 0)
		directory_settle(layout->lock_descriptor);
}

/* The directory of all collections. */
static const char *layout_root(const struct layout *layout, struct arena *arena)
{
	return arena_printf(arena, "%s/collections", layout->directory);
}

status layout_open(struct layout *layout, const char *directory, struct arena *arena)
{
	const char *lock = arena_printf(arena, "%s/lock", directory);
	const char *root;

	layout->directory = strdup(directory);
	if (!layout->directory || !lock)
		return no_memory();
	root = layout_root(layout, arena);
	if (!root)
		return no_memory();
	TRY(directory_make(directory, arena));
	TRY(directory_lock(lock, arena, &layout->lock_descriptor, &layout->unsettled));
	return directory_make(root, arena);
}

const char *layout_path(const struct layout *layout, struct arena *arena, enum layout_state state,
			const char *name)
{
	static const char *const suffixes[] = {
		[LAYOUT_LIVE] = "",
		[LAYOUT_NEW] = ".new",
		[LAYOUT_OLD] = ".old",
	};

	return arena_printf(arena, "%s/collections/%s%s%s", layout->directory,
			    state == LAYOUT_LIVE ? "" : ".", name, suffixes[state]);
}

struct visit {
	const struct layout *layout;
	struct arena *arena;
	status (*visit)(void *context, const char *name);
	void *context;
};

/* .NAME.new or .NAME.old; nothing else that begins with a dot is ours to remove. */
static bool is_leftover(const char *name)
{
	size_t size = strlen(name);

	return size > 5 && name[0] == '.' && catalogue_name_valid(bytes_of(name + 1, size - 5)) &&
	       (strcmp(name + size - 4, ".new") == 0 || strcmp(name + size - 4, ".old") == 0);
}

static void remove_leftover(const struct visit *visit, const char *name)
{
	const char *path = layout_path(visit->layout, visit->arena, LAYOUT_LIVE, name);
	status s = path ? directory_remove(path, visit->arena) : no_memory();

	/* It is in nobody's way: opening goes on. */
	if (status_failed(s))
		log_write(LOG_WARNING, "a leftover stays: %s", s.detail);
	else
		log_write(LOG_INFO, "removed the leftover %s", path);
}

static status layout_visit(void *context, const char *name)
{
	const struct visit *visit = context;

	if (catalogue_name_valid(bytes_of_string(name)))
		return visit->visit(visit->context, name);
	if (is_leftover(name))
		remove_leftover(visit, name);
	else
		log_write(LOG_WARNING, "%s/collections/%s is no collection and is left alone",
			  visit->layout->directory, name);
	return status_ok();
}

status layout_each(const struct layout *layout, struct arena *arena,
		   status (*visit)(void *context, const char *name), void *context)
{
	struct visit own = {layout, arena, visit, context};
	const char *root = layout_root(layout, arena);

	if (!root)
		return no_memory();
	return directory_each(root, arena, layout_visit, &own);
}

/* Whole and on disk, under its name with a dot. */
static status create_new(const char *path, const struct collection_config *config,
			 struct arena *arena)
{
	TRY(directory_remove(path, arena));
	TRY(directory_make_new(path, arena));
	TRY(store_create(path, config, arena));
	return directory_sync(path, arena);
}

status layout_retire(const struct layout *layout, const char *name, struct arena *arena)
{
	const char *live = layout_path(layout, arena, LAYOUT_LIVE, name);
	const char *old = layout_path(layout, arena, LAYOUT_OLD, name);
	status s;

	if (!live || !old)
		return no_memory();
	TRY(directory_remove(old, arena));
	s = directory_rename(live, old, arena);
	/* Somebody else took it away: then it is gone, as was asked. */
	return s.code == STATUS_NOT_FOUND ? status_ok() : s;
}

status layout_remove(const struct layout *layout, const char *name, struct arena *arena)
{
	const char *root = layout_root(layout, arena);
	const char *old = layout_path(layout, arena, LAYOUT_OLD, name);
	status s;

	if (!root || !old)
		return no_memory();
	TRY(directory_sync(root, arena));
	s = directory_remove(old, arena);
	/* The collection is gone for good, and what is left of it goes at the next start. */
	if (status_failed(s))
		log_write(LOG_WARNING, "collection %s was removed, and a leftover stays: %s", name,
			  s.detail);
	return status_ok();
}

void layout_undo(const struct layout *layout, const char *name, struct arena *arena)
{
	status s = layout_retire(layout, name, arena);

	if (!status_failed(s))
		s = layout_remove(layout, name, arena);
	if (status_failed(s))
		log_write(LOG_WARNING, "collection %s was made but is not whole, and stays: %s",
			  name, s.detail);
}

status layout_create(const struct layout *layout, const struct collection_config *config,
		     struct arena *arena)
{
	const char *root = layout_root(layout, arena);
	const char *new = layout_path(layout, arena, LAYOUT_NEW, config->name);
	const char *live = layout_path(layout, arena, LAYOUT_LIVE, config->name);
	status s;

	if (!root || !new || !live)
		return no_memory();
	s = create_new(new, config, arena);
	if (!status_failed(s))
		s = directory_rename(new, live, arena);
	if (status_failed(s)) {
		(void)directory_remove(new, arena);
		return s;
	}
	s = directory_sync(root, arena);
	if (status_failed(s))
		layout_undo(layout, config->name, arena);
	return s;
}
