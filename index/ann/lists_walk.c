/* lists_walk - a query's way through the lists, the most promising first.
 *
 * A list's rows score base + q.r, where r are their residuals, radius long on average: how far above
 * base the better ones lie is some part z of |q| radius. So lists are taken by base + z |q| radius, and
 * the walk ends where that is below the worst score kept. For L2 the score is -|q - c|^2 + 2 (q - c).r
 * - |r|^2, and |q - c| takes the place of |q|, doubled; |c|^2 is the mean of |x|^2 less radius^2.
 * In the place of base stands what it would be if the centroid were as long as its rows are: the nearer
 * a list, the more its rows differ along q. (On the corpus questions read a sixth less for the same
 * recall; rows as much.)
 */
#include "index/ann/lists_state.h"

#include "kernels/scanner.h"
#include "kernels/score.h"

#include <math.h>
#include <string.h>

/* The part of all lists that is looked at first, then twice as many, and so on. */
#define FIRST_PART 16

/* What a region promises: its lists differ as rows of a list do, and the best of them count. */
#define REGION_Z 0.25F

/* In which lists are put, by what they promise. */
#define ORDER_STEPS 128

/* Behind the last list, where one is written that is not wanted. */
#define SPARE 1

struct seen {
	const uint32_t *places;
	bool (*visible)(const void *context, uint32_t place);
	const void *context;
};

static bool row_is_visible(const void *context, uint32_t row)
{
	const struct seen *seen = context;

	return seen->visible(seen->context, seen->places[row]);
}

static bool is_not_finite(float value)
{
	uint32_t bits, exponent = UINT32_C(0x7F800000);

	memcpy(&bits, &value, sizeof bits);
	return (bits & exponent) == exponent;
}

/* A score that left float says nothing: such a list comes first. */
static void judge_again(const struct lists_sight *sight, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		if (!is_not_finite(sight->bases[i]) && !is_not_finite(sight->leads[i]) &&
		    !is_not_finite(sight->spreads[i]))
			continue;
		sight->bases[i] = sight->spreads[i] = 0;
		sight->leads[i] = INFINITY;
	}
}

static void judge(const struct lists_sight *sight, const struct lists_entries *entries,
		  float length, uint32_t first, uint32_t end)
{
	const float *radius = entries->radius, *stretch = entries->stretch;
	float *bases = sight->bases, *leads = sight->leads, *spreads = sight->spreads;
	uint32_t wrong = 0;

	for (uint32_t i = first; i < end; i++) {
		leads[i] = bases[i] * stretch[i];
		spreads[i] = length * radius[i];
		wrong |= is_not_finite(leads[i]) | is_not_finite(spreads[i]);
	}
	if (wrong)
		judge_again(sight, first, end);
}

static void judge_l2(const struct lists_sight *sight, const struct lists_entries *entries,
		     float length, uint32_t first, uint32_t end)
{
	float qq = length * length;

	for (uint32_t i = first; i < end; i++) {
		float product = 2 * sight->bases[i], radius = entries->radius[i], square;

		sight->bases[i] = product + entries->square[i];
		square = qq - sight->bases[i] - radius * radius;
		sight->leads[i] = product * entries->stretch[i] + entries->square[i] - qq;
		sight->spreads[i] = 2 * sqrtf(fmaxf(square, 0)) * radius;
	}
	judge_again(sight, first, end);
}

/* Lists, or regions, first .. end, whose means are rows of bytes. */
static void look(const struct lists_query *query, const struct lists_sight *sight,
		 const struct lists_entries *entries, const unsigned char *means, uint32_t first,
		 uint32_t end)
{
	const struct rows8_query *rows = &query->rows;

	rows8_products(rows8_scanner(ROWS8_BEST), rows, means + first * rows8_bytes(rows->dim),
		       end - first, sight->bases + first);
	if (rows->metric == METRIC_L2)
		judge_l2(sight, entries, query->length, first, end);
	else
		judge(sight, entries, query->length, first, end);
}

/* Pointers into memory of SIGHT_WORDS words for each of n. */
#define SIGHT_WORDS 6

static void sight_init(struct lists_sight *ret, float *memory, size_t n)
{
	uint32_t *numbers = (uint32_t *)(void *)(memory + 4 * n);

	*ret = (struct lists_sight){
		.bases = memory,
		.leads = memory + n,
		.spreads = memory + 2 * n,
		.promises = memory + 3 * n,
		.picked = numbers,
		.order = numbers + n,
	};
}

