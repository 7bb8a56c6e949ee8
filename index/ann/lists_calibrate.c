/* lists_calibrate - what has to be read for which recall: walks with every z and every number of rows
 * kept, against what a scan with proven bounds finds.
 *
 * Half of the queries are rows, each left out of what is found for it. The others are made of four rows
 * each, x and y about the mean m: m + (x - m + MIX sum of (y - m)) / |(1, MIX, MIX, MIX)|. They are as
 * far from the mean as rows are, and about as far from the nearest as questions are: where rows have copies,
 * these lie in one list with them, and tell nothing of a question's hits. What both kinds find counts.
 */
#include "index/ann/lists_build.h"

#include "index/ann/truth.h"
#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One of so many rows, within limits. */
#define ROWS_PER_PROBE 32
#define PROBES_LEAST 64
#define PROBES 320

/* Of so many probes each depth has its own: many hits each tell as much of fewer. Odd, so that both kinds
 * are among them. */
static const uint32_t probes[LISTS_DEPTHS] = {PROBES, 161, 41};

#define KEEPS 4
#define STEPS 12

/* A row that is kept costs as much as reading so many in the first stage: it is fetched from memory,
 * bounded, and in the way of the threshold. */
#define ROWS_PER_KEPT 70

/* How much of some other rows is in a query. */
#define MIX 0.75
#define MIX_ROWS 3

/* Depths beyond that part of all rows are not for lists. */
#define DEPTH_PART 4

#define ARENA_BYTES ((size_t)1 << 30)

/* Of each depth, ascending; 0: no more. */
static const uint32_t keeps[LISTS_DEPTHS][KEEPS] = {
	{32, 64, 128, 320},
	{200, 400, 800, 1600},
	{2000, 4000, 10000, 0},
};

/* Ascending. */
static const float steps[STEPS] = {-0.12F, -0.05F, 0.0F,  0.04F, 0.08F, 0.12F,
				   0.16F,  0.2F,   0.25F, 0.32F, 0.5F,  2.0F};

enum kind { KIND_ROW, KIND_MIXED, KINDS };

/* Sums over probes, of a depth and a number kept. */
struct measured {
	double recall[STEPS], read[STEPS];
};

struct calibrating {
	const struct building *building;
	const struct lists *lists;
	struct arena arena;   /* of a query */
	struct window window; /* of its walks */
	float *query;         /* [2][dim] owned; then another row of which it is made */
	uint32_t *truth;      /* [deepest + 1] owned */
	uint8_t *is_true;     /* [n / 8 + 1] owned; bits, of places */
	double *mean;         /* [dim] owned */
	uint32_t self;        /* the row that is the query, or is no row of it */
	struct measured measured[KINDS][LISTS_DEPTHS][KEEPS];
	uint32_t n_probes[KINDS][LISTS_DEPTHS];
	enum kind kind; /* of the query in hand */
};

static void calibrating_finish(struct calibrating *calibrating)
{
	arena_finish(&calibrating->arena);
	window_finish(&calibrating->window);
	free(calibrating->query);
	free(calibrating->mean);
	free(calibrating->truth);
	free(calibrating->is_true);
}

SCOPE_DEFINE(calibrating, calibrating_finish)

static bool depth_is_tried(const struct calibrating *calibrating, uint32_t row)
{
	return (uint64_t)lists_depth(row) * DEPTH_PART <= calibrating->lists->shape.n;
}

static status calibrating_init(struct calibrating *calibrating)
{
	const struct lists_shape *shape = &calibrating->lists->shape;

	arena_init(&calibrating->arena, ARENA_BYTES);
	calibrating->query = malloc(2 * sizeof(float) * shape->dim);
	calibrating->mean = calloc(shape->dim, sizeof(double));
	calibrating->truth =
		malloc(sizeof *calibrating->truth * (lists_depth(LISTS_DEPTHS - 1) + 1));
	calibrating->is_true = calloc(shape->n / 8 + 1, 1);
	if (!calibrating->query || !calibrating->mean || !calibrating->truth ||
	    !calibrating->is_true)
		return building_no_memory();
	return window_init(&calibrating->window, 1);
}

