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

/* To guess which lists come first: so many promises are looked at, and one in so many wanted. */
#define SAMPLE 64
#define CUT_PART 8

/* In which lists are put, by what they promise. */
#define ORDER_STEPS 128

/* Of codes that are fetched ahead, of the next list. */
#define FETCH_BYTES 1024
#define LINE_BYTES 64

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
static void judge_again(struct lists_query *query, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!is_not_finite(query->bases[i]) && !is_not_finite(query->leads[i]) &&
		    !is_not_finite(query->spreads[i]))
			continue;
		query->bases[i] = query->spreads[i] = 0;
		query->leads[i] = INFINITY;
	}
}

/* bases are products with the centroids, yet. */
static void judge(struct lists_query *query, const struct lists *lists, float length)
{
	const float *radius = lists->entries.radius, *stretch = lists->entries.stretch;
	float *bases = query->bases, *leads = query->leads, *spreads = query->spreads;
	uint32_t n = lists->shape.n_lists, wrong = 0;

	for (uint32_t i = 0; i < n; i++) {
		leads[i] = bases[i] * stretch[i];
		spreads[i] = length * radius[i];
		wrong |= is_not_finite(leads[i]) | is_not_finite(spreads[i]);
	}
	if (wrong)
		judge_again(query, n);
}

static void judge_l2(struct lists_query *query, const struct lists *lists, float length)
{
	const struct lists_entries *entries = &lists->entries;
	float qq = length * length;
	uint32_t n = lists->shape.n_lists;

	for (uint32_t i = 0; i < n; i++) {
		float product = 2 * query->bases[i], radius = entries->radius[i], square;

		query->bases[i] = product + entries->square[i];
		square = qq - query->bases[i] - radius * radius;
		query->leads[i] = product * entries->stretch[i] + entries->square[i] - qq;
		query->spreads[i] = 2 * sqrtf(fmaxf(square, 0)) * radius;
	}
	judge_again(query, n);
}

status lists_query_init(struct lists_query *ret, const struct lists *lists, const float *query,
			struct arena *arena)
{
	const struct lists_shape *shape = &lists->shape;
	size_t n = shape->n_lists;
	uint32_t *memory =
		arena_alloc(arena, (n + 1) * (2 * sizeof *ret->order + 4 * sizeof(float)));
	float length = (float)vector_norm(query, shape->dim);

	if (!memory)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	*ret = (struct lists_query){.order = memory};
	ret->bases = (float *)(void *)(ret->order + 2 * (n + 1));
	ret->leads = ret->bases + n;
	ret->spreads = ret->leads + n;
	ret->promises = ret->spreads + n;
	TRY(rows8_query_init(&ret->rows, arena, shape->metric, shape->dim, query));
	TRY(codes4_query_init(&ret->codes, arena, &lists->model, query));
	rows8_products(rows8_scanner(ROWS8_BEST), &ret->rows, lists->centroids, shape->n_lists,
		       ret->bases);
	if (shape->metric == METRIC_L2)
		judge_l2(ret, lists, length);
	else
		judge(ret, lists, length);
	return status_ok();
}

static void promises_make(const struct lists_query *query, uint32_t n, float z)
{
	const float *leads = query->leads, *spreads = query->spreads;
	float *promises = query->promises;

	if (isinf(z)) {
		for (uint32_t i = 0; i < n; i++)
			promises[i] = INFINITY;
		return;
	}
	for (uint32_t i = 0; i < n; i++)
		promises[i] = leads[i] + z * spreads[i];
}

/* A promise that about an eighth of the lists reaches. */
static float cut_guess(const float *promises, uint32_t n)
{
	float best[SAMPLE / CUT_PART];
	size_t n_best = 0;

	for (size_t i = 0; i < SAMPLE; i++) {
		float promise = promises[i * n / SAMPLE];
		size_t at;

		if (n_best == SAMPLE / CUT_PART) {
			if (promise <= best[n_best - 1])
				continue;
			n_best--;
		}
		for (at = n_best++; at > 0 && promise > best[at - 1]; at--)
			best[at] = best[at - 1];
		best[at] = promise;
	}
	return best[n_best - 1];
}

/* The lists that promise as much as low, and less than high, in steps from the greatest promise down;
 * in no order within a step, since promises are not that exact.
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

/* Which lists they are, and from where to where their promises go. */
static uint32_t lists_pick(const struct lists_query *query, uint32_t n_lists, float low, float high,
			   struct ordered *ordered)
{
	const float *promises = query->promises;
	uint32_t *picked = query->order, n = 0;
	float top = -INFINITY, bottom = INFINITY;

