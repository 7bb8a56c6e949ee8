/* lower <= exact <= upper, for vectors meant to break it; and the same bits in every kernel. */
#include "kernels/cpu/rows8_kernel.h"
#include "kernels/score.h"
#include "tests/kernels/hostile.h"

#include <criterion/criterion.h>
#include <fenv.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define KERNELS_MAX 3
#define ROWS_MAX 130

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

/* Rows of a block as bytes, on the heap, and a query. */
struct world {
	unsigned char *rows;
	struct arena arena;
	struct rows8_query query;
};

static void world_init(struct world *world, struct hostile_block *block, enum metric metric,
		       const float *query)
{
	size_t bytes = rows8_bytes(block->dim), n = block->block.capacity;

	world->rows = malloc(n * bytes);
	cr_assert(world->rows);
	for (size_t row = 0; row < n; row++)
		rows8_encode(metric, block->dim, hostile_row(block, row),
			     world->rows + row * bytes);
	arena_init(&world->arena, (size_t)1 << 20);
	cr_assert(!status_failed(
		rows8_query_init(&world->query, &world->arena, metric, block->dim, query)));
}

static void world_finish(struct world *world)
{
	free(world->rows);
	arena_finish(&world->arena);
}

static size_t kernels_all(const struct rows8_kernel *ret[KERNELS_MAX])
{
	size_t n = 0;

	for (int isa = ROWS8_PORTABLE; isa <= ROWS8_VNNI; isa++) {
		ret[n] = rows8_scanner((enum rows8_isa)isa);
		n += ret[n] != NULL;
	}
	return n;
}

/* Of the first n positions. */
static void check_bounds(struct hostile_block *block, const struct world *world,
			 const float *values, const uint32_t *positions, uint32_t n)
{
	const struct rows8_kernel *kernels[KERNELS_MAX];
	size_t n_kernels = kernels_all(kernels);
	float upper[KERNELS_MAX][ROWS_MAX], lower[KERNELS_MAX][ROWS_MAX], alone[ROWS_MAX];

	for (size_t m = 0; m < COUNT(modes); m++) {
		for (size_t k = 0; k < n_kernels; k++) {
			mode_enter(&modes[m]);
			rows8_bounds(kernels[k], &world->query, world->rows, positions, n, upper[k],
				     lower[k]);
			rows8_bounds(kernels[k], &world->query, world->rows, positions, n, alone,
				     NULL);
			mode_leave();
			cr_assert_eq(memcmp(alone, upper[0], n * sizeof *alone), 0);
			cr_assert_eq(memcmp(upper[k], upper[0], n * sizeof *alone), 0);
			cr_assert_eq(memcmp(lower[k], lower[0], n * sizeof *alone), 0);
		}
		for (uint32_t i = 0; i < n; i++) {
			float exact = score_exact(world->query.metric, values,
						  hostile_row(block, positions[i]), block->dim);

			cr_assert(lower[0][i] <= exact && exact <= upper[0][i],
				  "metric %d dim %u row %u mode %zu: %a <= %a <= %a",
				  (int)world->query.metric, block->dim, positions[i], m,
				  (double)lower[0][i], (double)exact, (double)upper[0][i]);
		}
	}
}

Test(rows8_bounds, hold_for_hostile_vectors)
{
	static const uint32_t dims[] = {1,  2,  3,   5,   15,  16,  17,  31,   33,  47,
					48, 49, 100, 127, 129, 384, 767, 1000, 8192};
	static float query[DIMENSION_MAX];
	struct random random = {41};

	for (size_t d = 0; d < 3 * COUNT(dims); d++) {
		uint32_t dim = dims[d / 3], n = dim > 1000 ? 18 : 71;

		for (int kind = 0; kind < HOSTILE_QUERIES; kind++) {
			uint32_t positions[ROWS_MAX];
			struct hostile_block block;
			struct world world;

			hostile_query_draw(&random, (enum hostile_query)kind, metrics[d % 3], query,
					   dim);
			hostile_block_init(&block, n, dim);
			hostile_block_draw(&random, &block, metrics[d % 3], query);
			world_init(&world, &block, metrics[d % 3], query);
			for (uint32_t i = 0; i < n; i++)
				positions[i] = i;
			check_bounds(&block, &world, query, positions, n);
			world_finish(&world);
			hostile_block_finish(&block);
		}
	}
}

Test(rows8_bounds, are_of_any_number_of_rows_in_any_order)
{
	struct random random = {42};
	struct hostile_block block;
	struct world world;
	float query[70];

	hostile_query_draw(&random, QUERY_UNIT, METRIC_L2, query, 70);
	hostile_block_init(&block, 200, 70);
	hostile_block_draw(&random, &block, METRIC_L2, query);
	world_init(&world, &block, METRIC_L2, query);
	for (uint32_t n = 0; n < ROWS_MAX; n++) {
		uint32_t positions[ROWS_MAX];

		for (uint32_t i = 0; i < n; i++)
			positions[i] = (uint32_t)random_below(&random, 200);
		check_bounds(&block, &world, query, positions, n);
	}
	world_finish(&world);
	hostile_block_finish(&block);
}

