/* lists_train - centroids: k-means over a sample of rows, seen along their first axes (index/build/nearest.h).
 *
 * An iteration of FAISS's k-means cannot be interrupted, and one thread runs it. So some dozens of centroids
 * are trained first, then within the rows of each its part of all of them, several at a time; then rows
 * change sides, once. What a list's centroid is in full is the mean of the sample's rows in it.
 */
#include "index/ann/lists_build.h"

#include "index/build/crew.h"
#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of the sample for each list; fewer where the sample would be too large. */
#define ROWS_PER_LIST 32

#define LISTS_PER_ROOT 5 /* by the root of the rows */
#define LISTS_LEAST_TWICE 32

/* Fewer are trained at once. */
#define LISTS_IN_LEVELS 16

/* k-means converges fast. Its first iterations are over one row in EARLY_PART. */
#define ITERATIONS 3
#define ITERATIONS_EARLY 5
#define EARLY_PART 3

/* Rows are seen along as many axes as hold so much of their squares. */
#define AXES_SHARE 0.8
#define AXES_STEP 8
#define AXES_ROWS 1024

/* Rows of a sample that a thread takes at a time. */
#define ROWS_PER_PART 960

/* Of which what is along the axes is made together. */
#define ROWS_AT_ONCE 16

struct sample {
	struct building *building;
	uint32_t n;
	float *along;      /* [n][n_axes] owned; scaled */
	uint32_t *nearest; /* [n] owned; group or list */
	uint32_t *order;   /* [n] owned; by these */
	uint32_t *first;   /* [n_lists + 1] owned; of each where its rows begin in the order */
	double *longest;   /* [parts] owned */
	float *centroids;  /* [n_lists][n_axes] owned; along the axes */
};

static void sample_finish(struct sample *sample)
{
	free(sample->along);
	free(sample->nearest);
	free(sample->order);
	free(sample->first);
	free(sample->longest);
	free(sample->centroids);
}

SCOPE_DEFINE(sample, sample_finish)

static size_t parts_of(size_t n, size_t per_part)
{
	return (n + per_part - 1) / per_part;
}

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

static uint32_t count_rows(const struct lists_shape *shape)
{
	uint64_t n = (uint64_t)shape->n_lists * ROWS_PER_LIST, row_bytes = 4 * (uint64_t)shape->dim;

	if (n * row_bytes > LISTS_SAMPLE_BYTES)
		n = LISTS_SAMPLE_BYTES / row_bytes;
	if (n < shape->n_lists)
		n = shape->n_lists;
	return n < shape->n ? (uint32_t)n : shape->n;
}

/* The segment's own axes hold the most first. energy  [dim] zeros */
static void energy_measure(const struct building *building, const float *matrix, float *row,
			   double *energy)
{
	uint32_t dim = building->shape.dim, n = building->shape.n;
	float *along = row + dim;

	n = n < AXES_ROWS ? n : AXES_ROWS;
	for (uint32_t i = 0; i < n; i++) {
		building_row(building, building_sample_place(building, n, i), 1, row);
		axes_apply(matrix, dim, dim, row, 1, along);
		for (uint32_t k = 0; k < dim; k++)
			energy[k] += (double)along[k] * (double)along[k] / n;
	}
}

/* All coordinates as they are, where the segment has no axes or these gather too little. */
static status axes_choose(struct building *building)
{
	const struct codes8_rotation *rotation = sealed_coding_of(building->sealed).rotation;
	uint32_t dim = building->shape.dim, n = 0;
	double *energy, total = 0, held = 0;
	float *row;

	building->axes = (struct nearest_axes){.n = dim, .dim = dim};
	if (!rotation)
		return status_ok();
	energy = calloc(dim, sizeof *energy);
	row = malloc(2 * sizeof *row * dim);
	if (energy && row)
		energy_measure(building, rotation->matrix, row, energy);
	for (uint32_t k = 0; energy && row && k < dim; k++)
		total += energy[k];
	while (energy && row && n < dim && (n % AXES_STEP != 0 || held < AXES_SHARE * total))
		held += energy[n++];
	if (n > 0 && n <= dim / 4 * 3)
		building->axes = (struct nearest_axes){rotation->matrix, n, dim};
	sealed_release(building->sealed, 0, building->shape.n);
	free(row);
	free(energy);
	return energy && row ? status_ok() : building_no_memory();
}