status lists_query_init(struct lists_query *ret, const struct lists *lists, const float *query,
			struct arena *arena)
{
	const struct lists_shape *shape = &lists->shape;
	size_t n_lists = (size_t)shape->n_lists + SPARE, n_regions = lists_regions(shape);
	float *memory = arena_alloc(arena, SIGHT_WORDS * sizeof *memory * (n_lists + n_regions) +
						   n_regions * sizeof *ret->seen);

	if (!memory)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	*ret = (struct lists_query){.length = (float)vector_norm(query, shape->dim)};
	sight_init(&ret->lists, memory, n_lists);
	memory += SIGHT_WORDS * n_lists;
	sight_init(&ret->regions, memory, n_regions);
	ret->seen = (bool *)(void *)(memory + SIGHT_WORDS * n_regions);
	memset(ret->seen, 0, n_regions * sizeof *ret->seen);
	TRY(rows8_query_init(&ret->rows, arena, shape->metric, shape->dim, query));
	TRY(codes4_query_init(&ret->codes, arena, &lists->model, query));
	look(ret, &ret->regions, &lists->regions, lists->landmarks, 0, (uint32_t)n_regions);
	return status_ok();
}

static void promises_make(const struct lists_sight *sight, uint32_t first, uint32_t end, float z)
{
	const float *leads = sight->leads, *spreads = sight->spreads;
	float *promises = sight->promises;

	if (isinf(z)) {
		for (uint32_t i = first; i < end; i++)
			promises[i] = INFINITY;
		return;
	}
	for (uint32_t i = first; i < end; i++)
		promises[i] = leads[i] + z * spreads[i];
}

/* What was picked, in steps from the greatest promise down; in no order within a step, since promises
 * are not that exact.
 * begin  [ORDER_STEPS + 1] of each step the first in order. top  the greatest that is finite. */
struct ordered {
	const uint32_t *order;
	uint32_t begin[ORDER_STEPS + 1];
	float top, per_promise;
};

static uint32_t step_of(const struct ordered *ordered, float promise)
{
	float steps = (ordered->top - promise) * ordered->per_promise;

	if (!(steps > 0))
		return 0;
	return steps < ORDER_STEPS - 1 ? (uint32_t)steps : ORDER_STEPS - 1;
}

/* From where to where promises go. */
static void ordered_init(struct ordered *ret, const struct lists_sight *sight, uint32_t n)
{
	float top = -INFINITY, bottom = INFINITY;

	for (uint32_t i = 0; i < n; i++) {
		float promise = sight->promises[sight->picked[i]];
		float finite = promise < INFINITY ? promise : bottom;

		top = promise < INFINITY && promise > top ? promise : top;
		bottom = finite < bottom ? finite : bottom;
	}
	ret->top = top;
	ret->per_promise = top - bottom > 0x1p-100F && top - bottom < 0x1p100F
				   ? ORDER_STEPS / (top - bottom)
				   : 0;
}

/* Of the n that are picked. */
static void order_make(const struct lists_sight *sight, uint32_t n, struct ordered *ret)
{
	const uint32_t *picked = sight->picked;
	uint32_t *order = sight->order, *begin = ret->begin, at = 0;

	ordered_init(ret, sight, n);
	memset(begin, 0, sizeof ret->begin);
	for (uint32_t i = 0; i < n; i++)
		begin[step_of(ret, sight->promises[picked[i]])]++;
	for (uint32_t step = 0; step <= ORDER_STEPS; step++) {
		uint32_t count = begin[step];

		begin[step] = at;
		at += count;
	}
	for (uint32_t i = 0; i < n; i++)
		order[begin[step_of(ret, sight->promises[picked[i]])]++] = picked[i];
	/* Each is now where the next one was. */
	memmove(begin + 1, begin, ORDER_STEPS * sizeof *begin);
	begin[0] = 0;
	ret->order = order;
}

static struct codes4_range range_of(const struct lists *lists, uint32_t list)
{
	const uint32_t *first = lists->entries.first + list;

	return (struct codes4_range){
		.codes = lists->codes4, .first = first[0], .n = first[1] - first[0]};
}

