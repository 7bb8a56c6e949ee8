/* sealing - when rows leave the head, and the store. */
#include "index/sealing.h"

#include "index/collection_state.h"
#include "kernels/base/log.h"

#define SCRATCH_BYTES ((size_t)1 << 20)

void sealing_init(struct sealing *sealing, struct collection *collection, struct pool *pool,
		  uint64_t rows)
{
	*sealing = (struct sealing){.rows = pool ? rows : 0};
	making_init(&sealing->making, collection, pool);
}

void sealing_finish(struct sealing *sealing)
{
	making_finish(&sealing->making);
}

/* Rows of the head that are not sealed. */
static uint64_t waiting(const struct collection *collection)
{
	const struct published *published = &collection->published;

	return published->length - strata_places(published->strata);
}

static uint64_t bound(const struct collection *collection)
{
	uint64_t rows = collection->sealing.rows;
	uint64_t row_bytes = collection_config(collection)->dim * sizeof(float);
	uint64_t max = SEALING_BYTES / row_bytes;

	if (max > SEALING_TIMES * rows)
		max = SEALING_TIMES * rows;
	return max > rows ? max : rows;
}

bool sealing_is_due(const struct collection *collection)
{
	const struct sealing *sealing = &collection->sealing;
	const struct published *published = &collection->published;
	uint64_t rows = waiting(collection);

	if (!sealing->rows || published->strata->n >= STRATA_MAX)
		return false;
	if (optimizing_wants_sealing(collection))
		return rows > 0;
	return rows >= sealing->rows && published->head_first + rows >= sealing->not_before;
}

bool sealing_is_behind(const struct collection *collection)
{
	const struct sealing *sealing = &collection->sealing;

	return atomic_load(&sealing->making.chore.state) == CHORE_RUNS &&
	       waiting(collection) > 2 * bound(collection) && !collection_is_stopping(collection);
}

static void sealing_start(struct collection *collection)
{
	struct making *making = &collection->sealing.making;
	uint64_t rows = waiting(collection), max = bound(collection);

	making->first = making->end = collection->published.strata->n;
	making->head_rows = rows < max ? rows : max;
	making->tells = optimizing_wants_sealing(collection);
	making_start(making);
}

static void sealing_end(struct collection *collection)
{
	struct sealing *sealing = &collection->sealing;
	status s = sealing->making.chore.result;

	if (!status_failed(s)) {
		sealing_forget(collection);
		return;
	}
	sealing->not_before =
		collection->published.head_first + waiting(collection) + sealing->rows / 4;
	optimizing_failed(collection, s);
}

/* --- the vectors that are in a segment --- */

void sealing_forget(struct collection *collection)
{
	const struct strata *strata = collection->published.strata;
	struct sealing *sealing = &collection->sealing;

	if (strata->n == 0)
		return;
	sealing->forget_end = strata_last_row(strata) + 1;
	sealing->forgets = true;
}

struct forgetting {
	struct collection *collection;
	struct arena *scratch;
	size_t n; /* vectors that went */
};

static status forget_some(void *context)
{
	struct forgetting *forgetting = context;
	struct collection *collection = forgetting->collection;
	SCOPED(store_write) transaction = NULL;

	TRY(store_write_begin(collection->store, forgetting->scratch, &transaction));
	TRY(store_write_forget(transaction, collection->sealing.forget_end, SEALING_FORGETS,
			       &forgetting->n));
	return forgetting->n ? store_write_commit(TAKE(transaction)) : status_ok();
}

/* One transaction, and the writer is woken for the next: writes come in between. What fails is tried
 * again behind the next segment. */
static void forget(struct collection *collection)
{
	SCOPED(arena) scratch = &(struct arena){0};
	struct forgetting forgetting = {collection, scratch, 0};
	status s;

	arena_init(scratch, SCRATCH_BYTES);
	s = store_grow_while_full(collection->store, scratch, forget_some, &forgetting);
	if (status_failed(s))
		log_write(LOG_WARNING, "collection %s: sealed vectors stay in the store: %s: %s",
			  collection_config(collection)->name, status_code_name(s.code), s.detail);
	collection->sealing.forgets = !status_failed(s) && forgetting.n == SEALING_FORGETS;
	if (collection->sealing.forgets)
		writer_wake(&collection->writer);
}

/* --- all together --- */

/* The place of the head before which nobody asks it any more. */
static uint64_t least_place(struct collection *collection)
{
	const struct making *making = &collection->sealing.making;
	uint64_t least = collection->published.head_first;

	pthread_mutex_lock(&collection->lock);
	for (struct pin *pin = collection->pins.next; pin != &collection->pins; pin = pin->next)
		least = pin->head_first < least ? pin->head_first : least;
	pthread_mutex_unlock(&collection->lock);
	if (!chore_is_idle(&making->chore) && making->view.head_first < least)
		least = making->view.head_first;
	return least;
}

void sealing_attend(struct collection *collection)
{
	struct sealing *sealing = &collection->sealing;

	if (!sealing->rows)
		return;
	if (making_end(&sealing->making))
		sealing_end(collection);
	if (chore_is_idle(&sealing->making.chore) && !collection_is_stopping(collection) &&
	    sealing_is_due(collection))
		sealing_start(collection);
	if (sealing->forgets && !collection_is_stopping(collection))
		forget(collection);
	head_release(collection->head, least_place(collection));
}
