/* Lists of rows that are few, odd or all alike; and builds that end early. */
#include "tests/index/ann/clouds.h"

#include "index/ann/lists_table.h"
#include "index/build/crew.h"
#include "kernels/score.h"
#include "tests/kernels/failing_malloc.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* How the rows are made. */
enum rows_kind {
	ROWS_AT_RANDOM,
	ROWS_ALIKE,
	ROWS_ZERO,
	ROWS_OF_FIVE,
	ROWS_HUGE,
	ROWS_TINY,
	ROWS_LAST
};

static void fill(struct room *room, enum rows_kind kind)
{
	struct random random = {room->n + (uint64_t)kind};
	uint32_t dim = room->config.dim;

	for (uint32_t row = 0; row < room->n; row++) {
		float *vector = room->vectors + (size_t)row * dim;
		uint32_t like = kind == ROWS_OF_FIVE ? row % 5 : 0;

		if (kind == ROWS_OF_FIVE || kind == ROWS_ALIKE)
			random = (struct random){like + 1};
		for (uint32_t i = 0; i < dim; i++) {
			vector[i] = kind == ROWS_ZERO ? 0 : random_signed(&random);
			vector[i] *= kind == ROWS_HUGE ? 0x1p53F : 1;
			vector[i] *= kind == ROWS_TINY ? 0x1p-100F : 1;
		}
		/* All of the energy in one dimension, and nothing in the others. */
		for (uint32_t i = 0; kind == ROWS_LAST && i + 1 < dim; i++)
			vector[i] = 0;
		if (room->config.metric == METRIC_COSINE && !vector_normalise(vector, dim))
			vector[0] = 1;
	}
}

static void rows_init(struct heaps *heaps, const struct sealed_made_of *what, enum rows_kind kind)
{
	struct room *room = &heaps->room;

	heaps->truths = NULL;
	room_init(room, what, 5);
	room->config.index_kind = INDEX_IVF;
	fill(room, kind);
	room_write(room, 1);
	heaps->sealed = room_open(room, 1);
}

/* Any question has an answer, whose bounds hold. */
static void check_answers(const struct heaps *heaps, const struct ann *ann)
{
	const struct collection_config *config = &heaps->room.config;
	float *query = calloc(config->dim, sizeof *query);

	for (uint32_t i = 0; i < 20; i++) {
		const float *row = room_vector(&heaps->room, i * 31 % heaps->room.n);
		struct heaps_probe probe;
		uint32_t n = heaps->room.n < 20 ? heaps->room.n : 20;
		status s;

		memcpy(query, row, config->dim * sizeof *query);
		heaps_probe_init(&probe, query, 10, 0.9F, 100);
		s = ann_find(ann, &probe.probe);
		cr_assert(!status_failed(s), "%s", s.detail);
		window_seal(&probe.window);
		cr_assert_geq(probe.window.n, n / 2);
		for (size_t k = 0; k < probe.window.n; k++) {
			struct key key = probe.window.keys[k];
			const float *vector =
				room_vector(&heaps->room, (uint32_t)(key.row - HEAPS_BASE));

			cr_assert_geq(key.score,
				      score_exact(config->metric, query, vector, config->dim));
		}
		heaps_probe_finish(&probe);
	}
	free(query);
}

Test(lists_build, takes_any_rows, .timeout = 600)
{
	static const struct {
		uint32_t dim, n;
		enum rows_kind kind;
	} cases[] = {
		{32, 1000, ROWS_AT_RANDOM}, {16, 1000, ROWS_ALIKE},       {16, 1000, ROWS_ZERO},
		{16, 1200, ROWS_OF_FIVE},   {16, 1000, ROWS_HUGE},        {16, 1000, ROWS_TINY},
		{48, 1000, ROWS_LAST},      {1, 1000, ROWS_AT_RANDOM},    {2, 1500, ROWS_AT_RANDOM},
		{7, 1300, ROWS_AT_RANDOM},  {1536, 1100, ROWS_AT_RANDOM},
	};
	static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};

	for (size_t i = 0; i < COUNT(cases) * COUNT(metrics); i++) {
		const struct sealed_made_of what = {
			.metric = metrics[i % COUNT(metrics)],
			.encoding = ENCODING_FLOAT32,
			.dim = cases[i / COUNT(metrics)].dim,
			.n = cases[i / COUNT(metrics)].n,
		};
		struct heaps heaps;
		SCOPED(ann) ann = NULL;

		/* The widest once. */
		if (what.dim > 1000 && what.metric != METRIC_L2)
			continue;
		rows_init(&heaps, &what, cases[i / COUNT(metrics)].kind);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		check_answers(&heaps, ann);
		heaps_finish(&heaps);
	}
}

