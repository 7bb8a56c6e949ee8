/* scan - plans, dispatches and barriers of a submission. */
#include "kernels/vulkan/scan.h"

#include "kernels/score.h"

#include <math.h>
#include <string.h>

/* Up to here products and sums of the formula stay finite. */
#define FINITE_MAX 0x1p120

uint32_t scan_norm_limit(const struct scan_query *query)
{
	double limit = 2 * VECTOR_NORM_MAX, query_norm = vector_norm(query->values, query->dim);

	if (!(query_norm <= FINITE_MAX && query->qq <= (float)FINITE_MAX &&
	      query->slack_norm <= (float)FINITE_MAX && query->slack_abs <= (float)FINITE_MAX &&
	      query->slack_xx <= 1))
		return 0;
	limit = fmin(limit, FINITE_MAX / fmax(query_norm, 1));
	limit = fmin(limit, FINITE_MAX / fmax((double)query->slack_norm, 1));
	return float_bits((float)limit);
}

void scan_init(struct vulkan_scan *ret, const struct scan_query *query,
	       const struct scan_range *range)
{
	*ret = (struct vulkan_scan){.query = query, .range = range};
	ret->plan = (struct vulkan_plan){
		.stride = (uint32_t)(query->stride * scan_value_bytes(range->block) / 16),
		.is_l2 = query->metric == METRIC_L2,
		.qq = query->qq,
		.slack_norm = query->slack_norm,
		.slack_xx = query->slack_xx,
		.slack_abs = query->slack_abs,
	};
	ret->plan.norm_limit = scan_norm_limit(query);
	ret->width = program_width(ret->plan.stride);
}

void scan_fill_input(const struct vulkan_scan *scan, const struct scan_part *part,
		     const uint64_t *visible, struct vulkan_plan *plan, void *input)
{
	size_t query_bytes = scan->query->stride * sizeof(float);

	memcpy(input, scan->query->values, query_bytes);
	plan->visible_at = PLAN_NONE;
	if (visible) {
		memcpy((char *)input + query_bytes, visible + part->start / 64,
		       quotient_up(part->n, 64) * sizeof *visible);
		plan->visible_at = (uint32_t)(query_bytes / sizeof(uint32_t));
	}
}

uint64_t scan_input_bytes(const struct vulkan_scan *scan, const struct scan_part *part)
{
	return scan->query->stride * sizeof(float) + quotient_up(part->n, 64) * sizeof(uint64_t);
}

void scan_dispatch(struct vulkan_slot *slot, const void *plan, uint32_t plan_bytes, uint32_t groups,
		   uint32_t queries)
{
	const struct VolkDeviceTable *vk = &slot->runtime->device->vk;

	vk->vkCmdPushConstants(slot->commands, slot->runtime->program.layout,
			       VK_SHADER_STAGE_COMPUTE_BIT, 0, plan_bytes, plan);
	vk->vkCmdDispatch(slot->commands, groups, queries, 1);
}

void scan_bind(struct vulkan_slot *slot, VkPipeline pipeline)
{
	slot->runtime->device->vk.vkCmdBindPipeline(slot->commands, VK_PIPELINE_BIND_POINT_COMPUTE,
						    pipeline);
}

void scan_bind_set(struct vulkan_slot *slot, enum program_set kind, VkDescriptorSet set)
{
	slot->runtime->device->vk.vkCmdBindDescriptorSets(
		slot->commands, VK_PIPELINE_BIND_POINT_COMPUTE, slot->runtime->program.layout,
		(uint32_t)kind, 1, &set, 0, NULL);
}

void scan_barrier(struct vulkan_slot *slot, bool to_host)
{
	struct slot_order order = {
		.from = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
		.wrote = VK_ACCESS_SHADER_WRITE_BIT,
		.to = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
		/* Counts are added to. */
		.next = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT,
	};

	if (to_host) {
		order.to = VK_PIPELINE_STAGE_HOST_BIT;
		order.next = VK_ACCESS_HOST_READ_BIT;
	}
	slot_barrier(slot, &order);
}