static void list_fetch(const struct lists *lists, const struct lists_query *query, uint32_t list)
{
	const struct codes4_range range = range_of(lists, list);

	codes4_fetch(&query->codes, &range);
}

static void list_scan(const struct lists *lists, struct lists_walk *walk, const struct seen *seen,
		      uint32_t list)
{
	struct codes4_range range = range_of(lists, list);

	range.base = walk->query->lists.bases[list];
	range.visible = walk->visible ? row_is_visible : NULL;
	range.context = seen;
	codes4_scan(codes4_scanner(CODES4_BEST), &walk->query->codes, &range, walk->window);
	walk->read += range.n;
}

/* Whether no list of a step can promise as much as the threshold. */
static bool step_is_behind(const struct ordered *ordered, uint32_t step, float threshold)
{
	return step > 0 && ordered->top - (float)step / ordered->per_promise < threshold;
}

/* Lists in order, until all that follow promise too little. */
static status lists_scan(const struct lists *lists, struct lists_walk *walk,
			 const struct seen *seen, const struct ordered *ordered)
{
	const float *promises = walk->query->lists.promises;
	uint64_t step_rows = SCAN_STEP_BYTES * 2 / lists->model.groups, checked = walk->read;
	uint32_t end = ordered->begin[ORDER_STEPS], at = 0;

	for (uint32_t step = 0; at < end; step++) {
		if (step_is_behind(ordered, step, walk->window->threshold.score))
			break;
		for (; at < ordered->begin[step + 1]; at++) {
			uint32_t list = ordered->order[at];

			if (promises[list] < walk->window->threshold.score)
				continue;
			if (at + 1 < end)
				list_fetch(lists, walk->query, ordered->order[at + 1]);
			list_scan(lists, walk, seen, list);
			/* A threshold that is late lets in more, and ends the walk late. */
			lists_bar_raise(&walk->bar, walk->window);
			if (walk->read - checked < step_rows)
				continue;
			checked = walk->read;
			TRY(deadline_check(walk->deadline));
		}
	}
	return status_ok();
}

static void regions_order(const struct lists *lists, const struct lists_walk *walk,
			  struct ordered *ret)
{
	const struct lists_sight *regions = &walk->query->regions;
	uint32_t n = lists_regions(&lists->shape);

	for (uint32_t i = 0; i < n; i++)
		regions->picked[i] = i;
	promises_make(regions, 0, n, walk->z + REGION_Z);
	order_make(regions, n, ret);
}

/* Picks lists that promise enough, of the next regions that do: of so many lists, or a few more. */
static uint32_t lists_pick(const struct lists *lists, struct lists_walk *walk,
			   const struct ordered *regions, uint32_t *at, uint32_t wanted)
{
	struct lists_query *query = walk->query;
	const struct lists_sight *sight = &query->lists;
	float threshold = walk->window->threshold.score;
	uint32_t n_regions = lists_regions(&lists->shape), n = 0;

	for (uint32_t looked = 0; *at < n_regions && looked < wanted; ++*at) {
		uint32_t region = regions->order[*at], first = lists->regions.first[region];
		uint32_t end = lists->regions.first[region + 1];

		if (query->regions.promises[region] < threshold)
			continue;
		if (!query->seen[region])
			look(query, sight, &lists->entries, lists->centroids, first, end);
		query->seen[region] = true;
		promises_make(sight, first, end, walk->z);
		for (uint32_t list = first; list < end; list++) {
			/* Written in any case: no branch to guess wrong. */
			sight->picked[n] = list;
			n += !(sight->promises[list] < threshold);
		}
		looked += end - first;
	}
	return n;
}

/* Few regions are wanted in most walks; their lists are put in order together. */
status lists_walk_run(const struct lists *lists, struct lists_walk *walk)
{
	const struct seen seen = {lists->places, walk->visible, walk->context};
	uint32_t n_regions = lists_regions(&lists->shape), at = 0;
	uint32_t wanted = lists->shape.n_lists / FIRST_PART + 1;
	struct ordered regions, ordered;

	walk->bar = (struct lists_bar){.threshold = walk->window->threshold};
	regions_order(lists, walk, &regions);
	for (; at < n_regions; wanted *= 2) {
		uint32_t n = lists_pick(lists, walk, &regions, &at, wanted);

		order_make(&walk->query->lists, n, &ordered);
		TRY(lists_scan(lists, walk, &seen, &ordered));
	}
	return status_ok();
}
