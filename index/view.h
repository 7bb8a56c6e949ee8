/* view - rows as places: sealed segments in order of row, and the head behind them.
 *
 * Segments are only added, at the end, and each takes over the first places of the head that are not
 * sealed, so a place keeps its row while a collection is open. A view is a few words by value: how
 * many segments it counts, where the head begins for it and ends. Two views may find the same row in
 * the head and in a segment: it is the same row.
 * What a view reaches stays while whoever made it is pinned (or is the writer).
 */
#ifndef SLUICE_INDEX_VIEW_H
#define SLUICE_INDEX_VIEW_H

#include "index/segment/head.h"
#include "index/segment/sealed.h"

#define STRATA_MAX 65536

/* strata - the segments of a collection. Slots behind what is published are the writer's alone. */
struct strata {
	struct sealed **sealed; /* [STRATA_MAX] owned, with what is in it */
	uint64_t *ends;         /* [STRATA_MAX] the place behind each one */
	size_t n;               /* the writer's */
};

/* strata_open - Fails: RESOURCE_EXHAUSTED */
status strata_open(struct strata *strata);
void strata_close(struct strata *strata); /* all zero is fine */

/* strata_add - takes the segment as the next one; there must be room. The writer's. */
void strata_add(struct strata *strata, struct sealed *sealed);

static inline uint64_t strata_places(const struct strata *strata, size_t n)
{
	return n ? strata->ends[n - 1] : 0;
}

struct view {
	const struct strata *strata;
	const struct head *head;
	size_t n_strata;
	uint64_t sealed; /* places of the segments */
	uint64_t length; /* all places */
};

/* view_sealed - the segment that a place is in, and its place there; NULL: it is in the head. */
struct sealed *view_sealed(const struct view *view, uint64_t place, uint32_t *ret_at);

uint64_t view_row(const struct view *view, uint64_t place);
bool view_alive(const struct view *view, uint64_t place, uint64_t generation);

/* view_vector - [dim] exact. */
const float *view_vector(const struct view *view, uint64_t place);

/* view_seek - the first place whose row is not below row; the length where there is none. */
uint64_t view_seek(const struct view *view, uint64_t row);

/* view_find - the place of a row, alive or not; false where there is none. */
bool view_find(const struct view *view, uint64_t row, uint64_t *ret_place);

/* view_count - places that are alive at a generation. */
uint64_t view_count(const struct view *view, uint64_t generation);

/* view_range - as snapshot_range. */
void view_range(const struct view *view, uint64_t generation, uint64_t place, uint32_t max,
		uint64_t *bitmap, struct scan_range *ret);

#endif
