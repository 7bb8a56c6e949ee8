/* scan_select - see the header. */
#include "kernels/vulkan/scan_select.h"

#include "kernels/vulkan/scan.h"

#include <math.h>
#include <string.h>

/* As the constants of kernels/shaders/codes8.glsl. */
#define BINS 2048
#define COUNTERS 4

/* Rows that a workgroup counts, or collects from: it reads 16 KiB of counts besides. */
#define SELECT_ROWS_PER_GROUP 4096

/* The counters come first in the results; then the entries. */
#define ENTRIES_AT (CODES8_PROBES_MAX * COUNTERS)

struct counters {
	uint32_t entries, edge, total, tails;
};

_Static_assert(sizeof(struct counters) == COUNTERS * sizeof(uint32_t), "as the kernels write it");

void select_plan(struct vulkan_plan8 *plan, uint32_t taken, uint32_t wanted)
{
	plan->bins_at = taken;
	plan->counters_at = taken + (2U * BINS << select_width(plan->n_queries));
	plan->entries_at = ENTRIES_AT;
	plan->wanted = wanted;
	/* Room for a bin that goes past what is wanted. */
	plan->capacity = wanted < plan->part_rows / 2 ? 2 * wanted : plan->part_rows;
	plan->rows_per_group = SELECT_ROWS_PER_GROUP;
}

uint64_t select_scratch_bytes(const struct vulkan_plan8 *plan)
{
	return (plan->counters_at + (uint64_t)COUNTERS * plan->n_queries) * sizeof(uint32_t);
}

uint64_t select_output_bytes(const struct vulkan_plan8 *plan)
{
	return (ENTRIES_AT + 2 * (uint64_t)plan->capacity * plan->n_queries) * sizeof(uint32_t);
}

status select_pipelines_find(struct vulkan_program *program, struct select_pipelines *ret)
{
	TRY(program_pipeline(program, KERNEL_HISTOGRAM8, 0, &ret->coarse));
	TRY(program_pipeline(program, KERNEL_HISTOGRAM8, 1, &ret->fine));
	return program_pipeline(program, KERNEL_COLLECT8, 0, &ret->collect);
}

void select_clear(struct vulkan_slot *slot, const struct vulkan_plan8 *plan)
{
	uint64_t at = plan->bins_at * sizeof(uint32_t);

	slot->runtime->device->vk.vkCmdFillBuffer(slot->commands, slot->scratch.buffer, at,
						  select_scratch_bytes(plan) - at, 0);
	slot_barrier(slot, &(struct slot_order){
				   .from = VK_PIPELINE_STAGE_TRANSFER_BIT,
				   .wrote = VK_ACCESS_TRANSFER_WRITE_BIT,
				   .to = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
				   .next = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT,
			   });
}

void select_count(struct vulkan_slot *slot, const struct vulkan_plan8 *plan,
		  const struct select_pipelines *pipelines)
{
	uint32_t groups = quotient_up(plan->part_rows, plan->rows_per_group);

	scan_barrier(slot, false);
	scan_bind(slot, pipelines->coarse);
	scan_dispatch(slot, plan, sizeof *plan, groups, plan->n_queries);
	scan_barrier(slot, false);
	scan_bind(slot, pipelines->fine);
	scan_dispatch(slot, plan, sizeof *plan, groups, plan->n_queries);
	scan_barrier(slot, false);
	scan_bind(slot, pipelines->collect);
}

void select_finish(struct vulkan_slot *slot, const struct vulkan_plan8 *plan)
{
	const struct slot_order counted = {
		.from = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
		.wrote = VK_ACCESS_SHADER_WRITE_BIT,
		.to = VK_PIPELINE_STAGE_TRANSFER_BIT,
		/* The results, too, lie in what the copy writes to. */
		.next = VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
	};
	const struct slot_order written = {
		.from = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_TRANSFER_BIT,
		.wrote = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
		.to = VK_PIPELINE_STAGE_HOST_BIT,
		.next = VK_ACCESS_HOST_READ_BIT,
	};
	const VkBufferCopy region = {
		.srcOffset = plan->counters_at * sizeof(uint32_t),
		.size = plan->n_queries * sizeof(struct counters),
	};

	slot_barrier(slot, &counted);
	slot->runtime->device->vk.vkCmdCopyBuffer(slot->commands, slot->scratch.buffer,
						  slot->output.buffer, 1, &region);
	slot_barrier(slot, &written);
}

uint32_t select_offer(const struct vulkan_slot *slot, const struct vulkan_plan8 *plan, size_t at,
		      uint64_t first_row, struct window *window, uint64_t *ret_tails)
{
	const uint32_t *words = slot->output.mapped;
	const uint32_t *pair = words + plan->entries_at + 2 * at * plan->capacity;
	struct counters counters;

	memcpy(&counters, words + at * COUNTERS, sizeof counters);
	*ret_tails = plan->tail_pairs ? counters.tails : 0;
	/* Nothing that a device may write leads out of the range. */
	for (uint32_t i = least(counters.entries, plan->capacity); i > 0; i--, pair += 2) {
		struct key key = {score_from_ordered(pair[0]), first_row + pair[1]};

		if (pair[1] < plan->part_rows && !isnan(key.score))
			window_offer(window, key);
	}
	window_compact(window);
	return counters.edge > score_to_ordered(window->threshold.score) ? counters.edge : 0;
}
