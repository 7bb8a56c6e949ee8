/* database - the data directory at work. Making and removing on disk is in layout.c, the opening of
 * collections in opening.c.
 *
 * Two locks: `changing` is held while a collection is made or dropped, with its waits for the disk;
 * `lock` covers the catalogue and is held for a look only. An entry that is busy is one thread's, which
 * opens or drops it under neither. A collection is released outside both, since its end calls back.
 */
#include "index/backup.h"
#include "index/build/crew.h"
#include "index/database_state.h"
#include "index/directory.h"
#include "kernels/base/error_info.h"
#include "kernels/base/log.h"

#include <stdlib.h>
#include <string.h>

/* Names first, collections after: a collection that cannot be opened keeps its name. */
static status database_found(void *context, const char *name)
{
	struct database *database = context;

	TRY(catalogue_reserve(&database->catalogue));
	catalogue_insert(&database->catalogue, name);
	return status_ok();
}

status database_open(const struct database_options *options, struct arena *arena,
		     struct database **ret)
{
	SCOPED(database) database = calloc(1, sizeof *database);

	if (!database)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a database");
	layout_init(&database->layout);
	database->scanner = options->scanner;
	database->scanner_cpu = options->scanner_cpu;
	database->writers = options->writers;
	database->limits = (struct writer_limits){
		.group_writes = options->commit_writes_max,
		.group_bytes = options->commit_bytes_max,
		.head_rows = options->head_rows_max,
		.dead_rows = options->dead_rows_max,
		.dead_bytes = options->dead_bytes_max,
	};
	database->retention_ns = options->retention_ns;
	database->seal_rows = options->seal_rows;
	database->opening = options->opening;
	database->context = options->context;
	pthread_mutex_init(&database->changing, NULL);
	pthread_mutex_init(&database->lock, NULL);
	pthread_cond_init(&database->closed, NULL);
	pthread_cond_init(&database->turned, NULL);
	TRY(layout_open(&database->layout, options->directory, arena));
	TRY(resume_key_load(options->directory, arena, &database->resume_key));
	if (options->builders)
		crew_limit(options->builders);
	if (options->seal_rows) {
		TRY(pool_open(1, "sealer", &database->sealers));
		TRY(pool_open(1, "merger", &database->mergers));
		TRY(pool_open(1, "indexer", &database->indexers));
	}
	TRY(layout_each(&database->layout, arena, database_found, database));
	backup_sweep(options->directory, arena);
	TRY(pool_open(DATABASE_OPENERS, "opener", &database->openers));
	TRY(pool_open(1, "backup", &database->backups));
	if (database->layout.unsettled)
		log_write(LOG_WARNING,
			  "the server before this one did not end by itself: the data file of "
			  "each collection is looked through before it is opened");
	database->opened = true;
	*ret = TAKE(database);
	return status_ok();
}

/* Where the server before did not end by itself, what it left has to have been looked at, all of it:
 * what is not open is looked at the next time. */
static bool is_settled(const struct database *database)
{
	const struct catalogue *catalogue = &database->catalogue;

	for (size_t i = 0; database->layout.unsettled && i < catalogue->n; i++)
		if (!catalogue->entries[i].collection)
			return false;
	return database->opened;
}

void database_close(struct database *database)
{
	struct catalogue *catalogue;
	bool settled;

	if (!database)
		return;
	atomic_store(&database->closing, true);
	pool_close(database->openers);
	settled = is_settled(database);
	pool_close(database->backups);
	catalogue = &database->catalogue;
	while (catalogue->n) {
		struct catalogue_entry *last = &catalogue->entries[catalogue->n - 1];

		if (last->collection)
			collection_stop(last->collection);
		collection_release(catalogue_remove(catalogue, last));
	}
	free(catalogue->entries);

	/* Writers hold references until they have nothing left to do. */
	pthread_mutex_lock(&database->lock);
	while (database->n_open)
		pthread_cond_wait(&database->closed, &database->lock);
	pthread_mutex_unlock(&database->lock);
	pool_close(database->sealers);
	pool_close(database->mergers);
	pool_close(database->indexers);
	if (settled)
		layout_settle(&database->layout);
	layout_finish(&database->layout);
	pthread_cond_destroy(&database->closed);
	pthread_cond_destroy(&database->turned);
	pthread_mutex_destroy(&database->lock);
	pthread_mutex_destroy(&database->changing);
	free(database);
}

/* Files that cannot be made or removed are the server's trouble, whatever the system calls it: to a
 * client NOT_FOUND and the like would speak of the collection. */
static status as_trouble_of_server(status s)
{
	if (status_failed(s) && s.code != STATUS_RESOURCE_EXHAUSTED && s.code != STATUS_DATA_LOSS)
		return status_as(status_make(STATUS_INTERNAL, s.detail), REASON_STORAGE_FAILED);
	return s;
}

static status is_taken(const char *name, struct arena *arena)
{
	status s = status_format(arena, STATUS_ALREADY_EXISTS, "the collection %s exists already",
				 name);

	s = status_reason(s, arena, REASON_COLLECTION_EXISTS, "collection", name, NULL);
	return status_about(s, arena, RESOURCE_COLLECTION, name);
}

/* Under `changing`. */
static status database_make(struct database *database, const struct collection_config *config,
			    struct arena *arena)
{
	struct collection *collection = NULL;
	bool exists;
	status s;

