#include "kernels/window.h"

#include "tests/kernels/failing_malloc.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define N_MAX 3000

static int key_order(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	return key_before(*right, *left) - key_before(*left, *right);
}

static void shuffle(struct random *random, struct key *keys, size_t n)
{
	for (size_t i = n; i > 1; i--) {
		size_t j = random_below(random, i);
		struct key key = keys[i - 1];

		keys[i - 1] = keys[j];
		keys[j] = key;
	}
}

enum order { ASCENDING, DESCENDING, SHUFFLED, ALL_ALIKE, ORDERS };

static void draw_keys(struct random *random, enum order order, struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float score = (float)random_below(random, 50);

		if (order == ALL_ALIKE)
			score = 1;
		else if (random_below(random, 100) == 0)
			score = random_below(random, 2) ? INFINITY : -INFINITY;
		keys[i] = (struct key){score, 1000000 + i};
	}
	shuffle(random, keys, n);
	if (order == ASCENDING || order == DESCENDING)
		qsort(keys, n, sizeof *keys, key_order);
	for (size_t i = 0; order == DESCENDING && i < n / 2; i++) {
		struct key key = keys[i];

		keys[i] = keys[n - 1 - i];
		keys[n - 1 - i] = key;
	}
}

/* sorted  all that was offered, in order. */
static void check_window(const struct window *window, const struct key *sorted, size_t n)
{
	size_t want = n < window->width ? n : window->width;

	cr_assert_eq(window->n, want);
	for (size_t i = 0; i < want; i++)
		cr_assert_eq(window->keys[i].row, sorted[i].row, "key %zu of %zu", i, want);
	if (n <= want) {
		cr_assert_eq(window->horizon.row, KEY_LAST.row, "nothing was left out");
		return;
	}
	cr_assert(key_before(window->horizon, sorted[want]), "what is left out is after it");
}

Test(window, holds_the_first_of_a_full_sort)
{
	static const size_t counts[] = {0, 1, 2, 5, 16, 17, 63, 64, 65, 999, N_MAX};
	static const size_t widths[] = {1, 2, 3, 7, 16, 33, 500, N_MAX, 5000};
	static struct key keys[N_MAX], sorted[N_MAX];
	struct random random = {42};

	for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
		for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
			for (int order = 0; order < ORDERS; order++) {
				struct window memory;
				SCOPED(window) window = &memory;

				cr_assert(!status_failed(window_init(window, widths[w])));
				draw_keys(&random, (enum order)order, keys, counts[c]);
				for (size_t i = 0; i < counts[c]; i++)
					window_offer(window, keys[i]);
				window_seal(window);

				memcpy(sorted, keys, sizeof sorted);
				qsort(sorted, counts[c], sizeof *sorted, key_order);
				check_window(window, sorted, counts[c]);
			}
		}
	}
}

/* At any moment: what is before the threshold could still belong, and only that. */
Test(window, threshold_and_horizon_hold_at_every_step)
{
	static struct key keys[400], sorted[400];
	struct random random = {13};

	for (int round = 0; round < 20; round++) {
		size_t width = 1 + random_below(&random, 30);
		struct window memory;
		SCOPED(window) window = &memory;

		cr_assert(!status_failed(window_init(window, width)));
		draw_keys(&random, SHUFFLED, keys, 400);
		for (size_t n = 0; n < 400; n++) {
			size_t kept = 0;

			window_offer(window, keys[n]);
			memcpy(sorted, keys, (n + 1) * sizeof *sorted);
			qsort(sorted, n + 1, sizeof *sorted, key_order);
			if (n + 1 >= width)
				cr_assert(!key_before(window->threshold, sorted[width - 1]));
			for (size_t i = 0; i <= n; i++) {
				for (size_t j = 0; j < window->n; j++)
					kept += window->keys[j].row == keys[i].row;
				if (kept == 0)
					cr_assert(key_before(window->horizon, keys[i]));
				kept = 0;
			}
		}
	}
}

Test(window, drops_rows_that_were_offered_twice)
{
	struct random random = {6};

	for (size_t width = 1; width < 70; width++) {
		struct window memory;
		SCOPED(window) window = &memory;

		cr_assert(!status_failed(window_init(window, width)));
		for (size_t i = 0; i < 2 * width; i++) {
			uint64_t row = random_below(&random, width);

			/* The second bound of a row may be another. */
			window_offer(window, (struct key){(float)random_below(&random, 3), row});
		}
		window_seal(window);

		cr_assert_geq(window->n, 1);
		for (size_t i = 0; i < window->n; i++) {
			for (size_t j = 0; j < i; j++)
				cr_assert_neq(window->keys[i].row, window->keys[j].row);
		}
	}
}

