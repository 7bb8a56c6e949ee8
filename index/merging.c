/* merging - which segments, and when. */
#include "index/merging.h"

#include "index/collection_state.h"

/* So many rows are looked at for a turn of the writer. */
#define ROWS_A_TURN 65536

void merging_init(struct merging *merging, struct collection *collection, struct pool *pool)
{
	*merging = (struct merging){.failed_over = UINT64_MAX};
	making_init(&merging->making, collection, pool);
}

void merging_finish(struct merging *merging)
{
	making_finish(&merging->making);
}

/* --- at work --- */

void merging_start(struct collection *collection, size_t first, size_t end)
{
	struct merging *merging = &collection->merging;

	merging->making.first = first;
	merging->making.end = end;
	merging->making.head_rows = 0;
	/* One that has all rows has them all alike. */
	merging->making.trains = optimizing_runs(collection);
	merging->making.tells = merging->making.trains;
	indexing_yield(collection, collection->published.strata->items + first, end - first);
	making_start(&merging->making);
}

static bool is_time_to_look(struct merging *merging, const struct published *published)
{
	if (merging->looked_at == published->n_lists && merging->turns > 0) {
		merging->turns--;
		return false;
	}
	merging->looked_at = published->n_lists;
	merging->turns = strata_places(published->strata) / ROWS_A_TURN;
	return true;
}

static void start_what_is_due(struct collection *collection)
{
	const struct published *published = &collection->published;
	struct merging *merging = &collection->merging;
	size_t first = 0, end = 0;

	if (merging->failed_over == published->n_lists || !is_time_to_look(merging, published))
		return;
	if (merging_plan(published->strata, published->readable_from, collection->sealing.rows,
			 &first, &end))
		merging_start(collection, first, end);
}

static void merging_end(struct collection *collection)
{
	struct merging *merging = &collection->merging;
	status s = merging->making.chore.result;

	merging->turns = 0;
	if (!status_failed(s) && merging->making.tells)
		optimizing_merged(collection);
	if (!status_failed(s))
		return;
	if (s.code != STATUS_CANCELLED)
		merging->failed_over = collection->published.n_lists;
	optimizing_failed(collection, s);
}

void merging_attend(struct collection *collection)
{
	struct merging *merging = &collection->merging;

	if (!collection->sealing.rows)
		return;
	if (making_end(&merging->making))
		merging_end(collection);
	if (chore_is_idle(&merging->making.chore) && !collection_is_stopping(collection) &&
	    !optimizing_runs(collection))
		start_what_is_due(collection);
}
