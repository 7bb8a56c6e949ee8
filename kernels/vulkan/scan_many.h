/* scan_many - one part of a range of vectors as one submission, for one to eight queries at once and
 * windows of any width.
 *
 * Each row is read once for all queries (KERNEL_SCAN_KEYS), which leaves 4 bytes for each of them;
 * then the best are selected (scan_select.h). For one query and a window up to TOP_MAX scan_top is
 * cheaper: it leaves nothing. Where more rows are alike than there is room for, a second submission
 * brings what the first left out.
 */
#ifndef SLUICE_KERNELS_VULKAN_SCAN_MANY_H
#define SLUICE_KERNELS_VULKAN_SCAN_MANY_H

#include "kernels/vulkan/scan.h"

/* scan_ask - what one query of a submission wants. All are of one metric and dimension. */
struct scan_ask {
	const struct scan_query *query;
	const uint64_t *visible; /* bit place - first of the range; NULL: all rows */
	struct window *window;   /* goes on from what it has */
};

/* One submission: rows start .. start + n of the range. What a scan's own query and range say of one
 * query and its bitmap does not matter here. */
struct scan_many {
	const struct vulkan_scan *scan;
	const struct scan_ask *asks;
	size_t n_asks;     /* 1 .. SCAN_PROBES_MAX */
	bool is_scan_only; /* nothing is selected, nothing comes back: to measure */
};

/* scan_many_rows - what n of a part may be for so many queries; a multiple of 64. */
uint32_t scan_many_rows(size_t n_asks);

/* scan_many_offer - of a part the visible rows whose bound keys come first, into each ask's window, as
 * scanner_ops.propose has it.
 * Fails: CANCELLED DEADLINE_EXCEEDED UNAVAILABLE RESOURCE_EXHAUSTED */
status scan_many_offer(const struct scan_many *many, const struct scan_part *part);

#endif
