/* Rotations that are learnt, and the codes that they are learnt for. */
#include "index/build/turn.h"

#include "index/build/codebooks.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIM 16
#define ROWS 4000

static struct arena arena;
static float rows[ROWS * DIM];

/* Rows that lie along few directions, none of them an axis, away from 0. */
static void make(void)
{
	struct random random = {9};
	float directions[4][DIM];

	arena_init(&arena, 65536);
	for (size_t i = 0; i < 4 * DIM; i++)
		directions[i / DIM][i % DIM] = random_signed(&random) * 0.5F;
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t k = 0; k < DIM; k++)
			rows[i * DIM + k] = 0.3F + 0.02F * random_signed(&random);
		for (size_t d = 0; d < 4; d++) {
			float along = random_signed(&random);

			for (size_t k = 0; k < DIM; k++)
				rows[i * DIM + k] += along * directions[d][k];
		}
	}
}

static void finish(void)
{
	arena_finish(&arena);
}

TestSuite(turn, .init = make, .fini = finish);

static void check_orthonormal(const float *turn, uint32_t kept)
{
	for (size_t i = 0; i < kept; i++) {
		for (size_t j = 0; j <= i; j++) {
			double product = 0;

			for (size_t k = 0; k < DIM; k++)
				product += (double)turn[i * DIM + k] * (double)turn[j * DIM + k];
			cr_assert_float_eq(product, i == j, 1e-4, "%zu %zu: %g", i, j, product);
		}
	}
}

/* The mean square of what coding loses. */
static double coding_loss(const float *turned, uint32_t dim)
{
	const struct codebooks_options options = {.shape = {dim, 4, 4}, .iterations = 25};
	float *codebooks = malloc(sizeof(float) * codebooks_floats(&options.shape));
	float *coded = malloc(sizeof(float) * ROWS * dim);
	double loss = 0;

	cr_assert(codebooks && coded);
	cr_assert(!status_failed(
		codebooks_train(&options, turned, ROWS, NULL, &arena, codebooks, coded)));
	for (size_t i = 0; i < (size_t)ROWS * dim; i++) {
		double off = (double)turned[i] - (double)coded[i];

		loss += off * off;
	}
	free(codebooks);
	free(coded);
	return loss / ROWS;
}

Test(turn, learnt_for_codes_makes_them_lose_less)
{
	const struct turn_options options = {DIM, DIM, 4};
	float *turned = malloc(sizeof rows);
	float turn[DIM * DIM];

	cr_assert(turned);
	cr_assert(!status_failed(turn_learn(&options, rows, ROWS, NULL, &arena, turn)));
	check_orthonormal(turn, DIM);
	cr_assert(!status_failed(turn_apply(&options, turn, rows, ROWS, NULL, turned)));
	cr_assert_lt(coding_loss(turned, DIM), 0.7 * coding_loss(rows, DIM));
	free(turned);
}

static double spread(const float *values, size_t n, size_t dim)
{
	double squares = 0;

	for (size_t i = 0; i < n * dim; i++)
		squares += (double)values[i] * (double)values[i];
	return squares / (double)n;
}

/* The rows lie along four directions and away from 0: in eight dimensions nearly all is kept. */
Test(turn, to_fewer_dimensions_keeps_what_there_is)
{
	const struct turn_options options = {DIM, 8, 4};
	float *turned = malloc(sizeof(float) * ROWS * 8);
	float *centred = malloc(sizeof rows);
	float turn[8 * DIM];

	cr_assert(turned && centred);
	for (size_t k = 0; k < DIM; k++) {
		double mean = 0;

		for (size_t i = 0; i < ROWS; i++)
			mean += (double)rows[i * DIM + k] / ROWS;
		for (size_t i = 0; i < ROWS; i++)
			centred[i * DIM + k] = rows[i * DIM + k] - (float)mean;
	}
	cr_assert(!status_failed(turn_learn(&options, rows, ROWS, NULL, &arena, turn)));
	check_orthonormal(turn, 8);
	cr_assert(!status_failed(turn_apply(&options, turn, centred, ROWS, NULL, turned)));
	cr_assert_gt(spread(turned, ROWS, 8), 0.95 * spread(centred, ROWS, DIM));
	free(turned);
	free(centred);
}

Test(turn, of_signs_is_a_rotation_whatever_the_rows_are)
{
	const struct turn_options options = {DIM, DIM, 0};
	float turn[DIM * DIM];

	cr_assert(!status_failed(turn_learn(&options, rows, ROWS, NULL, &arena, turn)));
	check_orthonormal(turn, DIM);
	memset(rows, 0, sizeof rows);
	cr_assert(!status_failed(turn_learn(&options, rows, ROWS, NULL, &arena, turn)));
	check_orthonormal(turn, DIM);
}

Test(turn, is_cancelled)
{
	const struct turn_options options = {DIM, DIM, 4};
	struct deadline deadline;
	float turn[DIM * DIM];

	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);
	cr_assert_eq(turn_learn(&options, rows, ROWS, &deadline, &arena, turn).code,
		     STATUS_CANCELLED);
}
