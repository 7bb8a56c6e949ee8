/* What a scan puts into the windows, against a selection by all bounds; and when it stops. */
#include "kernels/scanner.h"
#include "kernels/score.h"
#include "tests/kernels/cpu/codes8_fixture.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static int key_order(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	return key_before(*right, *left) - key_before(*left, *right);
}

static bool is_visible(const struct codes8_range *range, size_t i)
{
	return !range->visible || (range->visible[i / 64] >> i % 64 & 1);
}

/* The bound keys of the visible rows of the range. Gives how many. */
static size_t keys_by_bounds(const struct codes8_kernel *kernel, const struct codes8_query *query,
			     const struct codes8_range *range, struct key *ret)
{
	static float upper[ROWS_MAX], lower[ROWS_MAX];
	size_t n = 0;

	cr_assert(!status_failed(codes8_bounds(kernel, query, range, NULL,
					       (struct codes8_bounds_out){upper, lower})));
	for (size_t i = 0; i < range->n; i++) {
		if (is_visible(range, i))
			ret[n++] = (struct key){upper[i], range->row_base + range->first + i};
	}
	return n;
}

static void window_check(const struct window *window, struct key *keys, size_t n)
{
	size_t want = n < window->width ? n : window->width;

	qsort(keys, n, sizeof *keys, key_order);
	cr_assert_eq(window->n, want);
	for (size_t i = 0; i < want; i++) {
		cr_assert_eq(window->keys[i].row, keys[i].row, "key %zu of %zu", i, want);
		cr_assert_eq(window->keys[i].score, keys[i].score);
	}
	cr_assert(n <= want || key_before(window->horizon, keys[want]));
	cr_assert(n > want || window->horizon.row == KEY_LAST.row);
}

static void draw_visible(struct random *random, uint64_t *bits, size_t n_words)
{
	size_t density = random_below(random, 6);

	for (size_t i = 0; i < n_words; i++) {
		bits[i] = density == 5 ? UINT64_MAX : random_bits(random);
		for (size_t j = 1; j < density; j++)
			bits[i] &= random_bits(random);
		if (density == 0)
			bits[i] = 0;
	}
}

/* Rows about a few centres, with twins: many bounds are near each other, some are equal. */
static void draw_rows(struct random *random, struct hostile_block *block, enum metric metric)
{
	uint32_t dim = block->dim;

	for (size_t row = 0; row < block->block.capacity; row++) {
		float *values = hostile_row(block, row);
		size_t other = row ? random_below(random, row) : 0, kind = random_below(random, 4);

		for (size_t i = 0; i < dim; i++) {
			values[i] = random_signed(random);
			if (kind > 0)
				values[i] = hostile_row(block, other)[i] +
					    (kind == 1 ? 0 : 0.1F * values[i]);
		}
		if (metric == METRIC_COSINE)
			vector_normalise(values, dim);
	}
	hostile_block_measure(block);
}

/* A range of some rows, anywhere, with or without a bitmap. */
static struct codes8_range draw_range(struct random *random, const struct codes8 *codes,
				      uint64_t *visible, size_t n_words)
{
	uint32_t first = (uint32_t)random_below(random, codes->n + 1U);

	draw_visible(random, visible, n_words);
	return (struct codes8_range){
		.codes = codes,
		.first = first,
		.n = (uint32_t)random_below(random, codes->n - first + 1U),
		.row_base = (uint64_t)random_below(random, 2) << 40,
		.visible = random_below(random, 4) ? visible : NULL,
	};
}

/* Of searches that all are wanted to the end. */
static void propose_together(const struct codes8_kernel *kernel, struct codes8_probe *probes,
			     size_t n, const struct codes8_range *range)
{
	const struct deadline *deadlines[CODES8_PROBES_MAX] = {0};
	status ends[CODES8_PROBES_MAX];

	codes8_propose_together(kernel, probes, n, range, deadlines, ends);
	for (size_t i = 0; i < n; i++)
		cr_assert_not(status_failed(ends[i]));
}

