/* lists_quantize - what 4-bit codes mean: axes, widths and codewords, of a sample of residuals. */
#include "index/ann/lists_build.h"

#include "index/build/crew.h"
#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE_ROWS 8192

/* Of k-means: the first of them over one row in EARLY_PART. */
#define ITERATIONS 3
#define ITERATIONS_EARLY 9
#define EARLY_PART 4

#define GROUPS_LEAST 32
#define DIMS_PER_GROUP 4
#define SQUARE_GROUPS 2 /* of L2 */
#define SQUARE_CODES 256

struct residuals {
	uint32_t n;
	float *rows;    /* [n][dim] owned, scaled */
	float *rotated; /* [n][kept] owned, likewise */
};

static void residuals_finish(struct residuals *residuals)
{
	free(residuals->rows);
	free(residuals->rotated);
}

SCOPE_DEFINE(residuals, residuals_finish)

struct training {
	struct building *building;
	const struct residuals *residuals;
};

/* Beside the residuals, for L2: the range of -|x|^2 less the mean of its list. */
static void square_see(struct building *building, const float *row, uint32_t list, bool first)
{
	double norm = vector_norm(row, building->shape.dim);
	float off = (float)(-(norm * norm) - (double)building->square[list]);
	struct lists_squares *squares = &building->squares;

	/* step holds the highest, until all were seen. */
	squares->low = first || off < squares->low ? off : squares->low;
	squares->step = first || off > squares->step ? off : squares->step;
}

static status residuals_take(struct building *building, struct residuals *residuals)
{
	size_t dim = building->shape.dim;

	for (uint32_t i = 0; i < residuals->n; i++) {
		/* A group's codewords want as many rows, whatever there is. */
		uint32_t place = residuals->n <= building->shape.n
					 ? building_sample_place(building, residuals->n, i)
					 : i % building->shape.n;
		/* Of all its lists in turn: codes are of residuals against each of them. */
		size_t copy = i % building->shape.copies;
		uint32_t list = building_list(
			building, building->position_of[copy * building->shape.n + place]);
		const float *centroid = building->centroids + list * dim;
		float *row = residuals->rows + i * dim;

		building_row(building, place, 1, row);
		if (building->shape.metric == METRIC_L2)
			square_see(building, row, list, i == 0);
		for (size_t j = 0; j < dim; j++)
			row[j] = (row[j] - centroid[j]) * building->scale;
		if (i % (LISTS_SLICE / 8) == 0) {
			TRY(deadline_check(building->deadline));
			/* What was read lies before. */
			sealed_release(building->sealed, 0, place);
		}
	}
	sealed_release(building->sealed, 0, building->shape.n);
	building->squares.step =
		(building->squares.step - building->squares.low) / (SQUARE_CODES - 1);
	return status_ok();
}

/* As many groups as rows have: for L2 two more follow, and their number is even. */
static uint32_t count_groups(const struct lists_shape *shape, uint32_t n_axes)
{
	uint32_t least = shape->dim < GROUPS_LEAST ? shape->dim : GROUPS_LEAST;
	uint32_t n = shape->dim / DIMS_PER_GROUP, most = CODES4_GROUPS_MAX;

	if (shape->metric == METRIC_L2)
		most -= SQUARE_GROUPS;
	n = n < least ? least : n;
	n += n % 2;
	n = n < most ? n : most;
	return n < n_axes ? n : n_axes;
}

/* Widths of the groups; zeros behind those of axes. */
static status widths_choose(struct building *building, const struct axes *axes)
{
	struct lists_shape *shape = &building->shape;
	uint32_t n = count_groups(shape, axes->n);

	shape->groups = n + n % 2 + (shape->metric == METRIC_L2 ? SQUARE_GROUPS : 0);
	building->widths = calloc(shape->groups, sizeof *building->widths);
	if (!building->widths)
		return building_no_memory();
	return lists_widths(axes->variances, axes->n, n, building->widths, &shape->kept);
}

