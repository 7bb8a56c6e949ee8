/* writer - takes a group of writes, applies it to store and head, publishes, answers.
 *
 * Rows are written to the head behind its published length while the transaction is built, and rows
 * that die are only noted: nothing a reader sees has changed when the commit fails. After the
 * commit nothing can fail: memory for head and notes was reserved before it. A write that fails is
 * undone in the transaction alone, and what it took (places, row numbers, its generation, its
 * notes) goes to the next one.
 */
#include "index/writer.h"

#include "index/collection_state.h"
#include "index/selection_write.h"
#include "kernels/base/error_info.h"
#include "kernels/base/gauge.h"
#include "kernels/base/log.h"
#include "kernels/base/meter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* For messages of LMDB's, which are short, and for ids that it compares. */
#define SCRATCH_BYTES ((size_t)1 << 20)

struct death {
	uint64_t place, generation;
};

/* One transaction in the making. */
struct group {
	struct collection *collection;
	struct arena *scratch;
	struct write *writes[WRITER_GROUP_WRITES];
	size_t n;
	size_t n_rows;            /* chunks and ids in all writes */
	struct published pending; /* as it will be published */
	struct death *deaths;     /* [deaths_room] owned */
	size_t n_deaths, deaths_room;
	/* The setting that the oldest pin goes past, of that generation at most; NULL: none. */
	const char *pressed_by;
	uint64_t pressed_at;
};

static void group_finish(struct group *group)
{
	free(group->deaths);
}

SCOPE_DEFINE(group, group_finish)

void writer_init(struct writer *writer, struct collection *collection, struct pool *pool,
		 const struct writer_limits *limits)
{
	*writer = (struct writer){.collection = collection, .pool = pool, .limits = *limits};
	if (!limits->group_writes || limits->group_writes > WRITER_GROUP_WRITES)
		writer->limits.group_writes = WRITER_GROUP_WRITES;
	if (!limits->group_bytes)
		writer->limits.group_bytes = WRITER_GROUP_BYTES;
	if (!limits->head_rows)
		writer->limits.head_rows = UINT64_MAX;
	if (!limits->dead_rows)
		writer->limits.dead_rows = UINT64_MAX;
	if (!limits->dead_bytes)
		writer->limits.dead_bytes = UINT64_MAX;
	pthread_mutex_init(&writer->lock, NULL);
}

void writer_finish(struct writer *writer)
{
	assert(!writer->first && !writer->scheduled);
	pthread_mutex_destroy(&writer->lock);
}

static size_t write_bytes(const struct write *write, uint32_t dim)
{
	size_t size = 0;

	if (write->kind != WRITE_UPSERT)
		return write->n * CHUNK_ID_MAX;
	for (size_t i = 0; i < write->n; i++) {
		const struct chunk *chunk = &write->chunks[i];

		size += dim * sizeof(float) + chunk->text.size + CHUNK_ID_MAX;
	}
	return size;
}

/* The writes that wait, in order, up to what one transaction should hold. */
static void group_take(struct group *group, struct writer *writer)
{
	uint32_t dim = collection_config(group->collection)->dim;
	size_t size = 0;

	while (group->n < writer->limits.group_writes && size < writer->limits.group_bytes) {
		struct job *job;
		struct write *write;

		pthread_mutex_lock(&writer->lock);
		job = writer->first;
		if (job)
			writer->first = job->next;
		pthread_mutex_unlock(&writer->lock);
		if (!job)
			return;
		write = (struct write *)job;
		timer_add(TIMER_WRITE_QUEUE, clock_ns() - write->job.queued_ns);
		group->writes[group->n++] = write;
		group->n_rows += write->n;
		size += write_bytes(write, dim);
	}
}

/* A failure in the write's own memory: s is in the scratch, which is about to go. */
static status status_for(const struct write *write, status s)
{
	const char *detail = NULL;

	if (write->arena && s.detail)
		detail = arena_copy(write->arena, s.detail, strlen(s.detail));
	return status_with(status_make(s.code, detail ? detail : "the write was not applied"),
			   error_info_copy(write->arena, s.info));
}

/* Room for n deaths in all. */
static status group_reserve_deaths(struct group *group, size_t n)
{
	struct death *deaths = group->deaths;

	if (n <= group->deaths_room)
		return status_ok();
	deaths = reallocarray(deaths, n, sizeof *deaths);
	if (!deaths)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a group of writes");
	group->deaths = deaths;
	group->deaths_room = n;
	return status_ok();
}

static status group_reserve(struct group *group)
{
	uint64_t n_places = 0;
	struct view view;

	for (size_t i = 0; i < group->n; i++)
		if (group->writes[i]->kind == WRITE_UPSERT)
			n_places += group->writes[i]->n;
	view = collection_view(group->collection, &group->collection->published);
	TRY(head_reserve(group->collection->head, view_head(&view, view.length), n_places));
	return group_reserve_deaths(group, group->n_rows + 1);
}

