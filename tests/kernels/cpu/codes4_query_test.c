/* Codes are the nearest codewords; tables say what codes come to; in every kernel the same. */
#include "tests/kernels/cpu/codes4_fixture.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIM_MAX 512

static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

static const struct {
	uint32_t groups, width_max, more;
} shapes[] = {{2, 1, 0},  {4, 3, 0},  {4, 32, 5},   {6, 5, 17},
	      {96, 4, 9}, {48, 8, 0}, {256, 2, 31}, {22, 32, 100}};

static struct arena arena_open(void)
{
	struct arena arena;

	arena_init(&arena, (size_t)1 << 20);
	return arena;
}

static double distance(const struct codes4_model *model, const float *codewords, uint32_t width,
		       const float *values, size_t code)
{
	double sum = 0;

	cr_assert_lt(code, 16);
	cr_assert_leq(width, model->kept);
	for (size_t j = 0; j < width; j++) {
		double off = (double)values[j] - (double)codewords[j * 16 + code];

		sum += off * off;
	}
	return sum;
}

Test(codes4_encode, picks_the_nearest_codeword)
{
	struct random random = {21};

	for (size_t s = 0; s < COUNT(shapes); s++) {
		struct drawn drawn;

		drawn_init(&drawn, &random, METRIC_COSINE, shapes[s].groups, shapes[s].width_max,
			   0);
		for (int turn = 0; turn < 20; turn++) {
			const float *codewords = drawn.codewords;
			float values[DIM_MAX], *at = values;
			uint8_t codes[CODES4_GROUPS_MAX];

			for (size_t i = 0; i < drawn.model.kept; i++)
				values[i] = random_signed(&random);
			codes4_encode(&drawn.model, values, 0, codes);
			for (size_t g = 0; g < drawn.model.groups; g++) {
				uint32_t width = drawn.widths[g];
				double found =
					distance(&drawn.model, codewords, width, at, codes[g]);

				for (size_t i = 0; i < 16; i++)
					cr_assert_leq(found,
						      1e-5 + distance(&drawn.model, codewords,
								      width, at, i));
				codewords += (size_t)16 * width;
				at += width;
			}
		}
		drawn_finish(&drawn);
	}
}

Test(codes4_encode, takes_the_first_of_equal_codewords_and_none_of_an_empty_group)
{
	static const uint32_t widths[] = {1, 0};
	float codewords[16], value = 0.5F;
	struct codes4_model model = {.metric = METRIC_COSINE,
				     .dim = 1,
				     .kept = 1,
				     .groups = 2,
				     .widths = widths,
				     .codewords = codewords};
	uint8_t codes[2];

	for (size_t i = 0; i < 16; i++)
		codewords[i] = i < 5 ? 9 : 1;
	codes4_encode(&model, &value, 0, codes);
	cr_assert_eq(codes[0], 5);
	cr_assert_eq(codes[1], 0);
}

Test(codes4_encode, keeps_squares_within_half_a_step)
{
	struct random random = {22};
	struct drawn drawn;

	drawn_init(&drawn, &random, METRIC_L2, 4, 2, 0);
	for (int i = 0; i < 1000; i++) {
		float values[4] = {0}, square = random_signed(&random) * 0.6F, kept;
		uint8_t codes[4];

		codes4_encode(&drawn.model, values, square, codes);
		kept = drawn.model.square_low +
		       drawn.model.square_step * (float)(16 * codes[2] + codes[3]);
		square = fmaxf(-0.5F, fminf(0.5F, square));
		cr_assert_leq(fabsf(kept - square), drawn.model.square_step * 0.501F);
	}
	drawn.model.square_step = 0;
	for (int i = 0; i < 2; i++) {
		float values[4] = {0};
		uint8_t codes[4];

		codes4_encode(&drawn.model, values, i ? 1e30F : -1e30F, codes);
		cr_assert_eq(codes[2] + codes[3], 0);
	}
	drawn_finish(&drawn);
}

