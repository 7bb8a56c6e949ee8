/* lists_assign - which lists each row is of; then the lists' means, radii and rows.
 *
 * A list's centroid becomes the mean of its rows, of whatever length: that is what residuals are
 * smallest against. (k-means for cosine leaves one of length 1, longer than the mean.)
 */
#include "index/ann/lists_build.h"

#include "index/build/crew.h"
#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows that a thread takes at a time. */
#define ROWS_PER_PART 960

/* Above so many centroids a graph over them (index/build/clusters.h) finds the nearest, nearly always. */
#define NEAREST_LISTS_MAX 16384

struct assigning {
	struct building *building;
	struct nearest nearest;
	struct clusters *clusters; /* owned; NULL: nearest does it */
};

static void assigning_finish(struct assigning *assigning)
{
	nearest_finish(&assigning->nearest);
	clusters_close(assigning->clusters);
}

SCOPE_DEFINE(assigning, assigning_finish)

static status assigning_init(struct assigning *assigning)
{
	const struct building *building = assigning->building;
	const struct lists_shape *shape = &building->shape;

	if (shape->n_lists <= NEAREST_LISTS_MAX)
		return nearest_init(&assigning->nearest, &building->axes, building->centroids,
				    shape->n_lists);
	return clusters_open(building->centroids, shape->n_lists, shape->dim, building->arena,
			     &assigning->clusters);
}

/* Rows first .. first + n. */
static status part_assign_near(const struct assigning *assigning, uint32_t first, uint32_t n)
{
	const struct building *building = assigning->building;
	uint32_t dim = building->shape.dim;
	uint32_t *list_of = building->list_of + first;
	uint32_t *second = building->shape.copies > 1 ? list_of + building->shape.n : NULL;
	SCOPED(nearest_room) room = &(struct nearest_room){0};

	TRY(nearest_room_init(room, &assigning->nearest));
	for (uint32_t at = 0; at < n; at += NEAREST_ROWS) {
		uint32_t some = n - at < NEAREST_ROWS ? n - at : NEAREST_ROWS;

		for (uint32_t i = 0; i < some; i++)
			building_row(building, first + at + i, building->scale,
				     room->rows + (size_t)i * dim);
		nearest_find(&assigning->nearest, room, some, list_of + at,
			     second ? second + at : NULL);
	}
	return status_ok();
}

static status part_assign_by_graph(const struct assigning *assigning, uint32_t first, uint32_t n,
				   struct arena *arena)
{
	const struct building *building = assigning->building;
	size_t dim = building->shape.dim;
	uint32_t *list_of = building->list_of + first;
	float *rows = malloc(sizeof *rows * n * dim);
	status s;

	if (!rows)
		return building_no_memory();
	for (uint32_t i = 0; i < n; i++)
		building_row(building, first + i, building->scale, rows + i * dim);
	if (building->shape.copies == 1)
		s = clusters_assign(assigning->clusters, rows, n, arena, list_of);
	else
		s = clusters_assign_twice(assigning->clusters, rows, n, arena, list_of,
					  list_of + building->shape.n);
	free(rows);
	return s;
}

static status part_assign(void *context, size_t part, const struct crew_place *place)
{
	const struct assigning *assigning = context;
	const struct building *building = assigning->building;
	uint32_t first = (uint32_t)part * ROWS_PER_PART, left = building->shape.n - first;
	uint32_t n = left < ROWS_PER_PART ? left : ROWS_PER_PART;

	TRY(assigning->clusters ? part_assign_by_graph(assigning, first, n, place->arena)
				: part_assign_near(assigning, first, n));
	sealed_release(building->sealed, first, n);
	return status_ok();
}

static void told_assign(void *context, size_t n_done)
{
	const struct assigning *assigning = context;
	double n = assigning->building->shape.n;

	building_tell(assigning->building, ANN_ASSIGN, fmin(1, (double)n_done * ROWS_PER_PART / n));
}

static status assign_all(struct building *building)
{
	SCOPED(assigning) assigning = &(struct assigning){.building = building};
	const struct crew_work work = {
		.n = (building->shape.n + ROWS_PER_PART - 1) / ROWS_PER_PART,
		.run = part_assign,
		.told = told_assign,
		.context = assigning,
		.deadline = building->deadline,
		.arena = building->arena,
	};

	TRY(assigning_init(assigning));
	return crew_run(&work);
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
		for (size_t copy = 0; copy < building->shape.copies; copy++) {
			uint32_t position = building->first[list_of[copy * n + place]]++;

			building->places[position] = place;
			building->position_of[copy * n + place] = position;
		}
	}
	/* Each is now where the next one was. */
	for (uint32_t list = n_lists; list > 0; list--)
		building->first[list] = building->first[list - 1];
	building->first[0] = 0;
}

/* --- what lists are like --- */

/* What is summed over the rows of which a list is the nearest: of some lists, in the order of places, so that
 * sums are the same whoever makes them. Each thread goes over all rows, and reads those of its lists. */
