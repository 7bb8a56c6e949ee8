/* view - rows as places: sealed segments in order of row, and the head behind them.
 *
 * A view is a few words by value: a list of segments, where the head goes on for it and where it ends.
 * A place is the view's own: when rows are sealed another view finds them in a segment, and when a
 * merge leaves rows out its places are others. A row keeps its number in all of them.
 * What a view reaches stays while whoever made it is pinned and refers to the list (or is the writer).
 */
#ifndef SLUICE_INDEX_VIEW_H
#define SLUICE_INDEX_VIEW_H

#include "index/segment/head.h"
#include "index/segment/sealed.h"
#include "index/strata.h"

struct view {
	struct strata *strata; /* borrowed */
	const struct head *head;
	uint64_t sealed;     /* places of the segments */
	uint64_t head_first; /* the head's own place of the first one behind them */
	uint64_t length;     /* all places */
};

/* view_head - what the head calls a place that is not sealed. */
static inline uint64_t view_head(const struct view *view, uint64_t place)
{
	return place - view->sealed + view->head_first;
}

/* view_stratum - the segment that a place is in, and its place there; NULL: it is in the head. */
struct stratum *view_stratum(const struct view *view, uint64_t place, uint32_t *ret_at);

/* view_sealed - the same without its index. */
struct sealed *view_sealed(const struct view *view, uint64_t place, uint32_t *ret_at);

uint64_t view_row(const struct view *view, uint64_t place);
bool view_alive(const struct view *view, uint64_t place, uint64_t generation);

/* view_death - the generation at which the row died; GENERATION_NEVER. */
uint64_t view_death(const struct view *view, uint64_t place);

/* view_vector - [dim] exact: where it lies, or widened into scratch [dim]. */
const float *view_vector(const struct view *view, uint64_t place, float *scratch);

/* view_fetch - has the processor fetch the vector, where that takes a while. */
void view_fetch(const struct view *view, uint64_t place);

/* view_seek - the first place whose row is not below row; the length where there is none. */
uint64_t view_seek(const struct view *view, uint64_t row);

/* view_find - the place of a row, alive or not; false where there is none. */
bool view_find(const struct view *view, uint64_t row, uint64_t *ret_place);

/* view_count - places first .. end that are alive at a generation. */
uint64_t view_count(const struct view *view, uint64_t first, uint64_t end, uint64_t generation);

/* view_range - as snapshot_range. */
void view_range(const struct view *view, uint64_t generation, uint64_t place, uint32_t max,
		uint64_t *bitmap, struct scan_range *ret);

#endif
