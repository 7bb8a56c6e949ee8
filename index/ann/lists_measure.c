/* lists_measure - walks with every z and every number of rows kept, against what a scan with proven bounds
 * finds.
 *
 * Half of the queries are rows, each left out of what is found for it. The others are made of four rows
 * each, x and y about the mean m: m + (x - m + MIX sum of (y - m)) / |(1, MIX, MIX, MIX)|. They are as
 * far from the mean as rows are, and about as far from the nearest as questions are: where rows have copies,
 * these lie in one list with them, and tell nothing of a question's hits. What both kinds find counts.
 */
#include "index/ann/lists_measure.h"

#include "index/ann/truth.h"
#include "index/build/crew.h"
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

/* How much of some other rows is in a query. */
#define MIX 0.75
#define MIX_ROWS 3

/* Depths beyond that part of all rows are not for lists. */
#define DEPTH_PART 4

#define ARENA_BYTES ((size_t)1 << 30)

/* Probes whose rows stay in this process's memory. */
#define PROBES_KEPT 16

/* Up to so many a query's sums are all made at once, for its walks read most of them more than once. */
#define POSITIONS_EXPANDED (UINT32_C(1) << 23)

/* Of each depth, ascending; 0: no more. */
static const uint32_t keeps[LISTS_DEPTHS][LISTS_KEEPS] = {
	{32, 80, 200, 640},
	{200, 400, 800, 1600},
	{2000, 4000, 10000, 0},
};

/* Ascending. */
static const float steps[LISTS_STEPS] = {-0.12F, -0.05F, 0.0F,  0.04F, 0.08F, 0.12F,
					 0.16F,  0.2F,   0.25F, 0.32F, 0.5F,  2.0F};

uint32_t lists_keep(uint32_t row, uint32_t i)
{
	return keeps[row][i];
}

float lists_step(uint32_t i)
{
	return steps[i];
}

/* Sums over probes, of a depth and a number kept. Of whole numbers: in whatever order they are added. */
struct counted {
	uint64_t found[LISTS_STEPS], read[LISTS_STEPS];
};

struct counts {
	struct counted counted[LISTS_KINDS][LISTS_DEPTHS][LISTS_KEEPS];
	uint32_t n_probes[LISTS_KINDS][LISTS_DEPTHS];
};

struct probing;

struct measuring {
	const struct building *building;
	const struct lists *lists;
	double *mean; /* [dim] owned */
	uint32_t n_probes, n_depths;
	struct probing *probing; /* [n_probing] owned; one for each of the crew */
	size_t n_probing;
	struct lists_measures *measures;
	size_t n_released; /* probes that were done when rows left this process's memory */
};

/* What one thread has of its own. */
struct probing {
	const struct measuring *measuring;
	struct arena arena;                 /* of a query */
	struct window windows[LISTS_KEEPS]; /* of its walks */
	struct window best;                 /* scored exactly */
	float *query;         /* [2][dim] owned; then another row of which it is made */
	uint32_t *truth;      /* [deepest + 1] owned */
	uint8_t *is_true;     /* [n / 8 + 1] owned; bits, of places */
	uint32_t self;        /* the row that is the query, or is no row of it */
	enum lists_kind kind; /* of the query in hand */
	struct counts counts;
};

static void probing_finish(struct probing *probing)
{
	arena_finish(&probing->arena);
	for (size_t keep = 0; keep < LISTS_KEEPS; keep++)
		window_finish(&probing->windows[keep]);
	window_finish(&probing->best);
	free(probing->query);
	free(probing->truth);
	free(probing->is_true);
}

static void measuring_finish(struct measuring *measuring)
{
	for (size_t i = 0; i < measuring->n_probing; i++)
		probing_finish(&measuring->probing[i]);
	free(measuring->probing);
	free(measuring->mean);
}

SCOPE_DEFINE(measuring, measuring_finish)

static bool depth_is_tried(const struct measuring *measuring, uint32_t row)
{
	return (uint64_t)lists_depth(row) * DEPTH_PART <= measuring->lists->shape.n;
}

static status probing_init(struct probing *probing, const struct measuring *measuring)
{
	const struct lists_shape *shape = &measuring->lists->shape;

	*probing = (struct probing){.measuring = measuring};
	arena_init(&probing->arena, ARENA_BYTES);
	probing->query = malloc(2 * sizeof(float) * shape->dim);
	probing->truth = malloc(sizeof *probing->truth * (lists_depth(LISTS_DEPTHS - 1) + 1));
	probing->is_true = calloc(shape->n / 8 + 1, 1);
	if (!probing->query || !probing->truth || !probing->is_true)
		return building_no_memory();
	for (size_t keep = 0; keep < LISTS_KEEPS; keep++)
		TRY(window_init(&probing->windows[keep], 1));
	return window_init(&probing->best, 1);
}

