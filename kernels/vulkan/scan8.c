/* scan8 - what is recorded for int8 codes, and what comes back. */
#include "kernels/vulkan/scan8.h"

#include "kernels/vulkan/scan.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Up to here no product of a factor with a row's side leaves float: sides are below 2^62, squares
 * below 2^124 and their factor below 1 (codes8.glsl). */
#define FACTOR_MAX 0x1p58F
#define QQ_MAX 0x1p120F

/* As the constants of kernels/shaders/codes8.glsl and collect8.comp. */
#define QUERY_WORDS 16
#define BINS 2048
#define COUNTERS 4
#define SCAN_ROWS_PER_GROUP 256

/* Rows that a workgroup counts, or collects from: it reads 16 KiB of counts besides. */
#define SELECT_ROWS_PER_GROUP 4096

/* The edge is a bound by the head. With a good rotation those that end up in a window are among 16
 * times as many that come first by it; if not, there is a second submission. */
#define WANTED_PER_KEPT 16
#define WANTED_MIN 1024
#define WANTED_MAX 65536

/* The counters come first in the results; then the entries. */
#define ENTRIES_AT (CODES8_PROBES_MAX * COUNTERS)

struct counters {
	uint32_t entries, edge, total, tails;
};

_Static_assert(sizeof(struct counters) == COUNTERS * sizeof(uint32_t), "as the kernels write it");

/* What the kernels read of a query: QUERY_ in kernels/shaders/codes8.glsl. */
struct query_words {
	float scale_head, scale_tail;
	float on_residual, on_norm, on_rest_head, on_rest_full, on_tail_residual, on_square;
	float absolute, qq;
	uint32_t gate, ceiling, visible_at, unused[3];
};

_Static_assert(sizeof(struct query_words) == QUERY_WORDS * sizeof(uint32_t),
	       "as the kernels see it");

/* The width of KERNEL_SCAN8 that has room for so many queries. */
static uint32_t queries_width(size_t n)
{
	uint32_t width = 0;

	while ((size_t)1 << width < n)
		width++;
	return width;
}

uint32_t scan8_part_rows(size_t n_asks)
{
	return SCAN8_ENTRIES >> queries_width(n_asks);
}

bool scan8_serves(const struct codes8_query *query)
{
	const float factors[] = {
		query->head.scale,   query->tail.scale,   query->on_residual,      query->on_norm,
		query->on_rest_head, query->on_rest_full, query->on_tail_residual,
	};

	for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
		if (!(factors[i] <= FACTOR_MAX))
			return false;
	}
	return query->absolute <= QQ_MAX && query->qq <= QQ_MAX && query->on_square <= 1;
}

uint32_t scan8_wanted(const struct codes8_shape *shape, size_t width)
{
	size_t wanted = shape->tail ? WANTED_PER_KEPT * width : width + 1;

	if (wanted > WANTED_MAX)
		wanted = width + 1 > WANTED_MAX ? width + 1 : WANTED_MAX;
	return wanted < WANTED_MIN ? WANTED_MIN : (uint32_t)wanted;
}

static struct vulkan_plan8 plan_init(const struct scan8_part *part)
{
	const struct codes8_shape *shape = &part->copy->shape;
	uint32_t queries = 1U << queries_width(part->n_asks), rows = queries * part->n;
	struct vulkan_plan8 plan = {
		.part_rows = part->n,
		.block_size = (uint32_t)(shape->block_bytes / 16),
		.codes_at = (uint32_t)(shape->codes_offset / 16),
		.head_quads = shape->head / 4,
		.tail_pairs = shape->tail / 8,
		.tail_size = (uint32_t)(shape->tail_bytes / 8),
		.is_l2 = shape->metric == METRIC_L2,
		.n_queries = (uint32_t)part->n_asks,
		.head_codes_at = QUERY_WORDS * (uint32_t)part->n_asks,
		.dots_at = rows,
		.bins_at = 2 * rows,
		.counters_at = 2 * rows + 2 * BINS * queries,
		.entries_at = ENTRIES_AT,
		.wanted = part->wanted,
		.rows_per_group = SELECT_ROWS_PER_GROUP,
	};

	plan.tail_codes_at = plan.head_codes_at + plan.head_quads * queries;
	/* Room for a bin that goes past what is wanted. */
	plan.capacity = part->wanted < part->n / 2 ? 2 * part->wanted : part->n;
	return plan;
}

static uint64_t scratch_words(const struct vulkan_plan8 *plan)
{
	return plan->counters_at + (uint64_t)COUNTERS * plan->n_queries;
}

static uint32_t bitmaps_at(const struct scan8_part *part, const struct vulkan_plan8 *plan)
{
	return plan->tail_codes_at + 2 * plan->tail_pairs * (uint32_t)part->n_asks;
}