	for (uint32_t i = 0; i < n_lists; i++) {
		/* Written in any case: no branch to guess wrong. */
		picked[n] = i;
		n += promises[i] >= low && !(promises[i] >= high);
	}
	for (uint32_t i = 0; i < n; i++) {
		float promise = promises[picked[i]], finite = promise < INFINITY ? promise : bottom;

		top = promise < INFINITY && promise > top ? promise : top;
		bottom = finite < bottom ? finite : bottom;
	}
	ordered->top = top;
	ordered->per_promise = top - bottom > 0x1p-100F && top - bottom < 0x1p100F
				       ? ORDER_STEPS / (top - bottom)
				       : 0;
	return n;
}

static void order_make(const struct lists_query *query, uint32_t n_lists, float low, float high,
		       struct ordered *ret)
{
	const uint32_t *picked = query->order;
	uint32_t *order = query->order + n_lists + 1, *begin = ret->begin, at = 0;
	uint32_t n = lists_pick(query, n_lists, low, high, ret);

	memset(begin, 0, sizeof ret->begin);
	for (uint32_t i = 0; i < n; i++)
		begin[step_of(ret, query->promises[picked[i]])]++;
	for (uint32_t step = 0; step <= ORDER_STEPS; step++) {
		uint32_t count = begin[step];

		begin[step] = at;
		at += count;
	}
	for (uint32_t i = 0; i < n; i++)
		order[begin[step_of(ret, query->promises[picked[i]])]++] = picked[i];
	/* Each is now where the next one was. */
	memmove(begin + 1, begin, ORDER_STEPS * sizeof *begin);
	begin[0] = 0;
	ret->order = order;
}

static void list_fetch(const struct lists *lists, uint32_t list)
{
	size_t block_bytes = codes4_block_bytes(&lists->model);
	const unsigned char *codes =
		lists->codes4 + lists->entries.first[list] / CODES4_ROWS * block_bytes;

	for (size_t i = 0; i < FETCH_BYTES; i += LINE_BYTES)
		__builtin_prefetch(codes + i);
}

static void list_scan(const struct lists *lists, struct lists_walk *walk, const struct seen *seen,
		      uint32_t list)
{
	const uint32_t *first = lists->entries.first + list;
	const struct codes4_range range = {
		.codes = lists->codes4,
		.first = first[0],
		.n = first[1] - first[0],
		.base = walk->query->bases[list],
		.visible = walk->visible ? row_is_visible : NULL,
		.context = seen,
	};

	codes4_scan(codes4_scanner(CODES4_BEST), &walk->query->codes, &range, walk->window);
	walk->read += range.n;
}

/* Whether no list of a step can promise as much as the threshold. */
static bool step_is_behind(const struct ordered *ordered, uint32_t step, float threshold)
{
	return step > 0 && ordered->top - (float)step / ordered->per_promise < threshold;
}

/* Lists in order, until all that follow promise too little: then true. */
static bool lists_scan(const struct lists *lists, struct lists_walk *walk, const struct seen *seen,
		       const struct ordered *ordered, status *ret)
{
	const float *promises = walk->query->promises;
	uint64_t step_rows = SCAN_STEP_BYTES * 2 / lists->model.groups, checked = walk->read;
	uint32_t end = ordered->begin[ORDER_STEPS], at = 0;

	for (uint32_t step = 0; at < end; step++) {
		if (step_is_behind(ordered, step, walk->window->threshold.score))
			return true;
		for (; at < ordered->begin[step + 1]; at++) {
			uint32_t list = ordered->order[at];

			if (promises[list] < walk->window->threshold.score)
				continue;
			if (at + 1 < end)
				list_fetch(lists, ordered->order[at + 1]);
			list_scan(lists, walk, seen, list);
			/* A threshold that is late lets in more, and ends the walk late. */
			lists_bar_raise(&walk->bar, walk->window);
			if (walk->read - checked < step_rows)
				continue;
			checked = walk->read;
			*ret = deadline_check(walk->deadline);
			if (status_failed(*ret))
				return true;
		}
	}
	return false;
}

/* Few lists are taken in most walks, so few are put in order at first. */
status lists_walk_run(const struct lists *lists, struct lists_walk *walk)
{
	const struct seen seen = {lists->places, walk->visible, walk->context};
	const struct lists_query *query = walk->query;
	uint32_t n_lists = lists->shape.n_lists;
	struct ordered ordered;
	status s = status_ok();
	float cut = -INFINITY;

	walk->bar = (struct lists_bar){.threshold = walk->window->threshold};
	promises_make(query, n_lists, walk->z);
	if (n_lists > SAMPLE * 2)
		cut = cut_guess(query->promises, n_lists);
	order_make(query, n_lists, cut, NAN, &ordered);
	if (lists_scan(lists, walk, &seen, &ordered, &s) || !(cut > -INFINITY) ||
	    walk->window->threshold.score > cut)
		return s;
	order_make(query, n_lists, -INFINITY, cut, &ordered);
	(void)lists_scan(lists, walk, &seen, &ordered, &s);
	return s;
}