/* The row dies with the write that is being applied. */
static void group_note_death(struct group *group, const struct store_write *transaction,
			     uint64_t row, uint64_t place)
{
	struct published *pending = &group->pending;

	group->deaths[group->n_deaths++] = (struct death){place, pending->generation};
	pending->dead_bytes += store_write_row_bytes(transaction, row);
	pending->live_rows--;
}

/* Finds its place. The row may be as new as the transaction: its place is then behind the published
 * length. */
static status group_kill(struct group *group, const struct store_write *transaction, uint64_t row)
{
	struct collection *collection = group->collection;
	struct view view = collection_view(collection, &group->pending);
	uint64_t place;

	if (!view_find(&view, row, &place))
		return collection_lacks_row(collection, row, group->scratch);
	group_note_death(group, transaction, row, place);
	return status_ok();
}

static status too_many_rows(struct group *group, uint64_t limit)
{
	const char *name = collection_config(group->collection)->name;

	return status_reason(status_format(group->scratch, STATUS_RESOURCE_EXHAUSTED,
					   "collection %s has as many rows in memory as it may: "
					   "index.head_rows_max is %llu",
					   name, (unsigned long long)limit),
			     group->scratch, REASON_LIMIT_REACHED, "collection", name, "setting",
			     "index.head_rows_max", "limit", ERROR_NUMBER(limit), NULL);
}

static status apply_upsert(struct group *group, struct store_write *transaction,
			   struct write *write)
{
	struct published *pending = &group->pending;
	uint64_t limit = group->collection->writer.limits.head_rows;
	const struct view view = collection_view(group->collection, pending);
	uint64_t in_head = pending->length - view.sealed;

	if (in_head > limit || write->n > limit - in_head)
		return too_many_rows(group, limit);
	for (size_t i = 0; i < write->n; i++) {
		const struct chunk *chunk = &write->chunks[i];
		bool replaced = false;
		uint64_t old_row = 0;

		TRY(store_write_put(transaction, pending->next_row, pending->generation, chunk,
				    &replaced, &old_row));
		if (replaced) {
			TRY(group_kill(group, transaction, old_row));
			write->replaced++;
		} else {
			write->inserted++;
		}
		head_set(group->collection->head, view_head(&view, pending->length),
			 pending->next_row, chunk->vector);
		pending->length++;
		pending->live_rows++;
		pending->next_row++;
	}
	return status_ok();
}

static status apply_delete(struct group *group, struct store_write *transaction,
			   struct write *write)
{
	for (size_t i = 0; i < write->n; i++) {
		bool found = false;
		uint64_t old_row = 0;

		TRY(store_write_delete(transaction, write->ids[i], group->pending.generation,
				       &found, &old_row));
		if (!found)
			continue;
		TRY(group_kill(group, transaction, old_row));
		write->deleted++;
	}
	return status_ok();
}

/* The live rows that the filter names, those of writes before this one included. Room for their
 * deaths is taken besides what the writes of ids may still need. */
static status select_live(struct group *group, struct store_write *transaction,
			  const struct filter *filter, struct places **ret)
{
	SCOPED(places) places = NULL;

	TRY(selection_make_in_write(group->collection, transaction, group->pending.length, filter,
				    &places));
	for (size_t i = 0; i < group->n_deaths; i++)
		places_remove(places, group->deaths[i].place);
	TRY(group_reserve_deaths(group, group->n_deaths + (size_t)places_count(places) +
						group->n_rows + 1));
	*ret = TAKE(places);
	return status_ok();
}

static status apply_delete_matching(struct group *group, struct store_write *transaction,
				    struct write *write)
{
	struct view view = collection_view(group->collection, &group->pending);
	SCOPED(places) places = NULL;

	TRY(select_live(group, transaction, write->filter, &places));
	for (uint64_t place = 0; places_next(places, place, &place); place++) {
		uint64_t row = view_row(&view, place);

		TRY(store_write_delete_row(transaction, row, group->pending.generation));
		group_note_death(group, transaction, row, place);
		write->deleted++;
	}
	return status_ok();
}

static status apply(struct group *group, struct store_write *transaction, struct write *write)
{
	group->pending.generation++;
	write->generation = group->pending.generation;
	switch (write->kind) {
	case WRITE_UPSERT:
		return apply_upsert(group, transaction, write);
	case WRITE_DELETE:
		return apply_delete(group, transaction, write);
	case WRITE_DELETE_MATCHING:
		break;
	}
	return apply_delete_matching(group, transaction, write);
}

/* Applies every write that it can; the others have their result and left no trace. A savepoint that
 * fails may have lost the write before it, so then, as with ABORTED, nothing is of use. */
