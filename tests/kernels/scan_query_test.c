#include "kernels/scanner.h"

#include "kernels/score.h"
#include "tests/kernels/hostile.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

Test(scan_query, copies_the_query_aligned_with_zeros_behind)
{
	struct random random = {21};
	float query[100];

	for (uint32_t dim = 1; dim <= 100; dim++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct scan_query prepared;

		arena_init(arena, 1 << 20);
		for (uint32_t i = 0; i < dim; i++)
			query[i] = random_signed(&random);
		arena_alloc(arena, 16 * dim);
		cr_assert(!status_failed(scan_query_init(&prepared, arena, METRIC_L2, query, dim)));

		cr_assert_eq((uintptr_t)prepared.values % 64, 0);
		cr_assert_eq(prepared.stride % SCAN_STRIDE_FLOATS, 0);
		cr_assert_geq(prepared.stride, dim);
		cr_assert_eq(memcmp(prepared.values, query, dim * sizeof(float)), 0);
		for (size_t i = dim; i < prepared.stride; i++)
			cr_assert_eq(prepared.values[i], 0);
	}
}

Test(scan_query, fails_where_the_arena_is_full)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct scan_query prepared;
	float query[64] = {1};

	arena_init(arena, 100);
	cr_assert_eq(scan_query_init(&prepared, arena, METRIC_COSINE, query, 64).code,
		     STATUS_RESOURCE_EXHAUSTED);
}

Test(scan_query, norms_are_rounded_up)
{
	static const uint32_t dims[] = {1, 3, 16, 100, 1000};
	struct random random = {8};
	float vector[1000];

	for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
		for (int i = 0; i < 200; i++) {
			long double sum = 0;
			float norm, square;

			hostile_query_draw(&random, (enum hostile_query)(i % HOSTILE_QUERIES),
					   METRIC_L2, vector, dims[d]);
			for (size_t j = 0; j < dims[d]; j++)
				sum += (long double)vector[j] * (long double)vector[j];
			scan_row_norms(vector, dims[d], &norm, &square);

			cr_assert((long double)norm >= sqrtl(sum), "kind %d", i);
			cr_assert((long double)norm <= sqrtl(sum) * 1.000001L + 0x1p-148L ||
				  isinf(norm));
			cr_assert(isinf(square) || fabsl((long double)square - sum) <=
							   sum * 0x1.0001p-24L + 0x1p-149L);
		}
	}
}

/* Bounds that hold are no use when they are wide: for unit vectors they stay within a few parts
 * in a million. */
Test(scan_query, slack_is_small)
{
	struct random random = {31};
	float query[384];

	for (int m = METRIC_COSINE; m <= METRIC_L2; m++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct scan_query q;
		float slack;

		arena_init(arena, 1 << 20);
		hostile_query_draw(&random, QUERY_UNIT, METRIC_COSINE, query, 384);
		cr_assert(!status_failed(scan_query_init(&q, arena, (enum metric)m, query, 384)));
		slack = q.slack_norm + q.slack_xx + q.slack_abs;
		cr_assert_gt(slack, 0);
		cr_assert_lt(slack, m == METRIC_L2 ? 2e-4F : 1e-4F);
	}
}

/* Slack must never be flushed to nothing, or the absolute pads would vanish with it. */
Test(scan_query, coefficients_are_no_denormals)
{
	struct random random = {77};
	float query[64];

	for (int kind = 0; kind < HOSTILE_QUERIES; kind++) {
		for (int m = METRIC_INNER_PRODUCT; m <= METRIC_L2; m++) {
			struct arena memory;
			SCOPED(arena) arena = &memory;
			struct scan_query q;

			arena_init(arena, 1 << 20);
			hostile_query_draw(&random, (enum hostile_query)kind, (enum metric)m, query,
					   64);
			cr_assert(!status_failed(
				scan_query_init(&q, arena, (enum metric)m, query, 64)));
			cr_assert_geq(q.slack_norm, 0x1p-125F);
			cr_assert_geq(q.slack_abs, 0x1p-120F);
		}
	}
}
