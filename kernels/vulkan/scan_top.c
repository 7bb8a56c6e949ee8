/* scan_top - the best rows of a part, picked on the device: each workgroup leaves a list, lists are
 * merged to one, and only that one comes back.
 */
#include "kernels/vulkan/scan.h"

#include <string.h>

/* A workgroup takes so many bytes at least, and there are at most so many of them. */
#define GROUP_BYTES_MIN ((uint64_t)256 << 10)
#define GROUPS_MAX 1024

/* Lists that one workgroup merges to one. */
#define MERGE_LISTS 32

/* The window's threshold, in the part's terms. */
static void gate_set(struct vulkan_plan *plan, struct key threshold, uint64_t first_row)
{
	uint64_t place = threshold.row > first_row ? threshold.row - first_row : 0;

	plan->gate_key = score_to_ordered(threshold.score);
	plan->gate_place = place < UINT32_MAX ? (uint32_t)place : UINT32_MAX;
}

/* Enough rows for a workgroup that its list is a small part of its work. */
static uint32_t top_rows_per_group(const struct vulkan_scan *scan, const struct scan_part *part,
				   uint32_t k)
{
	uint32_t pass = PROGRAM_ROWS * PROGRAM_THREADS / program_lanes(scan->width);
	uint32_t rows = quotient_up(GROUP_BYTES_MIN, scan->plan.stride * 16);

	if (rows < 2 * k)
		rows = 2 * k;
	if (rows < quotient_up(part->n, GROUPS_MAX))
		rows = quotient_up(part->n, GROUPS_MAX);
	return quotient_up(rows, pass) * pass;
}

/* Entries of scratch that lists and what they are merged to take; the last list goes elsewhere. */
static uint64_t scratch_entries(uint64_t lists, uint32_t k)
{
	uint64_t entries = 0;

	for (; lists > 1; lists = quotient_up(lists, MERGE_LISTS))
		entries += lists * k;
	return entries;
}

/* Merges lists that lie at the beginning of scratch until one is left, which goes to the output. */
static void merge_dispatch(struct vulkan_slot *slot, struct vulkan_plan *plan, VkPipeline pipeline,
			   uint32_t lists)
{
	scan_bind(slot, pipeline);
	plan->place = 0;
	plan->rows_per_group = MERGE_LISTS * plan->k;
	while (lists > 1) {
		uint32_t fewer = quotient_up(lists, MERGE_LISTS);

		scan_barrier(slot, false);
		plan->n = lists * plan->k;
		plan->is_last = fewer == 1;
		plan->output_at = plan->is_last ? 0 : plan->place + plan->n;
		scan_dispatch(slot, plan, sizeof *plan, fewer, 1);
		plan->place = plan->output_at;
		lists = fewer;
	}
}

/* pairs  [k] of (ordered score, place), best first; a score of 0 ends them. */
static void top_offer(const uint32_t *pairs, uint32_t k, uint64_t first_row, struct window *window)
{
	struct key key = {0};
	uint32_t n = 0;

	for (; n < k && pairs[2 * n]; n++) {
		key = (struct key){score_from_ordered(pairs[2 * n]), first_row + pairs[2 * n + 1]};
		window_offer(window, key);
	}
	if (n == k)
		window_complete_to(window, key);
}

status scan_top(const struct vulkan_scan *scan, const struct scan_part *part, uint32_t k,
		struct window *window)
{
	struct vulkan_runtime *runtime = scan->copy->runtime;
	uint64_t first_row = scan->range->row_base + scan->range->first + part->start;
	SCOPED(vulkan_slot) slot = NULL;
	struct vulkan_plan plan = scan->plan;
	VkPipeline top, merge;
	uint32_t lists;

	plan.k = k;
	plan.lower_at = PLAN_NONE;
	plan.rows_per_group = top_rows_per_group(scan, part, k);
	gate_set(&plan, window->threshold, first_row);
	lists = scan_dispatch_pieces(scan, part, &plan, true, NULL);
	plan.is_last = lists == 1;
	TRY(program_pipeline(&runtime->program, scan_kernel(scan, KERNEL_SCAN_TOP), scan->width,
			     &top));
	TRY(program_pipeline(&runtime->program, KERNEL_MERGE, 0, &merge));
	TRY(slot_acquire(runtime, scan->copy, scan->deadline, &slot));
	TRY(slot_reserve(slot,
			 &(struct slot_sizes){
				 .input_bytes = scan_input_bytes(scan, part),
				 .output_bytes = k * 2 * sizeof(uint32_t),
				 .scratch_bytes = scratch_entries(lists, k) * 2 * sizeof(uint32_t),
			 }));
	TRY(slot_begin(slot));
	scan_fill_input(scan, part, scan->range->visible, &plan, slot->input.mapped);
	scan_bind(slot, top);
	scan_bind_set(slot, PROGRAM_SET_SUBMISSION, slot->set);
	scan_dispatch_pieces(scan, part, &plan, true, slot);
	merge_dispatch(slot, &plan, merge, lists);
	scan_barrier(slot, true);
	slot_guess(slot, (uintptr_t)scan->copy + part->n);
	TRY(slot_run(slot, scan->deadline));
	top_offer(slot->output.mapped, k, first_row, window);
	return status_ok();
}

status scan_top_merge(const struct vulkan_scan *scan, const struct scan_part *part, uint32_t k)
{
	struct vulkan_runtime *runtime = scan->copy->runtime;
	SCOPED(vulkan_slot) slot = NULL;
	struct vulkan_plan plan = scan->plan;
	VkPipeline merge;
	uint32_t lists;

	plan.k = k;
	plan.rows_per_group = top_rows_per_group(scan, part, k);
	lists = scan_dispatch_pieces(scan, part, &plan, true, NULL);
	TRY(program_pipeline(&runtime->program, KERNEL_MERGE, 0, &merge));
	TRY(slot_acquire(runtime, scan->copy, scan->deadline, &slot));
	TRY(slot_reserve(slot,
			 &(struct slot_sizes){
				 .output_bytes = k * 2 * sizeof(uint32_t),
				 .scratch_bytes = scratch_entries(lists, k) * 2 * sizeof(uint32_t),
			 }));
	TRY(slot_begin(slot));
	scan_bind_set(slot, PROGRAM_SET_SUBMISSION, slot->set);
	merge_dispatch(slot, &plan, merge, lists);
	scan_barrier(slot, true);
	return slot_run(slot, scan->deadline);
}
