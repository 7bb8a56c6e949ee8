/* scan_many - see the header. */
#include "kernels/vulkan/scan_many.h"

#include "kernels/vulkan/matrix.h"
#include "kernels/vulkan/scan_select.h"

#include <assert.h>
#include <string.h>

/* A submission, while it is made. Which keys are wanted, and the rest of what selects, is as of codes. */
struct submission {
	const struct scan_many *many;
	const struct scan_part *part;
	struct vulkan_plan plan;    /* of the scan */
	struct vulkan_plan8 select; /* of what selects */
	bool by_matrix;
	/* Keys from here on are not wanted of a query: SCAN8_ALL: all are; 0: none. */
	uint32_t ceilings[SCAN_PROBES_MAX];
};

uint32_t scan_many_rows(size_t n_asks)
{
	return least(scan8_part_rows(n_asks), SCAN_ROWS);
}

/* The widest that is asked for; one more tells that there are more. */
static uint32_t wanted_by(const struct scan_many *many)
{
	size_t width = 1;

	for (size_t i = 0; i < many->n_asks; i++)
		width = many->asks[i].window->width > width ? many->asks[i].window->width : width;
	return width < SCAN8_ALL ? (uint32_t)width + 1 : SCAN8_ALL;
}

static uint32_t queries_of(const struct scan_many *many)
{
	return 1U << select_width(many->n_asks);
}

/* Teams are narrow, so that there are few sums to add up for each query. */
static uint32_t width_of(const struct scan_many *many)
{
	return program_keys_width(many->scan->plan.stride, select_width(many->n_asks));
}

static bool is_for_matrix(const struct scan_many *many, const struct scan_part *part)
{
	const struct vulkan_scan *scan = many->scan;

	return many->n_asks > 1 && scan->range->block->is_half &&
	       scan->copy->runtime->device->uses_matrix &&
	       scan_least_chunk(scan, part) >= MATRIX_TILE;
}

static void submission_init(struct submission *ret, const struct scan_many *many,
			    const struct scan_part *part)
{
	*ret = (struct submission){.many = many, .part = part, .plan = many->scan->plan};
	ret->plan.n_queries = (uint32_t)many->n_asks;
	ret->plan.part_rows = part->n;
	ret->plan.values_at = (uint32_t)many->n_asks * SELECT_QUERY_WORDS / 4;
	ret->plan.lower_at = PLAN_NONE;
	ret->by_matrix = is_for_matrix(many, part);
	ret->plan.rows_per_group = ret->by_matrix ? MATRIX_ROWS_PER_GROUP
						  : PROGRAM_ROWS * PROGRAM_THREADS /
							    program_keys_lanes(width_of(many));
	ret->select = (struct vulkan_plan8){
		.n = part->n, .part_rows = part->n, .n_queries = (uint32_t)many->n_asks};
	for (size_t i = 0; i < many->n_asks; i++)
		ret->ceilings[i] = SCAN8_ALL;
}

/* As floats; for matrices as halves, of as many queries as a tile has. */
static uint32_t values_words(const struct submission *submission)
{
	uint32_t stride = (uint32_t)submission->many->scan->query->stride;

	return submission->by_matrix ? MATRIX_TILE * stride / 2
				     : queries_of(submission->many) * stride;
}

static uint32_t bitmaps_at(const struct submission *submission)
{
	return 4 * submission->plan.values_at + values_words(submission);
}

static uint64_t input_bytes(const struct submission *submission)
{
	uint64_t bitmap = quotient_up(submission->part->n, 64) * sizeof(uint64_t);

	return bitmaps_at(submission) * sizeof(uint32_t) + submission->many->n_asks * bitmap;
}

static struct select_query words_of(const struct submission *submission, size_t i)
{
	const struct scan_ask *ask = &submission->many->asks[i];
	const struct scan_query *query = ask->query;
	bool is_done = submission->ceilings[i] == 0;

	return (struct select_query){
		.on_norm = query->slack_norm,
		.on_square = query->slack_xx,
		.absolute = query->slack_abs,
		.qq = query->qq,
		.gate = is_done ? SCAN8_ALL : score_to_ordered(ask->window->threshold.score),
		.ceiling = submission->ceilings[i],
		.visible_at = PLAN_NONE,
		.norm_limit = scan_norm_limit(query),
	};
}

/* What belongs to a piece of 16 bytes of a row lies side by side for all queries. */
static void values_fill(const struct submission *submission, size_t i, float *ret)
{
	const struct scan_many *many = submission->many;
	size_t at_once = 16 / scan_value_bytes(many->scan->range->block);
	size_t queries = queries_of(many), stride = many->scan->query->stride;

	for (size_t at = 0; at < stride; at += at_once)
		memcpy(ret + at * queries + i * at_once, many->asks[i].query->values + at,
		       at_once * sizeof *ret);
}

