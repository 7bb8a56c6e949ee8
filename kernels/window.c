/* window - a buffer of twice the width that is cut back to the width by selection.
 *
 * What is cut, and what is not offered any more after a cut, comes after the last key kept: that
 * key becomes threshold and horizon. Where n rows are expected, and so many score at least s, those of which
 * the upper bound is below s come after all of these: (s, the last row) is a threshold and a horizon as well,
 * and not before the n-th true key. A row that was offered twice, perhaps with two bounds (a
 * scanner failed and another scanned the same rows), is kept once.
 */
#include "kernels/window.h"

#include <assert.h>
#include <stdlib.h>

#define SORT_BY_INSERTION 16
#define PIVOT_SAMPLE 9

static struct key *keys_open(size_t width)
{
	size_t size;

	assert(width > 0);
	if (__builtin_mul_overflow(width, 2 * sizeof(struct key), &size) || size > PTRDIFF_MAX)
		return NULL;
	return malloc(size);
}

static void window_empty(struct window *window)
{
	window->n = 0;
	window->threshold = KEY_LAST;
	window->horizon = KEY_LAST;
	window->n_expected = window->n_sure = 0;
	window->sure_from = INFINITY;
}

status window_init(struct window *window, size_t width)
{
	struct key *keys = keys_open(width);

	if (!keys)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a window");
	*window = (struct window){.keys = keys, .width = width};
	window_empty(window);
	return status_ok();
}

void window_finish(struct window *window)
{
	if (!window)
		return;
	free(window->keys);
	*window = (struct window){0};
}

status window_clear(struct window *window, size_t width)
{
	if (width != window->width || !window->keys) {
		struct key *keys = keys_open(width);

		if (!keys)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a window");
		free(window->keys);
		window->keys = keys;
		window->width = width;
	}
	window_empty(window);
	return status_ok();
}

static void key_swap(struct key *a, struct key *b)
{
	struct key c = *a;

	*a = *b;
	*b = c;
}

/* As key_before, without a branch: which key is before which is as good as chance. */
static inline size_t key_is_before(struct key a, struct key b)
{
	return (size_t)((a.score > b.score) | ((a.score == b.score) & (a.row < b.row)));
}

static void keys_insert(struct key *keys, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct key key = keys[i];
		size_t at = i;

		for (; at > 0 && key_before(key, keys[at - 1]); at--)
			keys[at] = keys[at - 1];
		keys[at] = key;
	}
}

/* A place that no order of the input makes bad on purpose. */
static size_t place_pick(size_t n)
{
	static _Thread_local uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)((unsigned __int128)state * n >> 64);
}

/* Brings to the front a key that about `rank` of the n keys are before: the one that stands there
 * among a few that are picked. */
static void pivot_pick(struct key *keys, size_t n, size_t rank)
{
	size_t step = n / PIVOT_SAMPLE, from = place_pick(step);

	for (size_t i = 0; i < PIVOT_SAMPLE; i++)
		key_swap(&keys[i], &keys[from + i * step]);
	keys_insert(keys, PIVOT_SAMPLE);
	key_swap(&keys[0], &keys[rank * PIVOT_SAMPLE / n]);
}

/* Splits n > SORT_BY_INSERTION keys at one near rank: those before it, it, at the place that is
 * given back, and the others. */
static size_t keys_split(struct key *keys, size_t n, size_t rank)
{
	size_t front = 1;
	struct key pivot;

	pivot_pick(keys, n, rank);
	pivot = keys[0];
	/* Field by field: what was stored is loaded again at once, and a store of another width
	 * would have to be waited for. */
	for (size_t i = 1; i < n; i++) {
		struct key key = {keys[i].score, keys[i].row};

		keys[i].score = keys[front].score;
		keys[i].row = keys[front].row;
		keys[front].score = key.score;
		keys[front].row = key.row;
		front += key_is_before(key, pivot);
	}
	key_swap(&keys[0], &keys[front - 1]);
	return front - 1;
}

