#include "tests/index/ann/heaps.h"

#include "kernels/float16.h"
#include "kernels/score.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#define HEAP_COUNT 60

/* Of which questions; places [questions][depth]. */
struct heaps_truths {
	struct heaps_asking asking;
	void (*question)(const struct heaps *heaps, uint64_t nth, float *ret);
	uint64_t *places;
};

static const float *heap_of(struct random *random, const struct heaps *heaps, const float *centres)
{
	return centres + random_below(random, HEAP_COUNT) * heaps->room.config.dim;
}

void heaps_keep(const struct heaps *heaps, float *vector)
{
	const struct collection_config *config = &heaps->room.config;

	if (config->metric == METRIC_COSINE)
		(void)vector_normalise(vector, config->dim);
	for (uint32_t i = 0; config->encoding == ENCODING_FLOAT16 && i < config->dim; i++)
		vector[i] = float16_widen(float16_narrow(vector[i]));
}

/* Both draw the same centres from the same seed. */
static float *draw_centres(uint32_t dim)
{
	struct random random = {77};
	float *centres = calloc((size_t)HEAP_COUNT * dim, sizeof *centres);

	cr_assert(centres);
	for (size_t i = 0; i < (size_t)HEAP_COUNT * dim; i++)
		centres[i] = random_signed(&random);
	return centres;
}

void heaps_begin(struct heaps *heaps, const struct heaps_made_of *what, uint64_t seed)
{
	const struct sealed_made_of made_of = {
		.metric = what->metric, .encoding = what->encoding, .dim = what->dim, .n = what->n};
	struct room *room = &heaps->room;

	heaps->truths = calloc(1, sizeof *heaps->truths);
	cr_assert(heaps->truths);
	room_init(room, &made_of, seed);
	arena_finish(&room->arena);
	arena_init(&room->arena, (size_t)16 << 20);
	room->config.index_kind = what->kind;
	if (what->factory)
		snprintf(room->config.faiss_factory, sizeof room->config.faiss_factory, "%s",
			 what->factory);
}

void heaps_seal(struct heaps *heaps)
{
	room_write(&heaps->room, 1);
	heaps->sealed = room_open(&heaps->room, 1);
}

void heaps_init(struct heaps *heaps, const struct heaps_made_of *what, uint64_t seed)
{
	struct random random = {seed};
	float *centres = draw_centres(what->dim);

	heaps_begin(heaps, what, seed);
	for (uint32_t row = 0; row < what->n; row++) {
		float *vector = heaps->room.vectors + (size_t)row * what->dim;
		const float *heap = heap_of(&random, heaps, centres);

		for (uint32_t i = 0; i < what->dim; i++)
			vector[i] = 0.6F * heap[i] + random_signed(&random);
		heaps_keep(heaps, vector);
	}
	free(centres);
	heaps_seal(heaps);
}

void heaps_finish(struct heaps *heaps)
{
	sealed_close(heaps->sealed);
	room_finish(&heaps->room);
	if (heaps->truths)
		free(heaps->truths->places);
	free(heaps->truths);
}

struct sealed_file heaps_file(const struct heaps *heaps)
{
	return room_file(&heaps->room, 1);
}

void heaps_build(struct heaps *heaps)
{
	struct sealed_file file = heaps_file(heaps);
	status s = ann_build(&file, heaps->sealed, NULL, NULL, &heaps->room.arena);

	cr_assert(!status_failed(s), "%s", s.detail);
}

struct ann *heaps_open(struct heaps *heaps)
{
	struct sealed_file file = heaps_file(heaps);
	struct ann *ann = NULL;
	status s = ann_open(&file, heaps->sealed, &heaps->room.arena, &ann);

	cr_assert(!status_failed(s), "%s", s.detail);
	cr_assert(ann);
	return ann;
}

void heaps_question(const struct heaps *heaps, uint64_t nth, float *ret)
{
	uint32_t dim = heaps->room.config.dim;
	struct random random = {1000 + nth};
	float *centres = draw_centres(dim);
	const float *near = heap_of(&random, heaps, centres);
	const float *other = heap_of(&random, heaps, centres);

	for (uint32_t i = 0; i < dim; i++)
		ret[i] = 0.6F * near[i] + 0.2F * other[i] + 0.8F * random_signed(&random);
	heaps_keep(heaps, ret);
	free(centres);
}