/* So many queries at once over one range, in every kernel. */
static void check_probes(struct random *random, const struct codes8 *codes,
			 const struct codes8_rotation *rotation, size_t n)
{
	static const size_t widths[] = {1, 3, 40, 700, 5000};
	static struct key keys[ROWS_MAX];
	uint64_t visible[ROWS_MAX / 64 + 1];
	struct codes8_range range = draw_range(random, codes, visible, COUNT(visible));
	const struct codes8_kernel *kernels[SCANNERS_MAX];
	struct asked asked[CODES8_PROBES_MAX];
	size_t n_kernels = kernels_all(kernels);

	for (size_t i = 0; i < n; i++) {
		float query[512];

		hostile_query_draw(random, QUERY_UNIT, codes->shape.metric, query,
				   codes->shape.dim);
		ask(&asked[i], &codes->shape, rotation, query);
	}
	for (size_t k = 0; k < n_kernels; k++) {
		struct codes8_probe probes[CODES8_PROBES_MAX];
		struct window windows[CODES8_PROBES_MAX];

		for (size_t i = 0; i < n; i++) {
			cr_assert(!status_failed(window_init(
				&windows[i], widths[random_below(random, COUNT(widths))])));
			probes[i] = (struct codes8_probe){&asked[i].query, &windows[i], 0};
		}
		if (random_below(random, 2))
			cr_assert(!status_failed(
				codes8_propose(kernels[k], probes, n, &range, NULL)));
		else
			propose_together(kernels[k], probes, n, &range);
		for (size_t i = 0; i < n; i++) {
			size_t n_keys = keys_by_bounds(kernels[0], &asked[i].query, &range, keys);

			cr_assert_leq(probes[i].tails_read, codes->shape.tail ? n_keys : 0);
			window_seal(&windows[i]);
			window_check(&windows[i], keys, n_keys);
			window_finish(&windows[i]);
		}
	}
	for (size_t i = 0; i < n; i++)
		arena_finish(&asked[i].arena);
}

Test(codes8_propose, proposes_the_first_rows_by_bound_key)
{
	static const struct {
		uint32_t dim, head;
		bool rotated;
	} cases[] = {
		{1, 0, false},    {3, 0, false},   {40, 0, false}, {40, 32, false},  {70, 64, true},
		{100, 64, false}, {200, 64, true}, {200, 0, true}, {384, 192, true},
	};
	static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};
	struct random random = {71};

	for (size_t c = 0; c < 3 * COUNT(cases); c++) {
		uint32_t dim = cases[c / 3].dim;
		struct codes8_rotation *rotation = NULL;
		struct hostile_block block;
		struct turned turned = {0};
		struct coded coded;

		if (cases[c / 3].rotated) {
			turned_init(&turned, &random, dim);
			rotation = &turned.rotation;
		}
		hostile_block_init(&block, c % 2 ? ROWS_MAX : 90, dim);
		draw_rows(&random, &block, metrics[c % 3]);
		coded_init(&coded, &block, metrics[c % 3], cases[c / 3].head, rotation);
		for (size_t n = 1; n <= CODES8_PROBES_MAX; n++)
			check_probes(&random, &coded.codes, rotation, n);
		coded_finish(&coded);
		hostile_block_finish(&block);
		turned_finish(&turned);
	}
}

/* The visible rows of the range by true key. Gives how many. */
static size_t keys_by_score(struct hostile_block *block, enum metric metric, const float *query,
			    const struct codes8_range *range, struct key *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < range->n; i++) {
		size_t place = range->first + i;

		if (is_visible(range, i))
			ret[n++] = (struct key){
				score_exact(metric, query, hostile_row(block, place), block->dim),
				range->row_base + place};
	}
	qsort(ret, n, sizeof *ret, key_order);
	return n;
}

static bool window_has(const struct window *window, uint64_t row)
{
	for (size_t i = 0; i < window->n; i++) {
		if (window->keys[i].row == row)
			return true;
	}
	return false;
}

