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

/* How far above the mean of all promises those of the lists are that are put in order first, in
 * deviations: a fifteenth, if they are as a Gaussian's. Then more, and then all the others. */
static const float cuts[] = {1.5F, 0.75F, 0, -INFINITY};

/* In which lists are put, by what they promise. */
#define ORDER_STEPS 128

#define LINE_BYTES 64

/* A list may promise more than its sketch says, by so many deviations of what that is off by. */
#define SKETCH_DEVIATIONS 2

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

/* What a query sees of a list. */
struct sight {
	float base; /* of its rows in the first stage; L2: less -|q|^2 */
	float lead, spread;
};

/* A score that left float says nothing: such a list comes first. */
static struct sight sight_checked(struct sight sight)
{
	return is_not_finite(sight.base) || is_not_finite(sight.lead) || is_not_finite(sight.spread)
		       ? (struct sight){.lead = INFINITY}
		       : sight;
}

/* product  q.c, about */
static struct sight sight_of(const struct lists_query *query, const struct lists_entries *entries,
			     uint32_t list, float product)
{
	return (struct sight){product, product * entries->stretch[list],
			      query->length * entries->radius[list]};
}

static struct sight sight_of_l2(const struct lists_query *query,
				const struct lists_entries *entries, uint32_t list, float product)
{
	float qq = query->length * query->length, radius = entries->radius[list];
	float base = 2 * product + entries->square[list];
	float square = qq - base - radius * radius;

	return (struct sight){
		.base = base,
		.lead = 2 * product * entries->stretch[list] + entries->square[list] - qq,
		.spread = 2 * sqrtf(fmaxf(square, 0)) * radius,
	};
}

/* By its centroid. */
static struct sight look(const struct lists *lists, const struct lists_query *query, uint32_t list)
{
	const struct rows8_query *rows = &query->rows;
	float product;

	if (query->products)
		product = query->products[list];
	else
		rows8_products(rows8_scanner(ROWS8_BEST), rows,
			       lists->centroids + list * rows8_bytes(rows->dim), 1, &product);
	return sight_checked(rows->metric == METRIC_L2
				     ? sight_of_l2(query, &lists->entries, list, product)
				     : sight_of(query, &lists->entries, list, product));
}

/* q.c of all lists, about: by sketches, or where the query's tables say nothing, by centroids. */
static void products_make(const struct lists *lists, const struct lists_query *query, float *ret)
{
	const struct rows8_query *rows = &query->rows;
	const struct codes4_query *codes = &query->codes;
	uint32_t n = lists->shape.n_lists;
	float base, shift = 0, inverse = 1 / lists->sketch_factor;

	if (!(codes->scale > 0)) {
		rows8_products(rows8_scanner(ROWS8_BEST), rows, lists->centroids, n, ret);
		return;
	}
	rows8_products(rows8_scanner(ROWS8_BEST), rows, lists->mean, 1, &base);
	if (rows->metric == METRIC_L2) {
		shift = query->length * query->length - lists->model.square_low;
		inverse /= 2;
	}
	codes4_scores(codes4_scanner(CODES4_BEST), codes, lists->sketches, n, shift, ret);
	for (uint32_t i = 0; i < n; i++)
		ret[i] = base + ret[i] * inverse;
}

static void look_at_all(const struct lists *lists, struct lists_query *query)
{
	const struct lists_entries *entries = &lists->entries;
	bool is_l2 = lists->shape.metric == METRIC_L2;
	float *products = query->promises; /* room */

	products_make(lists, query, products);
	for (uint32_t i = 0; i < lists->shape.n_lists; i++) {
		struct sight sight = is_l2 ? sight_of_l2(query, entries, i, products[i])
					   : sight_of(query, entries, i, products[i]);

		query->leads[i] = sight.lead;
		query->spreads[i] = sight.spread;
	}
	for (uint32_t i = 0; i < lists->shape.n_lists; i++) {
		if (!is_not_finite(query->leads[i]) && !is_not_finite(query->spreads[i]))
			continue;
		query->leads[i] = INFINITY;
		query->spreads[i] = 0;
	}
}

status lists_query_init(struct lists_query *ret, const struct lists *lists, const float *query,
			struct arena *arena)
{
	const struct lists_shape *shape = &lists->shape;
	size_t n = (size_t)shape->n_lists + SPARE;
	float *floats = arena_alloc(arena, 3 * n * sizeof *floats);
	uint32_t *numbers = arena_alloc(arena, 2 * n * sizeof *numbers);

