/* scan_select - of the keys of all rows, which lie in scratch, those that a window may want: K4.
 *
 * Two dispatches count them by their bits (KERNEL_HISTOGRAM8), one brings those that are not below the
 * edge that the counts give (KERNEL_COLLECT8). So what comes back is of the order of what is wanted,
 * however much that is, and unordered. The kernels are those for int8 codes; of vectors, which have no
 * tails, they read keys alone.
 * Scratch: keys [query][part_rows], what else the scan leaves, counts, counters.
 * Results: counters of all queries; then entries, pairs of key and place, [query][capacity].
 */
#ifndef SLUICE_KERNELS_VULKAN_SCAN_SELECT_H
#define SLUICE_KERNELS_VULKAN_SCAN_SELECT_H

#include "kernels/vulkan/scan8.h"

/* A query's own words, as QUERY_ in kernels/shaders/common.glsl. */
#define SELECT_QUERY_WORDS 16

struct select_query {
	float scale_head, scale_tail;
	float on_residual, on_norm, on_rest_head, on_rest_full, on_tail_residual, on_square;
	float absolute, qq;
	uint32_t gate, ceiling, visible_at;
	uint32_t norm_limit; /* of vectors */
	int32_t sum;         /* over signs: of its codes */
	uint32_t unused;
};

_Static_assert(sizeof(struct select_query) == SELECT_QUERY_WORDS * sizeof(uint32_t),
	       "as the kernels see it");

/* select_width - the place of the kernels that have room for so many queries: 1, 2, 4, 8 of them. */
static inline uint32_t select_width(size_t n_queries)
{
	uint32_t width = 0;

	while ((size_t)1 << width < n_queries)
		width++;
	return width;
}

/* select_plan - completes a plan that has part_rows and n_queries.
 * taken   words of scratch before the counts.
 * wanted  rows for each query, about, of more that may be; SCAN8_ALL: all. */
void select_plan(struct vulkan_plan8 *plan, uint32_t taken, uint32_t wanted);

uint64_t select_scratch_bytes(const struct vulkan_plan8 *plan);
uint64_t select_output_bytes(const struct vulkan_plan8 *plan);

struct select_pipelines {
	VkPipeline coarse, fine, collect;
};

/* select_pipelines_find - Fails: as program_pipeline */
status select_pipelines_find(struct vulkan_program *program, struct select_pipelines *ret);

/* To be recorded in this order:
 * select_clear   before the scan: counts begin at zero.
 * select_count   behind the scan, whose keys are then there. KERNEL_COLLECT8 is bound after it, and
 *		  whoever called dispatches that.
 * select_finish  results are there for the host. */
void select_clear(struct vulkan_slot *slot, const struct vulkan_plan8 *plan);
void select_count(struct vulkan_slot *slot, const struct vulkan_plan8 *plan,
		  const struct select_pipelines *pipelines);
void select_finish(struct vulkan_slot *slot, const struct vulkan_plan8 *plan);

/* select_offer - what was found for the at-th query, into a window, which is compacted.
 * first_row  the number of the part's first row.
 * ret_tails  how many tails were read.
 * Gives the ceiling of what was left out and may be before the window's threshold; 0: nothing. */
uint32_t select_offer(const struct vulkan_slot *slot, const struct vulkan_plan8 *plan, size_t at,
		      uint64_t first_row, struct window *window, uint64_t *ret_tails);

#endif
