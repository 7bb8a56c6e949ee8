/* load - a collection's rows at open: segments as the manifest names them, the rest to the head.
 *
 * The store tells of each row that was not purged, and of a sealed one no more than that it is there,
 * and when it died. A row of a segment that the store has not was purged: nobody sees it again, and it
 * keeps its place until the segment is written anew.
 */
#include "index/load.h"

#include "index/ann/ann.h"
#include "index/filter/places.h"
#include "kernels/base/deadline.h"
#include "kernels/base/error_info.h"

struct load {
	struct collection *collection;
	struct arena *arena;
	struct view view;       /* of the segments alone */
	struct places *told;    /* owned; those of it whose rows the store has */
	uint64_t left_out_died; /* the highest generation at which a row died that no segment has */
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

static status load_sealed_row(struct load *load, uint64_t row, uint64_t died)
{
	uint64_t place;

	if (!view_find(&load->view, row, &place)) {
		if (died == STORE_ROW_LIVES)
			return is_lost(load->collection, load->arena, "its segments lack row", row);
		if (died > load->left_out_died)
			load->left_out_died = died;
		return status_ok();
	}
	if (places_have(load->told, place))
		return is_lost(load->collection, load->arena, "two ids name, or one that died, row",
			       row);
	places_add(load->told, place);
	if (died != STORE_ROW_LIVES)
		kill_sealed(load, place, died);
	return status_ok();
}

/* What the store did not tell of. */
static void kill_purged(const struct load *load)
{
	for (uint64_t place = 0; place < load->view.length; place++) {
		if (!places_have(load->told, place))
			kill_sealed(load, place, 0);
	}
}

static status load_head_row(struct collection *collection, uint64_t row, uint64_t died,
			    const float *vector)
{
	struct published *published = &collection->published;
	struct view view = collection_view(collection, published);
	uint64_t place = view_head(&view, published->length);

	TRY(head_reserve(collection->head, place, 1));
	head_set(collection->head, place, row, vector);
	if (died != STORE_ROW_LIVES)
		head_kill(collection->head, place, died);
	published->length++;
	return status_ok();
}

/* A dead row is taken too: a resume token may lead to a snapshot that sees it. */
static status load_row(void *context, uint64_t row, uint64_t died, const float *vector)
{
	struct load *load = context;
	struct published *published = &load->collection->published;

	published->live_rows += died == STORE_ROW_LIVES;
	published->dead_rows += died != STORE_ROW_LIVES;
	return vector ? load_head_row(load->collection, row, died, vector)
		      : load_sealed_row(load, row, died);
}

/* before  the one before it; NULL: it is the first. */
static status open_segment(const struct collection *collection, const struct store_segment *segment,
			   const struct stratum *before, struct arena *arena, struct stratum **ret)
{
	const struct sealed_file file = collection_file(collection, segment->id);
	SCOPED(sealed) sealed = NULL;
	SCOPED(ann) ann = NULL;

	TRY(sealed_open(&file, arena, &sealed));
	if (sealed_length(sealed) != segment->n || sealed_row(sealed, 0) != segment->first_row ||
	    sealed_last_row(sealed) != segment->last_row ||
	    (before && sealed_last_row(before->sealed) >= segment->first_row))
		return is_lost(collection, arena, "its manifest contradicts segment", segment->id);
	TRY(ann_open(&file, sealed, arena, &ann));
	*ret = stratum_make(sealed);
	if (!*ret)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a segment");
	sealed = NULL;
	atomic_store(&(*ret)->ann, TAKE(ann));
	return status_ok();
}

/* Into items [n]; what was opened is the caller's also where it fails. */
static status open_listed(struct collection *collection, const struct store_segment *segments,
			  size_t n, struct arena *arena, struct stratum **items)
{
	uint64_t *ids = ARENA_ARRAY(arena, uint64_t, n);

	if (!ids)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
	for (size_t i = 0; i < n; i++) {
		ids[i] = segments[i].id;
		TRY(open_segment(collection, &segments[i], i ? items[i - 1] : NULL, arena,
				 &items[i]));
	}
	TRY(sealed_sweep(collection->directory, ids, n, arena));
	return strata_make(items, n, &collection->published.strata);
}

static status open_segments(struct collection *collection, struct arena *arena)
{
	struct store_segment *segments = NULL;
	struct stratum **items;
	size_t n = 0;
	status s;

	TRY(store_read_segments(collection->store, arena, &segments, &n));
	items = ARENA_ARRAY(arena, struct stratum *, n);
	if (!items)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a list of segments");
	s = open_listed(collection, segments, n, arena, items);
	/* The list has references of its own. */
	for (size_t i = 0; i < n; i++)
		stratum_release(items[i]);
	TRY(s);
	collection->published.length = strata_places(collection->published.strata);
	return status_ok();
}

static status open_rows(struct load *load, struct store_state *ret_state)
{
	struct collection *collection = load->collection;

	load->view = collection_view(collection, &collection->published);
	if (status_failed(places_open(load->view.length, &load->told)))
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a bit a row");
	TRY(store_load(collection->store, load->arena, ret_state, load_row, load));
	kill_purged(load);
	return status_ok();
}

static void load_finish(struct load *load)
{
	places_close(load->told);
}

SCOPE_DEFINE(load, load_finish)

status collection_load(struct collection *collection, struct arena *arena)
{
	struct published *published = &collection->published;
	struct store_state state = {0};
	SCOPED(load) load = &(struct load){.collection = collection, .arena = arena};
	struct view view;

	TRY(open_segments(collection, arena));
	TRY(open_rows(load, &state));
	if (published->live_rows != state.live_rows)
		return is_lost(collection, arena,
			       "the live rows are not as many as they were:", state.live_rows);
	if (load->left_out_died > state.readable_from)
		return is_lost(collection, arena,
			       "its segments lack a row that can still be seen, dead since",
			       load->left_out_died);
	view = collection_view(collection, published);
	if (view.length && view_row(&view, view.length - 1) >= state.next_row)
		return is_lost(collection, arena, "it has rows that were never given out, from",
			       state.next_row);
	published->generation = state.generation;
	published->next_row = state.next_row;
	published->readable_from = state.readable_from;
	published->dead_bytes = state.dead_bytes;
	/* When the last pins of another process ended is not known: the time begins anew. */
	retention_note(&collection->retention, clock_ns(), state.readable_from);
	sealing_forget(collection);
	return status_ok();
}
