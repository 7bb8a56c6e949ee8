/* fixture - see the header. */
#include "tests/kernels/vulkan/fixture.h"

#include "kernels/base/gauge.h"
#include "kernels/float16.h"
#include "kernels/score.h"

#include <criterion/criterion.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
	return x ^ x >> 31;
}

float random_unit(uint64_t *state)
{
	return (float)(random_next(state) >> 40) * 0x1p-23F - 1;
}

static void *array(size_t n, size_t size)
{
	/* One more, so that there is something for n = 0. */
	void *made = aligned_alloc(64, (n + 1) * size / 64 * 64 + 64);

	cr_assert_not_null(made);
	memset(made, 0, (n + 1) * size / 64 * 64 + 64);
	return made;
}

void rows_init(struct rows *rows, uint32_t dim, uint32_t capacity, uint64_t seed)
{
	size_t stride = scan_stride(dim);

	*rows = (struct rows){.dim = dim};
	rows->vectors = array(capacity * stride, sizeof(float));
	rows->norms = array(capacity, sizeof(float));
	rows->squares = array(capacity, sizeof(float));
	rows->query = array(stride, sizeof(float));
	for (uint32_t i = 0; i < dim; i++)
		rows->query[i] = random_unit(&seed);
	rows->block = (struct scan_block){
		.vectors = rows->vectors,
		.norms = rows->norms,
		.squares = rows->squares,
		.stride = stride,
		.capacity = capacity,
	};
}

void rows_finish(struct rows *rows)
{
	free(rows->vectors);
	free(rows->norms);
	free(rows->squares);
	free(rows->query);
}

void rows_keep(struct rows *rows, bool is_half)
{
	scan_block_close(&rows->block);
	rows->block.is_half = is_half;
}

const float *rows_vector(const struct rows *rows, uint32_t place)
{
	return rows->vectors + place * rows->block.stride;
}

static void fill_hostile(const struct rows *rows, float *vector, uint64_t *state)
{
	static const float scales[] = {1, -1, 0x1p-130F, 0x1p-75F, 0x1p40F, 0x1p-149F};
	uint32_t kind = (uint32_t)(random_next(state) % 9);
	float scale = scales[random_next(state) % (sizeof scales / sizeof *scales)];

	for (uint32_t i = 0; i < rows->dim; i++) {
		if (kind < 4) /* the query, scaled */
			vector[i] = rows->query[i] * scale;
		else if (kind < 6)
			vector[i] = random_unit(state) * scale;
		else if (kind == 6) /* almost the query */
			vector[i] = nextafterf(rows->query[i], random_unit(state));
		else /* one-hot, or zero */
			vector[i] = i == rows->n % (rows->dim + 1) ? scale : 0;
	}
	if (kind == 5 && rows->n > 0) /* a twin */
		memcpy(vector, rows_vector(rows, rows->n - 1), rows->dim * sizeof *vector);
}

static void fill(const struct rows *rows, enum rows_kind kind, float *vector, uint64_t *state)
{
	if (kind == ROWS_HOSTILE) {
		fill_hostile(rows, vector, state);
		return;
	}
	for (uint32_t i = 0; i < rows->dim; i++) {
		if (kind == ROWS_WHOLE)
			vector[i] = (float)(random_next(state) % 5) - 2;
		else if (kind == ROWS_CANCELS)
			vector[i] =
				(i & 1 ? -0x1p20F : 0x1p20F) * (1 + random_unit(state) * 0x1p-20F);
		else
			vector[i] = random_unit(state);
		if (kind == ROWS_HALVES)
			vector[i] = float16_widen(float16_narrow(
				vector[i] * (random_next(state) % 50 ? 1 : 0x1p-15F)));
	}
}

void rows_add(struct rows *rows, enum rows_kind kind, uint32_t n)
{
	uint64_t state = rows->n * UINT64_C(77) + (uint64_t)kind;

	for (uint32_t i = 0; i < n; i++, rows->n++) {
		float *vector = rows->vectors + rows->n * rows->block.stride;

		cr_assert_lt(rows->n, rows->block.capacity);
		fill(rows, kind, vector, &state);
		scan_row_norms(vector, rows->dim, &rows->norms[rows->n], &rows->squares[rows->n]);
	}
}

uint64_t *bits_random(uint32_t n, unsigned percent, uint64_t seed)
{
	uint64_t *bits = array(n / 64 + 1, sizeof *bits);

	for (uint32_t i = 0; i < n; i++) {
		if (random_next(&seed) % 100 < percent)
			bits[i / 64] |= UINT64_C(1) << (i % 64);
	}
	return bits;
}

static float exact_of(const struct expectation *expected, uint32_t i)
{
	const struct rows *rows = expected->rows;

	return score_exact(expected->metric, rows->query,
			   rows_vector(rows, expected->range.first + i), rows->dim);
}

static bool range_shows(const struct scan_range *range, uint32_t i)
{
	return !range->visible || range->visible[i / 64] >> (i % 64) & 1;
}

