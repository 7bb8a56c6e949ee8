/* cursor - an ordered walk over hits, computed as it is read.
 *
 * Invariants, which every stage keeps and tests/index/cursor asserts:
 *   - hits come once each, in key order: score descending, then row ascending;
 *   - opening does no work; the first cursor_next does;
 *   - a batch is borrowed: it is good until the next call on the same cursor;
 *   - after STEP_END or STEP_FAIL every further call gives the same again.
 *
 * A cursor is a chain of stages, the last one in hand; each pulls from the
 * stage upstream of it. A stage frees only itself, cursor_close walks the chain.
 * One caller at a time; a cursor may move between threads between calls.
 */
#ifndef SLUICE_INDEX_CURSOR_CURSOR_H
#define SLUICE_INDEX_CURSOR_CURSOR_H

#include "kernels/base/deadline.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <stddef.h>
#include <stdint.h>

struct hit {
	float score;    /* higher is better */
	uint64_t place; /* in the snapshot; sorts as the row number does */
};

struct hit_batch {
	const struct hit *hits; /* [n] in key order, owned by the stage */
	size_t n;
};

enum step { STEP_BATCH, STEP_END, STEP_FAIL };

/* Why a walk ended; the stage that ends it says so. */
enum stop_reason {
	STOP_NONE,
	STOP_LIMIT,
	STOP_EXHAUSTED,
	STOP_MIN_SCORE,
	/* Whoever reads the walk ends it so. */
	STOP_TOKEN_BUDGET,
	STOP_BYTE_BUDGET,
	STOP_CLOSED,
	STOP_DRAINING,
};

/* What a walk is for and what it cost: one for a chain, shared by its stages, the opener's. */
struct walk {
	const struct deadline *deadline; /* borrowed; NULL: none */
	struct arena *arena;             /* borrowed; for details of failures */
	size_t wanted; /* hits of the next batch at most, the reader's; 0: as many as it may have */
	uint64_t scanned, reranked; /* rows whose codes were read; rows scored exactly */
	/* Of vectors and codes that scans have read, those of approximate indexes apart; and what
	 * the filter, the scans, and exact scores with their order took. */
	uint64_t scanned_bytes;
	int64_t select_ns, scan_ns, rerank_ns;
	enum stop_reason stop; /* set with STEP_END */
	/* An approximate index was asked: some row may have been left out, and what the index is
	 * called, the snapshot's. */
	bool approximate;
	const char *ann; /* NULL: none was asked */
};

struct cursor;

struct cursor_ops {
	enum step (*next)(struct cursor *self, struct hit_batch *ret_batch);
	void (*shrink)(struct cursor *self);               /* NULL: there is nothing to drop */
	size_t (*memory_bytes)(const struct cursor *self); /* NULL: a few words */
	uint64_t (*scan_bytes)(struct cursor *self);       /* of the source */
	void (*free)(struct cursor *self);
};

/* The head of every stage; the stage's own fields follow it. */
struct cursor {
	const struct cursor_ops *ops;
	struct cursor *upstream; /* owned; NULL in the source */
	struct walk *walk;       /* borrowed, the same in every stage of a chain */
	status status;           /* why STEP_FAIL; OK otherwise */
	bool ended;              /* STEP_END was given */
};

/* cursor_next - the next hits, at least one.
 * ret_batch  borrowed; set only with STEP_BATCH.
 * Blocks until a batch is proven, the end is, or the deadline passes.
 * STEP_FAIL leaves the reason in cursor->status: CANCELLED DEADLINE_EXCEEDED
 * FAILED_PRECONDITION RESOURCE_EXHAUSTED DATA_LOSS. */
enum step cursor_next(struct cursor *cursor, struct hit_batch *ret_batch);

/* cursor_shrink - drops what can be computed again, in every stage: for a walk whose reader rests.
 * The batch in hand stays good. */
void cursor_shrink(struct cursor *cursor);

/* cursor_memory_bytes - what the chain holds now. */
size_t cursor_memory_bytes(const struct cursor *cursor);

/* cursor_scan_bytes - about what the next batch makes the chain read of vectors and codes: 0 where it is
 * at hand, UINT64_MAX where nobody knows. A guess, and cheap: it may look a filter up that is quick to
 * look up, and keeps what was found for the batch. */
uint64_t cursor_scan_bytes(struct cursor *cursor);

/* cursor_close - release a chain from its last stage up. NULL is fine. */
void cursor_close(struct cursor *cursor);

SCOPE_DEFINE(cursor, cursor_close)

/* limit_open - a stage that ends after max hits, for STOP_LIMIT. It says so together with the hit
 * that reaches the bound: walk->stop is set when that batch is given.
 * upstream  taken, also on failure.
 * Fails: RESOURCE_EXHAUSTED */
status limit_open(struct cursor *upstream, uint64_t max, struct cursor **ret);

/* floor_open - a stage that ends before the first hit below min_score, for STOP_MIN_SCORE.
 * upstream  taken, also on failure. Fails: RESOURCE_EXHAUSTED */
status floor_open(struct cursor *upstream, float min_score, struct cursor **ret);

/* without_open - a stage that leaves out one place: the chunk that was asked with.
 * upstream  taken, also on failure. Fails: RESOURCE_EXHAUSTED */
status without_open(struct cursor *upstream, uint64_t place, struct cursor **ret);

#endif