	if (!floats || !numbers)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	*ret = (struct lists_query){
		.length = (float)vector_norm(query, shape->dim),
		.leads = floats,
		.spreads = floats + n,
		.promises = floats + 2 * n,
		.picked = numbers,
		.order = numbers + n,
	};
	TRY(rows8_query_init(&ret->rows, arena, shape->metric, shape->dim, query));
	TRY(codes4_query_init(&ret->codes, arena, &lists->model, query));
	look_at_all(lists, ret);
	return status_ok();
}

status lists_query_expand(struct lists_query *query, const struct lists *lists, struct arena *arena)
{
	const struct lists_shape *shape = &lists->shape;
	size_t n = ((size_t)lists_positions(shape) + CODES4_ROWS - 1) / CODES4_ROWS * CODES4_ROWS;
	uint16_t *sums = arena_alloc(arena, n * sizeof *sums);
	uint16_t *best = arena_alloc(arena, shape->n_lists * sizeof *best);
	float *products = arena_alloc(arena, shape->n_lists * sizeof *products);

	if (!sums || !best || !products)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	codes4_sums(codes4_scanner(CODES4_BEST), &query->codes, lists->codes4,
		    lists_positions(shape), sums);
	rows8_products(rows8_scanner(ROWS8_BEST), &query->rows, lists->centroids, shape->n_lists,
		       products);
	for (uint32_t list = 0; list < shape->n_lists; list++) {
		const uint32_t *first = lists->entries.first + list;
		uint16_t most = 0;

		for (uint32_t i = first[0]; i < first[1]; i++)
			most = sums[i] > most ? sums[i] : most;
		best[list] = most;
	}
	query->sums = sums;
	query->best = best;
	query->products = products;
	return status_ok();
}

static float promise_of(float lead, float spread, float z)
{
	return isinf(z) ? INFINITY : lead + z * spread;
}

static void promises_make(const struct lists *lists, const struct lists_query *query, float z)
{
	const float *leads = query->leads, *spreads = query->spreads;
	float *promises = query->promises;
	float doubt = SKETCH_DEVIATIONS * query->length * lists->sketch_error;
	uint32_t n = lists->shape.n_lists;

	if (lists->shape.metric == METRIC_L2)
		doubt *= 2;
	for (uint32_t i = 0; i < n; i++)
		promises[i] = leads[i] + z * spreads[i] + doubt;
	for (uint32_t i = 0; i < n && isinf(z); i++)
		promises[i] = INFINITY;
}

/* Side by side, so that a processor adds several at once. */
#define LANES 8