/* The range in two parts, for a window of which so many are expected. */
static void check_expected(struct random *random, const struct codes8_kernel *kernel,
			   const struct coded *coded, struct hostile_block *block,
			   const struct asked *asked, const float *query)
{
	static struct key keys[ROWS_MAX];
	uint64_t visible[ROWS_MAX / 64 + 1];
	struct codes8_range whole = draw_range(random, &coded->codes, visible, COUNT(visible));
	size_t n = keys_by_score(block, coded->codes.shape.metric, query, &whole, keys);
	size_t expected = 1 + random_below(random, WINDOW_EXPECTED_MAX);
	struct codes8_range front = whole, back = whole;
	struct window memory;
	SCOPED(window) window = &memory;
	struct codes8_probe probe = {&asked->query, window, 0};

	front.n = whole.n / 128 * 64;
	back.first += front.n;
	back.n -= front.n;
	if (whole.visible)
		back.visible += front.n / 64;
	cr_assert(!status_failed(window_init(window, ROWS_MAX)));
	window_expect(window, expected);
	cr_assert(!status_failed(codes8_propose(kernel, &probe, 1, &back, NULL)));
	cr_assert(!status_failed(codes8_propose(kernel, &probe, 1, &front, NULL)));
	window_seal(window);
	for (size_t i = 0; i < n && i < expected; i++) {
		cr_assert(window_has(window, keys[i].row), "%zu of %zu", i, n);
		cr_assert(!key_before(window->horizon, keys[i]), "%zu of %zu", i, n);
	}
}

/* Whatever the query and the rows are. */
Test(codes8_propose, proves_as_many_rows_as_are_expected)
{
	static const struct {
		uint32_t dim, head;
		bool rotated;
	} cases[] = {
		{3, 0, false}, {70, 64, true}, {200, 64, false}, {200, 0, true}, {384, 192, true}};
	static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};
	const struct codes8_kernel *kernels[SCANNERS_MAX];
	size_t n_kernels = kernels_all(kernels);
	struct random random = {74};

	for (size_t c = 0; c < COUNT(cases) * COUNT(metrics); c++) {
		enum metric metric = metrics[c % COUNT(metrics)];
		uint32_t dim = cases[c / COUNT(metrics)].dim;
		struct codes8_rotation *rotation = NULL;
		struct turned turned = {0};

		if (cases[c / COUNT(metrics)].rotated) {
			turned_init(&turned, &random, dim);
			rotation = &turned.rotation;
		}
		for (int kind = 0; kind < HOSTILE_QUERIES; kind++) {
			struct hostile_block block;
			struct coded coded;
			struct asked asked;
			float query[384];

			hostile_query_draw(&random, (enum hostile_query)kind, metric, query, dim);
			hostile_block_init(&block, 700, dim);
			if ((kind + (int)c) % 2)
				draw_rows(&random, &block, metric);
			else
				hostile_block_draw(&random, &block, metric, query);
			coded_init(&coded, &block, metric, cases[c / COUNT(metrics)].head,
				   rotation);
			ask(&asked, &coded.codes.shape, rotation, query);
			for (size_t k = 0; k < n_kernels; k++)
				check_expected(&random, kernels[k], &coded, &block, &asked, query);
			arena_finish(&asked.arena);
			coded_finish(&coded);
			hostile_block_finish(&block);
		}
		turned_finish(&turned);
	}
}

/* Of rows that lie apart few tails are read. */
Test(codes8_propose, reads_few_tails_where_few_rows_are_expected)
{
	uint64_t tails[2];
	struct random random = {75};
	struct hostile_block block;
	struct turned turned;
	struct asked asked;
	struct coded coded;
	float query[200];

	turned_init(&turned, &random, 200);
	hostile_block_init(&block, ROWS_MAX, 200);
	for (size_t row = 0; row < ROWS_MAX; row++)
		hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, hostile_row(&block, row),
				   200);
	hostile_block_measure(&block);
	hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, query, 200);
	coded_init(&coded, &block, METRIC_COSINE, 160, &turned.rotation);
	ask(&asked, &coded.codes.shape, &turned.rotation, query);
	for (size_t i = 0; i < 2; i++) {
		struct codes8_range range = {.codes = &coded.codes, .n = ROWS_MAX};
		struct window memory;
		SCOPED(window) window = &memory;
		struct codes8_probe probe = {&asked.query, window, 0};

		cr_assert(!status_failed(window_init(window, 200)));
		if (i > 0)
			window_expect(window, 1);
		cr_assert(!status_failed(
			codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &range, NULL)));
		tails[i] = probe.tails_read;
	}
	cr_assert_lt(tails[1], tails[0] / 2, "%lu, else %lu", (unsigned long)tails[1],
		     (unsigned long)tails[0]);
	arena_finish(&asked.arena);
	coded_finish(&coded);
	hostile_block_finish(&block);
	turned_finish(&turned);
}