void heaps_probe_init(struct heaps_probe *probe, const float *query, uint32_t depth, float recall,
		      size_t width)
{
	*probe = (struct heaps_probe){0};
	arena_init(&probe->memory, (size_t)16 << 20);
	cr_assert(!status_failed(window_init(&probe->window, width)));
	probe->probe = (struct ann_probe){
		.query = query,
		.depth = depth,
		.recall = recall,
		.share = 1,
		.window = &probe->window,
		.base = HEAPS_BASE,
		.memory = &probe->memory,
	};
}

void heaps_probe_finish(struct heaps_probe *probe)
{
	window_finish(&probe->window);
	arena_finish(&probe->memory);
}

void heaps_truth(const struct heaps *heaps, const float *query, uint32_t depth,
		 bool (*visible)(const void *context, uint32_t place), uint64_t *ret_places)
{
	const struct collection_config *config = &heaps->room.config;
	struct window best;

	cr_assert(!status_failed(window_init(&best, depth)));
	for (uint32_t place = 0; place < heaps->room.n; place++) {
		float score = score_exact(config->metric, query, room_vector(&heaps->room, place),
					  config->dim);

		if (!visible || visible(NULL, place))
			window_offer(&best, (struct key){score, place});
	}
	window_seal(&best);
	cr_assert_eq(best.n, depth);
	for (uint32_t i = 0; i < depth; i++)
		ret_places[i] = best.keys[i].row;
	window_finish(&best);
}

static uint32_t count_found(const struct window *window, const uint64_t *truth, uint32_t depth)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < depth; i++) {
		for (size_t k = 0; k < window->n; k++)
			found += window->keys[k].row == HEAPS_BASE + truth[i];
	}
	return found;
}

/* The answers, made once. */
static const uint64_t *truths_of(const struct heaps *heaps, const struct heaps_asking *asking,
				 void (*question)(const struct heaps *heaps, uint64_t nth,
						  float *ret))
{
	struct heaps_truths *truths = heaps->truths;
	float *query;

	if (truths->places && truths->asking.questions == asking->questions &&
	    truths->asking.depth == asking->depth && truths->asking.visible == asking->visible &&
	    truths->question == question)
		return truths->places;
	free(truths->places);
	*truths = (struct heaps_truths){*asking, question, NULL};
	truths->places = calloc((size_t)asking->questions * asking->depth, sizeof(uint64_t));
	query = calloc(heaps->room.config.dim, sizeof *query);
	cr_assert(truths->places && query);
	for (uint32_t i = 0; i < asking->questions; i++) {
		question(heaps, i, query);
		heaps_truth(heaps, query, asking->depth, asking->visible,
			    truths->places + (size_t)i * asking->depth);
	}
	free(query);
	return truths->places;
}

double heaps_recall_of(const struct heaps *heaps, const struct ann *ann,
		       const struct heaps_asking *asking,
		       void (*question)(const struct heaps *heaps, uint64_t nth, float *ret),
		       double *ret_read)
{
	float *query = calloc(heaps->room.config.dim, sizeof *query);
	const uint64_t *truths = truths_of(heaps, asking, question);
	double all = asking->questions, found = 0;

	cr_assert(query);
	*ret_read = 0;
	for (uint32_t i = 0; i < asking->questions; i++) {
		struct heaps_probe probe;
		status s;

		question(heaps, i, query);
		heaps_probe_init(&probe, query, asking->depth, asking->recall,
				 (size_t)4 * asking->depth);
		probe.probe.visible = asking->visible;
		probe.probe.share = asking->share;
		s = ann_find(ann, &probe.probe);
		cr_assert(!status_failed(s), "%s", s.detail);
		cr_assert_gt(probe.probe.scanned, 0);
		window_seal(&probe.window);
		found += count_found(&probe.window, truths + (size_t)i * asking->depth,
				     asking->depth);
		*ret_read += (double)probe.probe.scanned / heaps->room.n / all;
		heaps_probe_finish(&probe);
	}
	free(query);
	return found / (all * asking->depth);
}

double heaps_recall(const struct heaps *heaps, const struct ann *ann,
		    const struct heaps_asking *asking, double *ret_read)
{
	return heaps_recall_of(heaps, ann, asking, heaps_question, ret_read);
}

void heaps_want_recall(const struct heaps *heaps, const struct ann *ann, float target)
{
	const struct heaps_asking asking = {100, 10, target, NULL, 1};
	double read, recall = heaps_recall(heaps, ann, &asking, &read);

	cr_assert_geq(recall, (double)target, "%s: %.4f for %.2f", ann_name(ann), recall,
		      (double)target);
}