/* --- the sample --- */

/* Which of the sample's rows, in the order of places, stands at `at`: first one of each EARLY_PART, then
 * another, so that the first part is from everywhere too. sample_at  the other way round. */
static uint32_t sample_row(uint32_t n, uint32_t at)
{
	uint32_t pass = 0;

	for (; pass + 1 < EARLY_PART; pass++) {
		uint32_t of_pass = (n - pass + EARLY_PART - 1) / EARLY_PART;

		if (at < of_pass)
			break;
		at -= of_pass;
	}
	return at * EARLY_PART + pass;
}

static uint32_t sample_at(uint32_t n, uint32_t row)
{
	uint32_t ret = row / EARLY_PART;

	for (uint32_t pass = 0; pass < row % EARLY_PART; pass++)
		ret += (n - pass + EARLY_PART - 1) / EARLY_PART;
	return ret;
}

static void sample_row_read(const struct sample *sample, uint32_t at, float *ret)
{
	const struct building *building = sample->building;

	building_row(building,
		     building_sample_place(building, sample->n, sample_row(sample->n, at)), 1, ret);
}

/* Rows `at` .. `at` + n. */
static double rows_take(struct sample *sample, float *rows, uint32_t at, uint32_t n)
{
	const struct nearest_axes *axes = &sample->building->axes;
	float *along = sample->along + (size_t)at * axes->n;
	double longest = 0;

	for (uint32_t i = 0; i < n; i++) {
		float *row = rows + (size_t)i * axes->dim;

		sample_row_read(sample, at + i, row);
		longest = fmax(longest, vector_norm(row, axes->dim));
	}
	if (axes->matrix)
		axes_apply(axes->matrix, axes->n, axes->dim, rows, n, along);
	else
		memcpy(along, rows, sizeof *rows * n * axes->dim);
	return longest;
}

/* How far apart in the segment the first and the last row of a part are; 0 where it is of two passes, whose
 * rows others are about to release. */
static uint32_t part_span(const struct sample *sample, uint32_t first, uint32_t end)
{
	const struct building *building = sample->building;
	uint32_t low = building_sample_place(building, sample->n, sample_row(sample->n, first));
	uint32_t high = building_sample_place(building, sample->n, sample_row(sample->n, end - 1));

	return high > low ? high - low : 0;
}

static status part_take(void *context, size_t part, const struct crew_place *place)
{
	struct sample *sample = context;
	uint32_t first = (uint32_t)part * ROWS_PER_PART, end = first + ROWS_PER_PART;
	float *rows = malloc(sizeof *rows * ROWS_AT_ONCE * sample->building->shape.dim);
	double longest = 0;

	(void)place;
	if (!rows)
		return building_no_memory();
	end = end < sample->n ? end : sample->n;
	for (uint32_t at = first; at < end; at += ROWS_AT_ONCE) {
		uint32_t n = end - at < ROWS_AT_ONCE ? end - at : ROWS_AT_ONCE;

		longest = fmax(longest, rows_take(sample, rows, at, n));
	}
	sealed_release(
		sample->building->sealed,
		building_sample_place(sample->building, sample->n, sample_row(sample->n, first)),
		part_span(sample, first, end));
	sample->longest[part] = longest;
	free(rows);
	return status_ok();
}

