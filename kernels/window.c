/* window - a buffer of twice the width that is cut back to the width by selection.
 *
 * What is cut, and what is not offered any more after a cut, comes after the last key kept: that
 * key becomes threshold and horizon. A row that was offered twice, perhaps with two bounds (a
 * scanner failed and another scanned the same rows), is kept once.
 */
#include "kernels/window.h"

#include <assert.h>
#include <stdlib.h>

#define SORT_BY_INSERTION 16

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

/* A pivot that no order of the input makes bad on purpose. */
static size_t pivot_pick(size_t n)
{
	static _Thread_local uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)((unsigned __int128)state * n >> 64);
}

/* Splits n >= 2 keys: none of the first ret comes after any of the others; 0 < ret < n. */
static size_t keys_split(struct key *keys, size_t n)
{
	size_t low = 0, high = n - 1;
	struct key pivot;

	key_swap(&keys[0], &keys[pivot_pick(n)]);
	pivot = keys[0];
	for (;;) {
		while (key_before(keys[low], pivot))
			low++;
		while (key_before(pivot, keys[high]))
			high--;
		if (low >= high)
			return high + 1;
		key_swap(&keys[low++], &keys[high--]);
	}
}

/* Brings the first want of n keys to the front, in no order. */
static void keys_select(struct key *keys, size_t n, size_t want)
{
	while (n >= 2 && want > 0 && want < n) {
		size_t front = keys_split(keys, n);

		if (front == want)
			return;
		if (front > want) {
			n = front;
		} else {
			keys += front;
			n -= front;
			want -= front;
		}
	}
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

/* Recurses into the smaller part, so the depth is at most the logarithm. */
static void keys_sort(struct key *keys, size_t n)
{
	while (n > SORT_BY_INSERTION) {
		size_t front = keys_split(keys, n);

		if (front <= n - front) {
			keys_sort(keys, front);
			keys += front;
			n -= front;
		} else {
			keys_sort(keys + front, n - front);
			n = front;
		}
	}
	keys_insert(keys, n);
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
