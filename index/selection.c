/* selection - a filter compiled for a snapshot, or for the writer within its transaction.
 *
 * A row keeps its postings as long as its record, and a pin keeps the record. So each condition may
 * have a read transaction of its own: the rows that the snapshot sees have the same postings in all
 * of them, and other rows are not visible or have no place.
 */
#include "index/selection.h"

#include "index/collection_state.h"
#include "index/filter/compile.h"
#include "index/selection_write.h"

#define RANGE_PLACES 4096

/* --- for a snapshot --- */

struct reading {
	const struct snapshot *snapshot;
	struct store *store;
	const struct deadline *deadline;
	struct arena *arena;
};

static status reading_select(void *context, const struct condition *condition,
			     const struct row_visitor *visitor)
{
	const struct reading *reading = context;

	return store_select(reading->store, condition, reading->arena, visitor);
}

static status reading_select_document(void *context, struct bytes id,
				      const struct row_visitor *visitor)
{
	const struct reading *reading = context;

	return store_select_document(reading->store, id, reading->arena, visitor);
}

static uint64_t reading_row(void *context, uint64_t place)
{
	const struct reading *reading = context;

	return snapshot_row(reading->snapshot, place);
}

static status reading_wanted(void *context)
{
	const struct reading *reading = context;
	const struct collection *collection = snapshot_collection(reading->snapshot);

	TRY(deadline_check(reading->deadline));
	return collection_is_dropped(collection) ? collection_deleted(collection, reading->arena)
						 : status_ok();
}

static void keep_visible(const struct snapshot *snapshot, struct places *places)
{
	struct scan_range range;

	for (uint64_t place = 0; place < places->n; place += range.n) {
		uint64_t bitmap[RANGE_PLACES / 64];

		snapshot_range(snapshot, place, RANGE_PLACES, bitmap, &range);
		if (range.visible)
			places_and(places, place, range.visible, range.n);
	}
	places_count(places);
}

status selection_make(const struct snapshot *snapshot, const struct filter *filter,
		      const struct deadline *deadline, struct arena *arena, struct places **ret)
{
	struct reading reading = {
		.snapshot = snapshot,
		.store = snapshot_collection(snapshot)->store,
		.deadline = deadline,
		.arena = arena,
	};
	const struct filter_source source = {
		.select = reading_select,
		.select_document = reading_select_document,
		.row = reading_row,
		.wanted = reading_wanted,
		.context = &reading,
		.n_places = snapshot_places(snapshot),
	};
	SCOPED(places) places = NULL;

	TRY(filter_compile(filter, &source, &places));
	keep_visible(snapshot, places);
	*ret = TAKE(places);
	return status_ok();
}

/* --- for the writer --- */

struct writing {
	struct view view;
	struct store_write *transaction;
};

static status writing_select(void *context, const struct condition *condition,
			     const struct row_visitor *visitor)
{
	const struct writing *writing = context;

	return store_write_select(writing->transaction, condition, visitor);
}

static status writing_select_document(void *context, struct bytes id,
				      const struct row_visitor *visitor)
{
	const struct writing *writing = context;

	return store_write_select_document(writing->transaction, id, visitor);
}

static uint64_t writing_row(void *context, uint64_t place)
{
	const struct writing *writing = context;

	return view_row(&writing->view, place);
}

static status writing_wanted(void *context)
{
	(void)context;
	return status_ok();
}

/* Rows whose death is published. Those that die in this transaction are the writer's to know. */
static void keep_alive(const struct view *view, uint64_t generation, struct places *places)
{
	struct scan_range range;

	for (uint64_t place = 0; place < places->n; place += range.n) {
		uint64_t bitmap[RANGE_PLACES / 64];

		view_range(view, generation, place, RANGE_PLACES, bitmap, &range);
		if (range.visible)
			places_and(places, place, range.visible, range.n);
	}
	places_count(places);
}

status selection_make_in_write(const struct collection *collection, struct store_write *transaction,
			       uint64_t length, const struct filter *filter, struct places **ret)
{
	struct writing writing = {collection_view(collection, &collection->published), transaction};
	const struct filter_source source = {
		.select = writing_select,
		.select_document = writing_select_document,
		.row = writing_row,
		.wanted = writing_wanted,
		.context = &writing,
		.n_places = length,
	};
	SCOPED(places) places = NULL;

	/* With what this transaction has added. */
	writing.view.length = length;
	TRY(filter_compile(filter, &source, &places));
	keep_alive(&writing.view, collection->published.generation, places);
	*ret = TAKE(places);
	return status_ok();
}
