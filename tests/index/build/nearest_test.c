/* The nearest centroid, and the second one of a row: near, and at a right angle to the first. */
#include "index/build/nearest.h"

#include "tests/index/build/loss.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define PLANE 2

struct found {
	uint32_t first, second;
};

/* Of one row, in its coordinates as they are. */
static struct found find(const float *centroids, uint32_t k, const float *row, uint32_t dim)
{
	const struct nearest_axes axes = {.n = dim, .dim = dim};
	SCOPED(nearest) nearest = &(struct nearest){0};
	SCOPED(nearest_room) room = &(struct nearest_room){0};
	struct found found;

	cr_assert(!status_failed(nearest_init(nearest, &axes, centroids, k)));
	cr_assert(!status_failed(nearest_room_init(room, nearest)));
	memcpy(room->rows, row, dim * sizeof *row);
	nearest_find(nearest, room, 1, &found.first, &found.second);
	return found;
}

/* From the first the row lies to the right. The second is a little nearer from the left, in one line
 * with it; the third is above. */
Test(nearest, takes_a_second_at_a_right_angle_before_one_that_is_nearer)
{
	const float centroids[][PLANE] = {{0, 0}, {2.1F, 0}, {1, 1.2F}, {50, 50}};
	struct found found = find(centroids[0], 4, (const float[]){1, 0}, PLANE);

	cr_assert_eq(found.first, 0);
	cr_assert_eq(found.second, 2);
}

Test(nearest, takes_the_nearest_other_where_the_row_is_its_centroid)
{
	const float centroids[][PLANE] = {{5, 0}, {1, 0}, {2, 0}};
	struct found found = find(centroids[0], 3, (const float[]){1, 0}, PLANE);

	cr_assert_eq(found.first, 1);
	cr_assert_eq(found.second, 2);
}

Test(nearest, gives_the_same_twice_where_there_is_one)
{
	struct found found = find((const float[]){5, 0}, 1, (const float[]){1, 0}, PLANE);

	cr_assert_eq(found.first, 0);
	cr_assert_eq(found.second, 0);
}

/* Rows whose products leave float have lists too, and two of them. */
Test(nearest, gives_two_of_a_row_that_is_too_long)
{
	const float centroids[][PLANE] = {{1e30F, 1e30F}, {-1e30F, 1e30F}, {1, 1}};
	struct found found = find(centroids[0], 3, (const float[]){1e30F, -1e30F}, PLANE);

	cr_assert_lt(found.first, 3);
	cr_assert_lt(found.second, 3);
	cr_assert_neq(found.first, found.second);
}

Test(nearest, loses_least_among_those_near)
{
	enum { K = 12, ROWS = 200 };
	struct random random = {3};
	float centroids[K][PLANE], row[PLANE];

	for (size_t i = 0; i < K; i++)
		for (size_t k = 0; k < PLANE; k++)
			centroids[i][k] = random_signed(&random);
	for (size_t i = 0; i < ROWS; i++) {
		double least = INFINITY;
		struct found found;

		row[0] = random_signed(&random);
		row[1] = random_signed(&random);
		found = find(centroids[0], K, row, PLANE);
		cr_assert_neq(found.first, found.second);
		for (uint32_t other = 0; other < K; other++) {
			if (other != found.first)
				least = fmin(least, loss_of(row, centroids[found.first],
							    centroids[other], PLANE));
		}
		cr_assert_float_eq(
			loss_of(row, centroids[found.first], centroids[found.second], PLANE), least,
			1e-5);
	}
}

/* --- along some axes first --- */

enum { DIM = 64, AXES = 20, K = 2500, ROWS = 500 };

/* Values of which there is less and less; the axes are the first coordinates. */
struct world {
	float centroids[K * DIM], rows[ROWS * DIM], matrix[AXES * DIM];
	struct nearest nearest;
};

static void draw(struct random *random, float *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		values[i] = random_signed(random) * expf(-0.06F * (float)(i % DIM));
}

static struct world *world_make(void)
{
	struct world *world = calloc(1, sizeof *world);
	const struct nearest_axes axes = {world ? world->matrix : NULL, AXES, DIM};
	struct random random = {5};

	cr_assert(world);
	draw(&random, world->centroids, COUNT(world->centroids));
	draw(&random, world->rows, COUNT(world->rows));
	for (size_t i = 0; i < AXES; i++)
		world->matrix[i * DIM + i] = 1;
	cr_assert(!status_failed(nearest_init(&world->nearest, &axes, world->centroids, K)));
	return world;
}

static void world_free(struct world *world)
{
	nearest_finish(&world->nearest);
	free(world);
}

/* Of the first n_dims coordinates. */
static uint32_t nearest_by_hand(const struct world *world, const float *row, size_t n_dims)
{
	double least = INFINITY;
	uint32_t ret = 0;

	for (uint32_t i = 0; i < K; i++) {
		double square = 0;

		for (size_t k = 0; k < n_dims; k++) {
			double off = (double)row[k] - (double)world->centroids[i * DIM + k];

			square += off * off;
		}
		if (square < least) {
			least = square;
			ret = i;
		}
	}
	return ret;
}

/* block  rows at a time */
static void find_all(const struct world *world, size_t block, struct found *ret)
{
	SCOPED(nearest_room) room = &(struct nearest_room){0};
	uint32_t first[NEAREST_ROWS], second[NEAREST_ROWS];

	cr_assert(!status_failed(nearest_room_init(room, &world->nearest)));
	for (size_t at = 0; at < ROWS; at += block) {
		size_t n = ROWS - at < block ? ROWS - at : block;

		memcpy(room->rows, world->rows + at * DIM, n * DIM * sizeof(float));
		nearest_find(&world->nearest, room, n, first, second);
		for (size_t i = 0; i < n; i++)
			ret[at + i] = (struct found){first[i], second[i]};
	}
}

Test(nearest, is_found_nearly_always_along_a_third_of_the_axes)
{
	struct world *world = world_make();
	struct found found[ROWS];
	size_t n_right = 0;

	find_all(world, NEAREST_ROWS, found);
	for (size_t i = 0; i < ROWS; i++)
		n_right += found[i].first == nearest_by_hand(world, world->rows + i * DIM, DIM);
	cr_assert_geq(n_right, ROWS * 98 / 100, "%zu", n_right);
	world_free(world);
}

Test(nearest, is_the_same_beside_any_rows)
{
	struct world *world = world_make();
	struct found some[ROWS], others[ROWS];

	find_all(world, NEAREST_ROWS, some);
	for (size_t block = 1; block < NEAREST_ROWS; block += 3) {
		find_all(world, block, others);
		cr_assert_eq(memcmp(some, others, sizeof some), 0, "%zu", block);
	}
	world_free(world);
}

Test(nearest, along_the_axes_is_by_them_alone)
{
	struct world *world = world_make();
	SCOPED(nearest_room) room = &(struct nearest_room){0};
	static float along[ROWS * AXES];
	static uint32_t found[ROWS];

	cr_assert(!status_failed(nearest_room_init(room, &world->nearest)));
	for (size_t i = 0; i < ROWS; i++)
		memcpy(along + i * AXES, world->rows + i * DIM, AXES * sizeof *along);
	nearest_find_along(&world->nearest, room, along, ROWS, found);
	for (size_t i = 0; i < ROWS; i++)
		cr_assert_eq(found[i], nearest_by_hand(world, world->rows + i * DIM, AXES));
	world_free(world);
}