static uint32_t count_probes(uint32_t n)
{
	uint32_t n_probes = n / ROWS_PER_PROBE;

	if (n_probes < PROBES_LEAST)
		n_probes = n < PROBES_LEAST ? n : PROBES_LEAST;
	return n_probes < PROBES ? n_probes : PROBES;
}

static status measuring_init(struct measuring *measuring)
{
	const struct lists_shape *shape = &measuring->lists->shape;
	size_t n;

	measuring->n_probes = count_probes(shape->n);
	while (measuring->n_depths < LISTS_DEPTHS && depth_is_tried(measuring, measuring->n_depths))
		measuring->n_depths++;
	n = crew_size(measuring->n_probes);
	measuring->mean = calloc(shape->dim, sizeof(double));
	measuring->probing = calloc(n, sizeof *measuring->probing);
	if (!measuring->mean || !measuring->probing)
		return building_no_memory();
	for (; measuring->n_probing < n; measuring->n_probing++) {
		struct probing *probing = &measuring->probing[measuring->n_probing];
		status s = probing_init(probing, measuring);

		if (status_failed(s)) {
			probing_finish(probing);
			return s;
		}
	}
	return status_ok();
}

static void truth_mark(struct probing *probing, uint32_t depth, bool is_true)
{
	for (uint32_t i = 0; i < depth; i++) {
		uint32_t place = probing->truth[i];
		uint8_t bit = (uint8_t)(1 << place % 8);

		if (is_true)
			probing->is_true[place / 8] |= bit;
		else
			probing->is_true[place / 8] &= (uint8_t)~bit;
	}
}

/* A row that two lists gave counts once. */
static uint32_t count_true(struct probing *probing, struct window *window, uint32_t depth)
{
	const struct lists *lists = probing->measuring->lists;
	uint32_t n = 0;

	window_compact(window);
	for (size_t i = 0; i < window->n; i++) {
		uint32_t place = lists->places[window->keys[i].row];
		uint8_t bit = (uint8_t)(1 << place % 8);

		n += (probing->is_true[place / 8] & bit) != 0;
		probing->is_true[place / 8] &= (uint8_t)~bit;
	}
	truth_mark(probing, depth, true);
	return n;
}

static bool is_another(const void *context, uint32_t place)
{
	return place != *(const uint32_t *)context;
}

/* The walks with one z of the first n numbers kept: one after the other through the same lists. */
static status walks_run(struct probing *probing, struct lists_query *query, uint32_t row, float z,
			struct lists_walk *walks, uint32_t n)
{
	for (uint32_t keep = 0; keep < n; keep++) {
		walks[keep] = (struct lists_walk){
			.query = query,
			.z = z,
			.visible = is_another,
			.context = &probing->self,
			.window = &probing->windows[keep],
			.deadline = probing->measuring->building->deadline,
		};
		TRY(window_clear(&probing->windows[keep], keeps[row][keep]));
	}
	/* Who keeps most goes furthest. */
	walks[n - 1].shorter = walks;
	walks[n - 1].n_shorter = n - 1;
	return lists_walk_run(probing->measuring->lists, &walks[n - 1]);
}

/* All walks for a depth. Where one has read more than would ever be wanted, the next would find no less. */
static status measure_depth(struct probing *probing, struct lists_query *query, uint32_t row)
{
	double most = LISTS_SHARE_MAX * probing->measuring->lists->shape.n;
	struct lists_walk walks[LISTS_KEEPS];
	uint64_t found[LISTS_KEEPS] = {0}, read[LISTS_KEEPS] = {0};
	uint32_t n = 0;

	while (n < LISTS_KEEPS && keeps[row][n])
		n++;
	for (uint32_t step = 0, left = n; step < LISTS_STEPS; step++) {
		while (left > 0 && (double)read[left - 1] > most)
			left--;
		if (left > 0)
			TRY(walks_run(probing, query, row, steps[step], walks, left));
		for (uint32_t keep = 0; keep < n; keep++) {
			struct counted *counted =
				&probing->counts.counted[probing->kind][row][keep];

			if (keep < left) {
				found[keep] =
					count_true(probing, walks[keep].window, lists_depth(row));
				read[keep] = walks[keep].read;
			}
			counted->found[step] += found[keep];
			counted->read[step] += read[keep];
		}
	}
	return status_ok();
}