Test(codes4_pack, has_a_pair_of_groups_in_a_byte)
{
	struct random random = {23};
	struct drawn drawn;

	drawn_init(&drawn, &random, METRIC_COSINE, 10, 2, 0);
	for (uint32_t n = 0; n <= CODES4_ROWS; n++) {
		uint8_t codes[CODES4_ROWS * 10];
		unsigned char block[CODES4_ROWS * 5];

		cr_assert_eq(codes4_block_bytes(&drawn.model), sizeof block);
		cr_assert_eq(codes4_bytes(&drawn.model, n), n ? sizeof block : 0);
		for (size_t i = 0; i < sizeof codes; i++)
			codes[i] = (uint8_t)random_below(&random, 16);
		memset(block, 0xAA, sizeof block);
		codes4_pack(&drawn.model, codes, n, block);
		for (size_t i = 0; i < sizeof block; i++) {
			size_t row = i % CODES4_ROWS, pair = i / CODES4_ROWS;
			const uint8_t *at = codes + row * 10 + 2 * pair;

			cr_assert_eq(block[i], row < n ? at[0] + 16 * at[1] : 0);
		}
	}
	drawn_finish(&drawn);
}

/* What the header says a row's score is, in double, but for the base of its list. */
static double score_of(const struct drawn *drawn, const float *query, const uint8_t *codes)
{
	const struct codes4_model *model = &drawn->model;
	size_t dimension = 0;
	double score = 0;

	for (size_t g = 0; g < model->groups; g++) {
		for (size_t j = 0; j < model->widths[g]; j++, dimension++) {
			double rotated = 0;

			for (size_t i = 0; i < model->dim; i++)
				rotated += (double)query[i] *
					   (double)drawn->matrix[dimension * model->dim + i];
			score += rotated * (double)drawn->codewords[dimension * 16 + codes[g]];
		}
	}
	if (model->metric == METRIC_L2) {
		score = 2 * score + (double)model->square_low +
			(double)model->square_step *
				(16 * codes[model->groups - 2] + codes[model->groups - 1]);
		for (size_t i = 0; i < model->dim; i++)
			score -= (double)query[i] * (double)query[i];
	}
	return score;
}

static double score_by(const struct codes4_query *query, const uint8_t *codes)
{
	unsigned sum = 0;

	for (size_t g = 0; g < query->groups; g++) {
		uint8_t level = query->tables[g * 16 + codes[g]];

		cr_assert_lt(level, CODES4_LEVELS);
		sum += level;
	}
	return (double)query->bias + (double)query->scale * sum;
}

Test(codes4_query, scores_within_half_a_level_a_group)
{
	struct random random = {24};

	for (size_t s = 0; s < 3 * COUNT(shapes); s++) {
		enum metric metric = metrics[s % 3];
		SCOPED(arena) arena = &(struct arena){0};
		struct codes4_query query;
		float values[DIM_MAX];
		struct drawn drawn;

		*arena = arena_open();
		drawn_init(&drawn, &random, metric, shapes[s / 3].groups, shapes[s / 3].width_max,
			   shapes[s / 3].more);
		for (size_t i = 0; i < drawn.model.dim; i++)
			values[i] = random_signed(&random);
		cr_assert(!status_failed(codes4_query_init(&query, arena, &drawn.model, values)));
		cr_assert_eq((uintptr_t)query.tables % 32, 0);
		for (int turn = 0; turn < 20; turn++) {
			uint8_t codes[CODES4_GROUPS_MAX];
			double want, off;

			for (size_t g = 0; g < drawn.model.groups; g++)
				codes[g] = (uint8_t)random_below(&random, 16);
			want = score_of(&drawn, values, codes);
			off = fabs(score_by(&query, codes) - want);
			/* And what 16 bits cost: a few thousandths of lengths that are near 30. */
			cr_assert_leq(off, (double)query.scale * query.groups / 2 + 0.03,
				      "shape %zu: %g for %g", s, off, want);
		}
		drawn_finish(&drawn);
	}
}