/* The longest row is then between a half and 1 long. Rows that are all but zero are left alone. */
static void sample_scale(struct sample *sample)
{
	size_t n_parts = parts_of(sample->n, ROWS_PER_PART);
	double longest = 0;
	int exponent = 0;

	for (size_t part = 0; part < n_parts; part++)
		longest = fmax(longest, sample->longest[part]);
	if (longest > 0x1p-100)
		frexp(longest, &exponent);
	sample->building->scale = ldexpf(1, -exponent);
	for (size_t i = 0; exponent != 0 && i < (size_t)sample->n * sample->building->axes.n; i++)
		sample->along[i] *= sample->building->scale;
}

static status crew_of(struct sample *sample, size_t n_parts,
		      status (*run)(void *, size_t, const struct crew_place *), void *context)
{
	const struct crew_work work = {
		.n = n_parts,
		.run = run,
		.context = context,
		.deadline = sample->building->deadline,
		.arena = sample->building->arena,
	};

	return crew_run(&work);
}

static status sample_take(struct sample *sample)
{
	const struct building *building = sample->building;
	size_t n_axes = building->axes.n, n_lists = building->shape.n_lists;
	size_t n_parts;

	sample->n = count_rows(&building->shape);
	n_parts = parts_of(sample->n, ROWS_PER_PART);
	sample->along = malloc(sizeof(float) * sample->n * n_axes);
	sample->nearest = malloc(sizeof *sample->nearest * sample->n);
	sample->order = malloc(sizeof *sample->order * sample->n);
	sample->first = malloc(sizeof *sample->first * (n_lists + 1));
	sample->longest = calloc(n_parts, sizeof *sample->longest);
	sample->centroids = calloc(n_lists, sizeof(float) * n_axes);
	if (!sample->along || !sample->nearest || !sample->order || !sample->first ||
	    !sample->longest || !sample->centroids)
		return building_no_memory();
	TRY(crew_of(sample, n_parts, part_take, sample));
	sample_scale(sample);
	return status_ok();
}

/* By what each is nearest to, k of these; within one as they are. */
static void sample_sort(struct sample *sample, uint32_t k)
{
	uint32_t *first = sample->first, at = 0;

	memset(first, 0, (k + 1) * sizeof *first);
	for (uint32_t i = 0; i < sample->n; i++)
		first[sample->nearest[i]]++;
	for (uint32_t i = 0; i <= k; i++) {
		uint32_t count = i < k ? first[i] : 0;

		first[i] = at;
		at += count;
	}
	for (uint32_t i = 0; i < sample->n; i++)
		sample->order[first[sample->nearest[i]]++] = i;
	/* Each is now where the next one was. */
	for (uint32_t i = k; i > 0; i--)
		first[i] = first[i - 1];
	first[0] = 0;
}

/* --- k-means --- */

/* How k centroids are made of n rows. */
static struct clusters_options options_of(const struct building *building, uint32_t k, size_t n)
{
	return (struct clusters_options){
		.dim = building->axes.n,
		.k = k,
		.iterations = ITERATIONS,
		.iterations_early = ITERATIONS_EARLY,
		.n_early = n / EARLY_PART,
		.spherical = building->shape.metric == METRIC_COSINE,
		.threads = 1,
	};
}

/* The rows nearest to each of k centroids along the axes. */
struct finding {
	struct sample *sample;
	struct nearest nearest;
};

static void finding_finish(struct finding *finding)
{
	nearest_finish(&finding->nearest);
}

SCOPE_DEFINE(finding, finding_finish)

static status part_find(void *context, size_t part, const struct crew_place *place)
{
	const struct finding *finding = context;
	const struct sample *sample = finding->sample;
	size_t first = part * ROWS_PER_PART, left = sample->n - first;
	SCOPED(nearest_room) room = &(struct nearest_room){0};

	(void)place;
	TRY(nearest_room_init(room, &finding->nearest));
	nearest_find_along(&finding->nearest, room, sample->along + first * finding->nearest.n_axes,
			   left < ROWS_PER_PART ? left : ROWS_PER_PART, sample->nearest + first);
	return status_ok();
}

