/* exact - the source of a chain: opening it, and giving hits out of its window. exact.h has the
 * algorithm, exact_state.h how the window is used.
 */
#include "index/cursor/exact_state.h"
#include "kernels/base/error_info.h"
#include "kernels/base/gauge.h"
#include "kernels/base/log.h"
#include "kernels/score.h"

#include <assert.h>
#include <stdlib.h>

/* A query of the largest dimension, a stored vector, and room for whoever aligns the query. */
#define QUERY_BYTES_MAX (2 * DIMENSION_MAX * sizeof(float) + 4096)

/* The same, coded: 11 bytes a dimension while it is made. */
#define CODED_BYTES_MAX ((size_t)DIMENSION_MAX * 12 + 4096)

/* Rows that are scored next and fetched from memory meanwhile: as long as one score takes. */
#define FETCH_AHEAD 2

status exact_wanted(const struct exact *exact)
{
	const struct collection *collection = snapshot_collection(exact->snapshot);
	struct arena *arena = exact->base.walk->arena;
	const char *name;
	status s;

	TRY(deadline_check(exact->base.walk->deadline));
	if (!collection_is_dropped(collection))
		return status_ok();
	name = collection_config(collection)->name;
	s = status_format(arena, STATUS_FAILED_PRECONDITION,
			  "collection %s was deleted while it was read", name);
	s = status_reason(s, arena, REASON_COLLECTION_DELETED, "collection", name, NULL);
	return status_about(s, arena, RESOURCE_COLLECTION, name);
}

status exact_score(struct exact *exact, uint64_t place, float *ret)
{
	const struct scan_query *query = &exact->query;

	if (exact->bytes_unchecked >= SCAN_STEP_BYTES) {
		exact->bytes_unchecked = 0;
		TRY(exact_wanted(exact));
	}
	exact->bytes_unchecked += query->stride * sizeof(float);
	exact->base.walk->reranked++;
	*ret = score_exact(query->metric, query->values,
			   snapshot_vector(exact->snapshot, place, exact->widened), query->dim);
	return status_ok();
}

void exact_note_scan(struct exact *exact, const struct scan_range *range, uint64_t n)
{
	struct walk *walk = exact->base.walk;

	walk->scanned += n;
	if (range->block)
		walk->scanned_bytes += range->n * range->block->stride * sizeof(float);
	else
		walk->scanned_bytes += codes8_heads_bytes(
			&sealed_codes(
				 snapshot_sealed(exact->snapshot, range->row_base + range->first))
				 ->shape,
			range->n);
}

bool exact_falls_back(struct exact *exact, status failure)
{
	struct scanner *failed = exact->scanner;

	if (failure.code != STATUS_UNAVAILABLE && failure.code != STATUS_RESOURCE_EXHAUSTED)
		return false;
	if (!exact->scanner_cpu || failed == exact->scanner_cpu)
		return false;
	if (failure.code == STATUS_UNAVAILABLE)
		exact->scanner = exact->scanner_cpu;
	if (!exact->fell_back)
		log_write(LOG_WARNING, "scanner %s: %s: %s; the search goes on with %s",
			  failed->name, status_code_name(failure.code),
			  failure.detail ? failure.detail : "", exact->scanner_cpu->name);
	exact->fell_back = true;
	return true;
}

bool exact_seek(const struct exact *exact, uint64_t *place)
{
	uint64_t next;

	if (!exact->places)
		return *place < snapshot_places(exact->snapshot);
	if (!places_next(exact->places, *place, &next))
		return false;
	if (next / 64 * 64 > *place)
		*place = next / 64 * 64;
	return true;
}

uint64_t exact_narrow(const struct exact *exact, uint64_t first, uint64_t *bitmap,
		      struct scan_range *range)
{
	if (!exact->places)
		return range->n;
	range->visible = bitmap;
	return places_copy(exact->places, first, range->n, bitmap);
}

status exact_window_begin(struct exact *exact, size_t width, enum exact_fill fill)
{
	uint64_t rows = exact->places ? exact->places->count : snapshot_count(exact->snapshot);

	exact->width = width;
	exact->fill = fill;
	exact->taken = 0;
	exact->n_scored = 0;
	exact->partial = false;
	if (width > rows)
		width = rows > 0 ? (size_t)rows : 1;
	if (exact->window.width == width)
		return window_clear(&exact->window, width);
	/* Not both buffers at a time. */
	window_finish(&exact->window);
	return window_init(&exact->window, width);
}

/* The heap of scored rows: heap[0] comes before all others. */
static void heap_push(struct key *heap, size_t n, struct key key)
{
	size_t at = n;

	while (at > 0 && key_before(key, heap[(at - 1) / 2])) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = key;
}

static struct key heap_pop(struct key *heap, size_t n)
{
	struct key first = heap[0], key = heap[n - 1];
	size_t at = 0, child;

	n--;
	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && key_before(heap[child + 1], heap[child]))
			child++;
		if (!key_before(heap[child], key))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = key;
	return first;
}

