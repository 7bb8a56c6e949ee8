/* snapshot - copies what is published and puts a pin into the collection's list. It refers to the list
 * of segments, so that they stay, and the pin keeps the head.
 *
 * The list is in order of generation, so its first is what the writer may not remove yet. A new pin
 * is of the newest generation and goes to the end; only one of a resumed walk looks for its place,
 * from the end.
 */
#include "index/snapshot.h"

#include "index/collection_state.h"
#include "index/segment/sealed.h"
#include "kernels/base/deadline.h"
#include "kernels/base/error_info.h"
#include "kernels/base/gauge.h"

#include <stdlib.h>

struct snapshot {
	struct pin pin;
	struct collection *collection;
	struct view view;
	uint64_t live_rows, row_limit;
};

static status snapshot_new(struct collection *collection, struct snapshot **ret)
{
	struct snapshot *snapshot;

	if (collection_is_dropped(collection))
		return status_as(
			status_make(STATUS_FAILED_PRECONDITION, "the collection was deleted"),
			REASON_COLLECTION_DELETED);
	snapshot = calloc(1, sizeof *snapshot);
	if (!snapshot)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a snapshot");
	snapshot->collection = collection_reference(collection);
	*ret = snapshot;
	return status_ok();
}

/* Under the lock: what is published, pinned. */
static void snapshot_look(struct snapshot *snapshot)
{
	struct collection *collection = snapshot->collection;

	snapshot->view = collection_view(collection, &collection->published);
	snapshot->live_rows = collection->published.live_rows;
	strata_reference(snapshot->view.strata);
	snapshot->pin.head_first = snapshot->view.head_first;
}

/* Under the lock. */
static void pin_insert(struct collection *collection, struct pin *pin)
{
	struct pin *before = collection->pins.previous;

	while (before != &collection->pins && before->generation > pin->generation)
		before = before->previous;
	pin->previous = before;
	pin->next = before->next;
	before->next->previous = pin;
	before->next = pin;
	collection->n_pins++;
}

status snapshot_acquire(struct collection *collection, struct snapshot **ret)
{
	struct snapshot *snapshot = NULL;

	TRY(snapshot_new(collection, &snapshot));
	pthread_mutex_lock(&collection->lock);
	snapshot_look(snapshot);
	snapshot->row_limit = collection->published.next_row;
	snapshot->pin.generation = collection->published.generation;
	pin_insert(collection, &snapshot->pin);
	pthread_mutex_unlock(&collection->lock);
	gauge_add(GAUGE_SNAPSHOTS, 1);
	*ret = snapshot;
	return status_ok();
}

static status snapshot_is_gone(struct collection *collection, uint64_t generation,
			       struct arena *arena)
{
	const char *name = collection_config(collection)->name;
	status s = status_format(arena, STATUS_FAILED_PRECONDITION,
				 "collection %s: generation %llu cannot be read any more", name,
				 (unsigned long long)generation);

	s = status_reason(s, arena, REASON_SNAPSHOT_GONE, "collection", name, "generation",
			  ERROR_NUMBER(generation), NULL);
	return status_about(s, arena, RESOURCE_COLLECTION, name);
}

/* Whether there is such a view; then it is pinned. */
static bool snapshot_pin_at(struct snapshot *snapshot, uint64_t row_limit)
{
	struct collection *collection = snapshot->collection;
	const struct published *published = &collection->published;
	uint64_t generation = snapshot->pin.generation;
	bool there;

	pthread_mutex_lock(&collection->lock);
	there = generation <= published->generation && row_limit <= published->next_row &&
		generation >= published->readable_from && generation >= collection->purged_to;
	if (there) {
		snapshot_look(snapshot);
		pin_insert(collection, &snapshot->pin);
	}
	pthread_mutex_unlock(&collection->lock);
	return there;
}

status snapshot_acquire_at(struct collection *collection, uint64_t generation, uint64_t row_limit,
			   struct arena *arena, struct snapshot **ret)
{
	struct snapshot *snapshot = NULL;

