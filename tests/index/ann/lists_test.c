/* What inverted lists find, against a full sort; and what they may not do to the answer. */
#include "tests/index/ann/clouds.h"

#include "kernels/score.h"

#include <criterion/criterion.h>

#include <float.h>
#include <stdlib.h>

#define LISTS(what_metric, what_encoding, rows)                                                    \
	{.metric = (what_metric),                                                                  \
	 .encoding = (what_encoding),                                                              \
	 .dim = 64,                                                                                \
	 .n = (rows),                                                                              \
	 .kind = INDEX_IVF}

static const struct heaps_made_of worlds[] = {
	LISTS(METRIC_COSINE, ENCODING_FLOAT32, 20000),
	LISTS(METRIC_INNER_PRODUCT, ENCODING_FLOAT32, 20000),
	LISTS(METRIC_L2, ENCODING_FLOAT32, 20000),
	LISTS(METRIC_L2, ENCODING_FLOAT16, 6000),
};

static bool one_in_ten(const void *context, uint32_t place)
{
	(void)context;
	return place % 10 == 3;
}

static bool one_in_two(const void *context, uint32_t place)
{
	(void)context;
	return place % 2 == 0;
}

static void check_targets(const struct heaps *heaps, const struct ann *ann, uint32_t depth,
			  uint32_t questions)
{
	static const float targets[] = {0.8F, 0.9F, 0.95F, 0.99F};

	for (size_t i = 0; i < COUNT(targets); i++) {
		const struct heaps_asking asking = {questions, depth, targets[i], NULL, 1};
		double recall, read;

		cr_assert(ann_covers(ann, depth, targets[i], 1), "metric %d: %.2f of %u",
			  heaps->room.config.metric, (double)targets[i], depth);
		recall = clouds_recall(heaps, ann, &asking, &read);
		cr_assert_geq(recall, (double)targets[i], "metric %d: %.4f for %.2f of %u",
			      heaps->room.config.metric, recall, (double)targets[i], depth);
		/* What is found is not found by reading all. */
		cr_assert_lt(read, depth == 10 ? 0.3 : 0.6, "metric %d: %.2f of all for %.2f of %u",
			     heaps->room.config.metric, read, (double)targets[i], depth);
	}
}

Test(lists, give_the_recall_that_they_say_they_cover, .timeout = 300)
{
	for (size_t i = 0; i < COUNT(worlds); i++) {
		struct heaps heaps;
		SCOPED(ann) ann = NULL;

		clouds_init(&heaps, &worlds[i], 3);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		check_targets(&heaps, ann, 10, 200);
		check_targets(&heaps, ann, 100, 60);
		heaps_finish(&heaps);
	}
}

/* What one probe offers: each a row that may be a hit, once, with a bound that holds. */
static void check_offered(const struct heaps *heaps, const struct heaps_probe *probe)
{
	const struct collection_config *config = &heaps->room.config;
	uint8_t *seen = calloc(heaps->room.n, 1);

	for (size_t i = 0; i < probe->window.n; i++) {
		struct key key = probe->window.keys[i];
		uint32_t place = (uint32_t)(key.row - HEAPS_BASE);
		const float *vector;

		cr_assert(key.row >= HEAPS_BASE && key.row - HEAPS_BASE < heaps->room.n);
		vector = room_vector(&heaps->room, place);
		cr_assert(!probe->probe.visible ||
			  probe->probe.visible(probe->probe.context, place));
		cr_assert_geq(key.score,
			      score_exact(config->metric, probe->probe.query, vector, config->dim));
		cr_assert_eq(seen[place]++, 0);
	}
	free(seen);
}

Test(lists, offer_bounds_that_hold_of_rows_that_may_be_hits, .timeout = 120)
{
	static bool (*const visible[])(const void *, uint32_t) = {NULL, one_in_two, one_in_ten};
	static const double shares[] = {1, 0.5, 0.1};

	for (size_t i = 0; i < COUNT(worlds); i++) {
		struct heaps_made_of world = worlds[i];
		struct heaps heaps;
		SCOPED(ann) ann = NULL;
		float query[64];

		world.n = 5000;
		clouds_init(&heaps, &world, 4);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		for (uint32_t k = 0; k < 30; k++) {
			struct heaps_probe probe;

			clouds_question(&heaps, k, query);
			heaps_probe_init(&probe, query, 10, 0.9F, 1000);
			probe.probe.visible = visible[k % 3];
			probe.probe.share = shares[k % 3];
			cr_assert(!status_failed(ann_find(ann, &probe.probe)));
			window_seal(&probe.window);
			cr_assert_geq(probe.window.n, 10);
			check_offered(&heaps, &probe);
			heaps_probe_finish(&probe);
		}
		heaps_finish(&heaps);
	}
}