	pthread_mutex_lock(&database->lock);
	exists = catalogue_find(&database->catalogue, bytes_of_string(config->name));
	s = catalogue_reserve(&database->catalogue);
	pthread_mutex_unlock(&database->lock);
	if (exists)
		return is_taken(config->name, arena);
	TRY(s);

	TRY(as_trouble_of_server(layout_create(&database->layout, config, arena)));
	s = opening_open(database, config->name, arena, &collection);
	if (status_failed(s)) {
		layout_undo(&database->layout, config->name, arena);
		return as_trouble_of_server(s);
	}
	pthread_mutex_lock(&database->lock);
	catalogue_insert(&database->catalogue, config->name)->collection = collection;
	pthread_mutex_unlock(&database->lock);
	return status_ok();
}

status database_create(struct database *database, const struct collection_config *config,
		       struct arena *arena)
{
	status s;

	if (!catalogue_name_valid(bytes_of_string(config->name)))
		return status_reason(
			status_format(arena, STATUS_INVALID_ARGUMENT,
				      "\"%s\" is no name for a collection", config->name),
			arena, REASON_SCHEMA_VIOLATION, "collection", config->name, NULL);
	pthread_mutex_lock(&database->changing);
	s = database_make(database, config, arena);
	pthread_mutex_unlock(&database->changing);
	return s;
}

/* Under `changing`, of an entry that is the caller's: busy. */
static status database_remove(struct database *database, const char *name, struct arena *arena)
{
	struct collection *collection = NULL;
	struct database_wait *waits;
	struct catalogue_entry *entry;
	status s = layout_retire(&database->layout, name, arena);

	pthread_mutex_lock(&database->lock);
	entry = catalogue_find(&database->catalogue, bytes_of_string(name));
	if (status_failed(s))
		entry->busy = false;
	else
		collection = catalogue_remove(&database->catalogue, entry);
	waits = opening_turned(database, name);
	pthread_mutex_unlock(&database->lock);
	opening_tell(waits);
	TRY(s);
	if (collection)
		collection_drop(collection);
	collection_release(collection);
	return layout_remove(&database->layout, name, arena);
}

/* Waits where it is being opened. False: there is none. */
static bool database_take(struct database *database, struct bytes name)
{
	struct catalogue_entry *entry;

	pthread_mutex_lock(&database->lock);
	while ((entry = catalogue_find(&database->catalogue, name)) && entry->busy)
		pthread_cond_wait(&database->turned, &database->lock);
	if (entry)
		entry->busy = true;
	pthread_mutex_unlock(&database->lock);
	return entry;
}

status database_drop(struct database *database, struct bytes name, struct arena *arena)
{
	char own[COLLECTION_NAME_MAX + 1] = "";
	status s;

	pthread_mutex_lock(&database->changing);
	if (database_take(database, name)) {
		memcpy(own, name.data, name.size);
		s = as_trouble_of_server(database_remove(database, own, arena));
	} else {
		s = opening_no_such(name, arena);
	}
	pthread_mutex_unlock(&database->changing);
	return s;
}

/* Under `lock`. The names of n entries; NULL without memory. */
static struct bytes *copy_names(const struct catalogue_entry *entries, size_t n,
				struct arena *arena)
{
	struct bytes *names = ARENA_ARRAY(arena, struct bytes, n);

	for (size_t i = 0; names && i < n; i++) {
		size_t size = strlen(entries[i].name);

		names[i] = bytes_of(arena_copy(arena, entries[i].name, size), size);
		if (!names[i].data)
			return NULL;
	}
	return names;
}

status database_list(struct database *database, struct bytes after, size_t max, struct arena *arena,
		     struct bytes **ret_names, size_t *ret_n)
{
	const struct catalogue *catalogue = &database->catalogue;
	struct bytes *names;
	size_t first, n;

	pthread_mutex_lock(&database->lock);
	first = catalogue_position(catalogue, after);
	if (catalogue_find(catalogue, after))
		first++;
	n = catalogue->n - first < max ? catalogue->n - first : max;
	names = copy_names(catalogue->entries + first, n, arena);
	pthread_mutex_unlock(&database->lock);
	if (!names)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for names of collections");
	*ret_names = names;
	*ret_n = n;
	return status_ok();
}

status database_open_collections(struct database *database, size_t max, struct arena *arena,
				 struct collection ***ret, size_t *ret_n, size_t *ret_known,
				 size_t *ret_open)
{
	const struct catalogue *catalogue = &database->catalogue;
	struct collection **open;
	size_t n = 0, n_open = 0;

	pthread_mutex_lock(&database->lock);
	open = ARENA_ARRAY(arena, struct collection *, catalogue->n < max ? catalogue->n : max);
	for (size_t i = 0; open && i < catalogue->n; i++) {
		struct collection *collection = catalogue->entries[i].collection;

		if (!collection)
			continue;
		n_open++;
		if (n < max)
			open[n++] = collection_reference(collection);
	}
	*ret_known = catalogue->n;
	pthread_mutex_unlock(&database->lock);
	if (!open)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for collections");
	*ret = open;
	*ret_n = n;
	*ret_open = n_open;
	return status_ok();
}

const struct resume_key *database_resume_key(const struct database *database)
{
	return &database->resume_key;
}

struct scanner *database_scanner(struct database *database)
{
	return database->scanner;
}

struct scanner *database_scanner_cpu(struct database *database)
{
	return database->scanner_cpu;
}
