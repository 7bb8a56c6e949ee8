/* lists_bar - how good a row has to be to be kept, while rows come in: nearly the worst score among the
 * best `width` of a window.
 *
 * A window knows that score when it is compacted, which takes a selection; a walk wants it after each
 * list. So between two compactions the keys above it are counted, by score in steps, and the window's
 * threshold is raised to the lowest step that enough of them reach. (A threshold that
 * is not late lets in less, and ends a walk sooner.)
 */
#ifndef SLUICE_INDEX_ANN_LISTS_BAR_H
#define SLUICE_INDEX_ANN_LISTS_BAR_H

#include "kernels/window.h"

#define LISTS_BAR_STEPS 128

/* lists_bar - before the first list all zero but for the threshold, the window's.
 * low      the score at which step 0 begins. per_score  steps to a unit of score; 0: all are of step 0.
 * lowest   the step that the threshold is at. n  keys from there on; seen  keys that were counted. */
struct lists_bar {
	float low, per_score;
	uint32_t lowest;
	size_t n, seen;
	struct key threshold; /* as the window has it, unless it was compacted since */
	uint32_t counts[LISTS_BAR_STEPS];
};

/* lists_bar_raise - after a list; offers in between, and compactions, are seen. Until the window has
 * more than its width there is no bar. */
void lists_bar_raise(struct lists_bar *bar, struct window *window);

#endif