Test(lists, reach_the_recall_among_some_of_the_rows, .timeout = 120)
{
	static const struct heaps_asking cases[] = {
		{100, 10, 0.8F, one_in_two, 0.5},
		{100, 10, 0.95F, one_in_two, 0.5},
		{100, 10, 0.8F, one_in_ten, 0.1},
		{100, 10, 0.95F, one_in_ten, 0.1},
	};
	struct heaps heaps;
	SCOPED(ann) ann = NULL;

	clouds_init(&heaps, &worlds[0], 5);
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	for (size_t i = 0; i < COUNT(cases); i++) {
		double recall, read;

		cr_assert(ann_covers(ann, 10, cases[i].recall, cases[i].share), "case %zu", i);
		recall = clouds_recall(&heaps, ann, &cases[i], &read);
		cr_assert_geq(recall, (double)cases[i].recall, "case %zu: %.4f", i, recall);
	}
	heaps_finish(&heaps);
}

Test(lists, cover_nothing_that_a_scan_does_better, .timeout = 120)
{
	static const struct {
		const char *why;
		uint32_t depth;
		float recall;
		double share;
	} cases[] = {
		{"deeper than the table reaches", 4097, 0.8F, 1},
		{"all but certain", 10, 0.9995F, 1},
		{"deeper, for the few that count", 10, 0.9F, 0.002},
		{"none counts", 10, 0.9F, 0},
		{"deep for the length", 1000, 0.99F, 0.2},
	};
	struct heaps heaps;
	SCOPED(ann) ann = NULL;

	clouds_init(&heaps, &worlds[3], 6);
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	for (size_t i = 0; i < COUNT(cases); i++)
		cr_assert(!ann_covers(ann, cases[i].depth, cases[i].recall, cases[i].share), "%s",
			  cases[i].why);
	heaps_finish(&heaps);
}

/* Even where they cover nothing, what is asked for is looked for everywhere. */
Test(lists, answer_a_question_that_they_do_not_cover, .timeout = 120)
{
	struct heaps heaps;
	struct heaps_probe probe;
	SCOPED(ann) ann = NULL;
	float query[64];

	clouds_init(&heaps, &worlds[3], 7);
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	clouds_question(&heaps, 0, query);
	heaps_probe_init(&probe, query, 5000, 0.9999F, 6000);
	cr_assert(!status_failed(ann_find(ann, &probe.probe)));
	window_seal(&probe.window);
	cr_assert_eq(probe.window.n, 6000);
	cr_assert_eq(probe.probe.scanned, 6000);
	check_offered(&heaps, &probe);
	heaps_probe_finish(&probe);
	heaps_finish(&heaps);
}

/* Segments are asked one after the other. */
Test(lists, leave_out_what_rows_of_other_segments_are_before, .timeout = 120)
{
	static const uint32_t keeps[] = {1, 1000000};
	struct heaps heaps;
	struct heaps_probe alone, before;
	SCOPED(ann) ann = NULL;
	float query[64];

	clouds_init(&heaps, &worlds[3], 7);
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	clouds_question(&heaps, 0, query);
	heaps_probe_init(&alone, query, 10, 0.9F, 1000);
	cr_assert(!status_failed(ann_find(ann, &alone.probe)));
	cr_assert_geq(alone.probe.floor_keep, 10);
	window_seal(&alone.window);
	for (size_t i = 0; i < COUNT(keeps); i++) {
		heaps_probe_init(&before, query, 10, 0.9F, 1000);
		before.probe.floor = FLT_MAX;
		before.probe.floor_keep = keeps[i];
		cr_assert(!status_failed(ann_find(ann, &before.probe)));
		window_seal(&before.window);
		/* Of fewer than are kept here nothing follows. */
		cr_assert_eq(before.window.n, keeps[i] == 1 ? alone.window.n : 0);
		cr_assert_eq(before.probe.floor, FLT_MAX);
		heaps_probe_finish(&before);
	}
	heaps_probe_finish(&alone);
	heaps_finish(&heaps);
}

Test(lists, stop_when_nobody_waits, .timeout = 120)
{
	struct heaps heaps;
	struct heaps_probe probe;
	struct deadline deadline;
	SCOPED(ann) ann = NULL;
	float query[64];

	clouds_init(&heaps, &worlds[3], 8);
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);
	clouds_question(&heaps, 0, query);
	heaps_probe_init(&probe, query, 10, 0.9F, 100);
	probe.probe.deadline = &deadline;
	cr_assert_eq(ann_find(ann, &probe.probe).code, STATUS_CANCELLED);
	heaps_probe_finish(&probe);
	heaps_finish(&heaps);
}

Test(lists, are_as_many_as_the_collection_says, .timeout = 120)
{
	static const struct {
		uint32_t lists;
		const char *name;
	} cases[] = {{0, "ivf269"}, {37, "ivf37"}, {1, "ivf1"}, {4000, "ivf2900"}};
	static const struct heaps_made_of small = LISTS(METRIC_COSINE, ENCODING_FLOAT32, 2900);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct heaps heaps;
		SCOPED(ann) ann = NULL;

		heaps_init(&heaps, &small, 9);
		heaps.room.config.lists = cases[i].lists;
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		cr_assert_str_eq(ann_name(ann), cases[i].name);
		cr_assert_gt(ann_disk_bytes(ann), 2900 * 64);
		heaps_finish(&heaps);
	}
}
