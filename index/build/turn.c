/* turn - products of matrices, and Newton's iteration for the polar factor. */
#include "index/build/turn.h"

#include "index/build/axes.h"
#include "index/build/codebooks.h"
#include "kernels/base/error_info.h"
#include "kernels/base/random.h"
#include "kernels/base/scope.h"
#include "kernels/score.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Of rotating, and of the codes in between. On the corpus, for PQ48x4fs in 1,024 lists, recall is then what
 * FAISS's 50 times of 4 on four times the rows come to, within .002 of what the lists allow. */
#define CODES_ROUNDS 20
#define CODES_ITERATIONS_FIRST 8
#define CODES_ITERATIONS 3
#define SIGNS_ROUNDS 50
#define BITS 8

/* Between two looks at the deadline. */
#define STEP_PRODUCTS (UINT64_C(1) << 30)
/* Rows whose products are summed at a time. */
#define SUM_ROWS 512

/* Newton's iteration ends where no product of two rows is further than this from what it should be, or
 * after so many times; then it has found nothing. */
#define ORTHONORMAL 3e-5F
#define POLAR_ROUNDS 60
/* So much of the rotation that was there is mixed in: rows say nothing of some directions. */
#define STAYS 1e-4

struct turning {
	const struct turn_options *options;
	const float *rows; /* [n][dim] */
	size_t n;
	const struct deadline *deadline;
	struct arena *arena;
	float *turn;      /* [kept][dim] borrowed */
	float *centred;   /* [n][dim] owned; NULL: rows as they are */
	float *turned;    /* [n][kept] owned */
	float *coded;     /* [n][kept] owned */
	float *codebooks; /* owned; NULL: signs */
	float *sums;      /* [kept][dim] owned */
	float *squares;   /* [kept][kept] owned */
	float *scratch; /* [dim][kept] and [kept][dim], or [SUM_ROWS][dim + kept] and the latter; owned */
};

static void turning_finish(struct turning *turning)
{
	free(turning->centred);
	free(turning->turned);
	free(turning->coded);
	free(turning->codebooks);
	free(turning->sums);
	free(turning->squares);
	free(turning->scratch);
}

SCOPE_DEFINE(turning, turning_finish)

static status reserve(struct turning *turning)
{
	size_t dim = turning->options->dim, kept = turning->options->kept, n = turning->n;
	size_t across = kept > SUM_ROWS ? kept : SUM_ROWS;

	turning->turned = malloc(sizeof(float) * n * kept);
	turning->coded = malloc(sizeof(float) * n * kept);
	turning->sums = malloc(sizeof(float) * kept * dim);
	turning->squares = malloc(sizeof(float) * kept * kept);
	turning->scratch = malloc(sizeof(float) * (across * (dim + kept) + kept * dim));
	if (turning->options->groups > 0) {
		turning->centred = malloc(sizeof(float) * n * dim);
		turning->codebooks = malloc(sizeof(float) * (kept << BITS));
	}
	if (!turning->turned || !turning->coded || !turning->sums || !turning->squares ||
	    !turning->scratch ||
	    (turning->options->groups > 0 && (!turning->centred || !turning->codebooks)))
		return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a rotation"),
				 REASON_MEMORY_LIMIT);
	return status_ok();
}

/* --- matrices --- */

/* ret [n][n_kept] = rows [n][dim] times matrix [n_kept][dim], in steps. */
static status multiply(const float *matrix, uint32_t n_kept, uint32_t dim, const float *rows,
		       size_t n, const struct deadline *deadline, float *ret)
{
	size_t step = STEP_PRODUCTS / ((uint64_t)n_kept * dim);

	step = step > 16 ? step : 16;
	for (size_t first = 0; first < n; first += step) {
		size_t left = n - first < step ? n - first : step;

		TRY(deadline_check(deadline));
		axes_apply(matrix, n_kept, dim, rows + first * dim, left, ret + first * n_kept);
	}
	return status_ok();
}

/* ret [columns][rows] of matrix [rows][columns] */
static void transpose(const float *matrix, size_t rows, size_t columns, float *ret)
{
	for (size_t i = 0; i < rows; i++) {
		for (size_t k = 0; k < columns; k++)
			ret[k * rows + i] = matrix[i * columns + k];
	}
}

static float furthest_from_one(const float *squares, size_t n)
{
	float furthest = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			float off = fabsf(squares[i * n + k] - (i == k ? 1 : 0));

			furthest = off > furthest ? off : furthest;
		}
	}
	return furthest;
}

/* The sums become orthonormal rows, the nearest that there are: X <- 3/2 X - 1/2 X X' X, from where no
 * singular value is above 1. *ret: whether they are. */