/* Of one level a table uses the whole range: the group of the largest range has 0 and 63. */
Test(codes4_query, spends_all_levels_on_the_widest_table)
{
	struct random random = {25};
	SCOPED(arena) arena = &(struct arena){0};
	struct codes4_query query;
	uint8_t greatest = 0;
	float values[DIM_MAX];
	struct drawn drawn;

	*arena = arena_open();
	drawn_init(&drawn, &random, METRIC_COSINE, 96, 4, 0);
	for (size_t i = 0; i < drawn.model.dim; i++)
		values[i] = random_signed(&random);
	cr_assert(!status_failed(codes4_query_init(&query, arena, &drawn.model, values)));
	for (size_t g = 0; g < 96; g++) {
		uint8_t least = UINT8_MAX;

		for (size_t i = 0; i < 16; i++) {
			uint8_t level = query.tables[g * 16 + i];

			least = level < least ? level : least;
			greatest = level > greatest ? level : greatest;
		}
		cr_assert_eq(least, 0);
	}
	cr_assert_eq(greatest, CODES4_LEVELS - 1);
	drawn_finish(&drawn);
}

static void check_same_tables(const struct codes4_model *model, const float *values)
{
	const struct codes4_kernel *kernels[SCANNERS_MAX];
	size_t n = kernels_all(kernels);
	struct codes4_query first;

	for (size_t k = 0; k < n; k++) {
		struct arena arena = arena_open();
		struct arena other_arena = arena_open();
		struct codes4_query query;

		cr_assert(!status_failed(
			codes4_query_make(kernels[0], &first, &arena, model, values)));
		cr_assert(!status_failed(
			codes4_query_make(kernels[k], &query, &other_arena, model, values)));
		cr_assert(isfinite(first.bias) && isfinite(first.scale) && first.scale >= 0);
		cr_assert_eq(memcmp(&first.bias, &query.bias, sizeof first.bias), 0);
		cr_assert_eq(memcmp(&first.scale, &query.scale, sizeof first.scale), 0);
		cr_assert_eq(memcmp(first.tables, query.tables, (size_t)model->groups * 16), 0,
			     "%s", codes4_scanner_name(kernels[k]));
		arena_finish(&arena);
		arena_finish(&other_arena);
	}
}

Test(codes4_query, is_the_same_in_every_kernel_and_finite_for_any_vector)
{
	static const float scales[] = {1, 0, 0x1p-140F, 0x1p-80F, 1e-20F, 1e20F, 1e38F, FLT_MAX};
	struct random random = {26};

	for (size_t s = 0; s < 3 * COUNT(shapes); s++) {
		struct drawn drawn;

		drawn_init(&drawn, &random, metrics[s % 3], shapes[s / 3].groups,
			   shapes[s / 3].width_max, shapes[s / 3].more);
		for (size_t scale = 0; scale < COUNT(scales); scale++) {
			float values[DIM_MAX];

			for (size_t i = 0; i < drawn.model.dim; i++)
				values[i] = random_signed(&random) * scales[scale];
			check_same_tables(&drawn.model, values);
		}
		/* Along a row of the rotation sums are longest. */
		check_same_tables(&drawn.model, drawn.matrix);
		drawn_finish(&drawn);
	}
}

Test(codes4_query, needs_memory)
{
	struct random random = {27};
	SCOPED(arena) arena = &(struct arena){0};
	struct codes4_query query;
	float values[DIM_MAX] = {1};
	struct drawn drawn;

	arena_init(arena, 64);
	drawn_init(&drawn, &random, METRIC_COSINE, 4, 2, 0);
	cr_assert_eq(codes4_query_init(&query, arena, &drawn.model, values).code,
		     STATUS_RESOURCE_EXHAUSTED);
	drawn_finish(&drawn);
}