void expect_bounds(const struct expectation *expected)
{
	const struct scan_range *range = &expected->range;
	float *upper = array(range->n, sizeof *upper), *lower = array(range->n, sizeof *lower);
	struct scan_query query;
	struct arena arena;
	status done;

	arena_init(&arena, 1 << 20);
	done = scan_query_init(&query, &arena, expected->metric, expected->rows->query,
			       expected->rows->dim);
	cr_assert(!status_failed(done), "%s", done.detail);
	done = scanner_bounds(expected->scanner, &query, range, NULL, upper, lower);
	cr_assert(!status_failed(done), "%s: %s", expected->what, done.detail);

	for (uint32_t i = 0; i < range->n; i++) {
		float exact = exact_of(expected, i);

		cr_assert(lower[i] <= exact && exact <= upper[i],
			  "%s, metric %d, dim %u, row %u of %u: %a <= %a <= %a", expected->what,
			  (int)expected->metric, expected->rows->dim, i, range->n, (double)lower[i],
			  (double)exact, (double)upper[i]);
	}
	free(upper);
	free(lower);
	arena_finish(&arena);
}

/* Marks what is in the window, and checks each of it. */
static void expect_keys(const struct expectation *expected, const struct window *window,
			uint64_t *in_window)
{
	const struct scan_range *range = &expected->range;

	for (size_t k = 0; k < window->n; k++) {
		uint64_t i = window->keys[k].row - range->row_base - range->first;

		cr_assert_lt(i, range->n, "%s: row out of range", expected->what);
		cr_assert(range_shows(range, (uint32_t)i), "%s: row unseen", expected->what);
		cr_assert(!(in_window[i / 64] >> (i % 64) & 1), "%s: row twice", expected->what);
		cr_assert(k == 0 || key_before(window->keys[k - 1], window->keys[k]), "%s: order",
			  expected->what);
		cr_assert_leq(exact_of(expected, (uint32_t)i), window->keys[k].score,
			      "%s: row %u is above its bound", expected->what, (unsigned)i);
		in_window[i / 64] |= UINT64_C(1) << (i % 64);
	}
}

void expect_window(const struct expectation *expected, struct window *window)
{
	const struct scan_range *range = &expected->range;
	uint64_t *in_window = bits_random(range->n, 0, 0);
	size_t visible = 0, width = window->width;

	window_seal(window);
	expect_keys(expected, window, in_window);
	for (uint32_t i = 0; i < range->n; i++) {
		struct key key = {exact_of(expected, i), range->row_base + range->first + i};

		if (!range_shows(range, i))
			continue;
		visible++;
		cr_assert(in_window[i / 64] >> (i % 64) & 1 || key_before(window->horizon, key),
			  "%s, width %zu: row %u is left out", expected->what, width, i);
	}
	cr_assert_eq(window->n, visible < width ? visible : width, "%s, width %zu: %zu of %zu",
		     expected->what, width, window->n, visible);
	if (window->n > 0)
		cr_assert(!key_before(window->horizon, window->keys[window->n - 1]),
			  "%s, width %zu: the horizon is short", expected->what, width);
	free(in_window);
}

void expect_proposal(const struct expectation *expected, size_t width)
{
	struct window window;
	struct scan_query query;
	struct arena arena;
	status done;

	arena_init(&arena, 1 << 20);
	cr_assert(!status_failed(window_init(&window, width)));
	done = scan_query_init(&query, &arena, expected->metric, expected->rows->query,
			       expected->rows->dim);
	cr_assert(!status_failed(done), "%s", done.detail);
	done = scanner_propose(expected->scanner, &query, &expected->range, NULL, &window);
	cr_assert(!status_failed(done), "%s: %s", expected->what, done.detail);
	expect_window(expected, &window);
	window_finish(&window);
	arena_finish(&arena);
}

void rows_ask(const struct rows *rows, size_t i, float *ret)
{
	uint64_t state = i;

	memcpy(ret, rows->query, rows->dim * sizeof *ret);
	if (i > 0 && i % 3 == 0 && rows->n > 0)
		memcpy(ret, rows_vector(rows, (uint32_t)(random_next(&state) % rows->n)),
		       rows->dim * sizeof *ret);
	for (uint32_t d = 0; d < rows->dim && i % 3 == 1; d++)
		ret[d] = -ret[d] * (float)i;
	for (uint32_t d = 0; d < rows->dim && i % 3 == 2; d++)
		ret[d] = random_unit(&state);
}

void expect_proposals(const struct expectation *expected, const size_t *widths, size_t n)
{
	struct window windows[SCAN_PROBES_MAX];
	struct scan_query queries[SCAN_PROBES_MAX];
	struct scan_probe probes[SCAN_PROBES_MAX];
	float *values = array(n * expected->rows->dim, sizeof *values);
	struct arena arena;
	status done;

	arena_init(&arena, 1 << 20);
	for (size_t i = 0; i < n; i++) {
		float *own = values + i * expected->rows->dim;

		rows_ask(expected->rows, i, own);
		cr_assert(!status_failed(window_init(&windows[i], widths[i])));
		cr_assert(!status_failed(scan_query_init(&queries[i], &arena, expected->metric, own,
							 expected->rows->dim)));
		probes[i] = (struct scan_probe){&queries[i], &windows[i]};
	}
	done = scanner_propose_many(expected->scanner, probes, n, &expected->range, NULL);
	cr_assert(!status_failed(done), "%s: %s", expected->what, done.detail);
	for (size_t i = 0; i < n; i++) {
		struct expectation one = *expected;
		struct rows asked = *expected->rows;

		asked.query = values + i * asked.dim;
		one.rows = &asked;
		expect_window(&one, &windows[i]);
		window_finish(&windows[i]);
	}
	free(values);
	arena_finish(&arena);
}

bool gauge_settles(void)
{
	int64_t until_ns = clock_ns() + INT64_C(10000000000);

	while (gauge_read(GAUGE_GPU_OBJECTS) != 0) {
		if (clock_ns() > until_ns)
			return false;
		sched_yield();
	}
	return true;
}