/* Of as many rows as there are probes. */
static void mean_make(const struct measuring *measuring, float *row)
{
	uint32_t dim = measuring->lists->shape.dim, n_probes = measuring->n_probes;

	for (uint32_t i = 0; i < n_probes; i++) {
		building_row(measuring->building,
			     building_sample_place(measuring->building, n_probes, i), 1, row);
		for (uint32_t k = 0; k < dim; k++)
			measuring->mean[k] += (double)row[k] / n_probes;
	}
}

/* Of probe i, or of it and others far away. */
static void query_make(struct probing *probing, uint32_t i)
{
	const struct measuring *measuring = probing->measuring;
	const struct building *building = measuring->building;
	uint32_t dim = measuring->lists->shape.dim, n_probes = measuring->n_probes;
	float *query = probing->query, *other = query + dim;
	double length = sqrt(1 + MIX_ROWS * MIX * MIX);

	probing->kind = i % LISTS_KINDS == 0 ? LISTS_KIND_ROW : LISTS_KIND_MIXED;
	probing->self = building_sample_place(building, n_probes, i);
	building_row(building, probing->self, 1, query);
	if (probing->kind == LISTS_KIND_ROW)
		return;
	probing->self = UINT32_MAX;
	for (uint32_t k = 0; k < dim; k++)
		query[k] = (float)(((double)query[k] - measuring->mean[k]) / length);
	for (uint32_t row = 1; row <= MIX_ROWS; row++) {
		uint32_t at =
			(uint32_t)((i + (uint64_t)n_probes * row / (MIX_ROWS + 1)) % n_probes);

		building_row(building, building_sample_place(building, n_probes, at), 1, other);
		for (uint32_t k = 0; k < dim; k++)
			query[k] += (float)(MIX * ((double)other[k] - measuring->mean[k]) / length);
	}
	for (uint32_t k = 0; k < dim; k++)
		query[k] += (float)measuring->mean[k];
	if (measuring->lists->shape.metric == METRIC_COSINE)
		(void)vector_normalise(query, dim);
}

/* With which rows are found that are likely to be near. */
#define NEAR_Z 0.25F
#define NEAR_KEPT 2 /* for each that is wanted */

/* A score that so many rows reach, and not many more; -INFINITY: not known. */
static status least_find(struct probing *probing, struct lists_query *query, uint32_t depth,
			 float *ret)
{
	const struct building *building = probing->measuring->building;
	const struct lists *lists = probing->measuring->lists;
	struct window *near = &probing->windows[0], *best = &probing->best;
	struct lists_walk walk = {
		.query = query,
		.z = NEAR_Z,
		.window = near,
		.deadline = building->deadline,
	};

	TRY(window_clear(near, (size_t)NEAR_KEPT * depth));
	TRY(lists_walk_run(lists, &walk));
	window_compact(near);
	/* Wide enough for all, so that it drops none but those that are there twice. */
	TRY(window_clear(best, near->n + 1));
	for (size_t i = 0; i < near->n; i++) {
		uint32_t place = lists->places[near->keys[i].row], dim = lists->shape.dim;
		const float *row = sealed_vector(building->sealed, place, probing->query + dim);
		float score = score_exact(lists->shape.metric, probing->query, row, dim);

		window_offer(best, (struct key){score, place});
	}
	window_seal(best);
	*ret = best->n >= depth ? best->keys[depth - 1].score : -INFINITY;
	return status_ok();
}

/* The row itself is left out of what is true, as it is of what is found. */
static status truth_take(struct probing *probing, struct lists_query *query, uint32_t depth)
{
	struct truth_question question = {
		.query = probing->query,
		.depth = depth + 1,
		.deadline = probing->measuring->building->deadline,
	};
	uint32_t kept = 0;

	TRY(least_find(probing, query, question.depth, &question.least));
	TRY(truth_find(probing->measuring->building->sealed, &question, probing->truth));
	for (uint32_t i = 0; i <= depth; i++) {
		if (probing->truth[i] != probing->self)
			probing->truth[kept++] = probing->truth[i];
	}
	return status_ok();
}

