/* snapshot - copies what is published and puts a pin into the collection's list.
 *
 * A new pin is of the newest generation, so the list is in order by appending alone, and its first
 * is the oldest: what the writer may not remove yet.
 */
#include "index/snapshot.h"

#include "index/collection_state.h"
#include "kernels/base/gauge.h"

#include <stdlib.h>

struct snapshot {
	struct pin pin;
	struct collection *collection;
	const struct head *head;
	uint64_t length, live_rows;
};

status snapshot_acquire(struct collection *collection, struct snapshot **ret)
{
	struct snapshot *snapshot;
	struct pin *last;

	if (collection_is_dropped(collection))
		return status_make(STATUS_FAILED_PRECONDITION, "the collection was dropped");
	snapshot = calloc(1, sizeof *snapshot);
	if (!snapshot)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a snapshot");
	snapshot->collection = collection_reference(collection);
	snapshot->head = collection->head;

	pthread_mutex_lock(&collection->lock);
	snapshot->length = collection->published.length;
	snapshot->live_rows = collection->published.live_rows;
	snapshot->pin.generation = collection->published.generation;
	last = collection->pins.previous;
	snapshot->pin.previous = last;
	snapshot->pin.next = &collection->pins;
	last->next = &snapshot->pin;
	collection->pins.previous = &snapshot->pin;
	collection->n_pins++;
	pthread_mutex_unlock(&collection->lock);
	gauge_add(GAUGE_SNAPSHOTS, 1);
	*ret = snapshot;
	return status_ok();
}

void snapshot_release(struct snapshot *snapshot)
{
	struct collection *collection;

	if (!snapshot)
		return;
	collection = snapshot->collection;
	pthread_mutex_lock(&collection->lock);
	snapshot->pin.previous->next = snapshot->pin.next;
	snapshot->pin.next->previous = snapshot->pin.previous;
	collection->n_pins--;
	pthread_mutex_unlock(&collection->lock);
	gauge_add(GAUGE_SNAPSHOTS, -1);
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

uint64_t snapshot_count(const struct snapshot *snapshot)
{
	return snapshot->live_rows;
}

uint64_t snapshot_places(const struct snapshot *snapshot)
{
	return snapshot->length;
}

uint64_t snapshot_row(const struct snapshot *snapshot, uint64_t place)
{
	return head_row(snapshot->head, place);
}

bool snapshot_visible(const struct snapshot *snapshot, uint64_t place)
{
	return head_alive(snapshot->head, place, snapshot->pin.generation);
}

bool snapshot_find(const struct snapshot *snapshot, uint64_t row, uint64_t *ret_place)
{
	uint64_t place = 0;

	if (!head_find(snapshot->head, snapshot->length, row, &place) ||
	    !snapshot_visible(snapshot, place))
		return false;
	*ret_place = place;
	return true;
}

const float *snapshot_vector(const struct snapshot *snapshot, uint64_t place)
{
	return head_vector(snapshot->head, place);
}

void snapshot_range(const struct snapshot *snapshot, uint64_t place, uint32_t max, uint64_t *bitmap,
		    struct scan_range *ret)
{
	head_range(snapshot->head, snapshot->length, snapshot->pin.generation, place, max, bitmap,
		   ret);
}
