/* scan8 - one part of a range of int8 codes as one submission, for one to eight queries at once.
 *
 * Four dispatches: products and head bounds of all rows (KERNEL_SCAN8), two counts of them by their
 * bits (KERNEL_HISTOGRAM8), and the rows above the edge that the counts give, with their tails read
 * (KERNEL_COLLECT8). What comes back is a few times what a window holds, unordered. Where a row
 * below the edge, which is a bound by the head alone, might still be among the best, a second
 * submission brings those between window's threshold and edge.
 * The bounds are those of the processor's scanner, and a window ends up the same.
 * Over a copy of signs (codes1.h) it is KERNEL_SCAN1 instead, there are no tails, and the bounds are those
 * of codes1_bounds.
 */
#ifndef SLUICE_KERNELS_VULKAN_SCAN8_H
#define SLUICE_KERNELS_VULKAN_SCAN8_H

#include "kernels/cpu/codes8_scanner.h"
#include "kernels/vulkan/copy.h"

/* What a kernel is told: plan_block of kernels/shaders/codes8.glsl, which explains the fields. */
struct vulkan_plan8 {
	uint32_t first, n, place;
	uint32_t part_rows;
	uint32_t block_size, codes_at;
	uint32_t head_quads, tail_pairs, tail_size;
	uint32_t is_l2;
	uint32_t n_queries;
	uint32_t head_codes_at, tail_codes_at;
	uint32_t dots_at, bins_at, counters_at;
	uint32_t entries_at, capacity, wanted;
	uint32_t rows_per_group;
};

_Static_assert(sizeof(struct vulkan_plan8) == 80, "as the kernels see it");
_Static_assert(sizeof(struct vulkan_plan8) <= PLAN_BYTES_MAX, "room for a plan");

/* Rows times queries of one submission at most: 8 bytes of scratch each. */
#define SCAN8_ENTRIES ((uint32_t)1 << 22)

/* scan8_ask - what one query of a submission wants. */
struct scan8_ask {
	const struct codes8_query *query;
	const uint64_t *visible; /* bit place - first of the range; NULL: all rows */
	float threshold;         /* bounds below it are not wanted, */
	uint32_t ceiling;        /* nor keys of heads from this one on; SCAN8_ALL: all below */
	bool is_done;            /* nothing is wanted */
};

#define SCAN8_ALL UINT32_MAX

/* One submission: rows first .. first + n of the copy, from bit `start` of the bitmaps on. */
struct scan8_part {
	struct vulkan_copy *copy; /* borrowed; has the rows */
	const struct scan8_ask *asks;
	size_t n_asks;
	uint32_t first, n, start;
	uint32_t wanted; /* rows for each query, about, of more that may be; SCAN8_ALL: all */
	const struct deadline *deadline;
	bool is_scan_only; /* nothing is selected, nothing comes back: to measure */
};

/* scan8_part_rows - what n of a part may be for so many queries; a multiple of 64. */
uint32_t scan8_part_rows(size_t n_asks);

/* scan8_serves - whether the device computes the query's bounds: nothing can leave float. */
bool scan8_serves(const struct codes8_query *query);

/* scan8_wanted - how many rows to ask for, so that a window of this width can be filled. */
uint32_t scan8_wanted(const struct codes8_shape *shape, size_t width);

/* scan8_prepare - makes the kernels for one query, which the first scan would else do.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
status scan8_prepare(struct vulkan_runtime *runtime);

/* scan8_run - Results are in *slot, acquired here, until it is released. In steps:
 * scan8_ready - all but the asks is known: kernels, and *slot with room for them (NULL: acquired here).
 * scan8_send - reads the asks and submits; then comes slot_wait.
 * Fails: CANCELLED DEADLINE_EXCEEDED UNAVAILABLE RESOURCE_EXHAUSTED */
status scan8_run(const struct scan8_part *part, struct vulkan_slot **slot);
status scan8_ready(const struct scan8_part *part, struct vulkan_slot **slot);
status scan8_send(const struct scan8_part *part, struct vulkan_slot *slot);

/* scan8_offer - what the part found for the at-th of its queries, into a window, which is compacted.
 * row_base  as of a codes8_range.
 * ret_tails how many tails were read.
 * Gives the ceiling of what was left out and may be before the window's threshold; 0: nothing. */
uint32_t scan8_offer(const struct scan8_part *part, const struct vulkan_slot *slot, size_t at,
		     uint64_t row_base, struct window *window, uint64_t *ret_tails);

/* scan8_bounds - both bounds of every row for the part's only query, [part->n] at *ret_upper and
 * *ret_lower until the slot is released. Fails: as scan8_run */
status scan8_bounds(const struct scan8_part *part, struct vulkan_slot **slot,
		    const float **ret_upper, const float **ret_lower);

#endif