static void truth_mark(struct calibrating *calibrating, uint32_t depth, bool is_true)
{
	for (uint32_t i = 0; i < depth; i++) {
		uint32_t place = calibrating->truth[i];
		uint8_t bit = (uint8_t)(1 << place % 8);

		if (is_true)
			calibrating->is_true[place / 8] |= bit;
		else
			calibrating->is_true[place / 8] &= (uint8_t)~bit;
	}
}

/* A row that two lists gave counts once. */
static uint32_t count_true(struct calibrating *calibrating, uint32_t depth)
{
	uint32_t n = 0;

	for (size_t i = 0; i < calibrating->window.n; i++) {
		uint32_t place = calibrating->lists->places[calibrating->window.keys[i].row];
		uint8_t bit = (uint8_t)(1 << place % 8);

		n += (calibrating->is_true[place / 8] & bit) != 0;
		calibrating->is_true[place / 8] &= (uint8_t)~bit;
	}
	truth_mark(calibrating, depth, true);
	return n;
}

static bool is_another(const void *context, uint32_t place)
{
	return place != *(const uint32_t *)context;
}

/* All walks that keep so many. Where one has read more than would ever be wanted, the next would find no
 * less. */
static status measure_keep(struct calibrating *calibrating, struct lists_query *query, uint32_t row,
			   uint32_t keep)
{
	struct measured *measured = &calibrating->measured[calibrating->kind][row][keep];
	double n = calibrating->lists->shape.n, recall = 0, read = 0;

	for (size_t step = 0; step < STEPS; step++) {
		struct lists_walk walk = {
			.query = query,
			.z = steps[step],
			.visible = is_another,
			.context = &calibrating->self,
			.window = &calibrating->window,
			.deadline = calibrating->building->deadline,
		};

		if (read <= LISTS_SHARE_MAX * n) {
			TRY(window_clear(&calibrating->window, keeps[row][keep]));
			TRY(lists_walk_run(calibrating->lists, &walk));
			window_compact(&calibrating->window);
			recall = (double)count_true(calibrating, lists_depth(row)) /
				 lists_depth(row);
			read = (double)walk.read;
		}
		measured->recall[step] += recall;
		measured->read[step] += read;
	}
	return status_ok();
}

/* Of as many rows as there are probes. */
static void mean_make(struct calibrating *calibrating, uint32_t n_probes)
{
	uint32_t dim = calibrating->lists->shape.dim;

	for (uint32_t i = 0; i < n_probes; i++) {
		building_row(calibrating->building,
			     building_sample_place(calibrating->building, n_probes, i), 1,
			     calibrating->query);
		for (uint32_t k = 0; k < dim; k++)
			calibrating->mean[k] += (double)calibrating->query[k] / n_probes;
	}
}

/* Of probe i, or of it and others far away. */
static void query_make(struct calibrating *calibrating, uint32_t n_probes, uint32_t i)
{
	const struct building *building = calibrating->building;
	uint32_t dim = calibrating->lists->shape.dim;
	float *query = calibrating->query, *other = query + dim;
	double length = sqrt(1 + MIX_ROWS * MIX * MIX);

	calibrating->kind = i % KINDS == 0 ? KIND_ROW : KIND_MIXED;
	calibrating->self = building_sample_place(building, n_probes, i);
	building_row(building, calibrating->self, 1, query);
	if (calibrating->kind == KIND_ROW)
		return;
	calibrating->self = UINT32_MAX;
	for (uint32_t k = 0; k < dim; k++)
		query[k] = (float)(((double)query[k] - calibrating->mean[k]) / length);
	for (uint32_t row = 1; row <= MIX_ROWS; row++) {
		uint32_t at =
			(uint32_t)((i + (uint64_t)n_probes * row / (MIX_ROWS + 1)) % n_probes);

		building_row(building, building_sample_place(building, n_probes, at), 1, other);
		for (uint32_t k = 0; k < dim; k++)
			query[k] +=
				(float)(MIX * ((double)other[k] - calibrating->mean[k]) / length);
	}
	for (uint32_t k = 0; k < dim; k++)
		query[k] += (float)calibrating->mean[k];
	if (calibrating->lists->shape.metric == METRIC_COSINE)
		(void)vector_normalise(query, dim);
}

