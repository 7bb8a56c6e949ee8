/* snapshot - a pinned view of a collection: head length and generation.
 *
 * It costs a few words. A row is visible if its place is below the length and it had not died by
 * the generation. While a snapshot is open the records and vectors of its rows stay readable. Pins
 * are counted in GAUGE_SNAPSHOTS. One user at a time; may move between threads.
 */
#ifndef SLUICE_INDEX_SNAPSHOT_H
#define SLUICE_INDEX_SNAPSHOT_H

#include "index/collection.h"
#include "kernels/scanner.h"

struct snapshot;

/* snapshot_acquire - the newest view; holds a reference to the collection.
 * Fails: RESOURCE_EXHAUSTED FAILED_PRECONDITION (dropped) */
status snapshot_acquire(struct collection *collection, struct snapshot **ret);

/* snapshot_acquire_at - the view that had this generation and this row limit: what a resume token
 * names. O(rows) where rows have died.
 * Fails: as snapshot_acquire; FAILED_PRECONDITION (SNAPSHOT_GONE) where rows that it saw have been
 * removed, or where the collection is not as far, which a restored copy may not be */
status snapshot_acquire_at(struct collection *collection, uint64_t generation, uint64_t row_limit,
			   struct arena *arena, struct snapshot **ret);
void snapshot_release(struct snapshot *snapshot); /* NULL is fine */

struct collection *snapshot_collection(const struct snapshot *snapshot);
uint64_t snapshot_generation(const struct snapshot *snapshot);

/* snapshot_row_limit - the first row number that the view has not. */
uint64_t snapshot_row_limit(const struct snapshot *snapshot);

/* snapshot_pressed_by - as collection_pressed_by, where this is the oldest snapshot: whoever has it
 * should release it soon. */
const char *snapshot_pressed_by(const struct snapshot *snapshot);

/* snapshot_count - visible rows. O(1). */
uint64_t snapshot_count(const struct snapshot *snapshot);

/* A place is a row's position in the snapshot's order of rows: 0 .. places. Places and row numbers
 * sort alike; a row keeps its number for ever, its place only within a snapshot. */
uint64_t snapshot_places(const struct snapshot *snapshot);
uint64_t snapshot_row(const struct snapshot *snapshot, uint64_t place);
bool snapshot_visible(const struct snapshot *snapshot, uint64_t place);

/* snapshot_find - the place of a row number; false where the snapshot does not see it. O(log n) */
bool snapshot_find(const struct snapshot *snapshot, uint64_t row, uint64_t *ret_place);

/* snapshot_seek - the place of the first row whose number is not below row, visible or not;
 * snapshot_places where there is none. O(log n) */
uint64_t snapshot_seek(const struct snapshot *snapshot, uint64_t row);

/* snapshot_vector - [dim], exact: borrowed from the snapshot, or where a segment stores it as float16
 * widened into scratch, [dim] and the caller's. */
const float *snapshot_vector(const struct snapshot *snapshot, uint64_t place, float *scratch);

/* snapshot_fetch - has the processor fetch what snapshot_vector will give: for whoever knows ahead. */
void snapshot_fetch(const struct snapshot *snapshot, uint64_t place);

struct sealed;

/* snapshot_sealed - the sealed segment that a place is in, NULL where it is in the head. */
const struct sealed *snapshot_sealed(const struct snapshot *snapshot, uint64_t place);

struct ann;

/* snapshot_ann - the approximate index of the segment that a place is in, borrowed from the snapshot;
 * NULL: there is none, not yet, or the place is in the head. One may appear while the snapshot is
 * open; it then stays. */
const struct ann *snapshot_ann(const struct snapshot *snapshot, uint64_t place);

/* snapshot_range - the longest range of places from `place` on that lies in one block, at most max
 * rows. row_base is set so that keys hold places. Of a sealed segment block is NULL: the range is
 * for its codes.
 * bitmap  [(max + 63) / 64] words for visibility, the caller's; ret->visible points to it, or is
 *         NULL where every row of the range is visible. */
void snapshot_range(const struct snapshot *snapshot, uint64_t place, uint32_t max, uint64_t *bitmap,
		    struct scan_range *ret);

SCOPE_DEFINE(snapshot, snapshot_release)

#endif
