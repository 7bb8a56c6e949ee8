/* factory_calibrate - probes, and what FAISS finds of the truth. */
#include "index/ann/factory_calibrate.h"

#include "index/ann/truth.h"
#include "kernels/base/error_info.h"
#include "kernels/base/random.h"
#include "kernels/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PROBES 128
#define KINDS 2 /* of them, by turns: near to a row, and far */
#define DEPTH_MAX 1000
/* The effort is raised until so much of the nearest 10 and 100 is found, or twice the effort finds no
 * more. That is what a recall of .95 wants: one of .99 would have all questions pay for it, and the
 * full scan, which answers where an index does not, costs less than that. */
#define RECALL_ENOUGH 0.9875F
#define RECALL_SLACK 0.001F
#define PLENTY 32 /* candidates for each hit */
#define EF_SEARCH_MAX 4096
/* What is measured on probes has to pass what is asked for by this part of what may be missed: with
 * 0.25 and 0.5 real questions fell short of .99, with .985 to .990. */
#define MARGIN 0.75F
/* A query longer than this beside rows of length 1 has the same neighbours as one that is. */
#define QUERY_NORM_MAX 0x1p40

struct trial {
	const struct factory_made *made;
	const struct deadline *deadline;
	struct arena *arena; /* for details of failures */
	uint32_t dim, n;
	uint32_t depth;   /* of the truth */
	float *queries;   /* [PROBES][dim] owned, scaled */
	uint32_t *truth;  /* [PROBES][depth] owned */
	uint64_t *marks;  /* [(n + 63) / 64] owned, zeros */
	int64_t *places;  /* [FACTORY_FOUND_MAX] owned */
	float *distances; /* [FACTORY_FOUND_MAX] owned */
};

static void trial_finish(struct trial *trial)
{
	free(trial->queries);
	free(trial->truth);
	free(trial->marks);
	free(trial->places);
	free(trial->distances);
}

SCOPE_DEFINE(trial, trial_finish)

static status no_memory(void)
{
	return status_as(status_make(STATUS_RESOURCE_EXHAUSTED, "memory to calibrate"),
			 REASON_MEMORY_LIMIT);
}

void factory_scale_query(const struct factory_scaling *scaling, const float *query, float *ret)
{
	double norm = vector_norm(query, scaling->dim), factor = (double)scaling->rows;

	/* An inner product orders rows the same whatever the query's length is. */
	if (scaling->metric == METRIC_INNER_PRODUCT && norm > 0)
		factor = 1 / norm;
	else if (norm * factor > QUERY_NORM_MAX)
		factor = QUERY_NORM_MAX / norm;
	for (uint32_t i = 0; i < scaling->dim; i++)
		ret[i] = (float)((double)query[i] * factor);
}

static uint32_t draw(uint64_t *state, uint32_t n)
{
	return (uint32_t)(((random_next(state) >> 32) * n) >> 32);
}

/* row + share * |row| * (a - b) / |a - b|, in ret; scratch [3][dim]. */
static void draw_probe(const struct trial *trial, uint64_t *state, double share, float *scratch,
		       float *ret)
{
	uint32_t dim = trial->dim;
	const float *rows[3];
	double length, between = 0;

	for (uint32_t i = 0; i < 3; i++)
		rows[i] = sealed_vector(trial->made->sealed, draw(state, trial->n),
					scratch + (size_t)i * dim);
	length = vector_norm(rows[0], dim);
	for (uint32_t i = 0; i < dim; i++) {
		double step = (double)rows[1][i] - (double)rows[2][i];

		between += step * step;
	}
	between = sqrt(between);
	for (uint32_t i = 0; i < dim; i++) {
		double step = (double)rows[1][i] - (double)rows[2][i];

		ret[i] = (float)((double)rows[0][i] +
				 (between > 0 ? share * length * step / between : 0));
	}
	if (trial->made->scaling.metric == METRIC_COSINE && !vector_normalise(ret, dim))
		ret[0] = 1;
}

static status trial_init(struct trial *trial)
{
	static const double shares[KINDS] = {0.5, 1};
	uint32_t dim = trial->dim;
	float *scratch;
	uint64_t state = 7;
	status s = status_ok();

	trial->depth = trial->n < DEPTH_MAX ? trial->n : DEPTH_MAX;
	trial->queries = malloc(sizeof(float) * PROBES * dim);
	trial->truth = malloc(sizeof(uint32_t) * PROBES * trial->depth);
	trial->marks = calloc((trial->n + 63) / 64, sizeof *trial->marks);
	trial->places = malloc(sizeof *trial->places * FACTORY_FOUND_MAX);
	trial->distances = malloc(sizeof *trial->distances * FACTORY_FOUND_MAX);
	scratch = malloc(sizeof(float) * 3 * dim);
	if (!trial->queries || !trial->truth || !trial->marks || !trial->places ||
	    !trial->distances || !scratch)
		s = no_memory();
	for (size_t i = 0; !status_failed(s) && i < PROBES; i++) {
		float *query = trial->queries + i * dim;

		draw_probe(trial, &state, shares[i % KINDS], scratch, query);
		s = truth_find(trial->made->sealed,
			       &(struct truth_question){.query = query,
							.depth = trial->depth,
							.least = -INFINITY,
							.deadline = trial->deadline},
			       trial->truth + i * trial->depth);
		factory_scale_query(&trial->made->scaling, query, query);
	}
	free(scratch);
	return s;
}