static status apply_all(struct group *group, struct store_write *transaction, size_t *ret_applied)
{
	size_t n_applied = 0;

	for (size_t i = 0; i < group->n; i++) {
		struct write *write = group->writes[i];
		struct published before = group->pending;
		size_t n_deaths = group->n_deaths;
		status s;

		write->inserted = write->replaced = write->deleted = 0;
		/* A filter reads what was written before. */
		if (write->kind == WRITE_DELETE_MATCHING)
			TRY(store_write_flush(transaction));
		TRY(store_write_savepoint(transaction));
		s = apply(group, transaction, write);
		if (s.code == STATUS_ABORTED)
			return s;
		write->result = s;
		if (!status_failed(s)) {
			n_applied++;
			continue;
		}
		store_write_undo(transaction);
		group->pending = before;
		group->n_deaths = n_deaths;
		write->result = status_for(write, s);
		write->inserted = write->replaced = write->deleted = write->generation = 0;
	}
	*ret_applied = n_applied;
	return status_ok();
}

static uint64_t beyond(uint64_t n, uint64_t limit)
{
	return n > limit ? n - limit : 0;
}

/* Which limit on dead rows is still passed when a purge has found no more to remove. */
static const char *passed_limit(const struct store_purge *purge)
{
	if (purge->rows == purge->rows_max)
		return NULL;
	if (purge->rows < purge->rows_wanted)
		return "index.dead_rows_max";
	return purge->bytes < purge->bytes_wanted ? "index.dead_bytes_max" : NULL;
}

/* Removes rows that no snapshot sees. It is housekeeping: where it fails alone the writes go on. */
static status group_purge(struct group *group, struct store_write *transaction)
{
	struct collection *collection = group->collection;
	const struct writer_limits *limits = &collection->writer.limits;
	struct published *pending = &group->pending;
	struct store_purge purge = {.rows_max = WRITER_PURGE_ROWS + 2 * group->n_deaths};
	bool crowded;
	status s;

	pending->dead_rows += group->n_deaths;
	purge.rows_wanted = (size_t)beyond(pending->dead_rows, limits->dead_rows);
	purge.bytes_wanted = beyond(pending->dead_bytes, limits->dead_bytes);
	crowded = purge.rows_wanted > 0 || purge.bytes_wanted > 0;
	/* Where it is crowded no more go than have to, since their time is not over. */
	if (!crowded)
		purge.rows_wanted = SIZE_MAX;
	purge.generation = collection_horizon(collection, crowded);
	purge.readable_from = pending->readable_from;
	TRY(store_write_flush(transaction));
	TRY(store_write_savepoint(transaction));
	s = store_write_purge(transaction, &purge);
	if (!status_failed(s)) {
		pending->dead_rows -= purge.rows;
		pending->dead_bytes -= purge.bytes;
		pending->readable_from = purge.readable_from;
		group->pressed_by = crowded ? passed_limit(&purge) : NULL;
		group->pressed_at = purge.generation;
	}
	if (!status_failed(s) || s.code == STATUS_ABORTED)
		return s;
	store_write_undo(transaction);
	log_write(LOG_WARNING, "collection %s: dead rows were not removed: %s: %s",
		  collection_config(collection)->name, status_code_name(s.code), s.detail);
	return status_ok();
}

/* Older snapshots may find the row elsewhere; to them it lives. */
static void kill_place(struct collection *collection, const struct death *death)
{
	struct view view = collection_view(collection, &collection->published);
	uint32_t at = 0;
	struct sealed *sealed = view_sealed(&view, death->place, &at);

	if (sealed)
		sealed_kill(sealed, at, death->generation);
	else
		head_kill(collection->head, view_head(&view, death->place), death->generation);
}

static void group_settle(struct group *group, bool committed)
{
	struct collection *collection = group->collection;

	if (committed)
		for (size_t i = 0; i < group->n_deaths; i++)
			kill_place(collection, &group->deaths[i]);
	pthread_mutex_lock(&collection->lock);
	if (committed)
		collection->published = group->pending;
	collection->purged_to = collection->published.readable_from;
	if (committed) {
		atomic_store(&collection->pressed, group->pressed_by);
		collection->pressed_at = group->pressed_at;
	}
	collection->committing = false;
	pthread_cond_broadcast(&collection->settled);
	pthread_mutex_unlock(&collection->lock);
}

