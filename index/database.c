/* database - the data directory at work. Making and removing on disk is in layout.c.
 *
 * Two locks: `changing` is held while a collection is made or dropped, with its waits for the disk;
 * `lock` covers the catalogue and is held for a look only. A collection is released outside both,
 * since its end calls back.
 */
#include "index/database.h"

#include "index/catalogue.h"
#include "index/collection_state.h"
#include "index/directory.h"
#include "index/layout.h"
#include "kernels/base/error_info.h"
#include "kernels/base/log.h"

#include <stdlib.h>
#include <string.h>

/* For the messages of opening one collection. */
#define SCRATCH_BYTES ((size_t)16 << 20)

struct database {
	struct layout layout;
	struct scanner *scanner, *scanner_cpu;
	struct pool *writers;
	struct pool *sealers; /* owned; NULL: nothing is sealed */
	uint64_t seal_rows;
	struct writer_limits limits;
	int64_t retention_ns;
	struct resume_key resume_key;
	pthread_mutex_t changing;
	pthread_mutex_t lock;
	pthread_cond_t closed;
	size_t n_open; /* collections that exist, dropped ones with references included */
	struct catalogue catalogue;
};

static void database_collection_closed(void *context)
{
	struct database *database = context;

	pthread_mutex_lock(&database->lock);
	database->n_open--;
	pthread_cond_signal(&database->closed);
	pthread_mutex_unlock(&database->lock);
}

static status database_open_collection(struct database *database, const char *name,
				       struct arena *arena, struct collection **ret)
{
	const char *path = layout_path(&database->layout, arena, LAYOUT_LIVE, name);
	struct collection_options options = {
		.directory = path,
		.name = name,
		.scanner = database->scanner,
		.writers = database->writers,
		.limits = database->limits,
		.sealers = database->sealers,
		.seal_rows = database->seal_rows,
		.retention_ns = database->retention_ns,
		.closed = database_collection_closed,
		.context = database,
	};

	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	TRY(collection_open(&options, arena, ret));
	pthread_mutex_lock(&database->lock);
	database->n_open++;
	pthread_mutex_unlock(&database->lock);
	return status_ok();
}

/* Names first, collections after: a collection that cannot be opened keeps its name. */
static status database_found(void *context, const char *name)
{
	struct database *database = context;

	TRY(catalogue_reserve(&database->catalogue));
	catalogue_insert(&database->catalogue, name);
	return status_ok();
}

static void database_open_entry(struct database *database, struct catalogue_entry *entry)
{
	SCOPED(arena) scratch = &(struct arena){0};
	status s;

	arena_init(scratch, SCRATCH_BYTES);
	s = database_open_collection(database, entry->name, scratch, &entry->collection);
	if (!status_failed(s))
		return;
	catalogue_refuse(entry, s);
	log_write(LOG_ERROR, "collection %s is not served: %s: %s", entry->name,
		  status_code_name(s.code), s.detail);
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
	};
	database->retention_ns = options->retention_ns;
	database->seal_rows = options->seal_rows;
	pthread_mutex_init(&database->changing, NULL);
	pthread_mutex_init(&database->lock, NULL);
	pthread_cond_init(&database->closed, NULL);
	TRY(layout_open(&database->layout, options->directory, arena));
	TRY(resume_key_load(options->directory, arena, &database->resume_key));
	if (options->seal_rows)
		TRY(pool_open(1, "sealer", &database->sealers));
	TRY(layout_each(&database->layout, arena, database_found, database));
	for (size_t i = 0; i < database->catalogue.n; i++)
		database_open_entry(database, &database->catalogue.entries[i]);
	*ret = TAKE(database);
	return status_ok();
}

void database_close(struct database *database)
{
	struct catalogue *catalogue;

	if (!database)
		return;
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
	layout_finish(&database->layout);
	pthread_cond_destroy(&database->closed);
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
	s = database_open_collection(database, config->name, arena, &collection);
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

static status no_such_collection(struct bytes name, struct arena *arena)
{
	size_t size = name.size < COLLECTION_NAME_MAX ? name.size : COLLECTION_NAME_MAX;
	status s = status_format(arena, STATUS_NOT_FOUND, "there is no collection \"%.*s\"",
				 (int)size, (const char *)name.data);
	const char *text = ERROR_BYTES(bytes_of(name.data, size));

	s = status_reason(s, arena, REASON_COLLECTION_NOT_FOUND, "collection", text, NULL);
	return status_about(s, arena, RESOURCE_COLLECTION, text);
}

/* Under `lock`. */
static status entry_acquire(const struct catalogue_entry *entry, struct arena *arena,
			    struct collection **ret)
{
	if (!entry->collection)
		return status_reason(
			status_format(arena, entry->code, "the collection %s is not served: %s",
				      entry->name, entry->detail ? entry->detail : "no memory"),
			arena, entry->reason, "collection", entry->name, NULL);
	*ret = collection_reference(entry->collection);
	return status_ok();
}

status database_acquire(struct database *database, struct bytes name, struct arena *arena,
			struct collection **ret)
{
	const struct catalogue_entry *entry;
	status s = status_ok();

	pthread_mutex_lock(&database->lock);
	entry = catalogue_find(&database->catalogue, name);
	if (entry)
		s = entry_acquire(entry, arena, ret);
	pthread_mutex_unlock(&database->lock);
	return entry ? s : no_such_collection(name, arena);
}

/* Under `changing`. */
static status database_remove(struct database *database, const char *name, struct arena *arena)
{
	struct collection *collection;

	TRY(layout_retire(&database->layout, name, arena));
	pthread_mutex_lock(&database->lock);
	collection = catalogue_remove(&database->catalogue,
				      catalogue_find(&database->catalogue, bytes_of_string(name)));
	pthread_mutex_unlock(&database->lock);
	if (collection)
		collection_drop(collection);
	collection_release(collection);
	return layout_remove(&database->layout, name, arena);
}

status database_drop(struct database *database, struct bytes name, struct arena *arena)
{
	char own[COLLECTION_NAME_MAX + 1] = "";
	bool found;
	status s;

	pthread_mutex_lock(&database->changing);
	pthread_mutex_lock(&database->lock);
	found = catalogue_find(&database->catalogue, name);
	pthread_mutex_unlock(&database->lock);
	if (found) {
		memcpy(own, name.data, name.size);
		s = as_trouble_of_server(database_remove(database, own, arena));
	} else {
		s = no_such_collection(name, arena);
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