static status sample_assign(struct sample *sample, const float *centroids, uint32_t k)
{
	SCOPED(finding) finding = &(struct finding){.sample = sample};

	TRY(nearest_init_along(&finding->nearest, &sample->building->axes, centroids, k));
	TRY(crew_of(sample, parts_of(sample->n, ROWS_PER_PART), part_find, finding));
	sample_sort(sample, k);
	return status_ok();
}

/* A group of rows, and the lists that it has. */
struct group {
	uint32_t first_list, n_lists;
};

struct level {
	struct sample *sample;
	uint32_t n_groups;
	float *centroids;     /* [n_groups][n_axes] owned */
	struct group *groups; /* [n_groups] owned */
};

static void level_finish(struct level *level)
{
	free(level->centroids);
	free(level->groups);
}

SCOPE_DEFINE(level, level_finish)

static status groups_train(struct level *level)
{
	struct sample *sample = level->sample;
	const struct building *building = sample->building;
	const struct clusters_options options = options_of(building, level->n_groups, sample->n);

	TRY(clusters_train(&options, sample->along, sample->n, building->deadline, building->arena,
			   level->centroids));
	return sample_assign(sample, level->centroids, level->n_groups);
}

/* Each gets as large a part of the lists that are left as its rows are of the rows left. */
static void groups_share_lists(struct level *level)
{
	struct sample *sample = level->sample;
	struct lists_shape *shape = &sample->building->shape;
	uint32_t lists_left = shape->n_lists, rows_left = sample->n, at = 0;

	for (uint32_t i = 0; i < level->n_groups; i++) {
		struct group *group = &level->groups[i];
		uint32_t n = sample->first[i + 1] - sample->first[i];

		group->first_list = at;
		if (n == 0)
			continue;
		/* At most n, since there are no more lists than rows; all that is left at the end. */
		group->n_lists = (uint32_t)(((uint64_t)lists_left * n + rows_left / 2) / rows_left);
		if (group->n_lists > n)
			group->n_lists = n;
		rows_left -= n;
		lists_left -= group->n_lists;
		at += group->n_lists;
	}
	shape->n_lists -= lists_left;
}

static status group_train(void *context, size_t part, const struct crew_place *place)
{
	const struct level *level = context;
	const struct sample *sample = level->sample;
	const struct building *building = sample->building;
	const struct group *group = &level->groups[part];
	size_t n_axes = building->axes.n, n = sample->first[part + 1] - sample->first[part];
	const uint32_t *order = sample->order + sample->first[part];
	struct clusters_options options = options_of(building, group->n_lists, n);
	float *rows;
	status s;

	if (group->n_lists == 0)
		return status_ok();
	rows = malloc(sizeof *rows * n * n_axes);
	if (!rows)
		return building_no_memory();
	for (size_t i = 0; i < n; i++)
		memcpy(rows + i * n_axes, sample->along + order[i] * n_axes, n_axes * sizeof *rows);
	s = clusters_train(&options, rows, n, building->deadline, place->arena,
			   sample->centroids + group->first_list * n_axes);
	free(rows);
	return s;
}

static status train_in_levels(struct sample *sample)
{
	const struct building *building = sample->building;
	SCOPED(level)
	level = &(struct level){
		.sample = sample,
		.n_groups = (uint32_t)sqrt(building->shape.n_lists),
	};

	level->centroids = malloc(sizeof(float) * level->n_groups * building->axes.n);
	level->groups = calloc(level->n_groups, sizeof *level->groups);
	if (!level->centroids || !level->groups)
		return building_no_memory();
	TRY(groups_train(level));
	building_tell(building, ANN_TRAIN, 0.3);
	groups_share_lists(level);
	TRY(crew_of(sample, level->n_groups, group_train, level));
	building_tell(building, ANN_TRAIN, 0.6);
	return status_ok();
}