struct sums {
	uint32_t first_list, n_lists;
	double *rows;    /* [n_lists][dim] owned */
	double *squares; /* [n_lists] owned; of the rows' lengths */
	float *row;      /* [dim] owned */
};

static void sums_finish(struct sums *sums)
{
	free(sums->rows);
	free(sums->squares);
	free(sums->row);
}

SCOPE_DEFINE(sums, sums_finish)

static void row_add(struct building *building, uint32_t place, struct sums *sums)
{
	uint32_t dim = building->shape.dim, list = building->list_of[place];
	double *at = sums->rows + (size_t)(list - sums->first_list) * dim, norm;

	building_row(building, place, 1, sums->row);
	norm = vector_norm(sums->row, dim);
	for (size_t i = 0; i < dim; i++)
		at[i] += (double)sums->row[i];
	sums->squares[list - sums->first_list] += norm * norm;
	building->counts[list]++;
}

static status sums_take(struct building *building, struct sums *sums)
{
	uint32_t n = building->shape.n;

	for (uint32_t first = 0; first < n; first += LISTS_SLICE) {
		uint32_t some = n - first < LISTS_SLICE ? n - first : LISTS_SLICE;

		TRY(deadline_check(building->deadline));
		for (uint32_t place = first; place < first + some; place++) {
			if (building->list_of[place] - sums->first_list < sums->n_lists)
				row_add(building, place, sums);
		}
		sealed_release(building->sealed, first, some);
	}
	return status_ok();
}

/* The mean, and how long residuals are: |x|^2 less |mean|^2, on average. Without rows the mean stays. */
static void list_finish(struct building *building, const double *sum, double mean_square,
			size_t list)
{
	size_t dim = building->shape.dim;
	double count = building->counts[list], square = 0, stretch = 1;
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
	mean_square /= count;
	building->radius[list] = (float)sqrt(fmax(mean_square - square, 0));
	if (square > 0)
		stretch = fmin(sqrt(fmax(mean_square / square, 1)), LISTS_STRETCH_MAX);
	building->stretch[list] = (float)stretch;
	if (building->shape.metric == METRIC_L2)
		building->square[list] = (float)-mean_square;
}

static status part_finish(void *context, size_t part, const struct crew_place *place)
{
	struct building *building = context;
	const struct lists_shape *shape = &building->shape;
	SCOPED(sums)
	sums = &(struct sums){.first_list = building_part(building, part)};

	(void)place;
	sums->n_lists = building_part(building, part + 1) - sums->first_list;
	sums->rows = calloc((size_t)sums->n_lists * shape->dim, sizeof *sums->rows);
	sums->squares = calloc(sums->n_lists, sizeof *sums->squares);
	sums->row = malloc(sizeof *sums->row * shape->dim);
	if (!sums->rows || !sums->squares || !sums->row)
		return building_no_memory();
	TRY(sums_take(building, sums));
	for (size_t i = 0; i < sums->n_lists; i++)
		list_finish(building, sums->rows + i * shape->dim, sums->squares[i],
			    sums->first_list + i);
	return status_ok();
}

static status lists_finish(struct building *building)
{
	const struct crew_work work = {
		.n = building_parts(building),
		.run = part_finish,
		.context = building,
		.deadline = building->deadline,
		.arena = building->arena,
	};

	return crew_run(&work);
}

static void mean_make(struct building *building)
{
	size_t dim = building->shape.dim;

	for (size_t i = 0; i < dim; i++) {
		double sum = 0;

		for (size_t list = 0; list < building->shape.n_lists; list++)
			sum += (double)building->centroids[list * dim + i] * building->counts[list];
		building->mean[i] = (float)(sum / building->shape.n);
	}
}

status lists_assign(struct building *building)
{
	const struct lists_shape *shape = &building->shape;

	building->list_of = malloc(sizeof *building->list_of * lists_positions(shape));
	building->position_of = malloc(sizeof *building->position_of * lists_positions(shape));
	building->places = malloc(sizeof *building->places * lists_positions(shape));
	building->first = calloc((size_t)shape->n_lists + 1, sizeof *building->first);
	building->counts = calloc(shape->n_lists, sizeof *building->counts);
	building->radius = calloc(shape->n_lists, sizeof *building->radius);
	building->square = calloc(shape->n_lists, sizeof *building->square);
	building->stretch = calloc(shape->n_lists, sizeof *building->stretch);
	building->mean = calloc(shape->dim, sizeof *building->mean);
	if (!building->list_of || !building->position_of || !building->places || !building->first ||
	    !building->counts || !building->radius || !building->square || !building->stretch ||
	    !building->mean)
		return building_no_memory();
	TRY(assign_all(building));
	TRY(lists_finish(building));
	mean_make(building);
	positions_give(building);
	free(TAKE(building->list_of));
	return status_ok();
}