/* Scores the next row of the window and puts it into the heap. */
static status exact_score_next(struct exact *exact)
{
	const struct window *window = &exact->window;
	struct key key = window->keys[exact->taken];

	if (exact->taken + FETCH_AHEAD < window->n)
		snapshot_fetch(exact->snapshot, window->keys[exact->taken + FETCH_AHEAD].row);
	TRY(exact_score(exact, key.row, &key.score));
	exact->taken++;
	/* A later fill of an approximate walk finds again what was given, and what comes before it. */
	if (!exact->has_last || key_before(exact->last, key))
		heap_push(exact->window.keys, exact->n_scored++, key);
	return status_ok();
}

/* Hits of the next batch at most. */
static size_t exact_batch(const struct exact *exact)
{
	size_t wanted = exact->base.walk->wanted;
	size_t n = wanted > 0 && wanted < exact->batch ? wanted : exact->batch;

	/* Beyond the depth that indexes were asked for they are worse than was wanted. */
	if (exact->partial && exact->depth - exact->given < n)
		n = (size_t)(exact->depth - exact->given);
	return n;
}

/* The hits that a window of bound keys proves, up to a batch, with as few exact scores as that
 * takes. A row whose bound key is after the horizon can never be proven here: it is left alone.
 */
static status exact_give_proven(struct exact *exact, size_t *ret_n)
{
	const struct window *window = &exact->window;
	const struct key *best = window->keys;
	size_t n_max = exact_batch(exact), n = 0;

	while (n < n_max) {
		bool more = exact->taken < window->n;
		struct key bound = more ? window->keys[exact->taken] : KEY_LAST;

		if (exact->n_scored > 0 && (!more || key_before(*best, bound))) {
			struct key key;

			if (key_before(window->horizon, *best))
				break;
			key = heap_pop(window->keys, exact->n_scored--);
			exact->hits[n++] = (struct hit){key.score, key.row};
		} else if (more && !key_before(window->horizon, bound)) {
			TRY(exact_score_next(exact));
		} else {
			break;
		}
	}
	*ret_n = n;
	return status_ok();
}

static status exact_give(struct exact *exact, size_t *ret_n)
{
	size_t n_max = exact_batch(exact), n = 0;
	int64_t start_ns = clock_ns();

	if (exact->fill == FILL_BOUND_KEYS) {
		TRY(exact_give_proven(exact, &n));
	} else {
		for (; n < n_max && exact->taken < exact->window.n; n++, exact->taken++) {
			struct key key = exact->window.keys[exact->taken];

			exact->hits[n] = (struct hit){key.score, key.row};
		}
	}
	if (n > 0) {
		exact->last = (struct key){exact->hits[n - 1].score, exact->hits[n - 1].place};
		exact->has_last = true;
		exact->given += n;
	}
	exact->base.walk->rerank_ns += clock_ns() - start_ns;
	*ret_n = n;
	return status_ok();
}

/* Whether the window, when it was filled, had every row that was still to come. */
static bool exact_is_complete(const struct exact *exact)
{
	return !exact->partial && !key_before(exact->window.horizon, KEY_LAST);
}

static status exact_fill_next(struct exact *exact)
{
	bool is_first = exact->fill == FILL_NONE && !exact->has_last;
	int64_t start_ns = clock_ns();
	status filled = exact_finds_next(exact) || (is_first && !exact->gathers)
				? exact_fill(exact)
				: exact_refill(exact);

	exact->base.walk->scan_ns += clock_ns() - start_ns;
	return filled;
}

/* The processor's scan of codes passes over blocks without a row that is left, so that it pays for the few
 * rows of a first window already. */
static uint64_t gather_max(const struct exact *exact)
{
	bool scans_codes = exact->scanner == exact->scanner_cpu &&
			   snapshot_places(exact->snapshot) > 0 &&
			   snapshot_sealed(exact->snapshot, 0);

	return scans_codes ? EXACT_GATHER_CODES_MAX : EXACT_GATHER_MAX;
}

static status exact_select(struct exact *exact)
{
	int64_t start_ns = clock_ns();

	TRY(exact->select(exact->select_context, &exact->places));
	exact->base.walk->select_ns += clock_ns() - start_ns;
	exact->gathers = exact->places->count <= gather_max(exact);
	/* One window takes them all. */
	if (exact->gathers && exact->width < EXACT_GATHER_MAX)
		exact->width = EXACT_GATHER_MAX;
	return status_ok();
}

static status exact_advance(struct exact *exact, size_t *ret_n)
{
	TRY(exact_wanted(exact));
	if (exact->select && !exact->places)
		TRY(exact_select(exact));
	if (exact->fill == FILL_NONE)
		TRY(exact_fill_next(exact));
	TRY(exact_give(exact, ret_n));
	/* A refill gives something or is complete, so this turns once; a few times more where
	 * indexes are asked, since each time it is for a greater depth. */
	while (*ret_n == 0 && !exact_is_complete(exact)) {
		TRY(exact_fill_next(exact));
		TRY(exact_give(exact, ret_n));
	}
	return status_ok();
}

static enum step exact_next(struct cursor *self, struct hit_batch *ret_batch)
{
	struct exact *exact = (struct exact *)self;
	size_t n = 0;

