/* exact_state - what the files of the exact source share; nobody else includes it.
 *
 *	exact.c         open, next, close; gives hits out of the window
 *	exact_fill.c    the first fill, and those that ask indexes: a window of bound keys
 *	exact_find.c    approximate indexes, for such fills
 *	exact_refill.c  every other fill: a window of true keys
 *	exact_codes.c   ranges of sealed segments, for both
 *	exact_shared.c  the first fills of several walks, in one pass
 *
 * The window after such a fill holds, in keys[taken .. n), bound keys in order, not scored yet,
 * and in keys[0 .. n_scored) a heap of the scored rows, the best first. A row that is scored moves
 * from the one to the other, so n_scored <= taken and there is always room.
 * After a refill keys[taken .. n) are hits in order, and the heap is empty.
 */
#ifndef SLUICE_INDEX_CURSOR_EXACT_STATE_H
#define SLUICE_INDEX_CURSOR_EXACT_STATE_H

#include "index/cursor/exact.h"
#include "index/segment/sealed.h"
#include "kernels/base/arena.h"

enum exact_fill { FILL_NONE, FILL_BOUND_KEYS, FILL_TRUE_KEYS };

struct exact {
	struct cursor base;
	const struct snapshot *snapshot;
	struct scanner *scanner; /* becomes scanner_cpu once it is UNAVAILABLE */
	struct scanner *scanner_cpu;
	bool fell_back; /* and the log has it */
	size_t batch;

	struct arena arena; /* the query's, and of what is below */
	struct scan_query query;
	float *widened;           /* [dim] a stored vector that is not float32; NULL: all are */
	struct arena coded_arena; /* the coded query's */
	struct codes8_query coded;
	const struct sealed *coded_for; /* for it and those like it; NULL: not made yet */

	struct window window;
	enum exact_fill fill; /* what the window holds */
	size_t width;         /* of the last fill, before the snapshot's size bounds it */
	size_t taken, n_scored;

	status (*select)(void *context, struct places **ret); /* NULL: there is no filter */
	void *select_context;
	bool selects_quickly;
	struct places *places; /* owned; NULL: all that are visible, or not made yet */
	bool gathers;          /* there are so few that each is scored */

	float recall;   /* wanted of the indexes; 0: they are not asked, or not any more */
	uint32_t depth; /* of the fill that asked them, or is to */
	bool partial;   /* they were asked for the window, which may lack others */
	uint64_t given; /* hits, so far */
	float floor; /* of this fill, what the indexes that were asked say of those to come: as */
	uint32_t floor_keep; /* struct ann_probe has it */

	/* Hits that the first window of an exact walk has to prove; 0: none. */
	uint32_t expected;

	struct key last; /* of the last hit given; has_last: there is one */
	bool has_last;
	size_t bytes_unchecked; /* of vectors scored since the last look at the deadline */

	struct hit hits[]; /* [batch] the batch that is lent out */
};

/* exact_fill - the first window, and with a recall the next ones. exact_refill - the next one; what is
 * left in the present one is dropped. Fails: as cursor_next */
status exact_fill(struct exact *exact);
status exact_refill(struct exact *exact);

/* exact_seek - goes from a place on to where the next range has to begin: with a filter, to the word of
 * the next place that it leaves. False where there is none. */
bool exact_seek(const struct exact *exact, uint64_t *place);

/* exact_narrow - leaves of a range what the filter leaves.
 * first   the place that the range begins at. bitmap  room for its visibility.
 * Gives how many rows are left to look at: without a filter all of the range, dead ones too. */
uint64_t exact_narrow(const struct exact *exact, uint64_t first, uint64_t *bitmap,
		      struct scan_range *range);

/* exact_find_begin - how far indexes are asked, for a new walk. */
void exact_find_begin(struct exact *exact, const struct exact_options *options);

/* exact_finds_next - whether the next fill is to ask indexes, and for which depth; if once it is not, it
 * never is again. */
bool exact_finds_next(struct exact *exact);

/* exact_find - asks the index of the segment that a place is in, for the window, and goes on to the
 * place behind the segment. Where it has none that is worth it the place stays.
 * ret_end  behind the segment: before it there is nothing more to ask.
 * Fails: as ann_find */
status exact_find(struct exact *exact, uint64_t *place, uint64_t *ret_end);

/* exact_find_bytes - about what a first fill reads of vectors, codes and lists. */
uint64_t exact_find_bytes(const struct exact *exact);

/* exact_codes_propose, exact_codes_bounds - as scanner_propose into the window and scanner_bounds, of
 * a range without a block. Fails: DEADLINE_EXCEEDED CANCELLED RESOURCE_EXHAUSTED */
status exact_codes_propose(struct exact *exact, const struct scan_range *range);
status exact_codes_bounds(struct exact *exact, const struct scan_range *range, float *ret_upper,
			  float *ret_lower);

/* exact_codes_propose_together - exact_codes_propose by the processor, of the same range for n walks.
 * ret  [n] how each ended. */
void exact_codes_propose_together(struct exact *const *walks, size_t n,
				  const struct scan_range *range, status *ret);

/* exact_fill_begin - empties the window for exact_fill. exact_fill_range - what exact_fill does of a range.
 * Fail: as cursor_next */
status exact_fill_begin(struct exact *exact);
status exact_fill_range(struct exact *exact, const struct scan_range *range);

/* exact_is_source - whether a stage is an exact source. */
bool exact_is_source(const struct cursor *cursor);

/* exact_begins_with_scan - whether the next step does, for which all that it takes is at hand. */
bool exact_begins_with_scan(struct exact *exact);

/* exact_width - rows of the first window, before the snapshot's size bounds it. */
size_t exact_width(const struct exact *exact);

/* exact_window_begin - empties the window for a fill, with room for width rows, or all if fewer.
 * Fails: RESOURCE_EXHAUSTED */
status exact_window_begin(struct exact *exact, size_t width, enum exact_fill fill);

/* exact_wanted - whether to go on. Fails: CANCELLED DEADLINE_EXCEEDED FAILED_PRECONDITION */
status exact_wanted(const struct exact *exact);

/* exact_score - the exact score of a row. Looks at the deadline about every SCAN_STEP_BYTES.
 * Fails: as exact_wanted */
status exact_score(struct exact *exact, uint64_t place, float *ret);

/* exact_note_scan - that a range was scanned, of which n rows are seen. */
void exact_note_scan(struct exact *exact, const struct scan_range *range, uint64_t n);

/* exact_falls_back - whether the failure of the first scanner sends the rows to scanner_cpu.
 * Says so in the log, once a cursor. A scanner that is UNAVAILABLE is not asked again, one that
 * was only out of memory is. */
bool exact_falls_back(struct exact *exact, status failure);

#endif