/* The row itself is left out of what is true, as it is of what is found. */
static status truth_take(struct calibrating *calibrating, uint32_t depth)
{
	uint32_t kept = 0;

	TRY(truth_find(calibrating->building->sealed, calibrating->query, depth + 1,
		       calibrating->building->deadline, calibrating->truth));
	for (uint32_t i = 0; i <= depth; i++) {
		if (calibrating->truth[i] != calibrating->self)
			calibrating->truth[kept++] = calibrating->truth[i];
	}
	return status_ok();
}

static status probe_run(struct calibrating *calibrating, uint32_t n_depths)
{
	struct lists_query query;

	arena_reset(&calibrating->arena);
	TRY(truth_take(calibrating, lists_depth(n_depths - 1)));
	TRY(lists_query_init(&query, calibrating->lists, calibrating->query, &calibrating->arena));
	for (uint32_t row = 0; row < n_depths; row++) {
		calibrating->n_probes[calibrating->kind][row]++;
		truth_mark(calibrating, lists_depth(row), true);
		for (uint32_t keep = 0; keep < KEEPS && keeps[row][keep]; keep++)
			TRY(measure_keep(calibrating, &query, row, keep));
		truth_mark(calibrating, lists_depth(row), false);
	}
	return status_ok();
}

/* Whether probe i of n is one of a depth's, which are spread among the others. */
static bool is_of_depth(uint32_t n_probes, uint32_t i, uint32_t row)
{
	uint64_t of_depth = probes[row];

	return i * of_depth / PROBES != (i + 1) * of_depth / PROBES ||
	       (of_depth * n_probes / PROBES < 2 && i < KINDS);
}

static uint32_t count_probes(uint32_t n)
{
	uint32_t n_probes = n / ROWS_PER_PROBE;

	if (n_probes < PROBES_LEAST)
		n_probes = n < PROBES_LEAST ? n : PROBES_LEAST;
	return n_probes < PROBES ? n_probes : PROBES;
}

static status probe_all(struct calibrating *calibrating)
{
	uint32_t n = calibrating->lists->shape.n, n_probes = count_probes(n), tried = 0;

	while (tried < LISTS_DEPTHS && depth_is_tried(calibrating, tried))
		tried++;
	mean_make(calibrating, n_probes);
	for (uint32_t i = 0; i < n_probes && tried > 0; i++) {
		uint32_t n_depths = tried;

		while (n_depths > 1 && !is_of_depth(n_probes, i, n_depths - 1))
			n_depths--;
		query_make(calibrating, n_probes, i);
		TRY(probe_run(calibrating, n_depths));
		building_tell(calibrating->building, ANN_WRITE, 0.7 + 0.3 * (i + 1.0) / n_probes);
	}
	return deadline_check(calibrating->building->deadline);
}

/* Of values at the steps, the one at z. */
static double value_at(const double *values, double z)
{
	size_t step = 1;
	double low, high;

	while (step + 1 < STEPS && z > (double)steps[step])
		step++;
	low = (double)steps[step - 1];
	high = (double)steps[step];
	if (z >= high)
		return values[step];
	return z <= low ? values[step - 1]
			: values[step - 1] +
				  (values[step] - values[step - 1]) * (z - low) / (high - low);
}

/* The least z that reaches the sum of recalls, between two that were tried; NAN: none does. */
static double z_find(const struct measured *measured, double recall)
{
	size_t step = 0;
	double before, now;

	while (step < STEPS && measured->recall[step] < recall)
		step++;
	if (step == STEPS)
		return NAN;
	if (step == 0)
		return (double)steps[0];
	before = measured->recall[step - 1];
	now = measured->recall[step];
	return (double)steps[step - 1] +
	       ((double)steps[step] - (double)steps[step - 1]) * (recall - before) / (now - before);
}

/* Between a number kept that was measured and the next there are so many that are not. */
#define KEEP_PARTS 6