static status train_at_once(struct sample *sample)
{
	const struct building *building = sample->building;
	const struct clusters_options options =
		options_of(building, building->shape.n_lists, sample->n);

	return clusters_train(&options, sample->along, sample->n, building->deadline,
			      building->arena, sample->centroids);
}

/* --- centroids in full --- */

/* Of a list without rows: as far as its axes go. */
static void centroid_lift(const struct sample *sample, size_t list, float *ret)
{
	const struct nearest_axes *axes = &sample->building->axes;
	const float *along = sample->centroids + list * axes->n;

	if (!axes->matrix) {
		memcpy(ret, along, axes->dim * sizeof *ret);
		return;
	}
	for (size_t k = 0; k < axes->n; k++) {
		for (size_t i = 0; i < axes->dim; i++)
			ret[i] += along[k] * axes->matrix[k * axes->dim + i];
	}
}

/* Lists first_list .. first_list + n_lists. Each thread goes over the whole sample, in the order of places,
 * and reads the rows of its lists: so what it has read it need not keep. */
static status centroids_sum(struct sample *sample, uint32_t first_list, uint32_t n_lists,
			    float *row)
{
	const struct building *building = sample->building;
	uint32_t dim = building->shape.dim, released = 0;

	for (uint32_t i = 0; i < sample->n; i++) {
		uint32_t at = sample_at(sample->n, i), list = sample->nearest[at];
		float *sum = building->centroids + (size_t)list * dim;

		if (i % LISTS_SLICE == LISTS_SLICE - 1) {
			uint32_t place = building_sample_place(building, sample->n, i);

			TRY(deadline_check(building->deadline));
			sealed_release(building->sealed, released, place - released);
			released = place;
		}
		if (list - first_list >= n_lists)
			continue;
		sample_row_read(sample, at, row);
		for (size_t k = 0; k < dim; k++)
			sum[k] += row[k] * building->scale;
	}
	sealed_release(building->sealed, released, building->shape.n - released);
	return status_ok();
}

static void centroid_finish(const struct sample *sample, size_t list)
{
	const struct building *building = sample->building;
	uint32_t dim = building->shape.dim, count = sample->first[list + 1] - sample->first[list];
	float *ret = building->centroids + list * dim;

	for (size_t k = 0; count > 0 && k < dim; k++)
		ret[k] /= (float)count;
	if (count == 0)
		centroid_lift(sample, list, ret);
	if (building->shape.metric == METRIC_COSINE)
		vector_normalise(ret, dim);
}

static status part_make(void *context, size_t part, const struct crew_place *place)
{
	struct sample *sample = context;
	const struct building *building = sample->building;
	uint32_t first = building_part(building, part), end = building_part(building, part + 1);
	float *row = malloc(sizeof *row * building->shape.dim);
	status s;

	(void)place;
	if (!row)
		return building_no_memory();
	s = centroids_sum(sample, first, end - first, row);
	free(row);
	for (size_t list = first; list < end; list++)
		centroid_finish(sample, list);
	return s;
}

status lists_train(struct building *building)
{
	struct lists_shape *shape = &building->shape;
	SCOPED(sample) sample = &(struct sample){.building = building};

	building_tell(building, ANN_TRAIN, 0);
	shape->n_lists = count_lists(building);
	shape->copies = count_copies(shape);
	TRY(axes_choose(building));
	TRY(sample_take(sample));
	building_tell(building, ANN_TRAIN, 0.1);
	TRY(shape->n_lists < LISTS_IN_LEVELS ? train_at_once(sample) : train_in_levels(sample));
	building->centroids = calloc(shape->n_lists, sizeof(float) * shape->dim);
	if (!building->centroids)
		return building_no_memory();
	TRY(sample_assign(sample, sample->centroids, shape->n_lists));
	building_tell(building, ANN_TRAIN, 0.8);
	return crew_of(sample, building_parts(building), part_make, sample);
}
