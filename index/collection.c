/* collection - opens a store, loads its rows, and holds both until nobody refers to them. */
#include "index/load.h"

#include "kernels/base/deadline.h"
#include "kernels/base/error_info.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

status collection_deleted(const struct collection *collection, struct arena *arena)
{
	const char *name = collection_config(collection)->name;
	status s =
		status_format(arena, STATUS_FAILED_PRECONDITION, "collection %s was deleted", name);

	s = status_reason(s, arena, REASON_COLLECTION_DELETED, "collection", name, NULL);
	return status_about(s, arena, RESOURCE_COLLECTION, name);
}

status collection_lacks_row(const struct collection *collection, uint64_t row, struct arena *arena)
{
	const char *name = collection_config(collection)->name;

	return status_reason(
		status_format(arena, STATUS_DATA_LOSS,
			      "collection %s: an id names row %llu, which is not there", name,
			      (unsigned long long)row),
		arena, REASON_DATA_CORRUPT, "collection", name, NULL);
}

static void collection_free(struct collection *collection)
{
	sealing_finish(&collection->sealing);
	merging_finish(&collection->merging);
	indexing_finish(&collection->indexing);
	optimizing_finish(&collection->optimizing);
	strata_release(collection->published.strata);
	free(collection->directory);
	head_close(collection->head);
	store_close(collection->store);
	writer_finish(&collection->writer);
	pthread_cond_destroy(&collection->settled);
	pthread_mutex_destroy(&collection->lock);
	free(collection);
}

/* closed stays empty until the collection is open: before that nobody is told of its end. */
static struct collection *collection_allocate(const struct collection_options *options)
{
	struct collection *collection = calloc(1, sizeof *collection);

	if (!collection)
		return NULL;
	atomic_init(&collection->references, 1);
	atomic_init(&collection->dropped, false);
	atomic_init(&collection->stopping, false);
	atomic_init(&collection->pressed, NULL);
	collection->pins.next = collection->pins.previous = &collection->pins;
	retention_init(&collection->retention, options->retention_ns);
	pthread_mutex_init(&collection->lock, NULL);
	pthread_cond_init(&collection->settled, NULL);
	writer_init(&collection->writer, collection, options->writers, &options->limits);
	sealing_init(&collection->sealing, collection, options->sealers, options->seal_rows);
	merging_init(&collection->merging, collection, options->mergers);
	indexing_init(&collection->indexing, collection, options->indexers);
	optimizing_init(&collection->optimizing);
	return collection;
}

status collection_open(const struct collection_options *options, struct arena *arena,
		       struct collection **ret)
{
	SCOPED(collection) collection = collection_allocate(options);

	if (!collection)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a collection");
	collection->directory = strdup(options->directory);
	if (!collection->directory)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a path");
	TRY(store_open(options->directory, arena, &collection->store));
	if (strcmp(collection_config(collection)->name, options->name) != 0)
		return status_reason(status_format(arena, STATUS_DATA_LOSS,
						   "%s holds the collection %s", options->directory,
						   collection_config(collection)->name),
				     arena, REASON_DATA_CORRUPT, "collection", options->name, NULL);
	TRY(head_open(
		&(struct head_options){
			.dim = collection_config(collection)->dim,
			.is_half = collection_config(collection)->encoding == ENCODING_FLOAT16,
			.scanner = options->scanner,
		},
		&collection->head));
	TRY(collection_load(collection, arena));
	collection->closed = options->closed;
	collection->context = options->context;
	/* What was due when it was closed. */
	if (collection->sealing.rows && collection->published.length)
		writer_wake(&collection->writer);
	*ret = TAKE(collection);
	return status_ok();
}

const struct collection_config *collection_config(const struct collection *collection)
{
	return store_config(collection->store);
}

const uint8_t *collection_incarnation(const struct collection *collection)
{
	return store_incarnation(collection->store);
}

struct collection *collection_reference(struct collection *collection)
{
	atomic_fetch_add_explicit(&collection->references, 1, memory_order_relaxed);
	return collection;
}

void collection_release(struct collection *collection)
{
	void (*closed)(void *context);
	void *context;

	if (!collection ||
	    atomic_fetch_sub_explicit(&collection->references, 1, memory_order_acq_rel) > 1)
		return;
	assert(!collection->n_pins);
	closed = collection->closed;
	context = collection->context;
	collection_free(collection);
	if (closed)
		closed(context);
}

void collection_drop(struct collection *collection)
{
	atomic_store_explicit(&collection->dropped, true, memory_order_release);
	collection_stop(collection);
}

void collection_stop(struct collection *collection)
{
	atomic_store(&collection->stopping, true);
	chore_cancel(&collection->sealing.making.chore);
	chore_cancel(&collection->merging.making.chore);
	chore_cancel(&collection->indexing.chore);
	/* Whoever waits for it to be optimized is told. */
	writer_wake(&collection->writer);
}

void collection_attend(struct collection *collection)
{
	optimizing_begin(collection);
	sealing_attend(collection);
	merging_attend(collection);
	indexing_attend(collection);
	optimizing_step(collection);
}

struct sealed_file collection_file(const struct collection *collection, uint64_t id)
{
	return (struct sealed_file){
		.directory = collection->directory,
		.config = collection_config(collection),
		.incarnation = collection_incarnation(collection),
		.id = id,
	};
}

bool collection_is_dropped(const struct collection *collection)
{
	return atomic_load_explicit(&collection->dropped, memory_order_acquire);
}

uint64_t collection_least(const struct collection *collection)
{
	return collection->n_pins ? collection->pins.next->generation
				  : collection->published.generation;
}

const char *collection_pressed_by(const struct collection *collection)
{
	return atomic_load(&collection->pressed);
}

