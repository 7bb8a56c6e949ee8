/* indexing - which segment, and what becomes of its index. */
#include "index/indexing.h"

#include "index/ann/ann.h"
#include "index/collection_state.h"
#include "kernels/base/log.h"

#include <assert.h>

static status build(struct chore *chore);

void indexing_init(struct indexing *indexing, struct collection *collection, struct pool *pool)
{
	*indexing = (struct indexing){.failed_over = UINT64_MAX};
	atomic_init(&indexing->tells, false);
	chore_init(&indexing->chore, collection, pool, build);
}

void indexing_finish(struct indexing *indexing)
{
	assert(!indexing->of && !indexing->made);
	chore_finish(&indexing->chore);
}

/* --- the work --- */

static void tell(void *context, enum ann_phase phase, float share)
{
	static const enum optimize_phase phases[] = {
		[ANN_TRAIN] = OPTIMIZE_TRAIN,
		[ANN_ASSIGN] = OPTIMIZE_ASSIGN,
		[ANN_WRITE] = OPTIMIZE_WRITE,
	};
	const struct indexing *indexing = context;

	if (atomic_load(&indexing->tells))
		optimizing_tell(indexing->chore.collection, phases[phase], share);
}

static struct sealed_file file_of(const struct indexing *indexing)
{
	return collection_file(indexing->chore.collection, sealed_id(indexing->of->sealed));
}

static status build(struct chore *chore)
{
	struct indexing *indexing = (struct indexing *)chore;
	struct sealed_file file = file_of(indexing);
	const struct ann_progress progress = {tell, indexing};

	TRY(ann_build(&file, indexing->of->sealed, &chore->deadline, &progress, &chore->scratch));
	return ann_open(&file, indexing->of->sealed, &chore->scratch, &indexing->made);
}

/* --- the writer's part --- */

bool indexing_lacks(const struct collection *collection, const struct stratum *stratum)
{
	return !stratum->refused && !atomic_load(&stratum->ann) &&
	       ann_is_wanted(collection_config(collection), sealed_length(stratum->sealed));
}

void indexing_start(struct collection *collection, struct stratum *stratum, bool tells)
{
	struct indexing *indexing = &collection->indexing;

	indexing->of = stratum_reference(stratum);
	atomic_store(&indexing->tells, tells);
	chore_start(&indexing->chore);
}

void indexing_yield(struct collection *collection, struct stratum *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (items[i] == collection->indexing.of)
			chore_cancel(&collection->indexing.chore);
	}
}

static bool is_being_merged(const struct collection *collection, const struct stratum *stratum)
{
	const struct making *making = &collection->merging.making;

	for (size_t i = making->first; making->view.strata && i < making->end; i++) {
		if (making->view.strata->items[i] == stratum)
			return true;
	}
	return false;
}

static struct stratum *largest_that_lacks(const struct collection *collection)
{
	const struct strata *strata = collection->published.strata;
	struct stratum *largest = NULL;

	for (size_t i = 0; i < strata->n; i++) {
		struct stratum *item = strata->items[i];

		if (indexing_lacks(collection, item) && !is_being_merged(collection, item) &&
		    (!largest || sealed_length(item->sealed) > sealed_length(largest->sealed)))
			largest = item;
	}
	return largest;
}

static bool is_current(const struct collection *collection, const struct stratum *stratum)
{
	const struct strata *strata = collection->published.strata;

	return strata_find(strata, stratum) < strata->n;
}

static void note_failure(struct indexing *indexing)
{
	struct collection *collection = indexing->chore.collection;
	status s = indexing->chore.result;

	chore_warn(&indexing->chore, "no index was built");
	if (s.code == STATUS_INVALID_ARGUMENT)
		indexing->of->refused = true;
	else if (s.code != STATUS_CANCELLED)
		indexing->failed_over = collection->published.n_lists;
	optimizing_failed(collection, s);
}

static void indexing_end(struct collection *collection)
{
	struct indexing *indexing = &collection->indexing;
	struct sealed_file file = file_of(indexing);
	SCOPED(ann) made = TAKE(indexing->made);
	SCOPED(stratum) of = indexing->of;

	if (status_failed(indexing->chore.result))
		note_failure(indexing);
	if (made && !collection_is_stopping(collection) && is_current(collection, of)) {
		log_write(LOG_INFO, "collection %s: %u rows have an index: %s", file.config->name,
			  sealed_length(of->sealed), ann_name(made));
		atomic_store(&of->ann, TAKE(made));
	} else if (!is_current(collection, of)) {
		/* Its name came after those of the segment's files went. */
		(void)ann_remove(&file, &indexing->chore.scratch);
	}
	indexing->of = NULL;
}

void indexing_attend(struct collection *collection)
{
	struct indexing *indexing = &collection->indexing;
	struct stratum *next;

	if (!collection->sealing.rows)
		return;
	if (chore_take(&indexing->chore))
		indexing_end(collection);
	if (!chore_is_idle(&indexing->chore) || collection_is_stopping(collection) ||
	    indexing->failed_over == collection->published.n_lists || optimizing_runs(collection) ||
	    sealing_is_due(collection) || !chore_is_idle(&collection->sealing.making.chore))
		return;
	next = largest_that_lacks(collection);
	if (next)
		indexing_start(collection, next, false);
}
