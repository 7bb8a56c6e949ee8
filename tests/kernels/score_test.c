#include "kernels/score.h"

#include "tests/kernels/hostile.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

static const uint32_t dims[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 100, 384, 1001, 8192};
static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The definition, word for word. */
static float score_by_the_book(enum metric metric, const float *query, const float *vector,
			       uint32_t dim)
{
	double lane[8] = {0}, sum;

	for (size_t i = 0; i < dim; i++) {
		/* Through memory, so that nothing can be contracted. */
		volatile double term = metric == METRIC_L2 ? (double)query[i] - (double)vector[i]
							   : (double)query[i];

		term = term * (metric == METRIC_L2 ? term : (double)vector[i]);
		lane[i % 8] += term;
	}
	sum = ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
	      ((lane[4] + lane[5]) + (lane[6] + lane[7]));
	if (metric == METRIC_L2)
		sum = -sum;
	return (float)sum == 0 ? 0 : (float)sum;
}

/* The true score, nearly, and what its terms amount to. */
static long double score_true(enum metric metric, const float *query, const float *vector,
			      uint32_t dim, long double *ret_magnitude)
{
	long double sum = 0;

	*ret_magnitude = 0;
	for (size_t i = 0; i < dim; i++) {
		long double q = (long double)query[i], x = (long double)vector[i];
		long double term = metric == METRIC_L2 ? -(q - x) * (q - x) : q * x;

		sum += term;
		*ret_magnitude += fabsl(term);
	}
	return sum;
}

static void check_score(enum metric metric, const float *query, const float *vector, uint32_t dim)
{
	float got = score_exact(metric, query, vector, dim);
	float book = score_by_the_book(metric, query, vector, dim);
	long double magnitude, want = score_true(metric, query, vector, dim, &magnitude);

	cr_assert_eq(memcmp(&got, &book, sizeof got), 0, "metric %d dim %u: %a, by the book %a",
		     (int)metric, dim, (double)got, (double)book);
	cr_assert(!isnan(got));
	cr_assert(got != 0 || !signbit(got), "zero is +0");
	if (isinf(got)) {
		cr_assert(fabsl(want) > 0.9999L * (long double)FLT_MAX);
		return;
	}
	cr_assert(fabsl((long double)got - want) <=
			  fabsl(want) * 0x1.00001p-24L + magnitude * 0x1p-42L + 0x1p-149L,
		  "metric %d dim %u: %a is not %La", (int)metric, dim, (double)got, want);
}

Test(score, is_the_sum_of_eight_lanes_rounded_once)
{
	struct random random = {11};
	static float query[8192];

	for (size_t d = 0; d < COUNT(dims); d++) {
		for (size_t m = 0; m < COUNT(metrics); m++) {
			for (int kind = 0; kind < HOSTILE_QUERIES; kind++) {
				struct hostile_block block;

				hostile_query_draw(&random, (enum hostile_query)kind, metrics[m],
						   query, dims[d]);
				hostile_block_init(&block, dims[d] > 1000 ? 8 : 40, dims[d]);
				hostile_block_draw(&random, &block, metrics[m], query);
				for (size_t row = 0; row < block.block.capacity; row++)
					check_score(metrics[m], query, hostile_row(&block, row),
						    dims[d]);
				hostile_block_finish(&block);
			}
		}
	}
}

Test(score, needs_no_alignment_and_reads_no_more_than_dim)
{
	struct random random = {5};
	float query[40], vector[40];

	for (size_t i = 0; i < 40; i++) {
		query[i] = random_signed(&random);
		vector[i] = random_signed(&random);
	}
	query[39] = vector[39] = NAN;
	for (uint32_t from = 0; from < 9; from++) {
		for (size_t m = 0; m < COUNT(metrics); m++)
			check_score(metrics[m], query + from, vector + from, 39 - from);
	}
}

Test(score, zero_is_positive)
{
	static const float query[] = {-1, 0, 0x1p-140F}, vector[] = {0, -1, -0x1p-140F};

	for (size_t m = 0; m < COUNT(metrics); m++) {
		for (uint32_t dim = 0; dim <= 3; dim++) {
			float got = score_exact(metrics[m], query,
						metrics[m] == METRIC_L2 ? query : vector, dim);

			cr_assert(got == 0 && !signbit(got), "metric %d dim %u", (int)metrics[m],
				  dim);
		}
	}
}

Test(score, normalises_what_has_a_length)
{
	struct random random = {3};
	static float vector[8192];

	for (size_t d = 0; d < COUNT(dims); d++) {
		for (int kind = 0; kind < HOSTILE_QUERIES; kind++) {
			bool is_zero = true;

			hostile_query_draw(&random, (enum hostile_query)kind, METRIC_L2, vector,
					   dims[d]);
			for (size_t i = 0; i < dims[d]; i++)
				is_zero &= vector[i] == 0;
			cr_assert_neq(vector_normalise(vector, dims[d]), is_zero);
			if (!is_zero)
				cr_assert_float_eq(vector_norm(vector, dims[d]), 1, 1e-6);
		}
	}
}

Test(score, finds_what_is_not_finite)
{
	static const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
	float vector[37];

	for (size_t i = 0; i < 37; i++)
		vector[i] = i % 2 ? FLT_MAX : -FLT_TRUE_MIN;
	cr_assert(vector_is_finite(vector, 37));
	for (size_t i = 0; i < 37; i++) {
		for (size_t j = 0; j < COUNT(bad); j++) {
			float before = vector[i];

			vector[i] = bad[j];
			cr_assert(!vector_is_finite(vector, 37));
			cr_assert(vector_is_finite(vector, (uint32_t)i), "only dim values count");
			vector[i] = before;
		}
	}
}
