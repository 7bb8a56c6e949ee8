/* opening - collections that are on disk are opened: when they are asked for, or all one after the other.
 *
 * Who finds an entry of the catalogue closed and not busy makes it busy, and opens it without a lock:
 * that takes as long as its segments and ids take to read. All others wait for it by a condition, or
 * by an entry in a list that the opener calls (database_await), which takes no thread.
 */
#include "index/database_state.h"
#include "index/store/inspect.h"
#include "kernels/base/deadline.h"
#include "kernels/base/error_info.h"
#include "kernels/base/log.h"

#include <stdlib.h>
#include <string.h>

/* For the messages of opening one collection. */
#define SCRATCH_BYTES ((size_t)16 << 20)

static void collection_closed(void *context)
{
	struct database *database = context;

	pthread_mutex_lock(&database->lock);
	database->n_open--;
	pthread_cond_signal(&database->closed);
	pthread_mutex_unlock(&database->lock);
}

/* LMDB trusts its pages, and a damaged one may end the process. So after a crash of the machine, or of a
 * server, they are walked without it. */
static status look_through(const char *path, const char *name, struct arena *arena)
{
	int64_t start_ns = clock_ns();
	status s = inspect_pages(path, arena);

	if (s.code == STATUS_DATA_LOSS)
		return status_reason(status_format(arena, STATUS_DATA_LOSS,
						   "collection \"%s\": data.mdb: %s", name,
						   s.detail),
				     arena, REASON_DATA_CORRUPT, "collection", name, NULL);
	TRY(s);
	log_write(LOG_INFO, "collection %s: its data file was looked through in %lld ms", name,
		  (long long)((clock_ns() - start_ns) / 1000000));
	return status_ok();
}

status opening_open(struct database *database, const char *name, struct arena *arena,
		    struct collection **ret)
{
	const char *path = layout_path(&database->layout, arena, LAYOUT_LIVE, name);
	struct collection_options options = {
		.directory = path,
		.name = name,
		.scanner = database->scanner,
		.writers = database->writers,
		.limits = database->limits,
		.sealers = database->sealers,
		.mergers = database->mergers,
		.indexers = database->indexers,
		.seal_rows = database->seal_rows,
		.retention_ns = database->retention_ns,
		.closed = collection_closed,
		.context = database,
	};

	if (!path)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	if (database->layout.unsettled)
		TRY(look_through(path, name, arena));
	TRY(collection_open(&options, arena, ret));
	pthread_mutex_lock(&database->lock);
	database->n_open++;
	pthread_mutex_unlock(&database->lock);
	return status_ok();
}

/* --- who waits --- */

struct database_wait *opening_turned(struct database *database, const char *name)
{
	struct database_wait **at = &database->waits, *turned = NULL;

	while (*at) {
		struct database_wait *wait = *at;

		if (strcmp(wait->name, name) != 0) {
			at = &wait->next;
			continue;
		}
		*at = wait->next;
		wait->next = turned;
		turned = wait;
	}
	pthread_cond_broadcast(&database->turned);
	return turned;
}

void opening_tell(struct database_wait *waits)
{
	while (waits) {
		struct database_wait *wait = waits;

		waits = wait->next;
		wait->turned(wait);
	}
}

/* --- one is opened --- */

/* Under `lock`. */
static bool is_closed(const struct catalogue_entry *entry)
{
	return !entry->collection && entry->code == STATUS_OK;
}

/* Makes it the caller's; false where there is nothing to open, or somebody is at it. */
static bool take_closed(struct database *database, const char *name)
{
	struct catalogue_entry *entry;
	bool taken;

	pthread_mutex_lock(&database->lock);
	entry = catalogue_find(&database->catalogue, bytes_of_string(name));
	taken = entry && is_closed(entry) && !entry->busy;
	if (taken)
		entry->busy = true;
	pthread_mutex_unlock(&database->lock);
	return taken;
}

/* What was opened, or why it was not, becomes known. untried  it stays as it was. */
static void give_back(struct database *database, const char *name, struct collection *collection,
		      status s, bool untried)
{
	struct catalogue_entry *entry;
	struct database_wait *waits;

	pthread_mutex_lock(&database->lock);
	entry = catalogue_find(&database->catalogue, bytes_of_string(name));
	entry->busy = false;
	entry->collection = collection;
	if (status_failed(s) && !untried)
		catalogue_refuse(entry, s);
	waits = opening_turned(database, name);
	pthread_mutex_unlock(&database->lock);
	opening_tell(waits);
}

/* warms  nobody has asked for it. False: there is no room for more. */
static bool open_named(struct database *database, const char *name, bool warms)
{
	SCOPED(arena) scratch = &(struct arena){0};
	struct collection *collection = NULL;
	bool untried;
	status s;

	if (!take_closed(database, name))
		return true;
	if (database->opening)
		database->opening(database->context, name);
	arena_init(scratch, SCRATCH_BYTES);
	s = opening_open(database, name, scratch, &collection);
	untried = warms && s.code == STATUS_RESOURCE_EXHAUSTED;
	if (untried)
		log_write(LOG_WARNING, "collection %s is opened when it is asked for: %s", name,
			  s.detail);
	else if (status_failed(s))
		log_write(LOG_ERROR, "collection %s is not served: %s: %s", name,
			  status_code_name(s.code), s.detail);
	give_back(database, name, collection, s, untried);
	return !untried;
}