/* Mean and deviation of promises; what is not finite where one of them is not, or their sums. */
static void promises_measure(const float *promises, uint32_t n, float *ret_mean,
			     float *ret_deviation)
{
	float sums[LANES] = {0}, squares[LANES] = {0}, sum = 0, square = 0, shift = promises[0];
	uint32_t i = 0;

	for (; i + LANES <= n; i += LANES) {
		for (size_t lane = 0; lane < LANES; lane++) {
			float value = promises[i + lane] - shift;

			sums[lane] += value;
			squares[lane] += value * value;
		}
	}
	for (; i < n; i++) {
		sums[0] += promises[i] - shift;
		squares[0] += (promises[i] - shift) * (promises[i] - shift);
	}
	for (size_t lane = 0; lane < LANES; lane++) {
		sum += sums[lane] / (float)n;
		square += squares[lane] / (float)n;
	}
	*ret_mean = shift + sum;
	*ret_deviation = sqrtf(fmaxf(square - sum * sum, 0));
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
static void ordered_init(struct ordered *ret, const struct lists_query *query, uint32_t n)
{
	float top = -INFINITY, bottom = INFINITY;

	for (uint32_t i = 0; i < n; i++) {
		float promise = query->promises[query->picked[i]];
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
static void order_make(const struct lists_query *query, uint32_t n, struct ordered *ret)
{
	const uint32_t *picked = query->picked;
	uint32_t *order = query->order, *begin = ret->begin, at = 0;

	ordered_init(ret, query, n);
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

static struct codes4_range range_of(const struct lists *lists, uint32_t list)
{
	const uint32_t *first = lists->entries.first + list;

	return (struct codes4_range){
		.codes = lists->codes4, .first = first[0], .n = first[1] - first[0]};
}

static void list_fetch(const struct lists *lists, const struct lists_query *query, uint32_t list)
{
	const struct codes4_range range = range_of(lists, list);
	size_t row8_bytes = rows8_bytes(lists->shape.dim);

	codes4_fetch(&query->codes, &range);
	for (size_t i = 0; i < row8_bytes; i += LINE_BYTES)
		__builtin_prefetch(lists->centroids + list * row8_bytes + i);
}

/* Whether no row of the list has a score that is before the threshold: the same score as a scan has. */
static bool best_is_behind(const struct lists_walk *walk, uint32_t list, float base)
{
	const struct codes4_query *codes = &walk->query->codes;
	float shift = base + codes->bias,
	      score = shift + codes->scale * (float)walk->query->best[list];

	return score < walk->window->threshold.score;
}

static void list_scan(const struct lists *lists, struct lists_walk *walk, const struct seen *seen,
		      uint32_t list, float base)
{
	struct codes4_range range = range_of(lists, list);

	range.base = base;
	range.visible = walk->visible ? row_is_visible : NULL;
	range.context = seen;
	if (!walk->query->sums)
		codes4_scan(codes4_scanner(CODES4_BEST), &walk->query->codes, &range, walk->window);
	else if (!best_is_behind(walk, list, base))
		codes4_scan_sums(&walk->query->codes, &range, walk->query->sums, walk->window);
	walk->read += range.n;
}

/* A threshold that is late lets in more, and ends the walk late. */
static void list_read(const struct lists *lists, struct lists_walk *walk, const struct seen *seen,
		      uint32_t list, float base)
{
	list_scan(lists, walk, seen, list, base);
	lists_bar_raise(&walk->bar, walk->window);
}

static void list_read_shorter(const struct lists *lists, struct lists_walk *walk,
			      const struct seen *seen, uint32_t list, const struct sight *sight)
{
	float promise = promise_of(sight->lead, sight->spread, walk->z);

	for (uint32_t i = 0; i < walk->n_shorter; i++) {
		struct lists_walk *shorter = &walk->shorter[i];

		if (!(promise < shorter->window->threshold.score) &&
		    !(walk->query->promises[list] < shorter->window->threshold.score))
			list_read(lists, shorter, seen, list, sight->base);
	}
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
	const struct lists_query *query = walk->query;
	uint64_t step_rows = SCAN_STEP_BYTES * 2 / lists->model.groups, checked = walk->read;
	uint32_t end = ordered->begin[ORDER_STEPS], at = 0;

	for (uint32_t step = 0; at < end; step++) {
		if (step_is_behind(ordered, step, walk->window->threshold.score))
			break;
		for (; at < ordered->begin[step + 1]; at++) {
			uint32_t list = ordered->order[at];
			struct sight sight;

			if (query->promises[list] < walk->window->threshold.score)
				continue;
			if (at + 1 < end && !query->sums)
				list_fetch(lists, query, ordered->order[at + 1]);
			sight = look(lists, query, list);
			if (promise_of(sight.lead, sight.spread, walk->z) <
			    walk->window->threshold.score)
				continue;
			list_read(lists, walk, seen, list, sight.base);
			if (walk->n_shorter > 0)
				list_read_shorter(lists, walk, seen, list, &sight);
			if (walk->read - checked < step_rows)
				continue;
			checked = walk->read;
			TRY(deadline_check(walk->deadline));
		}
	}
	return status_ok();
}

/* Picks lists that promise at least `from`, and less than `below`. */
static uint32_t lists_pick(const struct lists_query *query, uint32_t n_lists, float from,
			   float below)
{
	const float *promises = query->promises;
	uint32_t n = 0;

	for (uint32_t list = 0; list < n_lists; list++) {
		/* Written in any case: no branch to guess wrong. */
		query->picked[n] = list;
		n += !(promises[list] < from) & !(promises[list] >= below);
	}
	return n;
}

/* Few lists are wanted in most walks; those that promise most are put in order first. */
status lists_walk_run(const struct lists *lists, struct lists_walk *walk)
{
	const struct seen seen = {lists->places, walk->visible, walk->context};
	uint32_t n_lists = lists->shape.n_lists;
	float mean, deviation, below = NAN; /* nothing is at least that */
	struct ordered ordered;

	walk->bar = (struct lists_bar){.threshold = walk->window->threshold};
	for (uint32_t i = 0; i < walk->n_shorter; i++)
		walk->shorter[i].bar =
			(struct lists_bar){.threshold = walk->shorter[i].window->threshold};
	promises_make(lists, walk->query, walk->z);
	promises_measure(walk->query->promises, n_lists, &mean, &deviation);
	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		float threshold = walk->window->threshold.score;
		float cut = is_not_finite(mean) || is_not_finite(deviation)
				    ? -INFINITY
				    : mean + cuts[i] * deviation;
		uint32_t n;

		if (below <= threshold)
			break;
		n = lists_pick(walk->query, n_lists, fmaxf(cut, threshold), below);
		order_make(walk->query, n, &ordered);
		TRY(lists_scan(lists, walk, &seen, &ordered));
		below = cut;
	}
	return status_ok();
}