static status make_orthonormal(struct turning *turning, bool *ret)
{
	uint32_t dim = turning->options->dim, kept = turning->options->kept;
	size_t size = (size_t)kept * dim;
	float *sums = turning->sums, *across = turning->scratch, *product = across + size;
	double length = vector_norm(sums, (uint32_t)size);

	*ret = false;
	for (size_t i = 0; i < size; i++)
		sums[i] = length > 0 ? (float)((double)sums[i] / length) : 0;
	for (uint32_t round = 0; round < POLAR_ROUNDS; round++) {
		TRY(multiply(sums, kept, dim, sums, kept, turning->deadline, turning->squares));
		*ret = furthest_from_one(turning->squares, kept) < ORTHONORMAL;
		if (*ret)
			break;
		transpose(sums, kept, dim, across);
		TRY(multiply(across, dim, kept, turning->squares, kept, turning->deadline,
			     product));
		for (size_t i = 0; i < size; i++)
			sums[i] = 1.5F * sums[i] - 0.5F * product[i];
	}
	return status_ok();
}

/* --- learning --- */

/* Of random numbers, which have every direction in them. */
static status begin(struct turning *turning)
{
	size_t size = (size_t)turning->options->kept * turning->options->dim;
	uint64_t state = 5;
	bool found;

	for (size_t i = 0; i < size; i++) {
		float sum = 0;

		/* Four of the same spread are nearly normal. */
		for (size_t k = 0; k < 4; k++) {
			sum += (float)(int32_t)(uint32_t)(random_next(&state) >> 32) * 0x1p-31F;
		}
		turning->sums[i] = sum;
	}
	TRY(make_orthonormal(turning, &found));
	if (!found)
		return status_make(STATUS_INTERNAL, "no random rotation");
	memcpy(turning->turn, turning->sums, sizeof(float) * size);
	return status_ok();
}

static void centre(struct turning *turning)
{
	size_t dim = turning->options->dim, n = turning->n;
	float *means = turning->scratch;

	memset(means, 0, sizeof *means * dim);
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < dim; k++)
			means[k] += turning->rows[i * dim + k];
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < dim; k++)
			turning->centred[i * dim + k] =
				turning->rows[i * dim + k] - means[k] / (float)n;
	}
	turning->rows = turning->centred;
}

/* What coding makes of the rows as they are turned now. */
static status code(struct turning *turning, uint32_t round)
{
	const struct turn_options *options = turning->options;
	const struct codebooks_options codebooks = {
		.shape = {options->kept, options->groups, BITS},
		.iterations = round == 0 ? CODES_ITERATIONS_FIRST : CODES_ITERATIONS,
		.begun = round > 0,
	};

	if (options->groups > 0)
		return codebooks_train(&codebooks, turning->turned, turning->n, turning->deadline,
				       turning->arena, turning->codebooks, turning->coded);
	for (size_t i = 0; i < turning->n * options->kept; i++)
		turning->coded[i] = turning->turned[i] < 0 ? -1 : 1;
	return status_ok();
}

/* Of coded rows times rows. */
static status sum_products(struct turning *turning)
{
	uint32_t dim = turning->options->dim, kept = turning->options->kept;
	size_t size = (size_t)kept * dim;
	float *rows = turning->scratch, *coded = rows + (size_t)SUM_ROWS * dim;
	float *product = coded + (size_t)SUM_ROWS * kept;

	memset(turning->sums, 0, sizeof(float) * size);
	for (size_t first = 0; first < turning->n; first += SUM_ROWS) {
		size_t left = turning->n - first < SUM_ROWS ? turning->n - first : SUM_ROWS;

		transpose(turning->rows + first * dim, left, dim, rows);
		transpose(turning->coded + first * kept, left, kept, coded);
		TRY(multiply(rows, dim, (uint32_t)left, coded, kept, turning->deadline, product));
		for (size_t i = 0; i < size; i++)
			turning->sums[i] += product[i];
	}
	return status_ok();
}

static status turn_on(struct turning *turning)
{
	size_t size = (size_t)turning->options->kept * turning->options->dim;
	double stays =
		STAYS * vector_norm(turning->sums, (uint32_t)size) / sqrt(turning->options->kept);
	bool found;

	for (size_t i = 0; i < size; i++)
		turning->sums[i] += (float)stays * turning->turn[i];
	TRY(make_orthonormal(turning, &found));
	if (found)
		memcpy(turning->turn, turning->sums, sizeof(float) * size);
	return status_ok();
}

status turn_learn(const struct turn_options *options, const float *rows, size_t n,
		  const struct deadline *deadline, struct arena *arena, float *ret)
{
	uint32_t rounds = options->groups > 0 ? CODES_ROUNDS : SIGNS_ROUNDS;
	SCOPED(turning)
	turning = &(struct turning){
		.options = options,
		.rows = rows,
		.n = n,
		.deadline = deadline,
		.arena = arena,
		.turn = ret,
	};

	TRY(reserve(turning));
	TRY(begin(turning));
	if (options->groups > 0)
		centre(turning);
	for (uint32_t round = 0; round < rounds; round++) {
		TRY(turn_apply(options, ret, turning->rows, n, deadline, turning->turned));
		TRY(code(turning, round));
		TRY(sum_products(turning));
		TRY(turn_on(turning));
	}
	return status_ok();
}

status turn_apply(const struct turn_options *options, const float *turn, const float *rows,
		  size_t n, const struct deadline *deadline, float *ret)
{
	return multiply(turn, options->kept, options->dim, rows, n, deadline, ret);
}