/* --- in the background --- */

/* The first closed name behind the one in it; false where there is none. */
static bool find_closed(struct database *database, char name[static COLLECTION_NAME_MAX + 1])
{
	const struct catalogue *catalogue = &database->catalogue;
	bool found;
	size_t at;

	pthread_mutex_lock(&database->lock);
	at = catalogue_position(catalogue, bytes_of_string(name));
	while (at < catalogue->n && (strcmp(catalogue->entries[at].name, name) == 0 ||
				     !is_closed(&catalogue->entries[at])))
		at++;
	found = at < catalogue->n;
	if (found)
		memcpy(name, catalogue->entries[at].name, COLLECTION_NAME_MAX + 1);
	pthread_mutex_unlock(&database->lock);
	return found;
}

static void warm(struct job *job)
{
	struct database *database =
		(struct database *)((char *)job - offsetof(struct database, warming));
	char name[COLLECTION_NAME_MAX + 1] = "";

	while (!atomic_load(&database->closing) && find_closed(database, name))
		if (!open_named(database, name, true))
			break;
	atomic_store(&database->warm, true);
}

bool database_is_warm(const struct database *database)
{
	return atomic_load(&database->warm);
}

void database_warm(struct database *database)
{
	char name[COLLECTION_NAME_MAX + 1] = "";

	if (!find_closed(database, name)) {
		atomic_store(&database->warm, true);
		return;
	}
	database->warming.run = warm;
	pool_submit(database->openers, &database->warming);
}

/* One that is asked for. */
struct opening {
	struct job job; /* first */
	struct database *database;
	char name[COLLECTION_NAME_MAX + 1];
};

static void open_asked(struct job *job)
{
	struct opening *opening = (struct opening *)job;

	open_named(opening->database, opening->name, false);
	free(opening);
}

bool database_await(struct database *database, struct bytes name, struct database_wait *wait)
{
	struct opening *opening = NULL;
	const struct catalogue_entry *entry;
	bool waits;

	pthread_mutex_lock(&database->lock);
	entry = catalogue_find(&database->catalogue, name);
	waits = entry && is_closed(entry);
	if (waits && !entry->busy) {
		opening = calloc(1, sizeof *opening);
		waits = opening;
	}
	if (opening) {
		opening->job.run = open_asked;
		opening->database = database;
		memcpy(opening->name, entry->name, sizeof opening->name);
	}
	if (waits) {
		memcpy(wait->name, entry->name, sizeof wait->name);
		wait->next = database->waits;
		database->waits = wait;
	}
	pthread_mutex_unlock(&database->lock);
	if (opening)
		pool_submit(database->openers, &opening->job);
	return !waits;
}

/* --- a reference --- */

status opening_no_such(struct bytes name, struct arena *arena)
{
	size_t size = name.size < COLLECTION_NAME_MAX ? name.size : COLLECTION_NAME_MAX;
	status s = status_format(arena, STATUS_NOT_FOUND, "there is no collection \"%.*s\"",
				 (int)size, (const char *)name.data);
	const char *text = ERROR_BYTES(bytes_of(name.data, size));

	s = status_reason(s, arena, REASON_COLLECTION_NOT_FOUND, "collection", text, NULL);
	return status_about(s, arena, RESOURCE_COLLECTION, text);
}

/* What has no room now may have it the next time. Under `lock`. */
static status entry_acquire(struct catalogue_entry *entry, struct arena *arena,
			    struct collection **ret)
{
	if (!entry->collection) {
		status s = status_format(arena, entry->code, "the collection %s is not served: %s",
					 entry->name, entry->detail ? entry->detail : "no memory");

		s = status_reason(s, arena, entry->reason, "collection", entry->name, NULL);
		if (s.code == STATUS_RESOURCE_EXHAUSTED)
			catalogue_forgive(entry);
		return s;
	}
	*ret = collection_reference(entry->collection);
	return status_ok();
}

/* False where it has to be opened first; waits while somebody does that. */
static bool acquire_open(struct database *database, struct bytes name, struct arena *arena,
			 struct collection **ret, status *ret_status)
{
	struct catalogue_entry *entry;
	bool done = true;

	pthread_mutex_lock(&database->lock);
	while ((entry = catalogue_find(&database->catalogue, name)) && is_closed(entry) &&
	       entry->busy)
		pthread_cond_wait(&database->turned, &database->lock);
	if (entry && is_closed(entry))
		done = false;
	else if (entry)
		*ret_status = entry_acquire(entry, arena, ret);
	pthread_mutex_unlock(&database->lock);
	if (!entry)
		*ret_status = opening_no_such(name, arena);
	return done;
}

status database_acquire(struct database *database, struct bytes name, struct arena *arena,
			struct collection **ret)
{
	char own[COLLECTION_NAME_MAX + 1] = "";
	status s = status_ok();

	/* Once is enough, but where it is dropped and made anew in between. */
	while (!acquire_open(database, name, arena, ret, &s)) {
		memcpy(own, name.data, name.size);
		open_named(database, own, false);
	}
	return s;
}
