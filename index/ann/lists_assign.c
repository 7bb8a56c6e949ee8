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
		TRY(clusters_assign(clusters, sums->slice, n, building->arena,
				    building->list_of + first));
		for (uint32_t i = 0; i < n; i++) {
			building_row(building, first + i, 1, sums->slice);
			sums_add(sums, sums->slice, dim, building->list_of[first + i]);
		}
		building_tell(building, ANN_ASSIGN, (double)(first + n) / all);
	}
	return status_ok();
}

/* The mean, and how long residuals are: |x|^2 less |mean|^2, on average. */
static void list_finish(struct building *building, const struct sums *sums, size_t list)
{
	size_t dim = building->shape.dim;
	const double *sum = sums->rows + list * dim;
	float *centroid = building->centroids + list * dim;
	double count = sums->counts[list], mean_square, square = 0, stretch = 1;

	if (count == 0) {
		for (size_t i = 0; i < dim; i++)
			centroid[i] /= building->scale;
		return;
	}
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

/* Positions are in the order of lists, and within a list of places. */
static void positions_give(struct building *building, const uint32_t *counts)
{
	uint32_t n_lists = building->shape.n_lists, first = 0;

	for (uint32_t list = 0; list <= n_lists; list++) {
		building->first[list] = first;
		first += list < n_lists ? counts[list] : 0;
	}
	for (uint32_t place = 0; place < building->shape.n; place++)
		building->places[building->first[building->list_of[place]]++] = place;
	/* Each is now where the next one was. */
	for (uint32_t list = n_lists; list > 0; list--)
		building->first[list] = building->first[list - 1];
	building->first[0] = 0;
}

status lists_assign(struct building *building)
{
	const struct lists_shape *shape = &building->shape;
	SCOPED(sums) sums = &(struct sums){0};

	building->list_of = malloc(sizeof *building->list_of * shape->n);
	building->places = malloc(sizeof *building->places * shape->n);
	building->first = calloc((size_t)shape->n_lists + 1, sizeof *building->first);
	building->radius = calloc(shape->n_lists, sizeof *building->radius);
	building->square = calloc(shape->n_lists, sizeof *building->square);
	building->stretch = calloc(shape->n_lists, sizeof *building->stretch);
	if (!building->list_of || !building->places || !building->first || !building->radius ||
	    !building->square || !building->stretch)
		return building_no_memory();
	TRY(sums_init(sums, shape));
	TRY(assign_all(building, sums));
	for (size_t list = 0; list < shape->n_lists; list++)
		list_finish(building, sums, list);
	positions_give(building, sums->counts);
	return status_ok();
}
