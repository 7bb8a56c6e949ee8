/* Making the file of an index: whole, or not at all. */
#include "tests/index/ann/heaps.h"

#include "kernels/base/deadline.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <unistd.h>

static const struct heaps_made_of graph = {
	.metric = METRIC_COSINE, .dim = 32, .n = 3000, .kind = INDEX_FAISS, .factory = "HNSW8"};

static bool is_there(const struct heaps *heaps, const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/%s", heaps->room.scratch.path, name);
	return access(path, F_OK) == 0;
}

Test(factory_build, is_wanted_where_the_factory_can_be_trained)
{
	static const struct {
		enum index_kind kind;
		const char *factory;
		uint64_t n;
		bool wanted;
	} cases[] = {
		{INDEX_FLAT, "", 1000000, false},       {INDEX_FAISS, "HNSW32", 255, false},
		{INDEX_FAISS, "HNSW32", 256, true},     {INDEX_FAISS, "IVF64,SQ8", 2495, false},
		{INDEX_FAISS, "IVF64,SQ8", 2496, true}, {INDEX_FAISS, "PQ8", 9983, false},
		{INDEX_FAISS, "PQ8", 9984, true},       {INDEX_FAISS, "no factory", 1000000, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct collection_config config = {.dim = 32, .index_kind = cases[i].kind};

		snprintf(config.faiss_factory, sizeof config.faiss_factory, "%s", cases[i].factory);
		cr_assert_eq(ann_is_wanted(&config, cases[i].n), cases[i].wanted, "%zu", i);
	}
}

/* Cancelled when the told phase has come so far. */
struct cancelling {
	struct deadline deadline;
	enum ann_phase phase;
	float share;
	float last[ANN_WRITE + 1];
	uint32_t told;
};

static void listen(void *context, enum ann_phase phase, float share)
{
	struct cancelling *cancelling = context;

	cr_assert_geq(share, cancelling->last[phase]);
	cr_assert_leq(share, 1);
	cancelling->last[phase] = share;
	cancelling->told++;
	if (phase == cancelling->phase && share >= cancelling->share)
		deadline_cancel(&cancelling->deadline);
}

Test(factory_build, one_that_is_cancelled_leaves_nothing)
{
	static const struct {
		enum ann_phase phase;
		float share;
	} when[] = {{ANN_TRAIN, 0}, {ANN_TRAIN, 1}, {ANN_ASSIGN, 0.1F}, {ANN_WRITE, 0}};
	struct heaps heaps;
	struct sealed_file file;

	heaps_init(&heaps, &graph, 8);
	file = heaps_file(&heaps);
	for (size_t i = 0; i < COUNT(when); i++) {
		struct cancelling cancelling = {.phase = when[i].phase, .share = when[i].share};
		const struct ann_progress progress = {listen, &cancelling};
		struct ann *ann = NULL;
		status s;

		deadline_init(&cancelling.deadline, DEADLINE_NEVER);
		s = ann_build(&file, heaps.sealed, &cancelling.deadline, &progress,
			      &heaps.room.arena);
		cr_assert_eq(s.code, STATUS_CANCELLED, "%zu: %s", i, s.detail);
		cr_assert_not(is_there(&heaps, "0000000000000001.ann"));
		cr_assert_not(is_there(&heaps, "0000000000000001.ann.new"));
		cr_assert(!status_failed(ann_open(&file, heaps.sealed, &heaps.room.arena, &ann)));
		cr_assert_null(ann);
	}
	heaps_finish(&heaps);
}

Test(factory_build, tells_how_far_it_is)
{
	struct heaps heaps;
	struct sealed_file file;
	struct cancelling hearing = {.share = 2};
	const struct ann_progress progress = {listen, &hearing};

	heaps_init(&heaps, &graph, 8);
	file = heaps_file(&heaps);
	cr_assert(
		!status_failed(ann_build(&file, heaps.sealed, NULL, &progress, &heaps.room.arena)));
	cr_assert_geq(hearing.told, 6);
	for (size_t phase = 0; phase <= ANN_WRITE; phase++)
		cr_assert_eq(hearing.last[phase], 1);
	cr_assert(is_there(&heaps, "0000000000000001.ann"));
	cr_assert(!status_failed(ann_remove(&file, &heaps.room.arena)));
	cr_assert_not(is_there(&heaps, "0000000000000001.ann"));
	cr_assert(!status_failed(ann_remove(&file, &heaps.room.arena)));
	heaps_finish(&heaps);
}

Test(factory_build, too_few_rows_are_refused_in_words)
{
	static const struct heaps_made_of many_lists = {.metric = METRIC_COSINE,
							.dim = 32,
							.n = 1000,
							.kind = INDEX_FAISS,
							.factory = "IVF1024,Flat"};
	struct heaps heaps;
	struct sealed_file file;
	status s;

	heaps_init(&heaps, &many_lists, 8);
	file = heaps_file(&heaps);
	s = ann_build(&file, heaps.sealed, NULL, NULL, &heaps.room.arena);
	cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT);
	cr_assert_not_null(strstr(s.detail, "IVF1024,Flat"), "%s", s.detail);
	cr_assert_not_null(strstr(s.detail, "39936"), "%s", s.detail);
	heaps_finish(&heaps);
}

Test(factory_build, goes_with_its_segment)
{
	struct heaps heaps;
	struct sealed_file file;

	heaps_init(&heaps, &graph, 8);
	file = heaps_file(&heaps);
	heaps_build(&heaps);
	cr_assert(!status_failed(
		sealed_sweep(heaps.room.scratch.path, &file.id, 1, &heaps.room.arena)));
	cr_assert(is_there(&heaps, "0000000000000001.ann"));
	cr_assert(!status_failed(sealed_remove(&file, &heaps.room.arena)));
	cr_assert_not(is_there(&heaps, "0000000000000001.ann"));
	cr_assert_not(is_there(&heaps, "0000000000000001.segment"));
	heaps_finish(&heaps);
}
