/* What FAISS's indexes find, against a full sort; and what they may not do to the answer. */
#include "tests/index/ann/heaps.h"

#include "kernels/score.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define FACTORY(string, what_metric, rows)                                                         \
	{.metric = (what_metric), .dim = 48, .n = (rows), .kind = INDEX_FAISS, .factory = (string)}

static const struct heaps_made_of factories[] = {
	FACTORY("HNSW32", METRIC_COSINE, 6000),
	FACTORY("HNSW16,SQ8", METRIC_L2, 5000),
	FACTORY("IVF64,PQ24x4fs", METRIC_COSINE, 8000),
	FACTORY("IVF64,PQ24x4fsr", METRIC_L2, 8000),
	FACTORY("IVF64,PQ24x4fs,RFlat", METRIC_INNER_PRODUCT, 8000),
	FACTORY("IVF64,SQ8", METRIC_COSINE, 20000),
	FACTORY("IVF32_HNSW16,Flat", METRIC_L2, 5000),
	FACTORY("SQ8", METRIC_INNER_PRODUCT, 5000),
	FACTORY("Flat", METRIC_L2, 5000),
	FACTORY("PCA32,Flat", METRIC_COSINE, 5000),
};

Test(factory, gives_the_recall_that_it_says_it_covers, .timeout = 300)
{
	static const float targets[] = {0.8F, 0.95F, 0.99F};

	for (size_t i = 0; i < COUNT(factories); i++) {
		struct heaps heaps;
		SCOPED(ann) ann = NULL;

		heaps_init(&heaps, &factories[i], 3);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		cr_assert_str_eq(ann_name(ann), factories[i].factory);
		cr_assert(ann_covers(ann, 10, 0.95F, 1), "%s", factories[i].factory);
		for (size_t k = 0; k < COUNT(targets); k++) {
			if (ann_covers(ann, 10, targets[k], 1))
				heaps_want_recall(&heaps, ann, targets[k]);
		}
		heaps_finish(&heaps);
	}
}

static bool every_tenth(const void *context, uint32_t place)
{
	(void)context;
	return place % 10 == 3;
}

/* Of halves, where the vectors have to be widened for FAISS and for the scores. */
static const struct heaps_made_of halves = {.metric = METRIC_COSINE,
					    .encoding = ENCODING_FLOAT16,
					    .dim = 48,
					    .n = 5000,
					    .kind = INDEX_FAISS,
					    .factory = "HNSW16"};

Test(factory, offers_exact_scores_of_rows_that_may_be_hits, .timeout = 120)
{
	struct heaps heaps;
	struct heaps_probe probe;
	SCOPED(ann) ann = NULL;
	float query[48];

	heaps_init(&heaps, &halves, 4);
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	heaps_question(&heaps, 0, query);
	heaps_probe_init(&probe, query, 10, 0.9F, 100);
	probe.probe.visible = every_tenth;
	probe.probe.share = 0.1;
	cr_assert(!status_failed(ann_find(ann, &probe.probe)));
	window_seal(&probe.window);
	cr_assert_geq(probe.window.n, 10);
	for (size_t i = 0; i < probe.window.n; i++) {
		struct key key = probe.window.keys[i];
		uint32_t place = (uint32_t)(key.row - HEAPS_BASE);

		cr_assert_lt(place, 5000);
		cr_assert(every_tenth(NULL, place));
		cr_assert_eq(key.score, score_exact(METRIC_COSINE, query,
						    room_vector(&heaps.room, place), 48));
	}
	heaps_probe_finish(&probe);
	heaps_finish(&heaps);
}

Test(factory, widens_until_there_are_hits_enough, .timeout = 120)
{
	struct heaps heaps;
	struct heaps_probe probe;
	SCOPED(ann) ann = NULL;
	uint64_t truth[10];
	float query[48];
	uint32_t found = 0;

	heaps_init(&heaps, &halves, 5);
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	heaps_question(&heaps, 1, query);
	heaps_truth(&heaps, query, 10, every_tenth, truth);
	/* The caller was wrong about the share. */
	heaps_probe_init(&probe, query, 10, 0.9F, 100);
	probe.probe.visible = every_tenth;
	cr_assert(!status_failed(ann_find(ann, &probe.probe)));
	window_seal(&probe.window);
	cr_assert_geq(probe.window.n, 10);
	for (size_t i = 0; i < 10; i++)
		found += probe.window.keys[i].row == HEAPS_BASE + truth[i];
	cr_assert_geq(found, 8);
	heaps_probe_finish(&probe);
	heaps_finish(&heaps);
}

Test(factory, does_not_cover_what_it_was_not_tried_at, .timeout = 120)
{
	static const struct heaps_made_of coarse = {.metric = METRIC_COSINE,
						    .dim = 64,
						    .n = 3000,
						    .kind = INDEX_FAISS,
						    .factory = "PQ2x4"};
	struct heaps heaps;
	SCOPED(ann) ann = NULL;

	heaps_init(&heaps, &coarse, 6);
	heaps_build(&heaps);
	ann = heaps_open(&heaps);
	cr_assert_not(ann_covers(ann, 10, 0.999F, 1));
	cr_assert_not(ann_covers(ann, 1001, 0.5F, 1));
	cr_assert_not(ann_covers(ann, 10, 0.5F, 0.001));
	heaps_finish(&heaps);
}

Test(factory, takes_rows_and_questions_of_any_length, .timeout = 120)
{
	static const float lengths[] = {0x1p-55F, 0x1p55F};
	static const enum metric metrics[] = {METRIC_L2, METRIC_INNER_PRODUCT};

	for (size_t i = 0; i < COUNT(lengths) * COUNT(metrics); i++) {
		struct heaps_made_of long_rows = {.metric = metrics[i % 2],
						  .dim = 16,
						  .n = 2000,
						  .kind = INDEX_FAISS,
						  .factory = "IVF16,SQ8"};
		struct heaps heaps;
		struct sealed_file file;
		SCOPED(ann) ann = NULL;
		uint64_t truth[10];
		float query[16];

		heaps_init(&heaps, &long_rows, 7);
		for (size_t k = 0; k < (size_t)2000 * 16; k++)
			heaps.room.vectors[k] *= lengths[i / 2];
		sealed_close(heaps.sealed);
		heaps_seal(&heaps);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		for (uint64_t question = 0; question < 20; question++) {
			struct heaps_probe probe;
			uint32_t found = 0;

			heaps_question(&heaps, question, query);
			for (size_t k = 0; k < 16; k++)
				query[k] *= lengths[i / 2];
			heaps_truth(&heaps, query, 10, NULL, truth);
			heaps_probe_init(&probe, query, 10, 0.9F, 10);
			cr_assert(!status_failed(ann_find(ann, &probe.probe)));
			window_seal(&probe.window);
			for (size_t k = 0; k < probe.window.n; k++)
				found += probe.window.keys[k].row == HEAPS_BASE + truth[k];
			cr_assert_geq(found, 5, "%zu: %u", i, found);
			heaps_probe_finish(&probe);
		}
		file = heaps_file(&heaps);
		cr_assert(!status_failed(ann_remove(&file, &heaps.room.arena)));
		heaps_finish(&heaps);
	}
}