	self->status = exact_advance(exact, &n);
	if (status_failed(self->status))
		return STEP_FAIL;
	if (n == 0) {
		self->walk->stop = STOP_EXHAUSTED;
		return STEP_END;
	}
	*ret_batch = (struct hit_batch){exact->hits, n};
	return STEP_BATCH;
}

/* Whether the next batch is, most likely, in the window: of bound keys the last ones prove little. */
static bool exact_has_next(const struct exact *exact)
{
	size_t left = exact->window.n - exact->taken;

	if (exact->fill == FILL_NONE)
		return false;
	if (exact->fill == FILL_TRUE_KEYS)
		return left > 0 || exact_is_complete(exact);
	if (exact->partial && exact->given >= exact->depth)
		return false;
	return exact->given < exact->expected || left + exact->n_scored >= 2 * exact->batch ||
	       (exact_is_complete(exact) || exact->partial);
}

static uint64_t exact_scan_bytes(struct cursor *self)
{
	struct exact *exact = (struct exact *)self;

	if (status_failed(self->status) || exact_has_next(exact))
		return 0;
	if (exact->select && !exact->places) {
		if (!exact->selects_quickly)
			return UINT64_MAX;
		self->status = exact_select(exact);
		if (status_failed(self->status))
			return 0;
	}
	return exact_find_bytes(exact);
}

/* What is left in the window is found again behind the last key. */
static void exact_shrink(struct cursor *self)
{
	struct exact *exact = (struct exact *)self;

	if (exact->fill == FILL_NONE)
		return;
	window_finish(&exact->window);
	exact->window = (struct window){0};
	places_close(TAKE(exact->places));
	exact->fill = FILL_NONE;
	exact->width /= 4;
	exact->n_scored = exact->taken = 0;
}

static void exact_free(struct cursor *self)
{
	struct exact *exact = (struct exact *)self;

	window_finish(&exact->window);
	places_close(exact->places);
	arena_finish(&exact->arena);
	arena_finish(&exact->coded_arena);
	free(exact);
	gauge_add(GAUGE_CURSORS, -1);
}

static const struct cursor_ops exact_ops = {
	.next = exact_next,
	.shrink = exact_shrink,
	.memory_bytes = exact_memory_bytes,
	.scan_bytes = exact_scan_bytes,
	.free = exact_free,
};

bool exact_is_source(const struct cursor *cursor)
{
	return cursor->ops == &exact_ops;
}

bool exact_begins_with_scan(struct exact *exact)
{
	if (status_failed(exact->base.status) || exact->base.ended || exact->fill != FILL_NONE)
		return false;
	if (exact->has_last || exact->gathers || (exact->select && !exact->places))
		return false;
	if (snapshot_places(exact->snapshot) == 0 || !snapshot_sealed(exact->snapshot, 0))
		return false;
	return exact->scanner == exact->scanner_cpu && !exact_finds_next(exact);
}

static status make_room_to_widen(struct exact *exact, const struct collection_config *config)
{
	if (config->encoding != ENCODING_FLOAT16)
		return status_ok();
	exact->widened = ARENA_ARRAY(&exact->arena, float, config->dim);
	return exact->widened ? status_ok()
			      : status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a vector");
}

status exact_open(const struct exact_options *options, struct cursor **ret)
{
	const struct collection_config *config =
		collection_config(snapshot_collection(options->snapshot));
	SCOPED(cursor) cursor = NULL;
	struct exact *exact;

	assert(options->batch >= 1 && options->batch <= 1024);
	exact = calloc(1, sizeof *exact + options->batch * sizeof *exact->hits);
	if (!exact)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a cursor");
	gauge_add(GAUGE_CURSORS, 1);
	cursor = &exact->base;
	exact->base = (struct cursor){.ops = &exact_ops, .walk = options->walk};
	exact->snapshot = options->snapshot;
	exact->scanner = options->scanner;
	exact->scanner_cpu = options->scanner_cpu;
	exact->batch = options->batch;
	exact->width = exact_width(exact) / 4; /* a refill takes four times it */
	exact->select = options->select;
	exact->select_context = options->select_context;
	exact->selects_quickly = options->selects_quickly;
	exact_find_begin(exact, options);
	exact->has_last = options->after;
	if (options->after)
		exact->last = *options->after;

	arena_init(&exact->arena, QUERY_BYTES_MAX);
	arena_init(&exact->coded_arena, CODED_BYTES_MAX);
	TRY(scan_query_init(&exact->query, &exact->arena, config->metric, options->query,
			    config->dim));
	TRY(make_room_to_widen(exact, config));
	*ret = TAKE(cursor);
	return status_ok();
}

size_t exact_memory_bytes(const struct cursor *cursor)
{
	const struct exact *exact = (const struct exact *)cursor;

	return sizeof *exact + exact->batch * sizeof *exact->hits + exact->arena.used_bytes +
	       exact->coded_arena.used_bytes +
	       2 * exact->window.width * sizeof *exact->window.keys +
	       places_memory_bytes(exact->places);
}
