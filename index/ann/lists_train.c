/* lists_train - centroids: k-means over a sample, at once or in two levels.
 *
 * An iteration of FAISS's k-means cannot be interrupted. Where one over all centroids would take more than
 * about a second, some dozens of centroids are trained first, then within the rows of each its part of
 * all of them; then one more iteration over all, in slices, lets rows change sides.
 */
#include "index/ann/lists_build.h"

#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the sample for each list; fewer where the sample would be too large. */
#define ROWS_PER_LIST 32

#define LISTS_PER_ROOT 5 /* by the root of the rows */
#define LISTS_LEAST_TWICE 32

/* k-means converges fast. Its first iterations are over one row in EARLY_PART. */
#define ITERATIONS 3
#define ITERATIONS_EARLY 5
#define EARLY_PART 3

/* Products of an iteration that take about a second of two cores. */
#define PRODUCTS_AT_ONCE 3e10

struct sample {
	uint32_t n;
	float *rows;       /* [n][dim] owned */
	uint32_t *nearest; /* [n] owned; in two levels */
	float *group;      /* [n][dim] owned; the rows of one group */
};

static void sample_finish(struct sample *sample)
{
	free(sample->rows);
	free(sample->nearest);
	free(sample->group);
}

SCOPE_DEFINE(sample, sample_finish)

static uint32_t count_lists(const struct building *building)
{
	uint32_t n = building->shape.n, lists = building->config->lists;

	if (lists == 0)
		lists = (uint32_t)(LISTS_PER_ROOT * sqrt(n));
	if (lists > LISTS_MAX)
		lists = LISTS_MAX;
	return lists < n ? lists : n;
}

/* Rows of few lists are in one each: most are read in any case. */
static uint32_t count_copies(const struct lists_shape *shape)
{
	return shape->n_lists >= LISTS_LEAST_TWICE && shape->n <= UINT32_MAX / LISTS_COPIES_MAX
		       ? LISTS_COPIES_MAX
		       : 1;
}

static status sample_take(struct building *building, struct sample *sample)
{
	const struct lists_shape *shape = &building->shape;
	uint64_t n = (uint64_t)shape->n_lists * ROWS_PER_LIST, row_bytes = 4 * (uint64_t)shape->dim;

	if (n * row_bytes > LISTS_SAMPLE_BYTES)
		n = LISTS_SAMPLE_BYTES / row_bytes;
	if (n < shape->n_lists)
		n = shape->n_lists;
	sample->n = n < shape->n ? (uint32_t)n : shape->n;
	sample->rows = malloc(sample->n * row_bytes);
	if (!sample->rows)
		return building_no_memory();
	/* In EARLY_PART passes, so that the first part is from everywhere too. */
	for (uint32_t pass = 0, at = 0; pass < EARLY_PART; pass++) {
		for (uint32_t i = pass; i < sample->n; i += EARLY_PART, at++) {
			building_row(building, building_sample_place(building, sample->n, i), 1,
				     sample->rows + (size_t)at * shape->dim);
			if (at % LISTS_SLICE == 0)
				TRY(deadline_check(building->deadline));
		}
	}
	return status_ok();
}

/* The longest row is then between a half and 1 long. Rows that are all but zero are left alone. */
static void sample_scale(struct building *building, struct sample *sample)
{
	size_t dim = building->shape.dim;
	double longest = 0;
	int exponent = 0;

	for (size_t i = 0; i < sample->n; i++)
		longest = fmax(longest, vector_norm(sample->rows + i * dim, (uint32_t)dim));
	if (longest > 0x1p-100)
		frexp(longest, &exponent);
	building->scale = ldexpf(1, -exponent);
	for (size_t i = 0; i < sample->n * dim; i++)
		sample->rows[i] *= building->scale;
}

/* How k centroids are made of n rows. */
static struct clusters_options options_of(const struct building *building, uint32_t k, size_t n)
{
	return (struct clusters_options){
		.dim = building->shape.dim,
		.k = k,
		.iterations = ITERATIONS,
		.iterations_early = ITERATIONS_EARLY,
		.n_early = n / EARLY_PART,
		.spherical = building->shape.metric == METRIC_COSINE,
	};
}

static status train_at_once(struct building *building, const struct sample *sample)
{
	const struct clusters_options options =
		options_of(building, building->shape.n_lists, sample->n);

	return clusters_train(&options, sample->rows, sample->n, building->deadline,
			      building->arena, building->centroids);
}

/* What a level of two works with. */
struct level {
	uint32_t n_groups;
	float *centroids; /* [n_groups][dim] owned */
	uint32_t *n_rows; /* [n_groups] owned */
};

static void level_finish(struct level *level)
{
	free(level->centroids);
	free(level->n_rows);
}

SCOPE_DEFINE(level, level_finish)

static status groups_train(struct building *building, struct sample *sample, struct level *level)
{
	const struct clusters_options options = options_of(building, level->n_groups, sample->n);
	SCOPED(clusters) clusters = NULL;

	TRY(clusters_train(&options, sample->rows, sample->n, building->deadline, building->arena,
			   level->centroids));
	TRY(clusters_open(level->centroids, level->n_groups, options.dim, building->arena,
			  &clusters));
	TRY(clusters_assign(clusters, sample->rows, sample->n, building->arena, sample->nearest));
	for (uint32_t i = 0; i < sample->n; i++)
		level->n_rows[sample->nearest[i]]++;
	return status_ok();
}