	TRY(snapshot_new(collection, &snapshot));
	snapshot->row_limit = row_limit;
	snapshot->pin.generation = generation;
	if (!snapshot_pin_at(snapshot, row_limit)) {
		free(snapshot);
		collection_release(collection);
		return snapshot_is_gone(collection, generation, arena);
	}
	/* The pin holds the rows; which of them it sees is looked at without the lock. */
	snapshot->view.length = view_seek(&snapshot->view, row_limit);
	snapshot->live_rows = view_count(&snapshot->view, 0, snapshot->view.length, generation);
	gauge_add(GAUGE_SNAPSHOTS, 1);
	*ret = snapshot;
	return status_ok();
}

void snapshot_release(struct snapshot *snapshot)
{
	struct collection *collection;
	int64_t now_ns = clock_ns();

	if (!snapshot)
		return;
	collection = snapshot->collection;
	pthread_mutex_lock(&collection->lock);
	if (collection->pins.next == &snapshot->pin)
		retention_note(&collection->retention, now_ns, snapshot->pin.generation);
	/* Whether the next one should go too, the next write sees. */
	if (collection->pins.next == &snapshot->pin)
		atomic_store(&collection->pressed, NULL);
	snapshot->pin.previous->next = snapshot->pin.next;
	snapshot->pin.next->previous = snapshot->pin.previous;
	collection->n_pins--;
	pthread_mutex_unlock(&collection->lock);
	gauge_add(GAUGE_SNAPSHOTS, -1);
	strata_release(snapshot->view.strata);
	free(snapshot);
	collection_release(collection);
}

struct collection *snapshot_collection(const struct snapshot *snapshot)
{
	return snapshot->collection;
}

uint64_t snapshot_generation(const struct snapshot *snapshot)
{
	return snapshot->pin.generation;
}

const char *snapshot_pressed_by(const struct snapshot *snapshot)
{
	struct collection *collection = snapshot->collection;
	const char *setting = collection_pressed_by(collection);
	bool oldest;

	if (!setting)
		return NULL;
	pthread_mutex_lock(&collection->lock);
	/* One that has come since is not what the writer found. */
	oldest = collection->pins.next == &snapshot->pin &&
		 snapshot->pin.generation <= collection->pressed_at;
	pthread_mutex_unlock(&collection->lock);
	return oldest ? setting : NULL;
}

uint64_t snapshot_row_limit(const struct snapshot *snapshot)
{
	return snapshot->row_limit;
}

uint64_t snapshot_count(const struct snapshot *snapshot)
{
	return snapshot->live_rows;
}

uint64_t snapshot_places(const struct snapshot *snapshot)
{
	return snapshot->view.length;
}

uint64_t snapshot_row(const struct snapshot *snapshot, uint64_t place)
{
	return view_row(&snapshot->view, place);
}

bool snapshot_visible(const struct snapshot *snapshot, uint64_t place)
{
	return view_alive(&snapshot->view, place, snapshot->pin.generation);
}

bool snapshot_find(const struct snapshot *snapshot, uint64_t row, uint64_t *ret_place)
{
	uint64_t place = 0;

	if (!view_find(&snapshot->view, row, &place) || !snapshot_visible(snapshot, place))
		return false;
	*ret_place = place;
	return true;
}

uint64_t snapshot_seek(const struct snapshot *snapshot, uint64_t row)
{
	return view_seek(&snapshot->view, row);
}

const float *snapshot_vector(const struct snapshot *snapshot, uint64_t place, float *scratch)
{
	return view_vector(&snapshot->view, place, scratch);
}

void snapshot_fetch(const struct snapshot *snapshot, uint64_t place)
{
	view_fetch(&snapshot->view, place);
}

const struct sealed *snapshot_sealed(const struct snapshot *snapshot, uint64_t place)
{
	uint32_t at;

	return view_sealed(&snapshot->view, place, &at);
}

const struct ann *snapshot_ann(const struct snapshot *snapshot, uint64_t place)
{
	uint32_t at;
	const struct stratum *stratum = view_stratum(&snapshot->view, place, &at);

	return stratum ? atomic_load_explicit(&stratum->ann, memory_order_acquire) : NULL;
}

void snapshot_range(const struct snapshot *snapshot, uint64_t place, uint32_t max, uint64_t *bitmap,
		    struct scan_range *ret)
{
	view_range(&snapshot->view, snapshot->pin.generation, place, max, bitmap, ret);
}
