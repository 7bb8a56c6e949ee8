/* lower <= exact <= upper, for vectors meant to break it; and the same bits in every kernel. */
#include "kernels/score.h"
#include "tests/kernels/cpu/codes8_fixture.h"

#include <criterion/criterion.h>
#include <fenv.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

/* Ways in which a processor may be set. */
static const struct mode {
	int rounding;
	bool flush;
} modes[] = {
	{FE_TONEAREST, false}, {FE_UPWARD, false},   {FE_DOWNWARD, false},
	{FE_TOWARDZERO, true}, {FE_TONEAREST, true},
};

static void mode_enter(const struct mode *mode)
{
	cr_assert_eq(fesetround(mode->rounding), 0);
#if defined(__x86_64__)
	if (mode->flush)
		_mm_setcsr(_mm_getcsr() | 0x8040); /* flush to zero, denormals are zero */
#endif
}

static void mode_leave(void)
{
	fesetround(FE_TONEAREST);
#if defined(__x86_64__)
	_mm_setcsr(_mm_getcsr() & ~0x8040U);
#endif
}

struct bounds {
	float upper[ROWS_MAX], lower[ROWS_MAX];
};

static void bounds_find(const struct codes8_kernel *kernel, const struct codes8_query *query,
			const struct codes8 *codes, const struct mode *mode, struct bounds *ret)
{
	struct codes8_range range = {.codes = codes, .n = codes->n};
	status scanned;

	mode_enter(mode);
	scanned = codes8_bounds(kernel, query, &range, NULL,
				(struct codes8_bounds_out){ret->upper, ret->lower});
	mode_leave();
	cr_assert(!status_failed(scanned));
}

static void check_bounds(const struct codes8 *codes, const struct codes8_query *query,
			 const float *values, struct hostile_block *block)
{
	static struct bounds first, other;
	const struct codes8_kernel *kernels[SCANNERS_MAX];
	size_t n = kernels_all(kernels);

	for (size_t mode = 0; mode < COUNT(modes); mode++) {
		bounds_find(kernels[0], query, codes, &modes[mode], &first);
		for (uint32_t row = 0; row < codes->n; row++) {
			float exact = score_exact(codes->shape.metric, values,
						  hostile_row(block, row), block->dim);

			cr_assert(first.lower[row] <= exact && exact <= first.upper[row],
				  "metric %d dim %u head %u row %u mode %zu: %a <= %a <= %a",
				  (int)codes->shape.metric, block->dim, codes->shape.head, row,
				  mode, (double)first.lower[row], (double)exact,
				  (double)first.upper[row]);
		}
		for (size_t k = 1; k < n; k++) {
			bounds_find(kernels[k], query, codes, &modes[mode], &other);
			cr_assert_eq(memcmp(first.upper, other.upper, codes->n * sizeof(float)), 0,
				     "%s", codes8_scanner_name(kernels[k]));
			cr_assert_eq(memcmp(first.lower, other.lower, codes->n * sizeof(float)), 0,
				     "%s", codes8_scanner_name(kernels[k]));
		}
	}
}

/* 0, or a head that leaves a tail. */
static uint32_t draw_head(struct random *random, uint32_t dim, bool cut)
{
	if (!cut || dim <= CODES8_HEAD_STEP)
		return 0;
	return CODES8_HEAD_STEP *
	       (1 + (uint32_t)random_below(random, (dim - 1) / CODES8_HEAD_STEP));
}

static void check_dim(struct random *random, uint32_t dim, const struct codes8_rotation *rotation)
{
	static float query[DIMENSION_MAX];

	for (size_t m = 0; m < COUNT(metrics); m++) {
		for (int kind = 0; kind < 2 * HOSTILE_QUERIES; kind++) {
			struct hostile_block block;
			struct asked asked;
			struct coded coded;

			hostile_query_draw(random, (enum hostile_query)(kind / 2), metrics[m],
					   query, dim);
			hostile_block_init(&block, dim > 1000 ? 18 : 71, dim);
			hostile_block_draw(random, &block, metrics[m], query);
			coded_init(&coded, &block, metrics[m], draw_head(random, dim, kind % 2),
				   rotation);
			ask(&asked, &coded.codes.shape, rotation, query);
			check_bounds(&coded.codes, &asked.query, query, &block);
			arena_finish(&asked.arena);
			coded_finish(&coded);
			hostile_block_finish(&block);
		}
	}
}