/* Misses go down with some power of the number kept. */
static double recall_between(double few, double many, double n_probes, double t)
{
	/* Less than a few probes can tell from none. */
	double least = n_probes / 1000;

	return n_probes + least -
	       exp((1 - t) * log(fmax(n_probes - few, 0) + least) +
		   t * log(fmax(n_probes - many, 0) + least));
}

static void measured_between(const struct measured *few, const struct measured *many,
			     double n_probes, double t, struct measured *ret)
{
	for (size_t step = 0; step < STEPS; step++) {
		ret->recall[step] =
			recall_between(few->recall[step], many->recall[step], n_probes, t);
		ret->read[step] = (1 - t) * few->read[step] + t * many->read[step];
	}
}

/* What both kinds need where so many are kept. Returns whether they reach it. */
static bool setting_find(const struct calibrating *calibrating, uint32_t row, uint32_t column,
			 uint32_t keep, const struct measured measured[KINDS],
			 struct lists_setting *ret)
{
	double target = lists_target(column), z = -INFINITY;
	double share = 0, n = calibrating->lists->shape.n;

	for (size_t kind = 0; kind < KINDS; kind++) {
		double n_probes = calibrating->n_probes[kind][row];

		if (measured[kind].recall[STEPS - 1] < lists_margin_recall(target) * n_probes)
			return false;
		z = fmax(z, z_find(&measured[kind], target * n_probes));
	}
	z += lists_margin_z(row, column) * (double)calibrating->building->deviation;
	for (size_t kind = 0; kind < KINDS; kind++)
		share += value_at(measured[kind].read, z) / calibrating->n_probes[kind][row] / n /
			 KINDS;
	*ret = (struct lists_setting){.z = (float)z, .share = (float)share, .keep = keep};
	return true;
}

/* Part `part` of the way from a number kept to the next. */
static bool setting_try(const struct calibrating *calibrating, uint32_t row, uint32_t column,
			uint32_t keep, uint32_t part, struct lists_setting *ret)
{
	uint32_t next = part > 0 ? keep + 1 : keep;
	double t = (double)part / KEEP_PARTS, few = keeps[row][keep], many = keeps[row][next];
	struct measured measured[KINDS];

	for (size_t kind = 0; kind < KINDS; kind++)
		measured_between(&calibrating->measured[kind][row][keep],
				 &calibrating->measured[kind][row][next],
				 calibrating->n_probes[kind][row], t, &measured[kind]);
	return setting_find(calibrating, row, column, (uint32_t)ceil(few * pow(many / few, t)),
			    measured, ret);
}

static void setting_choose(const struct calibrating *calibrating, uint32_t row, uint32_t column,
			   struct lists_setting *ret)
{
	double least = INFINITY, n = calibrating->lists->shape.n;
	uint32_t n_keeps = 0;
	struct lists_setting setting;

	while (n_keeps < KEEPS && keeps[row][n_keeps])
		n_keeps++;
	for (uint32_t i = 0; i <= (n_keeps - 1) * KEEP_PARTS; i++) {
		double cost;

		if (!setting_try(calibrating, row, column, i / KEEP_PARTS, i % KEEP_PARTS,
				 &setting))
			continue;
		cost = (double)setting.share * n + (double)setting.keep * ROWS_PER_KEPT;
		if (cost < least) {
			least = cost;
			*ret = setting;
		}
	}
	/* One miss in a thousand is less than so few probes can tell from none. */
	if (column == LISTS_TARGETS - 1)
		ret->keep *= 2;
}

status lists_calibrate(struct building *building, const struct lists *lists,
		       struct lists_table *ret)
{
	SCOPED(calibrating) calibrating = &(struct calibrating){
		.building = building,
		.lists = lists,
	};

	TRY(calibrating_init(calibrating));
	TRY(probe_all(calibrating));
	*ret = (struct lists_table){0};
	for (uint32_t row = 0; row < LISTS_DEPTHS; row++) {
		for (uint32_t column = 0;
		     column < LISTS_TARGETS && calibrating->n_probes[KIND_ROW][row] > 0 &&
		     calibrating->n_probes[KIND_MIXED][row] > 0;
		     column++)
			setting_choose(calibrating, row, column, &ret->settings[row][column]);
	}
	return status_ok();
}
