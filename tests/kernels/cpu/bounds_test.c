/* lower <= exact <= upper, for vectors meant to break it, in every kernel. */
#include "kernels/score.h"
#include "tests/kernels/cpu/fixture.h"

#include <criterion/criterion.h>
#include <fenv.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

/* Ways in which a processor may be set; a scanner elsewhere may round or flush like any. */
struct mode {
	int rounding;
	bool flush;
};

static const struct mode modes[] = {
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

static void check_bounds(struct scanner *scanner, const struct scan_query *query,
			 struct hostile_block *block, size_t mode)
{
	static float upper[ROWS_MAX], lower[ROWS_MAX];
	struct scan_range range = {.block = &block->block, .n = block->block.capacity};
	status scanned;

	mode_enter(&modes[mode]);
	scanned = scanner_bounds(scanner, query, &range, NULL, upper, lower);
	mode_leave();
	cr_assert(!status_failed(scanned));
	for (size_t row = 0; row < range.n; row++) {
		float exact = score_exact(query->metric, query->values, hostile_row(block, row),
					  query->dim);

		cr_assert(lower[row] <= exact && exact <= upper[row],
			  "%s metric %d dim %u row %zu mode %zu: %a <= %a <= %a", scanner->name,
			  (int)query->metric, query->dim, row, mode, (double)lower[row],
			  (double)exact, (double)upper[row]);
	}
}

static void check_bounds_of_dim(struct random *random, struct scanner *const *scanners, size_t n,
				uint32_t dim)
{
	static float query[8192];

	for (size_t m = 0; m < COUNT(metrics); m++) {
		for (int kind = 0; kind < HOSTILE_QUERIES; kind++) {
			struct hostile_block block;
			struct prepared prepared;

			hostile_query_draw(random, (enum hostile_query)kind, metrics[m], query,
					   dim);
			prepare(&prepared, metrics[m], query, dim);
			hostile_block_init(&block, dim > 1000 ? 21 : 87, dim);
			hostile_block_draw(random, &block, metrics[m], query);
			for (size_t s = 0; s < n; s++) {
				for (size_t mode = 0; mode < COUNT(modes); mode++)
					check_bounds(scanners[s], &prepared.query, &block, mode);
			}
			hostile_block_finish(&block);
			arena_finish(&prepared.arena);
		}
	}
}

Test(bounds, hold_for_hostile_vectors)
{
	static const uint32_t dims[] = {1,  2,  3,  5,   8,   15,  16,  17,   31,   32,
					33, 48, 64, 100, 127, 384, 768, 1000, 4095, 8192};
	struct random random = {2024};
	struct scanner *scanners[3];
	size_t n = scanners_open_all(scanners);

	for (size_t d = 0; d < COUNT(dims); d++)
		check_bounds_of_dim(&random, scanners, n, dims[d]);
	scanners_close_all(scanners, n);
}

Test(bounds, are_near_for_unit_vectors)
{
	static float query[768], upper[300], lower[300];
	struct random random = {4};
	struct scanner *scanners[3];
	size_t n = scanners_open_all(scanners);
	struct hostile_block block;

	hostile_block_init(&block, 300, 768);
	for (size_t row = 0; row < 300; row++)
		hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, hostile_row(&block, row),
				   768);
	hostile_block_measure(&block);
	hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, query, 768);
	for (size_t s = 0; s < n; s++) {
		for (size_t m = 0; m < COUNT(metrics); m++) {
			struct scan_range range = {.block = &block.block, .n = 300};
			struct prepared prepared;

			prepare(&prepared, metrics[m], query, 768);
			cr_assert(!status_failed(scanner_bounds(scanners[s], &prepared.query,
								&range, NULL, upper, lower)));
			for (size_t row = 0; row < 300; row++)
				cr_assert_lt(upper[row] - lower[row], 5e-4F);
			arena_finish(&prepared.arena);
		}
	}
	hostile_block_finish(&block);
	scanners_close_all(scanners, n);
}
