/* window - the W rows that come first by key, out of a stream of rows.
 *
 * A key is (score, row): score descending, row ascending. The score may be an upper bound: then
 * the key is a bound key, and a row's true key is never before it.
 *
 * Invariants:
 *   - after window_seal the keys are in order, at most W of them, without a repeat;
 *   - horizon: every row that was offered and is not in the window, and every row that a scanner
 *     left unread, has a bound key after horizon. Nothing left out: horizon is KEY_LAST.
 * A running threshold keeps the cost at one compare for most rows; 2 W keys of memory.
 * Who reads no more than the first n hits says so, and scanners that know how much a row scores at least say
 * that: what n rows reach for sure bounds the others, too, and sooner than the W-th upper bound.
 * Not thread safe.
 */
#ifndef SLUICE_KERNELS_WINDOW_H
#define SLUICE_KERNELS_WINDOW_H

#include "kernels/base/scope.h"
#include "kernels/base/status.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key {
	float score; /* never NaN */
	uint64_t row;
};

/* Before and after every key of a row. */
#define KEY_FIRST ((struct key){INFINITY, 0})
#define KEY_LAST ((struct key){-INFINITY, UINT64_MAX})

static inline bool key_before(struct key a, struct key b)
{
	return a.score > b.score || (a.score == b.score && a.row < b.row);
}

/* Hits that a reader may be said to want. */
#define WINDOW_EXPECTED_MAX 128

struct window {
	struct key *keys;     /* [2 * width] owned */
	size_t n, width;      /* n kept so far, before sealing up to 2 * width */
	struct key threshold; /* a key not before this one is not among the first width or wanted */
	struct key horizon;

	uint32_t n_expected, n_sure;
	float sure_from;                 /* a lower bound is of use above this only */
	float sure[WINDOW_EXPECTED_MAX]; /* [n_sure] the best, descending */
};

/* window_init - for the first width keys, width >= 1.
 * Fails: RESOURCE_EXHAUSTED */
status window_init(struct window *window, size_t width);
void window_finish(struct window *window); /* all zero is fine */

/* window_clear - empty again, perhaps with another width. Fails: RESOURCE_EXHAUSTED */
status window_clear(struct window *window, size_t width);

/* window_compact - drops what is beyond width, sets threshold and horizon; window_offer does it. */
void window_compact(struct window *window);

static inline void window_offer(struct window *window, struct key key)
{
	if (!key_before(key, window->threshold))
		return;
	window->keys[window->n++] = key;
	if (window->n == 2 * window->width)
		window_compact(window);
}

/* window_complete_to - a scanner says that it offered every row whose bound key is not after key,
 * and left out others. */
void window_complete_to(struct window *window, struct key key);

/* window_expect - that only the first n rows by true key are wanted, 1 .. WINDOW_EXPECTED_MAX. Of an empty
 * window; clearing it takes that back. */
void window_expect(struct window *window, size_t n);

/* window_assure - of a row, once: its true score is at least lower. Nothing where no number is expected, or where
 * lower is not finite. The row may have been offered or not. */
void window_sure_add(struct window *window, float lower);

static inline void window_assure(struct window *window, float lower)
{
	if (lower > window->sure_from)
		window_sure_add(window, lower);
}

/* window_seal - compacts and sorts. keys[0 .. n) are then in order. */
void window_seal(struct window *window);

SCOPE_DEFINE(window, window_finish)

#endif