static uint64_t input_bytes(const struct scan8_part *part, const struct vulkan_plan8 *plan)
{
	/* Each bitmap is whole words of 64 bits, and may begin between two. */
	return (bitmaps_at(part, plan) + part->n_asks * 2 * (quotient_up(part->n, 64) + 1)) *
	       sizeof(uint32_t);
}

static struct query_words query_words_of(const struct scan8_ask *ask)
{
	const struct codes8_query *query = ask->query;

	return (struct query_words){
		.scale_head = query->head.scale,
		.scale_tail = query->tail.scale,
		.on_residual = query->on_residual,
		.on_norm = query->on_norm,
		.on_rest_head = query->on_rest_head,
		.on_rest_full = query->on_rest_full,
		.on_tail_residual = query->on_tail_residual,
		.on_square = query->on_square,
		.absolute = query->absolute,
		.qq = query->qq,
		.gate = ask->is_done ? SCAN8_ALL : score_to_ordered(ask->threshold),
		.ceiling = ask->ceiling,
		.visible_at = PLAN_NONE,
	};
}

/* The heads' codes lie word by word for all queries, as each word is read for all of them. */
static void head_codes_fill(const struct scan8_part *part, const struct vulkan_plan8 *plan,
			    uint32_t *words)
{
	size_t queries = (size_t)1 << queries_width(part->n_asks);

	for (size_t i = 0; i < queries; i++) {
		for (size_t quad = 0; quad < plan->head_quads; quad++) {
			uint32_t *word = &words[plan->head_codes_at + quad * queries + i];

			*word = 0;
			if (i < part->n_asks)
				memcpy(word, part->asks[i].query->head.codes + 4 * quad, 4);
		}
	}
}

static void input_fill(const struct scan8_part *part, const struct vulkan_plan8 *plan, void *input)
{
	uint32_t *words = input, at = bitmaps_at(part, plan);
	uint32_t tail_words = 2 * plan->tail_pairs, bitmap_words = 2 * quotient_up(part->n, 64);

	head_codes_fill(part, plan, words);
	for (size_t i = 0; i < part->n_asks; i++) {
		const struct scan8_ask *ask = &part->asks[i];
		struct query_words own = query_words_of(ask);

		if (tail_words)
			memcpy(words + plan->tail_codes_at + i * tail_words, ask->query->tail.codes,
			       tail_words * sizeof *words);
		if (ask->visible) {
			/* start is a multiple of 64. */
			memcpy(words + at, ask->visible + part->start / 64,
			       bitmap_words * sizeof *words);
			own.visible_at = at;
			at += bitmap_words;
		}
		memcpy(words + i * QUERY_WORDS, &own, sizeof own);
	}
}

/* A dispatch for each chunk that the part touches. aligned: groups begin at whole blocks, and each is
 * for all queries at once; else they are for each query. */
static void dispatch_pieces(const struct scan8_part *part, struct vulkan_plan8 *plan,
			    struct vulkan_slot *slot, bool aligned)
{
	for (const struct vulkan_chunk *chunk = part->copy->chunks; chunk; chunk = chunk->next) {
		struct scan_piece piece;
		uint32_t groups;

		if (!scan_piece_in(chunk, part->first, part->n, &piece))
			continue;
		plan->first = piece.first;
		plan->n = piece.n;
		plan->place = piece.place;
		groups = aligned ? quotient_up(plan->n + plan->first % CODES8_ROWS,
					       SCAN_ROWS_PER_GROUP)
				 : quotient_up(plan->n, plan->rows_per_group);
		scan_bind_set(slot, PROGRAM_SET_CHUNK, chunk->set);
		scan_dispatch(slot, plan, sizeof *plan, groups, aligned ? 1 : plan->n_queries);
	}
}

/* Counts begin at zero. */
static void counts_clear(struct vulkan_slot *slot, const struct vulkan_plan8 *plan)
{
	uint64_t at = plan->bins_at * sizeof(uint32_t);

	slot->runtime->device->vk.vkCmdFillBuffer(slot->commands, slot->scratch.buffer, at,
						  scratch_words(plan) * sizeof(uint32_t) - at, 0);
	slot_barrier(slot, &(struct slot_order){
				   .from = VK_PIPELINE_STAGE_TRANSFER_BIT,
				   .wrote = VK_ACCESS_TRANSFER_WRITE_BIT,
				   .to = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
				   .next = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT,
			   });
}

static void counters_copy(struct vulkan_slot *slot, const struct vulkan_plan8 *plan)
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

struct pipelines {
	VkPipeline scan, coarse, fine, collect;
};

static status pipelines_find(struct vulkan_runtime *runtime, size_t n_asks, struct pipelines *ret)
{
	struct vulkan_program *program = &runtime->program;

	TRY(program_pipeline(program, KERNEL_SCAN8, queries_width(n_asks), &ret->scan));
	TRY(program_pipeline(program, KERNEL_HISTOGRAM8, 0, &ret->coarse));
	TRY(program_pipeline(program, KERNEL_HISTOGRAM8, 1, &ret->fine));
	return program_pipeline(program, KERNEL_COLLECT8, 0, &ret->collect);
}