static void input_fill(const struct submission *submission, void *input)
{
	const struct scan_part *part = submission->part;
	uint32_t *words = input, at = bitmaps_at(submission);
	float *values = (float *)input + 4 * submission->plan.values_at;

	memset(values, 0, values_words(submission) * sizeof *values);
	for (size_t i = 0; i < submission->many->n_asks; i++) {
		const uint64_t *visible = submission->many->asks[i].visible;
		struct select_query own = words_of(submission, i);

		if (submission->by_matrix)
			matrix_query(submission->many->asks[i].query,
				     (uint16_t *)values + i * submission->many->scan->query->stride,
				     &own);
		else
			values_fill(submission, i, values);
		if (visible) {
			uint32_t bitmap_words = 2 * quotient_up(part->n, 64);

			/* start is a multiple of 64. */
			memcpy(words + at, visible + part->start / 64,
			       bitmap_words * sizeof *words);
			own.visible_at = at;
			at += bitmap_words;
		}
		memcpy(words + i * SELECT_QUERY_WORDS, &own, sizeof own);
	}
}

static status submission_run(struct submission *submission, uint32_t wanted,
			     struct vulkan_slot **slot)
{
	const struct vulkan_scan *scan = submission->many->scan;
	struct vulkan_program *program = &scan->copy->runtime->program;
	struct select_pipelines select;
	struct slot_sizes sizes;
	VkPipeline keys;

	select_plan(&submission->select, queries_of(submission->many) * submission->part->n,
		    wanted);
	sizes = (struct slot_sizes){
		.input_bytes = input_bytes(submission),
		.output_bytes = select_output_bytes(&submission->select),
		.scratch_bytes = select_scratch_bytes(&submission->select),
	};
	if (submission->by_matrix)
		TRY(program_pipeline(program, KERNEL_SCAN_MATRIX, 0, &keys));
	else
		TRY(program_pipeline(program, scan_kernel(scan, KERNEL_SCAN_KEYS),
				     width_of(submission->many), &keys));
	TRY(select_pipelines_find(program, &select));
	TRY(slot_acquire(scan->copy->runtime, scan->copy, scan->deadline, slot));
	TRY(slot_reserve(*slot, &sizes));
	TRY(slot_begin(*slot));
	input_fill(submission, (*slot)->input.mapped);
	select_clear(*slot, &submission->select);
	scan_bind_set(*slot, PROGRAM_SET_SUBMISSION, (*slot)->set);
	scan_bind(*slot, keys);
	scan_dispatch_pieces(scan, submission->part, &submission->plan, false, *slot);
	if (submission->many->is_scan_only)
		return slot_run(*slot, scan->deadline);
	select_count(*slot, &submission->select, &select);
	scan_dispatch(*slot, &submission->select, sizeof submission->select,
		      quotient_up(submission->part->n, submission->select.rows_per_group),
		      submission->select.n_queries);
	select_finish(*slot, &submission->select);
	slot_guess(*slot,
		   (uintptr_t)scan->copy + submission->part->n * 16 + submission->many->n_asks);
	return slot_run(*slot, scan->deadline);
}

/* ret_more  something is left below the ceilings that are set here. */
static status submission_offer(struct submission *submission, uint32_t wanted, bool *ret_more)
{
	const struct scan_many *many = submission->many;
	const struct scan_range *range = many->scan->range;
	uint64_t first_row = range->row_base + range->first + submission->part->start, tails;
	SCOPED(vulkan_slot) slot = NULL;

	TRY(submission_run(submission, wanted, &slot));
	*ret_more = false;
	if (many->is_scan_only)
		return status_ok();
	for (size_t i = 0; i < many->n_asks; i++) {
		submission->ceilings[i] = select_offer(slot, &submission->select, i, first_row,
						       many->asks[i].window, &tails);
		*ret_more |= submission->ceilings[i] != 0;
	}
	return status_ok();
}

status scan_many_offer(const struct scan_many *many, const struct scan_part *part)
{
	struct submission submission;
	bool more;

	assert(many->n_asks >= 1 && many->n_asks <= SCAN_PROBES_MAX);
	assert(part->n <= scan_many_rows(many->n_asks) && part->start % 64 == 0);
	submission_init(&submission, many, part);
	TRY(submission_offer(&submission, wanted_by(many), &more));
	return more ? submission_offer(&submission, SCAN8_ALL, &more) : status_ok();
}
