/* The second centroid of a row: near, and at a right angle to the first. */
#include "index/build/clusters.h"

#include "tests/index/build/loss.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

#define DIM 2

static void assign(const float (*centroids)[DIM], uint32_t k, const float *row, uint32_t *ret_first,
		   uint32_t *ret_second)
{
	struct arena arena;
	SCOPED(clusters) clusters = NULL;

	arena_init(&arena, 65536);
	cr_assert(!status_failed(clusters_open(centroids[0], k, DIM, &arena, &clusters)));
	cr_assert(!status_failed(
		clusters_assign_twice(clusters, row, 1, &arena, ret_first, ret_second)));
	arena_finish(&arena);
}

/* From the first the row lies to the right. The second is a little nearer from the left, in one line
 * with it; the third is above. */
Test(clusters, take_a_second_at_a_right_angle_before_one_that_is_nearer)
{
	const float centroids[][DIM] = {{0, 0}, {2.1F, 0}, {1, 1.2F}, {50, 50}};
	const float row[DIM] = {1, 0};
	uint32_t first, second;

	assign(centroids, 4, row, &first, &second);
	cr_assert_eq(first, 0);
	cr_assert_eq(second, 2);
}

Test(clusters, take_the_nearest_other_where_the_row_is_its_centroid)
{
	const float centroids[][DIM] = {{5, 0}, {1, 0}, {2, 0}};
	const float row[DIM] = {1, 0};
	uint32_t first, second;

	assign(centroids, 3, row, &first, &second);
	cr_assert_eq(first, 1);
	cr_assert_eq(second, 2);
}

Test(clusters, give_the_same_twice_where_there_is_one)
{
	const float centroids[][DIM] = {{5, 0}};
	const float row[DIM] = {1, 0};
	uint32_t first, second;

	assign(centroids, 1, row, &first, &second);
	cr_assert_eq(first, 0);
	cr_assert_eq(second, 0);
}

Test(clusters, lose_least_among_those_near)
{
	enum { K = 12, ROWS = 200 };
	struct random random = {3};
	float centroids[K][DIM], row[DIM];

	for (size_t i = 0; i < K; i++)
		for (size_t k = 0; k < DIM; k++)
			centroids[i][k] = random_signed(&random);
	for (size_t i = 0; i < ROWS; i++) {
		uint32_t first, second;
		double least = INFINITY;

		row[0] = random_signed(&random);
		row[1] = random_signed(&random);
		assign((const float(*)[DIM])centroids, K, row, &first, &second);
		cr_assert_neq(first, second);
		for (uint32_t other = 0; other < K; other++) {
			if (other != first)
				least = fmin(least,
					     loss_of(row, centroids[first], centroids[other], DIM));
		}
		cr_assert_float_eq(loss_of(row, centroids[first], centroids[second], DIM), least,
				   1e-5);
	}
}
