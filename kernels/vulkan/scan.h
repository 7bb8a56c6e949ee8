/* scan - one part of a range as one submission: what is recorded, and what comes back. */
#ifndef SLUICE_KERNELS_VULKAN_SCAN_H
#define SLUICE_KERNELS_VULKAN_SCAN_H

#include "kernels/vulkan/copy.h"
#include "kernels/vulkan/number.h"

#include <string.h>

/* Rows of one submission at most. A multiple of 64, so that a part begins at a word of the bitmap.
 */
#define SCAN_ROWS ((uint32_t)1 << 20)

/* One call, from its first part to its last. */
struct vulkan_scan {
	struct vulkan_copy *copy; /* borrowed; has all rows of the range */
	const struct scan_query *query;
	const struct scan_range *range;
	const struct deadline *deadline;
	struct vulkan_plan plan; /* what all dispatches have in common */
	uint32_t width;          /* of the program's teams */
};

/* A part: rows start .. start + n of the range, n at most SCAN_ROWS. */
struct scan_part {
	uint32_t start, n;
};

/* scan_init - what follows from the query: coefficients, kernels. copy and deadline are not set. */
void scan_init(struct vulkan_scan *ret, const struct scan_query *query,
	       const struct scan_range *range);

/* scan_norm_limit - the norm from which on a bound might not be finite, as bits: these order as the
 * numbers do, and infinities and NaN are above all. 0: the query is such that no row has finite
 * bounds. */
uint32_t scan_norm_limit(const struct scan_query *query);

/* scan_bounds - both bounds of every row of a part, or the upper ones alone.
 * ret_lower  NULL: not wanted. The results are at *ret_upper and *ret_lower, [part->n], until the
 * slot is released; *slot is acquired here.
 * Fails: CANCELLED DEADLINE_EXCEEDED UNAVAILABLE RESOURCE_EXHAUSTED */
status scan_bounds(const struct vulkan_scan *scan, const struct scan_part *part,
		   struct vulkan_slot **slot, const float **ret_upper, const float **ret_lower);

/* scan_top - the k visible rows of a part whose bound keys come first, k at most TOP_MAX, into the
 * window; only such as are before its threshold. Those left out are after the last offered one,
 * which the window is told.
 * Fails: as scan_bounds */
status scan_top(const struct vulkan_scan *scan, const struct scan_part *part, uint32_t k,
		struct window *window);

/* scan_top_merge - as much as scan_top merges of such a part, without anything to merge: to measure.
 * Fails: as scan_bounds */
status scan_top_merge(const struct vulkan_scan *scan, const struct scan_part *part, uint32_t k);

/* What a submission is recorded from; for the files scan*.c alone. */

/* As ordered() in kernels/shaders/common.glsl, and back. */
static inline uint32_t score_to_ordered(float score)
{
	uint32_t bits = score == 0 ? 0 : float_bits(score);

	return bits >> 31 ? ~bits : bits | UINT32_C(1) << 31;
}

static inline float score_from_ordered(uint32_t ordered)
{
	uint32_t bits = ordered >> 31 ? ordered & ~(UINT32_C(1) << 31) : ~ordered;
	float score;

	memcpy(&score, &bits, sizeof score);
	return score;
}

/* scan_kernel - the kernel for what the copy is of. */
static inline enum kernel scan_kernel(const struct vulkan_scan *scan, enum kernel kernel)
{
	return scan->range->block->is_half ? (enum kernel)(kernel + 1) : kernel;
}

/* scan_fill_input - the query, and behind it the part's bits of visible (NULL: no bits).
 * plan->visible_at tells where they are. scan_input_bytes - what that takes at most. */
void scan_fill_input(const struct vulkan_scan *scan, const struct scan_part *part,
		     const uint64_t *visible, struct vulkan_plan *plan, void *input);
uint64_t scan_input_bytes(const struct vulkan_scan *scan, const struct scan_part *part);

void scan_bind(struct vulkan_slot *slot, VkPipeline pipeline);
void scan_bind_set(struct vulkan_slot *slot, enum program_set kind, VkDescriptorSet set);

/* scan_dispatch - plan  what the kernel is told, plan_bytes of it.
 * queries  each gets so many groups. */
void scan_dispatch(struct vulkan_slot *slot, const void *plan, uint32_t plan_bytes, uint32_t groups,
		   uint32_t queries);

/* scan_barrier - what kernels wrote is there for the kernels behind, or for the host. */
void scan_barrier(struct vulkan_slot *slot, bool to_host);

/* scan_piece_in - what of the rows first .. first + n of a copy lies in a chunk: as a plan's first, n
 * and place. False: nothing. */
struct scan_piece {
	uint32_t first, n, place;
};

bool scan_piece_in(const struct vulkan_chunk *chunk, uint32_t first, uint32_t n,
		   struct scan_piece *ret);

/* scan_dispatch_pieces - one dispatch for each chunk that the part touches.
 * slot   NULL: nothing is recorded.
 * lists  each workgroup leaves a list of plan->k keys; else there is a bound for each row.
 * Returns the number of workgroups. */
uint32_t scan_dispatch_pieces(const struct vulkan_scan *scan, const struct scan_part *part,
			      struct vulkan_plan *plan, bool lists, struct vulkan_slot *slot);

/* scan_least_chunk - rows that the smallest of the chunks that the part touches has room for. */
uint32_t scan_least_chunk(const struct vulkan_scan *scan, const struct scan_part *part);

/* scanner_vulkan_runtime - what stands behind a scanner now: tests make its calls fail.
 * scanner_vulkan_keeper - who renews it. */
struct vulkan_runtime *scanner_vulkan_runtime(struct scanner *scanner);
struct keeper *scanner_vulkan_keeper(struct scanner *scanner);

#endif
