/* lists_assign - which list each row is of; then the lists' means, radii and rows.
 *
 * A list's centroid becomes the mean of its rows, of whatever length: that is what residuals are
 * smallest against. (k-means for cosine leaves one of length 1, longer than the mean.)
 */
#include "index/ann/lists_build.h"

#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sums {
	double *rows;     /* [n_lists][dim] owned */
	double *squares;  /* [n_lists] owned; of the rows' lengths */
	uint32_t *counts; /* [n_lists] owned */
	float *slice;     /* [LISTS_SLICE][dim] owned */
};

static void sums_finish(struct sums *sums)
{
	free(sums->rows);
	free(sums->squares);
	free(sums->counts);
	free(sums->slice);
}

SCOPE_DEFINE(sums, sums_finish)

static status sums_init(struct sums *sums, const struct lists_shape *shape)
{
	sums->rows = calloc((size_t)shape->n_lists * shape->dim, sizeof *sums->rows);
	sums->squares = calloc(shape->n_lists, sizeof *sums->squares);
	sums->counts = calloc(shape->n_lists, sizeof *sums->counts);
	sums->slice = malloc(sizeof(float) * LISTS_SLICE * shape->dim);
	if (!sums->rows || !sums->squares || !sums->counts || !sums->slice)
		return building_no_memory();
	return status_ok();
}

static void sums_add(struct sums *sums, const float *row, size_t dim, uint32_t list)
{
	double *at = sums->rows + list * dim, norm = vector_norm(row, (uint32_t)dim);

	for (size_t i = 0; i < dim; i++)
		at[i] += (double)row[i];
	sums->squares[list] += norm * norm;
	sums->counts[list]++;
}

/* The lists of rows at places first .. first + n. */
static status lists_take(struct building *building, const struct clusters *clusters,
			 const float *rows, uint32_t first, uint32_t n)
{
	uint32_t *list_of = building->list_of + first;

	if (building->shape.copies == 1)
		return clusters_assign(clusters, rows, n, building->arena, list_of);
	return clusters_assign_twice(clusters, rows, n, building->arena, list_of,
				     list_of + building->shape.n);
}

static status assign_all(struct building *building, struct sums *sums)
{
	size_t dim = building->shape.dim;
	uint32_t all = building->shape.n;
	SCOPED(clusters) clusters = NULL;

	TRY(clusters_open(building->centroids, building->shape.n_lists, (uint32_t)dim,
			  building->arena, &clusters));
	for (uint32_t first = 0; first < all; first += LISTS_SLICE) {
		uint32_t n = all - first < LISTS_SLICE ? all - first : LISTS_SLICE;

		TRY(deadline_check(building->deadline));
		for (uint32_t i = 0; i < n; i++)
			building_row(building, first + i, building->scale, sums->slice + i * dim);
		TRY(lists_take(building, clusters, sums->slice, first, n));
		for (uint32_t i = 0; i < n; i++) {
			building_row(building, first + i, 1, sums->slice);
			sums_add(sums, sums->slice, dim, building->list_of[first + i]);
		}
		building_tell(building, ANN_ASSIGN, (double)(first + n) / all);
	}
	return status_ok();
}

/* The mean, and how long residuals are: |x|^2 less |mean|^2, on average. Without rows the mean stays. */
static void list_finish(struct building *building, const struct sums *sums, size_t list)
{
	size_t dim = building->shape.dim;
	const double *sum = sums->rows + list * dim;
	double count = sums->counts[list], mean_square, square = 0, stretch = 1;
	float *centroid = building->centroids + list * dim;

	building->stretch[list] = 1;
	for (size_t i = 0; i < dim && count == 0; i++)
		centroid[i] /= building->scale;
	if (count == 0)
		return;
	for (size_t i = 0; i < dim; i++) {
		double mean = sum[i] / count;

		centroid[i] = (float)mean;
		square += mean * mean;
	}
	mean_square = sums->squares[list] / count;
	building->radius[list] = (float)sqrt(fmax(mean_square - square, 0));
	if (square > 0)
		stretch = fmin(sqrt(fmax(mean_square / square, 1)), LISTS_STRETCH_MAX);
	building->stretch[list] = (float)stretch;
	if (building->shape.metric == METRIC_L2)
		building->square[list] = (float)-mean_square;
}

static void mean_make(struct building *building, const struct sums *sums)
{
	size_t dim = building->shape.dim;

	for (size_t i = 0; i < dim; i++) {
		double sum = 0;

		for (size_t list = 0; list < building->shape.n_lists; list++)
			sum += sums->rows[list * dim + i];
		building->mean[i] = (float)(sum / building->shape.n);
	}
}

/* Positions are in the order of lists, and within a list of places. */
static void positions_give(struct building *building)
{
	const uint32_t *list_of = building->list_of;
	uint32_t n_lists = building->shape.n_lists, n = building->shape.n, first = 0;

	for (size_t i = 0; i < lists_positions(&building->shape); i++)
		building->first[list_of[i]]++;
	for (uint32_t list = 0; list <= n_lists; list++) {
		uint32_t count = building->first[list];

		building->first[list] = first;
		first += count;
	}
	for (uint32_t place = 0; place < n; place++) {
		for (size_t copy = 0; copy < building->shape.copies; copy++)
			building->places[building->first[list_of[copy * n + place]]++] = place;
	}
	/* Each is now where the next one was. */
	for (uint32_t list = n_lists; list > 0; list--)
		building->first[list] = building->first[list - 1];
	building->first[0] = 0;
}

status lists_assign(struct building *building)
{
	const struct lists_shape *shape = &building->shape;
	SCOPED(sums) sums = &(struct sums){0};

	building->list_of = malloc(sizeof *building->list_of * lists_positions(shape));
	building->places = malloc(sizeof *building->places * lists_positions(shape));
	building->first = calloc((size_t)shape->n_lists + 1, sizeof *building->first);
	building->radius = calloc(shape->n_lists, sizeof *building->radius);
	building->square = calloc(shape->n_lists, sizeof *building->square);
	building->stretch = calloc(shape->n_lists, sizeof *building->stretch);
	building->mean = calloc(shape->dim, sizeof *building->mean);
	if (!building->list_of || !building->places || !building->first || !building->radius ||
	    !building->square || !building->stretch || !building->mean)
		return building_no_memory();
	TRY(sums_init(sums, shape));
	TRY(assign_all(building, sums));
	for (size_t list = 0; list < shape->n_lists; list++)
		list_finish(building, sums, list);
	mean_make(building, sums);
	positions_give(building);
	return status_ok();
}