/* Brings the first want of n keys to the front, in no order. */
static void keys_select(struct key *keys, size_t n, size_t want)
{
	while (want > 0 && want < n) {
		size_t front;

		if (n <= SORT_BY_INSERTION) {
			keys_insert(keys, n);
			return;
		}
		front = keys_split(keys, n, want);
		if (want <= front) {
			n = front;
		} else {
			keys += front + 1;
			n -= front + 1;
			want -= front + 1;
		}
	}
}

/* Recurses into the smaller part, so the depth is at most the logarithm. */
static void keys_sort(struct key *keys, size_t n)
{
	while (n > SORT_BY_INSERTION) {
		size_t front = keys_split(keys, n, n / 2), behind = n - front - 1;

		if (front <= behind) {
			keys_sort(keys, front);
			keys += front + 1;
			n = behind;
		} else {
			keys_sort(keys + front + 1, behind);
			n = front;
		}
	}
	keys_insert(keys, n);
}

/* What is sure of as many rows as are expected bounds the others. */
static void sure_apply(struct window *window)
{
	struct key key = {window->sure_from, UINT64_MAX};

	if (window->n_expected == 0 || window->n_sure < window->n_expected)
		return;
	if (key_before(key, window->threshold))
		window->threshold = key;
	window_complete_to(window, key);
}

void window_expect(struct window *window, size_t n)
{
	assert(n >= 1 && n <= WINDOW_EXPECTED_MAX && window->n == 0 && window->n_sure == 0);
	window->n_expected = (uint32_t)n;
	window->sure_from = -INFINITY;
}

void window_sure_add(struct window *window, float lower)
{
	size_t at;

	if (!isfinite(lower))
		return;
	if (window->n_sure < window->n_expected)
		window->n_sure++;
	for (at = window->n_sure - 1; at > 0 && lower > window->sure[at - 1]; at--)
		window->sure[at] = window->sure[at - 1];
	window->sure[at] = lower;
	if (window->n_sure == window->n_expected)
		window->sure_from = window->sure[window->n_expected - 1];
	sure_apply(window);
}

void window_compact(struct window *window)
{
	struct key last;

	if (window->n <= window->width)
		return;
	keys_select(window->keys, window->n, window->width);
	window->n = window->width;
	last = window->keys[0];
	for (size_t i = 1; i < window->n; i++) {
		if (key_before(last, window->keys[i]))
			last = window->keys[i];
	}
	window->threshold = last;
	window_complete_to(window, last);
	sure_apply(window);
}

void window_complete_to(struct window *window, struct key key)
{
	if (key_before(key, window->horizon))
		window->horizon = key;
}

/* Puts row into a table of n slots with more slots than rows; false if it was there. */
static bool rows_add(uint64_t *slots, size_t n, uint64_t row)
{
	uint64_t mixed = row * UINT64_C(0x9E3779B97F4A7C15);
	size_t at = (size_t)((unsigned __int128)mixed * n >> 64);

	for (; slots[at] != UINT64_MAX; at = at + 1 < n ? at + 1 : 0) {
		if (slots[at] == row)
			return false;
	}
	slots[at] = row;
	return true;
}

/* Of a row that stands there twice the first stays. The unused half of the buffer is the table:
 * two slots for each key. */
static void window_drop_repeats(struct window *window)
{
	uint64_t *slots = (uint64_t *)(void *)(window->keys + window->width);
	size_t n_slots = 2 * window->n, kept = 0;

	for (size_t i = 0; i < n_slots; i++)
		slots[i] = UINT64_MAX;
	for (size_t i = 0; i < window->n; i++) {
		if (rows_add(slots, n_slots, window->keys[i].row))
			window->keys[kept++] = window->keys[i];
	}
	window->n = kept;
}

void window_seal(struct window *window)
{
	window_compact(window);
	keys_sort(window->keys, window->n);
	window_drop_repeats(window);
}
