/* lists_bar - see lists_bar.h. */
#include "index/ann/lists_bar.h"

/* In steps. */
#define ROUNDING 0x1p-6F

static bool is_same(struct key a, struct key b)
{
	return a.row == b.row && !(a.score < b.score) && !(a.score > b.score);
}

static uint32_t step_of(const struct lists_bar *bar, float score)
{
	float steps = (score - bar->low) * bar->per_score;

	if (!(steps < LISTS_BAR_STEPS - 1))
		return LISTS_BAR_STEPS - 1;
	return steps > 0 ? (uint32_t)steps : 0;
}

static void count(struct lists_bar *bar, const struct window *window)
{
	for (; bar->seen < window->n; bar->seen++) {
		uint32_t step = step_of(bar, window->keys[bar->seen].score);

		bar->counts[step]++;
		bar->n += step >= bar->lowest;
	}
}

/* From a window that was compacted: its threshold is the worst of what it keeps. */
static void begin(struct lists_bar *bar, const struct window *window)
{
	float best = window->threshold.score, range;

	for (size_t i = 0; i < window->n; i++)
		best = window->keys[i].score > best ? window->keys[i].score : best;
	range = best - window->threshold.score;
	*bar = (struct lists_bar){.low = window->threshold.score, .threshold = window->threshold};
	/* What is all alike, or too far apart for floats, has one step. */
	if (range > 0x1p-100F && range < 0x1p100F)
		bar->per_score = LISTS_BAR_STEPS / range;
	count(bar, window);
}

void lists_bar_raise(struct lists_bar *bar, struct window *window)
{
	bool compacted = !is_same(window->threshold, bar->threshold);
	uint32_t lowest;

	if (!compacted && !(bar->per_score > 0)) {
		if (window->n < window->width + window->width / 4)
			return;
		window_compact(window);
		compacted = true;
	}
	if (compacted)
		begin(bar, window);
	else
		count(bar, window);
	lowest = bar->lowest;
	while (lowest + 1 < LISTS_BAR_STEPS && bar->n - bar->counts[lowest] >= window->width)
		bar->n -= bar->counts[lowest++];
	if (lowest == bar->lowest || !(bar->per_score > 0))
		return;
	bar->lowest = lowest;
	/* Not above any score that was counted there, however it was rounded. */
	bar->threshold =
		(struct key){bar->low + ((float)lowest - ROUNDING) / bar->per_score, UINT64_MAX};
	window->threshold = bar->threshold;
}