/* The lists of one group: as large a part of those that are left as its rows are of the rows left. */
static status group_train(struct building *building, struct sample *sample, uint32_t group,
			  struct clusters_options *options, float *ret)
{
	size_t dim = options->dim, n = 0;

	for (size_t i = 0; i < sample->n; i++) {
		if (sample->nearest[i] == group)
			memcpy(sample->group + n++ * dim, sample->rows + i * dim,
			       dim * sizeof(float));
	}
	return clusters_train(options, sample->group, n, building->deadline, building->arena, ret);
}

static status lists_of_groups_train(struct building *building, struct sample *sample,
				    const struct level *level)
{
	uint32_t lists_left = building->shape.n_lists, rows_left = sample->n;
	float *at = building->centroids;

	for (uint32_t group = 0; group < level->n_groups; group++) {
		uint32_t n = level->n_rows[group];
		struct clusters_options options = options_of(building, 0, n);

		if (n == 0)
			continue;
		/* At most n, since there are no more lists than rows; all that is left at the end. */
		options.k = (uint32_t)(((uint64_t)lists_left * n + rows_left / 2) / rows_left);
		rows_left -= n;
		if (options.k > n)
			options.k = n;
		if (options.k == 0)
			continue;
		lists_left -= options.k;
		TRY(group_train(building, sample, group, &options, at));
		at += (size_t)options.k * options.dim;
		building_tell(building, ANN_TRAIN, 0.2 + 0.5 * (group + 1.0) / level->n_groups);
	}
	building->shape.n_lists -= lists_left;
	return status_ok();
}

/* Rows change sides, once. */
static status refine(struct building *building, const struct sample *sample)
{
	size_t dim = building->shape.dim, n_lists = building->shape.n_lists;
	SCOPED(clusters) clusters = NULL;
	uint32_t *counts = sample->nearest; /* of lists; there are fewer than rows */
	uint32_t nearest[LISTS_SLICE];

	TRY(clusters_open(building->centroids, (uint32_t)n_lists, (uint32_t)dim, building->arena,
			  &clusters));
	memset(counts, 0, n_lists * sizeof *counts);
	memset(building->centroids, 0, n_lists * dim * sizeof(float));
	for (size_t first = 0; first < sample->n; first += LISTS_SLICE) {
		size_t n = sample->n - first < LISTS_SLICE ? sample->n - first : LISTS_SLICE;

		TRY(deadline_check(building->deadline));
		TRY(clusters_assign(clusters, sample->rows + first * dim, n, building->arena,
				    nearest));
		for (size_t i = 0; i < n; i++) {
			float *sum = building->centroids + nearest[i] * dim;
			const float *row = sample->rows + (first + i) * dim;

			counts[nearest[i]]++;
			for (size_t j = 0; j < dim; j++)
				sum[j] += row[j];
		}
		building_tell(building, ANN_TRAIN, 0.7 + 0.3 * (double)first / sample->n);
	}
	for (size_t list = 0; list < n_lists; list++) {
		float *at = building->centroids + list * dim;

		for (size_t j = 0; counts[list] > 0 && j < dim; j++)
			at[j] /= (float)counts[list];
		if (building->shape.metric == METRIC_COSINE)
			vector_normalise(at, (uint32_t)dim);
	}
	return status_ok();
}

static status train_in_levels(struct building *building, struct sample *sample)
{
	size_t dim = building->shape.dim;
	SCOPED(level) level = &(struct level){
		.n_groups = (uint32_t)sqrt(building->shape.n_lists),
	};

	level->centroids = malloc(sizeof(float) * level->n_groups * dim);
	level->n_rows = calloc(level->n_groups, sizeof *level->n_rows);
	sample->nearest = malloc(sizeof *sample->nearest * sample->n);
	sample->group = malloc(sizeof(float) * sample->n * dim);
	if (!level->centroids || !level->n_rows || !sample->nearest || !sample->group)
		return building_no_memory();
	TRY(groups_train(building, sample, level));
	building_tell(building, ANN_TRAIN, 0.2);
	TRY(lists_of_groups_train(building, sample, level));
	free(TAKE(sample->group));
	return refine(building, sample);
}

status lists_train(struct building *building)
{
	struct lists_shape *shape = &building->shape;
	SCOPED(sample) sample = &(struct sample){0};
	double products;

	building_tell(building, ANN_TRAIN, 0);
	shape->n_lists = count_lists(building);
	shape->copies = count_copies(shape);
	building->centroids = calloc(shape->n_lists, sizeof(float) * shape->dim);
	if (!building->centroids)
		return building_no_memory();
	TRY(sample_take(building, sample));
	sample_scale(building, sample);
	products = (double)sample->n * shape->n_lists * shape->dim;
	if (products <= PRODUCTS_AT_ONCE || shape->n_lists < 16)
		return train_at_once(building, sample);
	return train_in_levels(building, sample);
}
