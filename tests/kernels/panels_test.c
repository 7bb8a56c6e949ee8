/* Products of vectors with a matrix in panels: what they are, and that they do not depend on what else is
 * multiplied. */
#include "kernels/panels.h"

#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { ROWS_MAX = 35, VECTORS_MAX = 14, DIM_MAX = 400 };

/* A matrix in panels, and what comes of it. */
struct world {
	float rows[ROWS_MAX * DIM_MAX], vectors[VECTORS_MAX * DIM_MAX];
	float panels[(ROWS_MAX + PANEL_ROWS) * DIM_MAX];
	float found[VECTORS_MAX * (ROWS_MAX + PANEL_ROWS) + 1];
	size_t n_rows, dim;
};

static struct world *world_make(void)
{
	struct world *world = calloc(1, sizeof *world);
	struct random random = {11};

	cr_assert(world);
	for (size_t i = 0; i < COUNT(world->rows); i++)
		world->rows[i] = random_signed(&random);
	for (size_t i = 0; i < COUNT(world->vectors); i++)
		world->vectors[i] = random_signed(&random) + 0.5F;
	return world;
}

/* The products of n vectors from `first` on; returns how many there are of each. */
static size_t multiply(struct world *world, size_t first, size_t n)
{
	const struct panels_product product = {
		.panels = world->panels,
		.n_panels = panels_count(world->n_rows),
		.dim = world->dim,
		.vectors = world->vectors + first * world->dim,
		.n = n,
		.ret = world->found,
	};

	panels_multiply(&product);
	return product.n_panels * PANEL_ROWS;
}

static void lay_out(struct world *world, size_t n_rows, size_t dim)
{
	world->n_rows = n_rows;
	world->dim = dim;
	panels_make(world->rows, n_rows, dim, world->panels);
}

static double product_of(const struct world *world, size_t row, size_t vector, double *ret_size)
{
	const float *a = world->rows + row * world->dim, *b = world->vectors + vector * world->dim;
	double sum = 0;

	*ret_size = 0;
	for (size_t k = 0; k < world->dim; k++) {
		sum += (double)a[k] * (double)b[k];
		*ret_size += fabs((double)a[k] * (double)b[k]);
	}
	return sum;
}

Test(panels, give_the_products_in_every_shape)
{
	static const size_t dims[] = {1, 2, 7, 128, 400}, rows[] = {1, 15, 16, 17, 32, 35};
	struct world *world = world_make();

	for (size_t turn = 0; turn < COUNT(dims) * COUNT(rows) * VECTORS_MAX; turn++) {
		size_t n = turn % VECTORS_MAX + 1, stride;

		lay_out(world, rows[turn / VECTORS_MAX % COUNT(rows)],
			dims[turn / VECTORS_MAX / COUNT(rows)]);
		world->found[n * panels_count(world->n_rows) * PANEL_ROWS] = 77;
		stride = multiply(world, 0, n);
		cr_assert_eq(world->found[n * stride], 77);
		for (size_t i = 0; i < n * stride; i++) {
			double size, want;

			if (i % stride >= world->n_rows) {
				cr_assert_eq(world->found[i], 0);
				continue;
			}
			want = product_of(world, i % stride, i / stride, &size);
			cr_assert_leq(fabs((double)world->found[i] - want),
				      size * (double)(world->dim + 1) * 0x1p-23);
		}
	}
	free(world);
}

Test(panels, give_a_vector_the_same_products_beside_any_others)
{
	struct world *world = world_make();
	float alone[ROWS_MAX + PANEL_ROWS];

	lay_out(world, ROWS_MAX, 100);
	for (size_t vector = 0; vector < VECTORS_MAX; vector++) {
		size_t stride = multiply(world, vector, 1);

		memcpy(alone, world->found, stride * sizeof *alone);
		for (size_t n = 1; n <= VECTORS_MAX; n++) {
			size_t first = vector + n > VECTORS_MAX ? VECTORS_MAX - n : vector;

			(void)multiply(world, first, n);
			cr_assert_eq(memcmp(alone, world->found + (vector - first) * stride,
					    stride * sizeof *alone),
				     0);
		}
	}
	free(world);
}