/* Few different rows, all in the head: head bounds that are the threshold itself, and rows that win
 * a tie though they come later. */
Test(codes8_propose, breaks_ties_by_row)
{
	static float query[100] = {1};
	static struct key keys[2 * ROWS_MAX];
	const struct codes8_kernel *kernels[SCANNERS_MAX];
	size_t n = kernels_all(kernels);
	struct random random = {73};
	struct hostile_block block;
	struct asked asked;
	struct coded coded;

	hostile_block_init(&block, ROWS_MAX, 100);
	for (size_t row = 0; row < ROWS_MAX; row++)
		hostile_row(&block, row)[0] = (float)random_below(&random, 3);
	coded_init(&coded, &block, METRIC_INNER_PRODUCT, 64, NULL);
	ask(&asked, &coded.codes.shape, NULL, query);
	for (size_t i = 0; i < 40 * n; i++) {
		struct window memory;
		SCOPED(window) window = &memory;
		struct codes8_probe probe = {&asked.query, window, 0};
		size_t n_keys = 0;

		cr_assert(!status_failed(window_init(window, 1 + random_below(&random, 1500))));
		for (uint64_t part = 0; part < 2; part++) {
			struct codes8_range range = {.codes = &coded.codes, .n = ROWS_MAX};

			range.row_base = (1 - part) << 40;
			cr_assert(!status_failed(
				codes8_propose(kernels[i % n], &probe, 1, &range, NULL)));
			n_keys +=
				keys_by_bounds(kernels[i % n], &asked.query, &range, keys + n_keys);
		}
		window_seal(window);
		window_check(window, keys, n_keys);
	}
	arena_finish(&asked.arena);
	coded_finish(&coded);
	hostile_block_finish(&block);
}

/* Bounds that are infinite come first and are ties. */
Test(codes8_propose, offers_rows_whose_bounds_are_infinite)
{
	static float query[100];
	static struct key keys[ROWS_MAX];
	const struct codes8_kernel *kernels[SCANNERS_MAX];
	size_t n = kernels_all(kernels);
	struct random random = {72};
	struct hostile_block block;
	struct asked asked;
	struct coded coded;

	hostile_query_draw(&random, QUERY_HUGE, METRIC_INNER_PRODUCT, query, 100);
	hostile_block_init(&block, 500, 100);
	hostile_block_draw(&random, &block, METRIC_INNER_PRODUCT, query);
	coded_init(&coded, &block, METRIC_INNER_PRODUCT, 64, NULL);
	ask(&asked, &coded.codes.shape, NULL, query);
	for (size_t k = 0; k < n; k++) {
		struct codes8_range range = {.codes = &coded.codes, .n = 500};
		struct window memory;
		SCOPED(window) window = &memory;
		struct codes8_probe probe = {&asked.query, window, 0};

		cr_assert(!status_failed(window_init(window, 20)));
		cr_assert(!status_failed(codes8_propose(kernels[k], &probe, 1, &range, NULL)));
		window_seal(window);
		window_check(window, keys, keys_by_bounds(kernels[k], &asked.query, &range, keys));
		cr_assert_eq(window->keys[19].score, INFINITY);
		cr_assert_eq(window->keys[19].row, 19);
	}
	arena_finish(&asked.arena);
	coded_finish(&coded);
	hostile_block_finish(&block);
}

