/* The bar of a walk is never above the worst of the best, and soon not far below. */
#include "index/ann/lists_bar.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define ROWS 4000

static int by_score(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x < y) - (x > y);
}

/* The worst of the best `width` of n, and the best of all. */
static float worst_of(const float *scores, size_t n, size_t width, float *ret_best)
{
	float sorted[ROWS], worst;

	for (size_t i = 0; i < n; i++)
		sorted[i] = scores[i];
	qsort(sorted, n, sizeof *sorted, by_score);
	worst = n > width ? sorted[width - 1] : -INFINITY;
	*ret_best = sorted[0];
	return worst;
}

static void check(struct random *random, size_t width, float factor, uint64_t levels)
{
	struct window window;
	struct lists_bar bar;
	float scores[ROWS], best = 0;
	size_t n = 0;

	cr_assert(!status_failed(window_init(&window, width)));
	bar = (struct lists_bar){.threshold = window.threshold};
	while (n < ROWS) {
		size_t end = n + 1 + random_below(random, 100);
		float worst, before = window.threshold.score;

		for (; n < end && n < ROWS; n++) {
			scores[n] = factor * (random_signed(random) + random_signed(random));
			if (levels > 0)
				scores[n] = factor * (float)random_below(random, levels);
			window_offer(&window, (struct key){scores[n], n});
		}
		lists_bar_raise(&bar, &window);
		worst = worst_of(scores, n, width, &best);
		cr_assert_leq(window.threshold.score, worst);
		cr_assert_geq(window.threshold.score, before);
	}
	/* Nothing that belongs to the best was kept out. */
	window_seal(&window);
	cr_assert_eq(window.n, width);
	for (size_t i = 0; i < width; i++) {
		cr_assert_eq(window.keys[i].score, scores[window.keys[i].row]);
		cr_assert_geq(window.keys[i].score, worst_of(scores, n, width, &best));
	}
	window_finish(&window);
}

Test(lists_bar, keeps_out_no_row_that_is_among_the_best)
{
	static const size_t widths[] = {1, 2, 10, 64, 700};
	static const float factors[] = {1, 1e-30F, 1e30F};
	struct random random = {11};

	for (size_t turn = 0; turn < 5UL * 3 * 3; turn++) {
		static const uint64_t levels[] = {0, 1, 7};

		check(&random, widths[turn % 5], factors[turn / 5 % 3], levels[turn / 15]);
	}
}

/* Scores that rise for long: the window is not compacted once a list for that. */
Test(lists_bar, rises_without_a_compaction)
{
	struct random random = {12};
	struct lists_bar bar;
	struct window window;
	size_t raised = 0;

	cr_assert(!status_failed(window_init(&window, 1000)));
	bar = (struct lists_bar){.threshold = window.threshold};
	for (size_t row = 0; row < ROWS; row++) {
		size_t n = window.n;

		window_offer(&window, (struct key){random_signed(&random), row});
		lists_bar_raise(&bar, &window);
		if (window.n == n + 1 && window.n > 1250)
			raised += window.threshold.row == UINT64_MAX && n > 1250;
	}
	cr_assert_gt(raised, 100);
	window_finish(&window);
}