/* What the codewords of one group are trained with. */
struct group {
	float *columns; /* [n][width] owned */
	float *words;   /* [CODES4_WORDS][width] owned */
};

static void group_finish(struct group *group)
{
	free(group->columns);
	free(group->words);
}

SCOPE_DEFINE(group, group_finish)

/* The codewords of the axes first .. first + width. */
static status words_train(const struct training *training, uint32_t first, uint32_t width,
			  struct arena *arena)
{
	const struct building *building = training->building;
	const struct residuals *residuals = training->residuals;
	const struct clusters_options options = {
		.dim = width,
		.k = CODES4_WORDS,
		.iterations = ITERATIONS,
		.iterations_early = ITERATIONS_EARLY,
		.n_early = residuals->n / EARLY_PART,
		.threads = 1,
	};
	float *ret = building->codewords + (size_t)first * CODES4_WORDS;
	size_t kept = building->shape.kept;
	SCOPED(group)
	group = &(struct group){
		.columns = malloc(sizeof(float) * residuals->n * width),
		.words = malloc(sizeof(float) * CODES4_WORDS * width),
	};

	if (!group->columns || !group->words)
		return building_no_memory();
	for (size_t i = 0; i < residuals->n; i++)
		memcpy(group->columns + i * width, residuals->rotated + i * kept + first,
		       width * sizeof(float));
	TRY(clusters_train(&options, group->columns, residuals->n, building->deadline, arena,
			   group->words));
	for (size_t word = 0; word < CODES4_WORDS; word++) {
		for (size_t i = 0; i < width; i++)
			ret[i * CODES4_WORDS + word] =
				group->words[word * width + i] / building->scale;
	}
	return status_ok();
}

static status group_train(void *context, size_t part, const struct crew_place *place)
{
	const struct training *training = context;
	const uint32_t *widths = training->building->widths;
	uint32_t first = 0;

	for (size_t group = 0; group < part; group++)
		first += widths[group];
	return words_train(training, first, widths[part], place->arena);
}

static status words_train_all(struct building *building, struct residuals *residuals)
{
	const struct lists_shape *shape = &building->shape;
	struct training training = {building, residuals};
	struct crew_work work = {
		.run = group_train,
		.context = &training,
		.deadline = building->deadline,
		.arena = building->arena,
	};

	residuals->rotated = malloc(sizeof(float) * residuals->n * shape->kept);
	building->codewords = calloc(shape->kept, sizeof(float) * CODES4_WORDS);
	if (!residuals->rotated || !building->codewords)
		return building_no_memory();
	axes_apply(building->rotation, shape->kept, shape->dim, residuals->rows, residuals->n,
		   residuals->rotated);
	while (work.n < shape->groups && building->widths[work.n])
		work.n++;
	return crew_run(&work);
}

/* Of directions that are as residuals are: of those along which there is more there are more. */
static float deviation_of(const struct axes *axes)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < axes->n; i++) {
		sum += (double)axes->variances[i];
		squares += (double)axes->variances[i] * (double)axes->variances[i];
	}
	return sum > 0 ? (float)(sqrt(squares) / sum) : 0;
}

status lists_quantize(struct building *building)
{
	struct lists_shape *shape = &building->shape;
	SCOPED(residuals) residuals = &(struct residuals){0};
	SCOPED(axes) axes = &(struct axes){0};

	residuals->n = shape->n < SAMPLE_ROWS ? shape->n : SAMPLE_ROWS;
	if (residuals->n <= CODES4_WORDS)
		residuals->n = CODES4_WORDS + 1;
	residuals->rows = malloc(sizeof(float) * residuals->n * shape->dim);
	if (!residuals->rows)
		return building_no_memory();
	TRY(residuals_take(building, residuals));
	TRY(axes_find(residuals->rows, residuals->n, shape->dim, building->deadline,
		      building->arena, axes));
	building->deviation = deviation_of(axes);
	TRY(widths_choose(building, axes));
	/* Those that are kept come first. */
	building->rotation = TAKE(axes->matrix);
	return words_train_all(building, residuals);
}