bool scan_piece_in(const struct vulkan_chunk *chunk, uint32_t first, uint32_t n,
		   struct scan_piece *ret)
{
	uint32_t from = first > chunk->first ? first : chunk->first;
	uint32_t to = least(first + n, chunk->first + chunk->n);

	if (from >= to)
		return false;
	*ret = (struct scan_piece){
		.first = from - chunk->first, .n = to - from, .place = from - first};
	return true;
}

/* The chunk behind, or NULL when the part ends within this one: what is behind may be growing. */
static const struct vulkan_chunk *chunk_behind(const struct vulkan_chunk *chunk,
					       const struct vulkan_scan *scan,
					       const struct scan_part *part)
{
	uint32_t end = scan->range->first + part->start + part->n;

	return chunk->first + chunk->n >= end ? NULL : chunk->next;
}

uint32_t scan_least_chunk(const struct vulkan_scan *scan, const struct scan_part *part)
{
	const struct vulkan_chunk *chunk = scan->copy->chunks;
	uint32_t rows = UINT32_MAX;

	for (; chunk; chunk = chunk_behind(chunk, scan, part)) {
		struct scan_piece piece;

		if (scan_piece_in(chunk, scan->range->first + part->start, part->n, &piece))
			rows = least(rows, chunk->n);
	}
	return rows;
}

uint32_t scan_dispatch_pieces(const struct vulkan_scan *scan, const struct scan_part *part,
			      struct vulkan_plan *plan, bool lists, struct vulkan_slot *slot)
{
	const struct vulkan_chunk *chunk = scan->copy->chunks;
	const uint32_t output_at = plan->output_at, lower_at = plan->lower_at;
	uint32_t groups = 0;

	for (; chunk; chunk = chunk_behind(chunk, scan, part)) {
		struct scan_piece piece;
		uint32_t here;

		if (!scan_piece_in(chunk, scan->range->first + part->start, part->n, &piece))
			continue;
		plan->first = piece.first;
		plan->n = piece.n;
		plan->place = piece.place;
		plan->chunk_rows = chunk->n;
		here = quotient_up(plan->n, plan->rows_per_group);
		if (lists)
			plan->output_at = output_at + groups * plan->k;
		else
			plan->output_at = output_at + plan->place;
		if (lower_at != PLAN_NONE)
			plan->lower_at = lower_at + plan->place;
		if (slot) {
			scan_bind_set(slot, PROGRAM_SET_CHUNK, chunk->set);
			scan_dispatch(slot, plan, sizeof *plan, here, 1);
		}
		groups += here;
	}
	plan->output_at = output_at;
	plan->lower_at = lower_at;
	return groups;
}

status scan_bounds(const struct vulkan_scan *scan, const struct scan_part *part,
		   struct vulkan_slot **slot, const float **ret_upper, const float **ret_lower)
{
	struct vulkan_runtime *runtime = scan->copy->runtime;
	struct vulkan_plan plan = scan->plan;
	uint64_t upper_bytes = part->n * sizeof(float);
	struct slot_sizes sizes = {
		.input_bytes = scan_input_bytes(scan, part),
		.output_bytes = ret_lower ? 2 * upper_bytes : upper_bytes,
	};
	VkPipeline pipeline;

	plan.rows_per_group = 4 * PROGRAM_ROWS * PROGRAM_THREADS / program_lanes(scan->width);
	plan.lower_at = ret_lower ? part->n : PLAN_NONE;
	TRY(program_pipeline(&runtime->program, scan_kernel(scan, KERNEL_SCAN), scan->width,
			     &pipeline));
	TRY(slot_acquire(runtime, scan->copy, scan->deadline, slot));
	TRY(slot_reserve(*slot, &sizes));
	TRY(slot_begin(*slot));
	scan_fill_input(scan, part, NULL, &plan, (*slot)->input.mapped);
	scan_bind(*slot, pipeline);
	scan_bind_set(*slot, PROGRAM_SET_SUBMISSION, (*slot)->set);
	scan_dispatch_pieces(scan, part, &plan, false, *slot);
	scan_barrier(*slot, true);
	TRY(slot_run(*slot, scan->deadline));

	*ret_upper = (*slot)->output.mapped;
	if (ret_lower)
		*ret_lower = *ret_upper + part->n;
	return status_ok();
}