Test(codes8_bounds, hold_for_hostile_vectors)
{
	static const uint32_t dims[] = {1,  2,  3,   5,   8,   15,  16,  31,   33,   63,
					64, 65, 100, 127, 129, 384, 767, 1000, 4095, 8192};
	struct random random = {4711};

	for (size_t d = 0; d < COUNT(dims); d++)
		check_dim(&random, dims[d], NULL);
}

Test(codes8_bounds, hold_for_hostile_vectors_that_are_rotated)
{
	static const uint32_t dims[] = {1, 2, 3, 5, 17, 33, 64, 65, 100, 129, 257, 384};
	struct random random = {4712};

	for (size_t d = 0; d < COUNT(dims); d++) {
		struct turned turned;

		turned_init(&turned, &random, dims[d]);
		check_dim(&random, dims[d], &turned.rotation);
		turned_finish(&turned);
	}
}

/* A matrix that is only about a rotation: its epsilon has to cover that. */
Test(codes8_bounds, hold_for_a_rotation_that_is_slightly_off)
{
	struct random random = {4713};

	for (uint32_t dim = 1; dim < 100; dim += 7) {
		struct turned turned;

		turned_init(&turned, &random, dim);
		for (size_t i = 0; i < (size_t)dim * dim; i++)
			turned.matrix[i] *= 1 + 4e-4F / (float)dim * random_signed(&random);
		cr_assert(
			!status_failed(codes8_rotation_init(&turned.rotation, turned.matrix, dim)));
		check_dim(&random, dim, &turned.rotation);
		turned_finish(&turned);
	}
}

/* The largest codes there are, all of one sign and then of the other, where sums are longest. */
Test(codes8_bounds, hold_where_products_are_largest)
{
	static float query[DIMENSION_MAX];

	for (int sign = -1; sign <= 1; sign += 2) {
		struct hostile_block block;
		struct asked asked;
		struct coded coded;

		hostile_block_init(&block, 17, DIMENSION_MAX);
		for (size_t i = 0; i < DIMENSION_MAX; i++) {
			query[i] = 1;
			for (size_t row = 0; row < 17; row++)
				hostile_row(&block, row)[i] = (float)sign;
		}
		hostile_block_measure(&block);
		for (uint32_t head = 0; head <= 4096; head += 4096) {
			coded_init(&coded, &block, METRIC_INNER_PRODUCT, head, NULL);
			ask(&asked, &coded.codes.shape, NULL, query);
			check_bounds(&coded.codes, &asked.query, query, &block);
			arena_finish(&asked.arena);
			coded_finish(&coded);
		}
		hostile_block_finish(&block);
	}
}

Test(codes8_bounds, are_near_for_unit_vectors)
{
	static float query[768];
	static struct bounds bounds;
	struct random random = {4};
	struct hostile_block block;

	hostile_block_init(&block, 300, 768);
	for (size_t row = 0; row < 300; row++)
		hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, hostile_row(&block, row),
				   768);
	hostile_block_measure(&block);
	hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, query, 768);
	for (size_t m = 0; m < COUNT(metrics); m++) {
		for (uint32_t head = 0; head <= 512; head += 256) {
			struct asked asked;
			struct coded coded;

			coded_init(&coded, &block, metrics[m], head, NULL);
			ask(&asked, &coded.codes.shape, NULL, query);
			bounds_find(codes8_scanner(CODES8_BEST), &asked.query, &coded.codes,
				    &modes[0], &bounds);
			for (size_t row = 0; row < 300; row++)
				cr_assert_lt(bounds.upper[row] - bounds.lower[row],
					     metrics[m] == METRIC_L2 ? 0.06F : 0.03F);
			arena_finish(&asked.arena);
			coded_finish(&coded);
		}
	}
	hostile_block_finish(&block);
}
