/* Centroids: that they are means, that there are as many as were asked for, and how much is done at once. */
#include "index/build/kmeans.h"

#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <string.h>

#define DIM 4
#define ROWS 2000
#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct arena arena;
static float rows[ROWS * DIM];
static uint32_t nearest[ROWS];

/* Eight heaps that lie far apart. */
static void make(void)
{
	struct random random = {3};

	arena_init(&arena, 65536);
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t k = 0; k < DIM; k++)
			rows[i * DIM + k] = (k < 3 ? (float)(i % 8 >> k & 1) : 1) +
					    0.1F * random_signed(&random);
	}
}

static void finish(void)
{
	arena_finish(&arena);
}

TestSuite(kmeans, .init = make, .fini = finish);

Test(kmeans, are_the_means_of_the_rows_that_are_nearest)
{
	const struct kmeans_options options = {.dim = DIM, .k = 16, .iterations = 50};
	float centroids[16 * DIM], sums[16 * DIM] = {0};
	uint32_t sizes[16] = {0};

	cr_assert(!status_failed(
		kmeans_train(&options, rows, ROWS, NULL, &arena, centroids, nearest)));
	for (size_t i = 0; i < ROWS; i++) {
		cr_assert_lt(nearest[i], 16);
		sizes[nearest[i]]++;
		for (size_t k = 0; k < DIM; k++)
			sums[nearest[i] * DIM + k] += rows[i * DIM + k];
	}
	for (size_t i = 0; i < 16; i++) {
		cr_assert_gt(sizes[i], 0);
		for (size_t k = 0; k < DIM; k++)
			cr_assert_float_eq(centroids[i * DIM + k],
					   sums[i * DIM + k] / (float)sizes[i], 1e-3);
	}
}

/* Rows of a heap have one centroid, since there are as many centroids as heaps. */
Test(kmeans, go_on_from_centroids_that_are_there)
{
	const struct kmeans_options options = {.dim = DIM, .k = 8, .iterations = 5, .begun = true};
	float centroids[8 * DIM];

	memcpy(centroids, rows, sizeof centroids);
	cr_assert(!status_failed(
		kmeans_train(&options, rows, ROWS, NULL, &arena, centroids, nearest)));
	for (size_t i = 0; i < ROWS; i++)
		cr_assert_eq(nearest[i], i % 8);
}

Test(kmeans, are_of_unit_length_if_asked)
{
	const struct kmeans_options options = {
		.dim = DIM, .k = 8, .iterations = 5, .spherical = true};
	float centroids[8 * DIM];

	cr_assert(
		!status_failed(kmeans_train(&options, rows, ROWS, NULL, &arena, centroids, NULL)));
	for (size_t i = 0; i < 8; i++) {
		float squares = 0;

		for (size_t k = 0; k < DIM; k++)
			squares += centroids[i * DIM + k] * centroids[i * DIM + k];
		cr_assert_float_eq(squares, 1, 1e-5);
	}
}

Test(kmeans, of_rows_that_are_all_the_same_are_finite)
{
	const struct kmeans_options options = {.dim = DIM, .k = 64, .iterations = 10};
	float centroids[64 * DIM];

	for (size_t i = DIM; i < ROWS * DIM; i++)
		rows[i] = rows[i % DIM];
	cr_assert(
		!status_failed(kmeans_train(&options, rows, ROWS, NULL, &arena, centroids, NULL)));
	for (size_t i = 0; i < 64 * DIM; i++)
		cr_assert_float_eq(centroids[i], rows[i % DIM], 0.05);
}

Test(kmeans, compare_few_rows_at_once_where_there_is_much_to_compare)
{
	static const struct {
		size_t dim, k;
	} cases[] = {{8, 256}, {384, 1024}, {384, 16384}, {1536, 4096}, {8192, 4096}};

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t slice = kmeans_slice(cases[i].dim, cases[i].k);

		cr_assert_geq(slice, 64);
		cr_assert_leq(slice * cases[i].dim * cases[i].k, UINT64_C(1) << 31, "%zu", i);
	}
}

Test(kmeans, is_cancelled)
{
	const struct kmeans_options options = {.dim = DIM, .k = 8, .iterations = 5};
	struct deadline deadline;
	float centroids[8 * DIM];

	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);
	cr_assert_eq(kmeans_train(&options, rows, ROWS, &deadline, &arena, centroids, NULL).code,
		     STATUS_CANCELLED);
}