Test(codes8_propose, stops_when_it_is_not_wanted)
{
	static const struct {
		bool cancel;
		int64_t at_ns;
		enum status_code want;
	} cases[] = {
		{true, DEADLINE_NEVER, STATUS_CANCELLED},
		{false, 0, STATUS_DEADLINE_EXCEEDED},
		{false, DEADLINE_NEVER, STATUS_OK},
	};
	static float query[256] = {1};
	uint32_t rows = (uint32_t)(3 * SCAN_STEP_BYTES / 256);
	float *upper = calloc(rows, sizeof *upper), *lower = calloc(rows, sizeof *lower);
	struct hostile_block block;
	struct asked asked;
	struct coded coded;

	hostile_block_init(&block, rows, 256);
	coded_init(&coded, &block, METRIC_COSINE, 0, NULL);
	ask(&asked, &coded.codes.shape, NULL, query);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct codes8_range range = {.codes = &coded.codes, .n = rows};
		struct deadline deadline;
		struct window memory;
		SCOPED(window) window = &memory;
		struct codes8_probe probe = {&asked.query, window, 0};

		deadline_init(&deadline, cases[i].at_ns);
		if (cases[i].cancel)
			deadline_cancel(&deadline);
		cr_assert(!status_failed(window_init(window, rows)));
		cr_assert_eq(
			codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &range, &deadline)
				.code,
			cases[i].want);
		cr_assert_eq(window->n, cases[i].want == STATUS_OK ? rows : 0);
		cr_assert_eq(codes8_bounds(codes8_scanner(CODES8_BEST), &asked.query, &range,
					   &deadline, (struct codes8_bounds_out){upper, lower})
				     .code,
			     cases[i].want);
	}
	free(upper);
	free(lower);
	arena_finish(&asked.arena);
	coded_finish(&coded);
	hostile_block_finish(&block);
}

/* Those that are not wanted are let go at the first look; the others lack nothing, wherever they stand. */
Test(codes8_propose, goes_on_for_those_that_are_wanted)
{
	static float query[256] = {1};
	uint32_t rows = (uint32_t)(3 * SCAN_STEP_BYTES / 256);
	struct codes8_range range = {.n = rows};
	struct deadline wanted, cancelled, late;
	const struct deadline *kinds[] = {&wanted, &cancelled, &late, NULL};
	enum status_code codes[] = {STATUS_OK, STATUS_CANCELLED, STATUS_DEADLINE_EXCEEDED,
				    STATUS_OK};
	struct random random = {74};
	struct hostile_block block;
	struct asked asked;
	struct coded coded;

	deadline_init(&wanted, DEADLINE_NEVER);
	deadline_init(&late, 0);
	deadline_init(&cancelled, DEADLINE_NEVER);
	deadline_cancel(&cancelled);
	hostile_block_init(&block, rows, 256);
	coded_init(&coded, &block, METRIC_COSINE, 64, NULL);
	range.codes = &coded.codes;
	ask(&asked, &coded.codes.shape, NULL, query);
	for (size_t turn = 0; turn < 6; turn++) {
		struct codes8_probe probes[CODES8_PROBES_MAX];
		const struct deadline *deadlines[CODES8_PROBES_MAX];
		struct window windows[CODES8_PROBES_MAX];
		status ends[CODES8_PROBES_MAX];
		size_t kind[CODES8_PROBES_MAX];

		for (size_t i = 0; i < CODES8_PROBES_MAX; i++) {
			kind[i] = turn == 0 ? 1 : random_below(&random, COUNT(kinds));
			deadlines[i] = kinds[kind[i]];
			cr_assert_not(status_failed(window_init(&windows[i], rows)));
			probes[i] = (struct codes8_probe){&asked.query, &windows[i], 0};
		}
		codes8_propose_together(codes8_scanner(CODES8_BEST), probes, CODES8_PROBES_MAX,
					&range, deadlines, ends);
		for (size_t i = 0; i < CODES8_PROBES_MAX; i++) {
			cr_assert_eq(ends[i].code, codes[kind[i]]);
			cr_assert_eq(windows[i].n, codes[kind[i]] == STATUS_OK ? rows : 0);
			window_finish(&windows[i]);
		}
	}
	arena_finish(&asked.arena);
	coded_finish(&coded);
	hostile_block_finish(&block);
}