status scan8_prepare(struct vulkan_runtime *runtime)
{
	struct pipelines pipelines;

	return pipelines_find(runtime, 1, &pipelines);
}

static void search_record(const struct scan8_part *part, struct vulkan_plan8 *plan,
			  const struct pipelines *pipelines, struct vulkan_slot *slot)
{
	uint32_t groups = quotient_up(part->n, plan->rows_per_group);

	counts_clear(slot, plan);
	scan_bind_set(slot, PROGRAM_SET_SUBMISSION, slot->set);
	scan_bind(slot, pipelines->scan);
	dispatch_pieces(part, plan, slot, true);
	if (part->is_scan_only)
		return;
	scan_barrier(slot, false);
	scan_bind(slot, pipelines->coarse);
	scan_dispatch(slot, plan, sizeof *plan, groups, plan->n_queries);
	scan_barrier(slot, false);
	scan_bind(slot, pipelines->fine);
	scan_dispatch(slot, plan, sizeof *plan, groups, plan->n_queries);
	scan_barrier(slot, false);
	scan_bind(slot, pipelines->collect);
	dispatch_pieces(part, plan, slot, false);
	counters_copy(slot, plan);
}

status scan8_run(const struct scan8_part *part, struct vulkan_slot **slot)
{
	struct vulkan_runtime *runtime = part->copy->runtime;
	struct vulkan_plan8 plan = plan_init(part);
	struct slot_sizes sizes = {
		.input_bytes = input_bytes(part, &plan),
		.output_bytes = (ENTRIES_AT + 2 * (uint64_t)plan.capacity * part->n_asks) *
				sizeof(uint32_t),
		.scratch_bytes = scratch_words(&plan) * sizeof(uint32_t),
	};
	struct pipelines pipelines;

	assert(part->n <= scan8_part_rows(part->n_asks) && part->start % 64 == 0);
	TRY(pipelines_find(runtime, part->n_asks, &pipelines));
	TRY(slot_acquire(runtime, part->copy, part->deadline, slot));
	TRY(slot_reserve(*slot, &sizes));
	TRY(slot_begin(*slot));
	input_fill(part, &plan, (*slot)->input.mapped);
	search_record(part, &plan, &pipelines, *slot);
	return slot_run(*slot, part->deadline);
}

uint32_t scan8_offer(const struct scan8_part *part, const struct vulkan_slot *slot, size_t at,
		     uint64_t row_base, struct window *window, uint64_t *ret_tails)
{
	struct vulkan_plan8 plan = plan_init(part);
	const uint32_t *words = slot->output.mapped;
	const uint32_t *pair = words + plan.entries_at + 2 * at * plan.capacity;
	struct counters counters;

	memcpy(&counters, words + at * COUNTERS, sizeof counters);
	*ret_tails = plan.tail_pairs ? counters.tails : 0;
	/* Nothing that a device may write leads out of the range. */
	for (uint32_t i = least(counters.entries, plan.capacity); i > 0; i--, pair += 2) {
		struct key key = {score_from_ordered(pair[0]), row_base + part->first + pair[1]};

		if (pair[1] < part->n && !isnan(key.score))
			window_offer(window, key);
	}
	window_compact(window);
	return counters.edge > score_to_ordered(window->threshold.score) ? counters.edge : 0;
}

status scan8_bounds(const struct scan8_part *part, struct vulkan_slot **slot,
		    const float **ret_upper, const float **ret_lower)
{
	struct vulkan_runtime *runtime = part->copy->runtime;
	struct vulkan_plan8 plan = plan_init(part);
	struct slot_sizes sizes = {
		.input_bytes = input_bytes(part, &plan),
		.output_bytes = 2 * part->n * sizeof(float),
	};
	VkPipeline pipeline;

	assert(part->n_asks == 1);
	TRY(program_pipeline(&runtime->program, KERNEL_BOUNDS8, 0, &pipeline));
	TRY(slot_acquire(runtime, part->copy, part->deadline, slot));
	TRY(slot_reserve(*slot, &sizes));
	TRY(slot_begin(*slot));
	input_fill(part, &plan, (*slot)->input.mapped);
	scan_bind_set(*slot, PROGRAM_SET_SUBMISSION, (*slot)->set);
	scan_bind(*slot, pipeline);
	dispatch_pieces(part, &plan, *slot, true);
	scan_barrier(*slot, true);
	TRY(slot_run(*slot, part->deadline));
	*ret_upper = (*slot)->output.mapped;
	*ret_lower = *ret_upper + part->n;
	return status_ok();
}