Test(window, horizon_is_the_first_that_anyone_names)
{
	struct window memory;
	SCOPED(window) window = &memory;

	cr_assert(!status_failed(window_init(window, 2)));
	window_complete_to(window, (struct key){5, 7});
	window_complete_to(window, (struct key){6, 7});
	window_complete_to(window, (struct key){6, 8});
	window_offer(window, (struct key){9, 1});
	window_seal(window);

	cr_assert_eq(window->horizon.score, 6);
	cr_assert_eq(window->horizon.row, 7);
}

Test(window, starts_again_with_another_width)
{
	struct window memory;
	SCOPED(window) window = &memory;

	cr_assert(!status_failed(window_init(window, 3)));
	for (size_t width = 1; width < 40; width += 3) {
		cr_assert(!status_failed(window_clear(window, width)));
		cr_assert_eq(window->n, 0);
		cr_assert_eq(window->horizon.row, KEY_LAST.row);
		for (uint64_t row = 0; row < 100; row++)
			window_offer(window, (struct key){(float)row, row});
		window_seal(window);
		cr_assert_eq(window->n, width);
		cr_assert_eq(window->keys[0].row, 99);
	}
}

Test(window, says_so_where_memory_is_short)
{
	struct window window = {0};
	struct key *keys;

	failing_malloc_set(0);
	cr_assert_eq(window_init(&window, 10).code, STATUS_RESOURCE_EXHAUSTED);
	failing_malloc_set(-1);
	cr_assert_null(window.keys);
	window_finish(&window);
	window_finish(NULL);

	cr_assert_eq(window_init(&window, SIZE_MAX / 16).code, STATUS_RESOURCE_EXHAUSTED);
	cr_assert(!status_failed(window_init(&window, 10)));
	window_offer(&window, (struct key){1, 1});
	keys = window.keys;
	failing_malloc_set(0);
	cr_assert_eq(window_clear(&window, 20).code, STATUS_RESOURCE_EXHAUSTED);
	failing_malloc_set(-1);
	cr_assert_eq(window.keys, keys, "still usable");
	cr_assert_eq(window.n, 1);
	window_finish(&window);
}

/* A row, between bounds of which the one or the other may be its score. */
struct bounded {
	struct key key;
	float upper, lower;
};

static int bounded_order(const void *a, const void *b)
{
	const struct bounded *left = a, *right = b;

	return key_order(&left->key, &right->key);
}

static void draw_bounded(struct random *random, struct bounded *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		float score = (float)random_below(random, 60);

		rows[i].key = (struct key){score, i};
		rows[i].upper = score + (float)random_below(random, 8);
		rows[i].lower = score - (float)random_below(random, 8);
		if (random_below(random, 50) == 0)
			rows[i].upper = INFINITY;
		if (random_below(random, 50) == 0)
			rows[i].lower = random_below(random, 2) ? -INFINITY : NAN;
	}
}

static void check_left_out(const struct window *window, const struct bounded *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct key bound = {rows[i].upper, rows[i].key.row};
		bool kept = false;

		for (size_t j = 0; j < window->n; j++)
			kept |= window->keys[j].row == bound.row;
		cr_assert(kept || key_before(window->horizon, bound), "row %zu", i);
	}
}

/* Whatever comes when, and of whatever rows it is known what they score at least. */
Test(window, keeps_those_that_are_expected)
{
	static struct bounded rows[500];
	struct random random = {77};
	size_t n_left_out = 0;

	for (int round = 0; round < 300; round++) {
		size_t n = random_below(&random, 500),
		       expected = 1 + random_below(&random, WINDOW_EXPECTED_MAX);
		size_t known = random_below(&random, 4), n_kept = 0;
		struct window memory;
		SCOPED(window) window = &memory;

		cr_assert(!status_failed(window_init(window, 1000)));
		window_expect(window, expected);
		draw_bounded(&random, rows, n);
		for (size_t i = 0; i < n; i++) {
			window_offer(window, (struct key){rows[i].upper, rows[i].key.row});
			if (random_below(&random, 4) < known)
				window_assure(window, rows[i].lower);
		}
		window_seal(window);
		check_left_out(window, rows, n);
		qsort(rows, n, sizeof *rows, bounded_order);
		for (size_t i = 0; i < n && i < expected; i++) {
			cr_assert(!key_before(window->horizon, rows[i].key), "is not proven");
			for (size_t j = 0; j < window->n; j++)
				n_kept += window->keys[j].row == rows[i].key.row;
		}
		cr_assert_eq(n_kept, n < expected ? n : expected);
		n_left_out += n - window->n;
	}
	cr_assert_gt(n_left_out, 1000);
}

Test(window, expects_nothing_once_it_is_cleared)
{
	struct window memory;
	SCOPED(window) window = &memory;

	cr_assert(!status_failed(window_init(window, 4)));
	window_expect(window, 1);
	window_assure(window, 5);
	cr_assert_eq(window->threshold.score, 5);
	cr_assert(!status_failed(window_clear(window, 4)));
	window_assure(window, 5);
	cr_assert_eq(window->threshold.score, -INFINITY);
	cr_assert_eq(window->horizon.row, KEY_LAST.row);
}