uint64_t collection_horizon(struct collection *collection, bool crowded)
{
	int64_t now_ns = clock_ns();
	uint64_t least, horizon;

	pthread_mutex_lock(&collection->lock);
	least = collection_least(collection);
	horizon = crowded ? least : retention_least(&collection->retention, now_ns, least);
	/* The writer is about to publish a newer one. */
	retention_note(&collection->retention, now_ns, least);
	if (collection->purged_to < horizon)
		collection->purged_to = horizon;
	pthread_mutex_unlock(&collection->lock);
	return horizon;
}

void collection_write(struct collection *collection, struct write *write)
{
	writer_submit(&collection->writer, write);
}

void collection_status(struct collection *collection, struct collection_status *ret)
{
	SCOPED(strata) strata = NULL;
	struct published published;
	uint32_t n_pins;

	pthread_mutex_lock(&collection->lock);
	published = collection->published;
	strata = strata_reference(published.strata);
	n_pins = collection->n_pins;
	pthread_mutex_unlock(&collection->lock);
	*ret = (struct collection_status){
		.chunk_count = published.live_rows,
		.generation = published.generation,
		.indexed_rows = strata_places(strata),
		.segment_count = (uint32_t)strata->n,
		.disk_bytes = store_disk_bytes(collection->store),
		.open_cursors = n_pins,
		.create_time_ns = store_create_time_ns(collection->store),
	};
	ret->memory_bytes =
		head_memory_bytes(collection->head, published.length - ret->indexed_rows);
	for (size_t i = 0; i < strata->n; i++) {
		ret->memory_bytes += stratum_memory_bytes(strata->items[i]);
		ret->disk_bytes += stratum_disk_bytes(strata->items[i]);
	}
}

static bool collection_has_row(struct collection *collection, uint64_t row)
{
	bool published;

	pthread_mutex_lock(&collection->lock);
	published = row < collection->published.next_row;
	pthread_mutex_unlock(&collection->lock);
	return published;
}

/* The store shows a commit a moment before it is published. */
static bool collection_await_row(struct collection *collection, uint64_t row)
{
	bool published;

	pthread_mutex_lock(&collection->lock);
	while (collection->published.next_row <= row && collection->committing)
		pthread_cond_wait(&collection->settled, &collection->lock);
	published = row < collection->published.next_row;
	pthread_mutex_unlock(&collection->lock);
	return published;
}

struct collection_reader collection_reader_of(struct collection *collection)
{
	return (struct collection_reader){collection, {.store = collection->store}};
}

void collection_reader_rest(struct collection_reader *reader)
{
	if (reader)
		store_reader_rest(&reader->rows);
}

status collection_reader_find(struct collection_reader *reader, struct bytes id,
			      struct arena *arena, bool *ret_found, uint64_t *ret_row)
{
	struct collection *collection = reader->collection;
	bool found = false;
	uint64_t row = 0;

	TRY(store_reader_find(&reader->rows, id, arena, &found, &row));
	if (found && !collection_has_row(collection, row)) {
		collection_reader_rest(reader);
		if (!collection_await_row(collection, row))
			return collection_lacks_row(collection, row, arena);
	}
	*ret_found = found;
	*ret_row = row;
	return status_ok();
}

status collection_find(struct collection *collection, struct bytes id, struct arena *arena,
		       bool *ret_found, uint64_t *ret_row)
{
	struct collection_reader own = collection_reader_of(collection);
	SCOPED(collection_reader) reader = &own;

	return collection_reader_find(reader, id, arena, ret_found, ret_row);
}

/* A copy of what a view has, in a segment or in the head. The caller's pin keeps the head from giving
 * the row back. */
static status fetch_vector(struct collection *collection, uint64_t row, struct arena *arena,
			   float **ret)
{
	uint32_t dim = collection_config(collection)->dim;
	float *vector = ARENA_ARRAY(arena, float, dim);
	SCOPED(strata) strata = NULL;
	struct view view;
	const float *found;
	uint64_t place;

	if (!vector)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a vector");
	pthread_mutex_lock(&collection->lock);
	view = collection_view(collection, &collection->published);
	strata = strata_reference(view.strata);
	pthread_mutex_unlock(&collection->lock);
	if (!view_find(&view, row, &place))
		return status_format(arena, STATUS_NOT_FOUND,
				     "collection \"%s\": there is no vector of row %llu",
				     collection_config(collection)->name, (unsigned long long)row);
	found = view_vector(&view, place, vector);
	if (found != vector)
		memcpy(vector, found, dim * sizeof *vector);
	*ret = vector;
	return status_ok();
}

status collection_reader_fetch(struct collection_reader *reader, uint64_t row, unsigned what,
			       struct arena *arena, struct chunk *ret)
{
	struct chunk chunk = {0};
	float *vector = NULL;

	if (what & FETCH_RECORD)
		TRY(store_reader_fetch(&reader->rows, row, arena, &chunk));
	/* The collection's lock is held for a few instructions, and never by who grows the map. */
	if (what & FETCH_VECTOR)
		TRY(fetch_vector(reader->collection, row, arena, &vector));
	chunk.vector = vector;
	*ret = chunk;
	return status_ok();
}

status collection_fetch(struct collection *collection, uint64_t row, unsigned what,
			struct arena *arena, struct chunk *ret)
{
	struct collection_reader own = collection_reader_of(collection);
	SCOPED(collection_reader) reader = &own;

	return collection_reader_fetch(reader, row, what, arena, ret);
}

status collection_reader_document_rows(struct collection_reader *reader,
				       const struct document_query *query, struct arena *arena,
				       struct document_row *ret, size_t *ret_n)
{
	return store_reader_document_rows(&reader->rows, query, arena, ret, ret_n);
}