static void mark(struct trial *trial, uint32_t width, bool on)
{
	for (uint32_t i = 0; i < width; i++) {
		uint64_t place = (uint64_t)trial->places[i];

		if (place >= trial->n)
			continue;
		if (on)
			trial->marks[place / 64] |= UINT64_C(1) << place % 64;
		else
			trial->marks[place / 64] = 0;
	}
}

/* The share of the nearest that is among so many candidates: of each kind of probe, the lesser. */
static status measure(struct trial *trial, uint32_t depth, uint32_t width, float *ret)
{
	uint64_t found[KINDS] = {0};
	uint64_t least = UINT64_MAX;

	for (size_t i = 0; i < PROBES; i++) {
		const uint32_t *truth = trial->truth + i * trial->depth;

		TRY(deadline_check(trial->deadline));
		TRY(factory_index_search(trial->made->index, trial->queries + i * trial->dim, width,
					 trial->distances, trial->places, trial->arena));
		mark(trial, width, true);
		for (uint32_t k = 0; k < depth; k++)
			found[i % KINDS] += trial->marks[truth[k] / 64] >> truth[k] % 64 & 1;
		mark(trial, width, false);
	}
	for (size_t kind = 0; kind < KINDS; kind++)
		least = found[kind] < least ? found[kind] : least;
	*ret = (float)((double)least * KINDS / ((double)depth * PROBES));
	return status_ok();
}

static uint32_t width_max(const struct trial *trial)
{
	return trial->n < FACTORY_FOUND_MAX ? trial->n : FACTORY_FOUND_MAX;
}

/* effort - the one number by which FAISS can be told to look further. */
struct effort {
	const char *name; /* NULL: it looks at everything */
	uint32_t least, most;
};

static struct effort effort_of(const struct factory_traits *traits)
{
	if (traits->lists)
		return (struct effort){"nprobe", 1, traits->lists};
	if (traits->links)
		return (struct effort){"efSearch", 16, EF_SEARCH_MAX};
	return (struct effort){0};
}

/* How much of the nearest 10 and 100 is found with an effort, among plenty of candidates. */
static status measure_effort(struct trial *trial, const char *name, uint32_t effort, float ret[2])
{
	TRY(factory_index_set(trial->made->index, name, effort, trial->arena));
	for (size_t column = 0; column < 2; column++) {
		uint32_t depth = factory_depth(column), width = PLENTY * depth;

		if (depth > trial->depth)
			break;
		TRY(measure(trial, depth, width < width_max(trial) ? width : width_max(trial),
			    &ret[column]));
	}
	return status_ok();
}

/* The least that finds enough, or that twice as much would not better. */
static status choose_effort(struct trial *trial, struct effort effort, uint32_t *ret)
{
	float before[2] = {-1, -1}, found[2] = {0};
	uint32_t at = effort.least, previous = at;

	for (;; previous = at, at = at < effort.most / 2 ? 2 * at : effort.most) {
		TRY(measure_effort(trial, effort.name, at, found));
		if (found[0] <= before[0] + RECALL_SLACK && found[1] <= before[1] + RECALL_SLACK) {
			at = previous;
			break;
		}
		if (at == effort.most || (found[0] >= RECALL_ENOUGH && found[1] >= RECALL_ENOUGH))
			break;
		memcpy(before, found, sizeof before);
	}
	*ret = at;
	return factory_index_set(trial->made->index, effort.name, at, trial->arena);
}

static status measure_widths(struct trial *trial, uint32_t depth, float *ret)
{
	uint32_t width = depth, max = width_max(trial);

	for (size_t i = 0; i < FACTORY_WIDTHS && width <= max; i++) {
		TRY(measure(trial, depth, width, &ret[i]));
		if (ret[i] >= 1 || (i >= 2 && ret[i] <= ret[i - 2]))
			break;
		width *= 2;
	}
	return status_ok();
}

status factory_calibrate(const struct factory_made *made, const struct deadline *deadline,
			 struct arena *arena, struct factory_calibration *ret)
{
	SCOPED(trial)
	trial = &(struct trial){
		.made = made,
		.deadline = deadline,
		.arena = arena,
		.dim = made->scaling.dim,
		.n = sealed_length(made->sealed),
	};
	struct effort effort = effort_of(&made->traits);

	ret->effort = 0;
	memset(ret->recall, 0, sizeof ret->recall);
	TRY(trial_init(trial));
	if (effort.name)
		TRY(choose_effort(trial, effort, &ret->effort));
	for (size_t column = 0; column < FACTORY_DEPTHS; column++) {
		if (factory_depth(column) <= trial->depth)
			TRY(measure_widths(trial, factory_depth(column), ret->recall[column]));
	}
	return status_ok();
}

uint32_t factory_candidates(const struct factory_calibration *calibration, uint64_t depth,
			    float recall)
{
	float wanted = recall + (1 - recall) * MARGIN;
	size_t column = 0;

	while (column < FACTORY_DEPTHS && depth > factory_depth(column))
		column++;
	if (column == FACTORY_DEPTHS)
		return 0;
	for (size_t i = 0; i < FACTORY_WIDTHS; i++) {
		if (calibration->recall[column][i] >= wanted)
			return factory_depth(column) << i;
	}
	return 0;
}
