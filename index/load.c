/* load - a collection's rows at open: segments as the manifest names them, the rest to the head.
 *
 * The store has a vector of every row that was not purged, sealed or not. A row of a segment that the
 * store has not was purged: nobody sees it again, and it keeps its place.
 */
#include "index/load.h"

#include "index/compact.h"
#include "kernels/base/deadline.h"
#include "kernels/base/error_info.h"

struct load {
	struct collection *collection;
	struct arena *arena;
	struct view view;    /* of the segments alone */
	uint64_t next_place; /* of a segment: rows before it have been told of */
};

static status is_lost(const struct collection *collection, struct arena *arena, const char *what,
		      uint64_t number)
{
	const char *name = collection_config(collection)->name;

	return status_reason(status_format(arena, STATUS_DATA_LOSS, "collection %s: %s %llu", name,
					   what, (unsigned long long)number),
			     arena, REASON_DATA_CORRUPT, "collection", name, NULL);
}

static void kill_sealed(const struct load *load, uint64_t place, uint64_t generation)
{
	uint32_t at = 0;
	struct sealed *sealed = view_sealed(&load->view, place, &at);

	sealed_kill(sealed, at, generation);
}

/* Purged: the rows of segments from where the load is up to this one. */
static void pass_purged(struct load *load, uint64_t row)
{
	while (load->next_place < load->view.length &&
	       view_row(&load->view, load->next_place) < row)
		kill_sealed(load, load->next_place++, 0);
}

static status load_sealed_row(struct load *load, uint64_t row, uint64_t died)
{
	if (load->next_place == load->view.length || view_row(&load->view, load->next_place) != row)
		return is_lost(load->collection, load->arena, "its segments lack row", row);
	if (died != STORE_ROW_LIVES)
		kill_sealed(load, load->next_place, died);
	load->next_place++;
	return status_ok();
}

static status load_head_row(struct collection *collection, uint64_t row, uint64_t died,
			    const float *vector)
{
	struct published *published = &collection->published;

	TRY(head_reserve(collection->head, published->length, 1));
	head_set(collection->head, published->length, row, vector);
	if (died != STORE_ROW_LIVES)
		head_kill(collection->head, published->length, died);
	published->length++;
	return status_ok();
}

/* A dead row is taken too: a resume token may lead to a snapshot that sees it. */
static status load_row(void *context, uint64_t row, uint64_t died, const float *vector)
{
	struct load *load = context;
	struct published *published = &load->collection->published;
	uint64_t last = load->view.length ? view_row(&load->view, load->view.length - 1) : 0;

	published->live_rows += died == STORE_ROW_LIVES;
	published->dead_rows += died != STORE_ROW_LIVES;
	pass_purged(load, row);
	if (load->view.length && row <= last)
		return load_sealed_row(load, row, died);
	return load_head_row(load->collection, row, died, vector);
}

static status open_segment(struct collection *collection, const struct store_segment *segment,
			   struct arena *arena)
{
	struct strata *strata = &collection->strata;
	const struct sealed_file file = {
		.directory = collection->sealing.directory,
		.config = collection_config(collection),
		.incarnation = collection_incarnation(collection),
		.id = segment->id,
	};
	const struct sealed *before = strata->n ? strata->sealed[strata->n - 1] : NULL;
	SCOPED(sealed) sealed = NULL;
	uint32_t n;

	TRY(sealed_open(&file, arena, &sealed));
	n = sealed_length(sealed);
	if (n != segment->n || sealed_row(sealed, 0) != segment->first_row ||
	    sealed_row(sealed, n - 1) != segment->last_row || strata->n == STRATA_MAX ||
	    (before && sealed_row(before, sealed_length(before) - 1) >= segment->first_row))
		return is_lost(collection, arena, "its manifest contradicts segment", segment->id);
	strata_add(strata, TAKE(sealed));
	return status_ok();
}

static status open_segments(struct collection *collection, struct arena *arena)
{
	const char *directory = collection->sealing.directory;
	struct store_segment *segments = NULL;
	uint64_t *ids;
	size_t n = 0;

	TRY(store_read_segments(collection->store, arena, &segments, &n));
	ids = ARENA_ARRAY(arena, uint64_t, n);
	if (!ids)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
	for (size_t i = 0; i < n; i++) {
		ids[i] = segments[i].id;
		TRY(open_segment(collection, &segments[i], arena));
	}
	TRY(sealed_sweep(directory, ids, n, arena));
	collection->published.n_strata = n;
	collection->published.length = strata_places(&collection->strata, n);
	head_begin(collection->head, collection->published.length);
	return status_ok();
}

status collection_load(struct collection *collection, struct arena *arena)
{
	struct published *published = &collection->published;
	struct store_state state = {0};
	struct load load = {.collection = collection, .arena = arena};
	struct view view;

	TRY(strata_open(&collection->strata));
	TRY(open_segments(collection, arena));
	load.view = collection_view(collection, published);
	TRY(store_load(collection->store, arena, &state, load_row, &load));
	pass_purged(&load, UINT64_MAX);
	compact(collection);
	if (published->live_rows != state.live_rows)
		return is_lost(collection, arena,
			       "the live rows are not as many as they were:", state.live_rows);
	view = collection_view(collection, published);
	if (view.length && view_row(&view, view.length - 1) >= state.next_row)
		return is_lost(collection, arena, "it has rows that were never given out, from",
			       state.next_row);
	published->generation = state.generation;
	published->next_row = state.next_row;
	published->readable_from = state.readable_from;
	/* When the last pins of another process ended is not known: the time begins anew. */
	retention_note(&collection->retention, clock_ns(), state.readable_from);
	return status_ok();
}