/* Fewer rows than ann_is_wanted lets through: lists of nearly nothing. */
Test(lists_build, takes_very_few_rows, .timeout = 120)
{
	static const uint32_t lengths[] = {1, 2, 3, 17, 40, 100};

	for (size_t i = 0; i < COUNT(lengths); i++) {
		const struct sealed_made_of what = {.metric = METRIC_L2,
						    .encoding = ENCODING_FLOAT32,
						    .dim = 12,
						    .n = lengths[i]};
		struct heaps heaps;
		SCOPED(ann) ann = NULL;

		rows_init(&heaps, &what, ROWS_AT_RANDOM);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		check_answers(&heaps, ann);
		heaps_finish(&heaps);
	}
}

/* More centroids than an iteration of k-means can take at once. */
Test(lists_build, trains_many_lists_in_two_levels, .timeout = 300)
{
	static const struct heaps_made_of large = {.metric = METRIC_COSINE,
						   .encoding = ENCODING_FLOAT32,
						   .dim = 64,
						   .n = 30000,
						   .kind = INDEX_IVF};
	struct heaps heaps;
	SCOPED(ann) ann = NULL;

	const struct heaps_asking asking = {50, 10, 0.9F, NULL, 1};
	double read;

	clouds_init(&heaps, &large, 12);
	heaps.room.config.lists = 20000;
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	cr_assert(ann_covers(ann, 10, 0.9F, 1));
	cr_assert_geq(clouds_recall(&heaps, ann, &asking, &read), 0.9);
	heaps_finish(&heaps);
}

static const struct sealed_made_of ordinary = {
	.metric = METRIC_L2, .encoding = ENCODING_FLOAT32, .dim = 8, .n = 1500};

static bool is_there(const struct heaps *heaps, const char *suffix)
{
	struct stat about;
	char path[512];

	snprintf(path, sizeof path, "%s/0000000000000001.ann%s", heaps->room.scratch.path, suffix);
	return stat(path, &about) == 0;
}

/* What is told, and when to cancel. */
struct listening {
	struct deadline deadline;
	int told, cancel_at; /* -1: never */
	int phase;
	float share;
};

static void listen(void *context, enum ann_phase phase, float share)
{
	struct listening *listening = context;

	cr_assert_geq((int)phase, listening->phase);
	cr_assert((int)phase > listening->phase || share >= listening->share);
	cr_assert(share >= 0 && share <= 1);
	listening->phase = (int)phase;
	listening->share = share;
	if (listening->told++ == listening->cancel_at)
		deadline_cancel(&listening->deadline);
}

static status build(struct heaps *heaps, struct listening *listening)
{
	const struct ann_progress progress = {listen, listening};
	struct sealed_file file = heaps_file(heaps);

	deadline_init(&listening->deadline, DEADLINE_NEVER);
	return ann_build(&file, heaps->sealed, &listening->deadline, &progress, &heaps->room.arena);
}

Test(lists_build, tells_how_far_it_is_and_leaves_nothing_when_it_is_cancelled, .timeout = 120)
{
	struct listening whole = {.cancel_at = -1};
	struct heaps heaps;

	rows_init(&heaps, &ordinary, ROWS_AT_RANDOM);
	cr_assert(!status_failed(build(&heaps, &whole)));
	cr_assert_eq(whole.phase, ANN_WRITE);
	cr_assert_eq(whole.share, 1);
	cr_assert_geq(whole.told, 6);
	cr_assert(is_there(&heaps, ""));
	for (int i = 0; i + 1 < whole.told; i += i < 6 ? 1 : 60) {
		struct listening listening = {.cancel_at = i};
		struct sealed_file file = heaps_file(&heaps);

		cr_assert(!status_failed(ann_remove(&file, &heaps.room.arena)));
		cr_assert_eq(build(&heaps, &listening).code, STATUS_CANCELLED, "%d", i);
		cr_assert(!is_there(&heaps, "") && !is_there(&heaps, ".new"));
	}
	heaps_finish(&heaps);
}

Test(lists_build, any_allocation_may_fail, .timeout = 300)
{
	const struct sealed_made_of few = {
		.metric = METRIC_L2, .encoding = ENCODING_FLOAT32, .dim = 8, .n = 120};
	struct heaps heaps;
	long nth = 0;

	rows_init(&heaps, &few, ROWS_AT_RANDOM);
	/* A thread that there is none of is no failure. */
	crew_limit(1);
	for (;; nth++) {
		struct sealed_file file = heaps_file(&heaps);
		status s;

		failing_malloc_set(nth);
		s = ann_build(&file, heaps.sealed, NULL, NULL, &heaps.room.arena);
		if (!failing_malloc_struck())
			break;
		failing_malloc_set(-1);
		cr_assert_eq(s.code, STATUS_RESOURCE_EXHAUSTED, "%ld: %s", nth, s.detail);
		cr_assert(!is_there(&heaps, "") && !is_there(&heaps, ".new"), "%ld", nth);
		/* Each probe of the calibration is like the first. */
		nth += nth > 80 ? 37 : 0;
	}
	failing_malloc_set(-1);
	cr_assert_geq(nth, 40);
	cr_assert(is_there(&heaps, ""));
	heaps_finish(&heaps);
}