/* The largest codes there are, all of one sign and then of the other, where sums are longest. */
Test(rows8_bounds, hold_where_products_are_largest)
{
	static const uint32_t positions[] = {0, 1, 2, 3, 4};
	static float query[DIMENSION_MAX];

	for (int sign = -1; sign <= 1; sign += 2) {
		struct hostile_block block;
		struct world world;

		hostile_block_init(&block, 5, DIMENSION_MAX);
		for (size_t i = 0; i < DIMENSION_MAX; i++) {
			query[i] = (float)-sign;
			for (size_t row = 0; row < 5; row++)
				hostile_row(&block, row)[i] = (float)(row % 2 ? sign : -sign);
		}
		world_init(&world, &block, METRIC_INNER_PRODUCT, query);
		check_bounds(&block, &world, query, positions, 5);
		world_finish(&world);
		hostile_block_finish(&block);
	}
}

static void draw_unit_rows(struct random *random, struct hostile_block *block)
{
	for (size_t row = 0; row < block->block.capacity; row++)
		hostile_query_draw(random, QUERY_UNIT, METRIC_COSINE, hostile_row(block, row),
				   block->dim);
}

Test(rows8_bounds, are_near_for_unit_vectors)
{
	struct random random = {43};
	struct hostile_block block;
	uint32_t positions[100];
	float query[768];

	hostile_block_init(&block, 100, 768);
	draw_unit_rows(&random, &block);
	hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, query, 768);
	for (size_t m = 0; m < COUNT(metrics); m++) {
		float upper[100], lower[100];
		struct world world;

		world_init(&world, &block, metrics[m], query);
		for (uint32_t i = 0; i < 100; i++)
			positions[i] = i;
		rows8_bounds(rows8_scanner(ROWS8_BEST), &world.query, world.rows, positions, 100,
			     upper, lower);
		for (size_t i = 0; i < 100; i++)
			cr_assert_lt(upper[i] - lower[i], metrics[m] == METRIC_L2 ? 0.06F : 0.03F);
		world_finish(&world);
	}
	hostile_block_finish(&block);
}

Test(rows8_products, are_about_the_inner_product_under_every_metric)
{
	struct random random = {44};
	struct hostile_block block;
	float query[384];

	hostile_block_init(&block, 67, 384);
	draw_unit_rows(&random, &block);
	hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, query, 384);
	for (size_t m = 0; m < COUNT(metrics); m++) {
		const struct rows8_kernel *kernels[KERNELS_MAX];
		size_t n_kernels = kernels_all(kernels);
		struct world world;

		world_init(&world, &block, metrics[m], query);
		for (uint32_t n = 0; n <= 67; n++) {
			float found[KERNELS_MAX][67];

			for (size_t k = 0; k < n_kernels; k++) {
				rows8_products(kernels[k], &world.query, world.rows, n, found[k]);
				cr_assert_eq(memcmp(found[k], found[0], n * sizeof(float)), 0);
			}
			for (size_t i = 0; i < n; i++)
				cr_assert_float_eq(found[0][i],
						   score_exact(METRIC_INNER_PRODUCT, query,
							       hostile_row(&block, i), 384),
						   0.01F);
		}
		world_finish(&world);
	}
	hostile_block_finish(&block);
}

Test(rows8_encode, keeps_beside_the_codes_what_they_lost)
{
	struct random random = {45};

	for (uint32_t dim = 1; dim < 200; dim += 13) {
		unsigned char row[256];
		struct rows8_sides sides;
		double residual = 0, norm = 0;
		float values[200];

		cr_assert_leq(rows8_bytes(dim), sizeof row);
		for (size_t i = 0; i < dim; i++)
			values[i] = random_signed(&random);
		rows8_encode(METRIC_L2, dim, values, row);
		memcpy(&sides, row, sizeof sides);
		for (size_t i = 0; i < rows8_bytes(dim) - sizeof sides; i++) {
			int8_t code = (int8_t)row[sizeof sides + i];
			double coded = (double)sides.scale * code;
			double left = i < dim ? (double)values[i] - coded : coded;

			cr_assert(code >= -127 && (i < dim || code == 0));
			residual += left * left;
			norm += coded * coded;
		}
		cr_assert_geq((double)sides.residual, sqrt(residual));
		cr_assert_leq((double)sides.residual, sqrt(residual) * 1.0001);
		cr_assert_geq((double)sides.norm, sqrt(norm));
		cr_assert_leq((double)sides.norm, sqrt(norm) * 1.0001);
		cr_assert_float_eq(sides.square,
				   -score_exact(METRIC_L2, values, (float[200]){0}, dim), 1e-5F);
	}
}

Test(rows8_query, needs_memory)
{
	SCOPED(arena) arena = &(struct arena){0};
	struct rows8_query query;
	float values[384] = {1};

	arena_init(arena, 64);
	cr_assert_eq(rows8_query_init(&query, arena, METRIC_COSINE, 384, values).code,
		     STATUS_RESOURCE_EXHAUSTED);
}
