#include "tests/index/ann/clouds.h"

#include "kernels/float16.h"
#include "kernels/score.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdlib.h>

#define CLOUDS 150

/* Where a cloud is, and how large, follow from its number. Its rows differ in the first dimensions most,
 * and those of any two clouds in the last. */
static void draw(const struct heaps *heaps, struct random *random, float *ret)
{
	const struct collection_config *config = &heaps->room.config;
	/* The smaller of two: some clouds are much larger than others. */
	size_t a = random_below(random, CLOUDS), b = random_below(random, CLOUDS);
	struct random cloud = {1 + (a < b ? a : b)};
	float size;

	for (size_t i = 0; i < 20; i++)
		random_bits(&cloud);
	size = 0.5F + 0.25F * random_signed(&cloud);
	for (uint32_t i = 0; i < config->dim; i++) {
		float fades = 1 / sqrtf(1 + 20 * (float)i / (float)config->dim);

		ret[i] = random_signed(&cloud) * 0.5F +
			 size * fades * (random_signed(random) + random_signed(random));
	}
	if (config->metric == METRIC_COSINE)
		(void)vector_normalise(ret, config->dim);
	for (uint32_t i = 0; config->encoding == ENCODING_FLOAT16 && i < config->dim; i++)
		ret[i] = float16_widen(float16_narrow(ret[i]));
}

void clouds_init(struct heaps *heaps, const struct heaps_made_of *what, uint64_t seed)
{
	const struct sealed_made_of made_of = {
		.metric = what->metric, .encoding = what->encoding, .dim = what->dim, .n = what->n};
	struct room *room = &heaps->room;
	struct random random = {seed};

	room_init(room, &made_of, seed);
	arena_finish(&room->arena);
	arena_init(&room->arena, (size_t)16 << 20);
	room->config.index_kind = what->kind;
	for (uint32_t row = 0; row < what->n; row++)
		draw(heaps, &random, room->vectors + (size_t)row * what->dim);
	room_write(room, 1);
	heaps->sealed = room_open(room, 1);
}

void clouds_question(const struct heaps *heaps, uint64_t nth, float *ret)
{
	struct random random = {(nth + 1) * UINT64_C(0x9E3779B97F4A7C15)};

	for (size_t i = 0; i < 20; i++)
		random_bits(&random);
	draw(heaps, &random, ret);
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

double clouds_recall(const struct heaps *heaps, const struct ann *ann,
		     const struct clouds_asking *asking, double *ret_read)
{
	float *query = calloc(heaps->room.config.dim, sizeof *query);
	uint64_t *truth = calloc(asking->depth, sizeof *truth);
	double all = asking->questions, found = 0;

	cr_assert(query && truth);
	*ret_read = 0;
	for (uint32_t i = 0; i < asking->questions; i++) {
		struct heaps_probe probe;
		status s;

		clouds_question(heaps, i, query);
		heaps_truth(heaps, query, asking->depth, asking->visible, truth);
		heaps_probe_init(&probe, query, asking->depth, asking->recall,
				 (size_t)4 * asking->depth);
		probe.probe.visible = asking->visible;
		probe.probe.share = asking->share;
		s = ann_find(ann, &probe.probe);
		cr_assert(!status_failed(s), "%s", s.detail);
		window_seal(&probe.window);
		found += count_found(&probe.window, truth, asking->depth);
		*ret_read += (double)probe.probe.scanned / heaps->room.n / all;
		heaps_probe_finish(&probe);
	}
	free(query);
	free(truth);
	return found / (all * asking->depth);
}
