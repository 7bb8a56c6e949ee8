/* optimizing - who waits, and what is to be done next. */
#include "index/optimizing.h"

#include "index/collection_state.h"
#include "kernels/base/error_info.h"

#include <assert.h>
#include <string.h>

void optimizing_init(struct optimizing *optimizing)
{
	*optimizing = (struct optimizing){.first = NULL};
	pthread_mutex_init(&optimizing->lock, NULL);
}

void optimizing_finish(struct optimizing *optimizing)
{
	assert(!optimizing->first);
	pthread_mutex_destroy(&optimizing->lock);
}

bool optimizing_runs(const struct collection *collection)
{
	return collection->optimizing.runs;
}

bool optimizing_wants_sealing(const struct collection *collection)
{
	const struct optimizing *optimizing = &collection->optimizing;
	struct view view = collection_view(collection, &collection->published);

	return optimizing->runs && view.length > view.sealed &&
	       view_row(&view, view.sealed) < optimizing->target;
}

/* --- those who wait --- */

void collection_optimize(struct collection *collection, struct optimize *optimize)
{
	struct optimizing *optimizing = &collection->optimizing;

	optimize->phase = OPTIMIZE_SEAL;
	optimize->progress = 0;
	optimize->result = status_ok();
	pthread_mutex_lock(&optimizing->lock);
	optimize->next = optimizing->first;
	optimizing->first = optimize;
	pthread_mutex_unlock(&optimizing->lock);
	writer_wake(&collection->writer);
}

void optimize_cancel(struct collection *collection, struct optimize *optimize)
{
	struct optimizing *optimizing = &collection->optimizing;
	bool last = false;

	pthread_mutex_lock(&optimizing->lock);
	for (struct optimize **at = &optimizing->first; *at; at = &(*at)->next) {
		if (*at != optimize)
			continue;
		*at = optimize->next;
		last = !optimizing->first;
		break;
	}
	if (last)
		chore_cancel(&collection->merging.making.chore);
	pthread_mutex_unlock(&optimizing->lock);
	if (last)
		writer_wake(&collection->writer);
}

void optimizing_tell(struct collection *collection, enum optimize_phase phase, float progress)
{
	struct optimizing *optimizing = &collection->optimizing;

	pthread_mutex_lock(&optimizing->lock);
	for (struct optimize *at = optimizing->first; at; at = at->next) {
		if (phase < at->phase)
			continue;
		at->phase = phase;
		at->progress = progress;
		at->tell(at);
	}
	pthread_mutex_unlock(&optimizing->lock);
}

/* In the memory of who is told. */
static status status_for(struct optimize *optimize, status s)
{
	const char *detail = NULL;

	if (!status_failed(s))
		return status_ok();
	if (optimize->arena && s.detail)
		detail = arena_copy(optimize->arena, s.detail, strlen(s.detail));
	return status_with(status_make(s.code, detail ? detail : "it was not optimized"),
			   error_info_copy(optimize->arena, s.info));
}

static void end(struct collection *collection, status s)
{
	struct optimizing *optimizing = &collection->optimizing;

	optimizing->runs = false;
	pthread_mutex_lock(&optimizing->lock);
	while (optimizing->first) {
		struct optimize *optimize = optimizing->first;

		optimizing->first = optimize->next;
		optimize->phase = OPTIMIZE_DONE;
		optimize->progress = 1;
		optimize->result = status_for(optimize, s);
		optimize->tell(optimize);
	}
	pthread_mutex_unlock(&optimizing->lock);
}

/* --- the run --- */

void optimizing_failed(struct collection *collection, status s)
{
	/* What fails while its files go says nothing: end_stopped has the reason. */
	if (collection->optimizing.runs && s.code != STATUS_CANCELLED &&
	    !collection_is_stopping(collection))
		end(collection, s);
}

void optimizing_merged(struct collection *collection)
{
	collection->optimizing.merged = true;
}

/* Whether somebody waits. */
static bool is_asked(struct optimizing *optimizing)
{
	bool asked;

	pthread_mutex_lock(&optimizing->lock);
	asked = optimizing->first;
	pthread_mutex_unlock(&optimizing->lock);
	return asked;
}

/* Here a failure of before is tried again, so that it is told. */
static void forget_refusals(const struct strata *strata)
{
	for (size_t i = 0; i < strata->n; i++)
		strata->items[i]->refused = false;
}

void optimizing_begin(struct collection *collection)
{
	struct optimizing *optimizing = &collection->optimizing;
	bool asked = is_asked(optimizing);

	if (asked && !optimizing->runs) {
		optimizing->merged = false;
		optimizing->target = collection->published.next_row;
		forget_refusals(collection->published.strata);
		/* It would be done twice. */
		chore_cancel(&collection->merging.making.chore);
	}
	optimizing->runs = asked;
}

static void end_stopped(struct collection *collection)
{
	SCOPED(arena) scratch = &(struct arena){0};

	arena_init(scratch, 4096);
	end(collection, collection_is_dropped(collection)
				? collection_deleted(collection, scratch)
				: status_make(STATUS_CANCELLED, "the collection is being closed"));
}

/* The segments with rows of the run, as many as fit into one. */
static size_t segments_of(const struct optimizing *optimizing, const struct strata *strata)
{
	size_t n = 0;

	while (n < strata->n && sealed_row(strata->items[n]->sealed, 0) < optimizing->target &&
	       strata_begin(strata, n + 1) <= SEALED_ROWS_MAX)
		n++;
	return n;
}

static bool needs_merge(const struct collection *collection, size_t n)
{
	const struct published *published = &collection->published;
	struct view view = collection_view(collection, published);
	uint64_t rows = strata_begin(published->strata, n);

	if (n != 1)
		return n > 1;
	return view_count(&view, 0, rows, published->readable_from) < rows;
}

/* Gives up where the last who waited has left meanwhile: optimize_cancel, under the lock, cancels what
 * runs. */
static void merge(struct collection *collection, size_t n)
{
	struct optimizing *optimizing = &collection->optimizing;

	pthread_mutex_lock(&optimizing->lock);
	if (optimizing->first)
		merging_start(collection, 0, n);
	pthread_mutex_unlock(&optimizing->lock);
}

/* Of the first n segments; n where they all have their index. */
static size_t first_that_lacks(const struct collection *collection, size_t n)
{
	size_t i = 0;

	while (i < n && !indexing_lacks(collection, collection->published.strata->items[i]))
		i++;
	return i;
}

void optimizing_step(struct collection *collection)
{
	struct optimizing *optimizing = &collection->optimizing;
	const struct strata *strata = collection->published.strata;
	size_t n, n_lacks;

	if (!optimizing->runs)
		return;
	if (collection_is_stopping(collection)) {
		end_stopped(collection);
		return;
	}
	if (!collection->sealing.rows) {
		end(collection, status_ok());
		return;
	}
	if (optimizing_wants_sealing(collection) && strata->n < STRATA_MAX)
		return;
	n = segments_of(optimizing, strata);
	if (!optimizing->merged && needs_merge(collection, n)) {
		if (chore_is_idle(&collection->merging.making.chore))
			merge(collection, n);
		return;
	}
	n_lacks = first_that_lacks(collection, n);
	if (n_lacks == n)
		end(collection, status_ok());
	else if (chore_is_idle(&collection->indexing.chore))
		indexing_start(collection, strata->items[n_lacks], true);
	else if (collection->indexing.of == strata->items[n_lacks])
		atomic_store(&collection->indexing.tells, true);
}