static status probe_run(struct probing *probing, uint32_t n_depths)
{
	const struct lists *lists = probing->measuring->lists;
	struct lists_query query;

	arena_reset(&probing->arena);
	TRY(lists_query_init(&query, lists, probing->query, &probing->arena));
	if (lists_positions(&lists->shape) <= POSITIONS_EXPANDED)
		TRY(lists_query_expand(&query, lists, &probing->arena));
	TRY(truth_take(probing, &query, lists_depth(n_depths - 1)));
	for (uint32_t row = 0; row < n_depths; row++) {
		probing->counts.n_probes[probing->kind][row]++;
		truth_mark(probing, lists_depth(row), true);
		TRY(measure_depth(probing, &query, row));
		truth_mark(probing, lists_depth(row), false);
	}
	return status_ok();
}

/* Whether probe i of n is one of a depth's, which are spread among the others. */
static bool is_of_depth(uint32_t n_probes, uint32_t i, uint32_t row)
{
	uint64_t of_depth = probes[row];

	return i * of_depth / PROBES != (i + 1) * of_depth / PROBES ||
	       (of_depth * n_probes / PROBES < 2 && i < LISTS_KINDS);
}

static status probe_make_and_run(void *context, size_t part, const struct crew_place *place)
{
	const struct measuring *measuring = context;
	struct probing *probing = &measuring->probing[place->worker];
	uint32_t n_depths = measuring->n_depths, i = (uint32_t)part;

	while (n_depths > 1 && !is_of_depth(measuring->n_probes, i, n_depths - 1))
		n_depths--;
	query_make(probing, i);
	return probe_run(probing, n_depths);
}

static void told_probe(void *context, size_t n_done)
{
	struct measuring *measuring = context;

	/* Rows are scored here and there. */
	if (n_done - measuring->n_released >= PROBES_KEPT) {
		measuring->n_released = n_done;
		sealed_release(measuring->building->sealed, 0, measuring->lists->shape.n);
	}
	building_tell(measuring->building, ANN_WRITE,
		      0.7 + 0.3 * (double)n_done / measuring->n_probes);
}

static void counts_add(struct measuring *measuring, const struct counts *counts, uint32_t kind,
		       uint32_t row)
{
	measuring->measures->n_probes[kind][row] += counts->n_probes[kind][row];
	for (size_t keep = 0; keep < LISTS_KEEPS; keep++) {
		const struct counted *counted = &counts->counted[kind][row][keep];
		struct lists_measured *measured = &measuring->measures->of[kind][row][keep];

		for (size_t step = 0; step < LISTS_STEPS; step++) {
			measured->recall[step] += (double)counted->found[step];
			measured->read[step] += (double)counted->read[step];
		}
	}
}

/* Sums of doubles that are whole numbers, and small: exact. */
static void counts_gather(struct measuring *measuring)
{
	for (size_t i = 0; i < measuring->n_probing; i++) {
		for (uint32_t kind = 0; kind < LISTS_KINDS; kind++) {
			for (uint32_t row = 0; row < LISTS_DEPTHS; row++)
				counts_add(measuring, &measuring->probing[i].counts, kind, row);
		}
	}
	for (uint32_t i = 0; i < LISTS_KINDS * LISTS_DEPTHS * LISTS_KEEPS * LISTS_STEPS; i++) {
		uint32_t row = i / LISTS_STEPS / LISTS_KEEPS % LISTS_DEPTHS;

		measuring->measures
			->of[i / LISTS_STEPS / LISTS_KEEPS / LISTS_DEPTHS][row]
			    [i / LISTS_STEPS % LISTS_KEEPS]
			.recall[i % LISTS_STEPS] /= lists_depth(row);
	}
}

static status probe_all(struct measuring *measuring)
{
	const struct crew_work work = {
		.n = measuring->n_depths > 0 ? measuring->n_probes : 0,
		.n_workers = measuring->n_probing,
		.run = probe_make_and_run,
		.told = told_probe,
		.context = measuring,
		.deadline = measuring->building->deadline,
		.arena = measuring->building->arena,
	};

	mean_make(measuring, measuring->probing[0].query);
	TRY(crew_run(&work));
	counts_gather(measuring);
	return deadline_check(measuring->building->deadline);
}

status lists_measure(struct building *building, const struct lists *lists,
		     struct lists_measures *ret)
{
	SCOPED(measuring)
	measuring = &(struct measuring){
		.building = building,
		.lists = lists,
		.measures = ret,
	};

	*ret = (struct lists_measures){0};
	TRY(measuring_init(measuring));
	return probe_all(measuring);
}
