/* exact - the source of a chain: the true nearest, in the true order, proven hit by hit.
 *
 * A key is (score, place): score descending, place ascending. A row's bound key is (upper bound,
 * place): its true key is never before its bound key. State between batches: the key of the last
 * hit given, and a window that may be dropped at any time.
 *   first fill  one scan keeps the W rows that come first by bound key, W near 4 batches, and the
 *               horizon: no row left out has a bound key before or at it.
 *   step        takes rows by bound key and scores each exactly; the best scored row is given
 *               while its key is before the next bound key of the window and not after the
 *               horizon. So ties are safe, zero vectors and twins included.
 *   refill      when the window can prove no more: empty it, W x 4 up to 24,576. Scan with both
 *               bounds, passing over rows whose lower bound is above the last score (they were
 *               given) and rows whose bound key is not before the W-th best key so far; score
 *               every other row exactly, in order, drop those not after the last key, keep the W
 *               best keys. A refilled window is given whole: every refill yields W hits or the
 *               end.
 * A walk that goes on behind a key begins with a refill.
 * (A window of bounds alone would not do for the refill: at the mode of the scores the rows whose
 * bounds straddle the last score would fill it.)
 * Memory: at most 2 * 24,576 keys and one step of bounds, whatever the depth.
 * With a recall target the first fills ask approximate indexes, where sealed segments have one that
 * is good for the depth, and scan the rest. Such a window gives hits for its depth at most, then it
 * is filled anew for the next depth up to 4,000; rows that are not after the last key are
 * dropped when they are scored. Past that the walk goes on by refills. So hits come once and in
 * order, those of a window as proven as ever among what was found, and nothing is missing from what
 * refills give; but what the indexes left out above the last key is never given.
 * With a filter only its places are looked at. Where they are few (EXACT_GATHER_MAX), and where few
 * of a step are left, their vectors are scored exactly at once, since bounds would cost as much: a
 * walk of few places begins with a refill. Neither changes an answer.
 */
#ifndef SLUICE_INDEX_CURSOR_EXACT_H
#define SLUICE_INDEX_CURSOR_EXACT_H

#include "index/cursor/cursor.h"
#include "index/filter/places.h"
#include "index/snapshot.h"
#include "kernels/scanner.h"

struct exact_options {
	const struct snapshot *snapshot; /* borrowed: outlives the cursor */
	struct scanner *scanner;         /* borrowed; asked first */
	/* Borrowed; asked where the first fails with UNAVAILABLE or RESOURCE_EXHAUSTED. The answer
	 * is the same bits. */
	struct scanner *scanner_cpu;
	const float *query; /* [dim] borrowed; of unit length under COSINE */
	size_t batch;       /* hits of a batch at most, 1 .. 1024 */
	/* 0: exact. Else the share wanted of the true hits, 0.5 .. 0.999. A walk that goes on behind
	 * a key is exact below it. */
	float recall_target;
	uint32_t depth;    /* how many hits are expected; 0: a batch */
	struct walk *walk; /* borrowed */
	/* Goes on behind this key, of a hit that was given before; NULL: from the beginning. The
	 * first window is then a refill. */
	const struct key *after;
	/* Makes the set of the places that may be hits: visible ones, counted. Called by the first
	 * cursor_next, and by the one after a cursor_shrink. NULL: all that are visible. */
	status (*select)(void *context, struct places **ret);
	void *select_context; /* borrowed */
	/* It takes less than a hand-over between threads, so that cursor_scan_bytes may call it. */
	bool selects_quickly;
};

#define EXACT_WINDOW_MAX 24576

/* A filter that leaves no more places than this has every one scored. Measured, of 384 dimensions: a
 * row costs 0.3 us in the scan and 0.9 us alone; but a device's scan costs what all rows do, and that of codes by
 * the processor 0.1 us for each block of 16 in which a row is left. */
#define EXACT_GATHER_MAX 1024
#define EXACT_GATHER_CODES_MAX 64

/* exact_open - Fails: RESOURCE_EXHAUSTED. A dropped collection fails the walk with
 * FAILED_PRECONDITION at its next scan step. Counted in GAUGE_CURSORS. */
status exact_open(const struct exact_options *options, struct cursor **ret);

/* Walks that are filled together at most: as many as one pass makes cheaper, and as few as do not keep the
 * first of them for long. Measured, of 384 dimensions, top 10: one takes 943 us, each of four 518. */
#define EXACT_TOGETHER_MAX 4

/* exact_waits_for_scan - whether the next batch of a chain begins with a scan of sealed segments' codes by the
 * processor, which may be done together with others'. Cheap. Behind cursor_scan_bytes, which looks a filter up. */
bool exact_waits_for_scan(struct cursor *chain);

/* exact_scans_alike - whether two chains that wait for a scan have it in common, or nearly. */
bool exact_scans_alike(const struct cursor *one, const struct cursor *other);

/* exact_scan_together - does these scans, 1 .. EXACT_TOGETHER_MAX, now; ranges of sealed segments that several are
 * to read are read once. Nothing else differs: the next batch of each is what it would have been, or its
 * failure is. Nobody may use a chain before it is done.
 * done  called once for each chain, by its place among them, as soon as its scan is over: of one that is not
 *       wanted any more behind the next 16,384 rows at the latest. NULL: nobody waits for that. */
void exact_scan_together(struct cursor *const *chains, size_t n,
			 void (*done)(void *context, size_t place), void *context);

/* exact_memory_bytes - what an open source holds now. */
size_t exact_memory_bytes(const struct cursor *cursor);

#endif
