/* scan8 - what is recorded for int8 codes, and what comes back. */
#include "kernels/vulkan/scan8.h"

#include "kernels/codes1.h"
#include "kernels/vulkan/scan.h"
#include "kernels/vulkan/scan_select.h"

#include <assert.h>
#include <math.h>
#include <string.h>

/* Up to here no product of a factor with a row's side leaves float: sides are below 2^62, squares
 * below 2^124 and their factor below 1 (codes8.glsl). */
#define FACTOR_MAX 0x1p58F
#define QQ_MAX 0x1p120F

/* Of KERNEL_SCAN8. */
#define SCAN_ROWS_PER_GROUP 256

/* The edge is a bound by the head. With a good rotation those that end up in a window are among 16
 * times as many that come first by it; if not, there is a second submission. */
#define WANTED_PER_KEPT 16
#define WANTED_MIN 1024
#define WANTED_MAX 65536

uint32_t scan8_part_rows(size_t n_asks)
{
	return SCAN8_ENTRIES >> select_width(n_asks);
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

/* What a query's head takes. */
static uint32_t head_words(const struct scan8_part *part, const struct vulkan_plan8 *plan)
{
	return part->copy->is_thin ? plan->head_quads * CODES1_PLANES : plan->head_quads;
}

static struct vulkan_plan8 plan_init(const struct scan8_part *part)
{
	const struct codes8_shape *shape = &part->copy->shape;
	uint32_t queries = 1U << select_width(part->n_asks), rows = queries * part->n;
	struct vulkan_plan8 plan = {
		.part_rows = part->n,
		.block_size = (uint32_t)(shape->block_bytes / 16),
		.codes_at = (uint32_t)(shape->codes_offset / 16),
		.head_quads = shape->head / 4,
		.tail_pairs = shape->tail / 8,
		.tail_size = (uint32_t)(shape->tail_bytes / 8),
		.is_l2 = shape->metric == METRIC_L2,
		.n_queries = (uint32_t)part->n_asks,
		.head_codes_at = SELECT_QUERY_WORDS * (uint32_t)part->n_asks,
		.dots_at = rows,
	};

	if (part->copy->is_thin) {
		plan.block_size = (uint32_t)(codes1_block_bytes(shape) / 16);
		plan.head_quads = codes1_words(shape);
		plan.tail_pairs = 0;
	}
	plan.tail_codes_at = plan.head_codes_at + head_words(part, &plan) * queries;
	select_plan(&plan, 2 * rows, part->wanted);
	return plan;
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

static struct select_query query_words_of(const struct scan8_ask *ask)
{
	const struct codes8_query *query = ask->query;

	return (struct select_query){
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

/* For signs, bit planes instead, eight words of each query. Gives the sum of the codes. */
static int32_t planes_fill(const struct scan8_part *part, const struct vulkan_plan8 *plan, size_t i,
			   uint32_t *words)
{
	uint32_t planes[DIMENSION_MAX / 32 * CODES1_PLANES];
	size_t queries = (size_t)1 << select_width(part->n_asks);
	int32_t sum = codes1_planes(part->asks[i].query, planes);

	for (size_t word = 0; word < plan->head_quads; word++)
		memcpy(words + plan->head_codes_at + (word * queries + i) * CODES1_PLANES,
		       planes + word * CODES1_PLANES, CODES1_PLANES * sizeof *words);
	return sum;
}

/* The heads' codes lie word by word for all queries, as each word is read for all of them. */
static void head_codes_fill(const struct scan8_part *part, const struct vulkan_plan8 *plan,
			    uint32_t *words)
{
	size_t queries = (size_t)1 << select_width(part->n_asks);

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

	if (!part->copy->is_thin)
		head_codes_fill(part, plan, words);
	for (size_t i = 0; i < part->n_asks; i++) {
		const struct scan8_ask *ask = &part->asks[i];
		struct select_query own = query_words_of(ask);

		if (part->copy->is_thin) {
			own.sum = planes_fill(part, plan, i, words);
			own.on_rest_full = own.on_rest_head;
		}
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
		memcpy(words + i * SELECT_QUERY_WORDS, &own, sizeof own);
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

struct pipelines {
	VkPipeline scan;
	struct select_pipelines select;
};

static status pipelines_find(struct vulkan_runtime *runtime, enum kernel scan, size_t n_asks,
			     struct pipelines *ret)
{
	struct vulkan_program *program = &runtime->program;

	TRY(program_pipeline(program, scan, select_width(n_asks), &ret->scan));
	return select_pipelines_find(program, &ret->select);
}

status scan8_prepare(struct vulkan_runtime *runtime)
{
	struct pipelines pipelines;

	return pipelines_find(runtime, KERNEL_SCAN8, 1, &pipelines);
}

static enum kernel scan_kernel_of(const struct scan8_part *part)
{
	return part->copy->is_thin ? KERNEL_SCAN1 : KERNEL_SCAN8;
}

static void search_record(const struct scan8_part *part, struct vulkan_plan8 *plan,
			  const struct pipelines *pipelines, struct vulkan_slot *slot)
{
	select_clear(slot, plan);
	scan_bind_set(slot, PROGRAM_SET_SUBMISSION, slot->set);
	scan_bind(slot, pipelines->scan);
	dispatch_pieces(part, plan, slot, true);
	if (part->is_scan_only)
		return;
	select_count(slot, plan, &pipelines->select);
	dispatch_pieces(part, plan, slot, false);
	select_finish(slot, plan);
}

status scan8_ready(const struct scan8_part *part, struct vulkan_slot **slot)
{
	struct vulkan_runtime *runtime = part->copy->runtime;
	struct vulkan_plan8 plan = plan_init(part);
	struct slot_sizes sizes = {
		.input_bytes = input_bytes(part, &plan),
		.output_bytes = select_output_bytes(&plan),
		.scratch_bytes = select_scratch_bytes(&plan),
	};
	struct pipelines pipelines;

	assert(part->n <= scan8_part_rows(part->n_asks) && part->start % 64 == 0);
	TRY(pipelines_find(runtime, scan_kernel_of(part), part->n_asks, &pipelines));
	if (!*slot)
		TRY(slot_acquire(runtime, part->copy, part->deadline, slot));
	return slot_reserve(*slot, &sizes);
}

status scan8_send(const struct scan8_part *part, struct vulkan_slot *slot)
{
	struct vulkan_plan8 plan = plan_init(part);
	struct pipelines pipelines;

	TRY(pipelines_find(slot->runtime, scan_kernel_of(part), part->n_asks, &pipelines));
	TRY(slot_begin(slot));
	input_fill(part, &plan, slot->input.mapped);
	search_record(part, &plan, &pipelines, slot);
	slot_guess(slot, (uintptr_t)part->copy + part->n * 16 + part->n_asks);
	return slot_send(slot);
}

status scan8_run(const struct scan8_part *part, struct vulkan_slot **slot)
{
	TRY(scan8_ready(part, slot));
	TRY(scan8_send(part, *slot));
	return slot_wait(*slot, part->deadline);
}

uint32_t scan8_offer(const struct scan8_part *part, const struct vulkan_slot *slot, size_t at,
		     uint64_t row_base, struct window *window, uint64_t *ret_tails)
{
	struct vulkan_plan8 plan = plan_init(part);

	return select_offer(slot, &plan, at, row_base + part->first, window, ret_tails);
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
	TRY(program_pipeline(&runtime->program,
			     part->copy->is_thin ? KERNEL_BOUNDS1 : KERNEL_BOUNDS8, 0, &pipeline));
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