/* One attempt at the transaction. Fails: ABORTED, where the store must grow first. */
static status group_try(void *context)
{
	SCOPED(store_write) transaction = NULL;
	struct group *group = context;
	struct collection *collection = group->collection;
	int64_t start_ns = clock_ns();
	size_t n_applied = 0;
	struct store_state state;
	status s;

	group->pending = collection->published;
	group->n_deaths = 0;
	group->pressed_by = NULL;
	TRY(store_write_begin(collection->store, group->scratch, &transaction));
	TRY(apply_all(group, transaction, &n_applied));
	if (!n_applied)
		return status_ok();
	TRY(group_purge(group, transaction));
	state = (struct store_state){
		.next_row = group->pending.next_row,
		.generation = group->pending.generation,
		.live_rows = group->pending.live_rows,
		.readable_from = group->pending.readable_from,
	};
	TRY(store_write_state(transaction, &state));

	pthread_mutex_lock(&collection->lock);
	collection->committing = true;
	pthread_mutex_unlock(&collection->lock);
	s = store_write_commit(TAKE(transaction));
	if (!status_failed(s)) {
		meter_add(METER_COMMITS, 1);
		timer_add(TIMER_COMMIT, clock_ns() - start_ns);
	}
	group_settle(group, !status_failed(s));
	return s;
}

static status group_commit(struct group *group)
{
	struct collection *collection = group->collection;
	const char *name = collection_config(collection)->name;
	status s;

	if (group->n == 0)
		return status_ok();
	if (collection_is_dropped(collection))
		return collection_deleted(collection, group->scratch);
	TRY(group_reserve(group));
	s = store_grow_while_full(collection->store, group->scratch, group_try, group);
	if (s.code == STATUS_ABORTED)
		return status_reason(status_format(group->scratch, STATUS_RESOURCE_EXHAUSTED,
						   "collection %s: its file cannot grow", name),
				     group->scratch, REASON_DISK_FULL, "collection", name, NULL);
	return s;
}

static void write_count(const struct write *write)
{
	meter_add(status_failed(write->result) ? METER_WRITES_FAILED : METER_WRITES, 1);
	meter_add(METER_INSERTED_ROWS, write->inserted);
	meter_add(METER_REPLACED_ROWS, write->replaced);
	meter_add(METER_DELETED_ROWS, write->deleted);
}

/* Answers in order of submission. A write is its owner's again once done is called. */
static void group_answer(struct group *group, status s)
{
	for (size_t i = 0; i < group->n; i++) {
		struct write *write = group->writes[i];

		if (status_failed(s)) {
			write->result = status_for(write, s);
			write->inserted = write->replaced = write->deleted = write->generation = 0;
		}
		write_count(write);
		gauge_add(GAUGE_WRITES, -1);
		write->done(write);
	}
}

static void group_run(struct writer *writer)
{
	SCOPED(arena) scratch = &(struct arena){0};
	struct collection *collection = writer->collection;
	SCOPED(group) group = &(struct group){.collection = collection, .scratch = scratch};

	arena_init(scratch, SCRATCH_BYTES);
	group_take(group, writer);
	group_answer(group, group_commit(group));
}

static void writer_run(struct job *job)
{
	struct writer *writer = (struct writer *)job;
	struct collection *collection = writer->collection;
	bool more, behind = sealing_is_behind(collection);

	/* Then the writes wait: the end of the sealing wakes the writer. */
	if (!behind)
		group_run(writer);
	collection_attend(collection);
	pthread_mutex_lock(&writer->lock);
	more = (writer->first && !behind) || writer->woken;
	writer->woken = false;
	writer->scheduled = more;
	pthread_mutex_unlock(&writer->lock);
	if (more)
		pool_submit(writer->pool, &writer->job);
	else
		collection_release(collection);
}

/* Under the lock. Whether the caller has to start the writer's job. */
static bool writer_schedule(struct writer *writer)
{
	bool start = !writer->scheduled;

	if (start)
		collection_reference(writer->collection);
	writer->scheduled = true;
	return start;
}

static void writer_start(struct writer *writer)
{
	/* The writer is submitted by nobody else until this job has run. */
	writer->job.run = writer_run;
	pool_submit(writer->pool, &writer->job);
}

void writer_wake(struct writer *writer)
{
	bool start;

	pthread_mutex_lock(&writer->lock);
	start = writer_schedule(writer);
	/* One that runs may have looked already: it looks again. */
	writer->woken = !start;
	pthread_mutex_unlock(&writer->lock);
	if (start)
		writer_start(writer);
}

void writer_submit(struct writer *writer, struct write *write)
{
	bool start;

	gauge_add(GAUGE_WRITES, 1);
	write->result = status_ok();
	write->inserted = write->replaced = write->deleted = write->generation = 0;
	write->job.next = NULL;
	write->job.queued_ns = clock_ns();
	pthread_mutex_lock(&writer->lock);
	if (writer->first)
		writer->last->next = &write->job;
	else
		writer->first = &write->job;
	writer->last = &write->job;
	start = writer_schedule(writer);
	pthread_mutex_unlock(&writer->lock);
	if (start)
		writer_start(writer);
}
