/* That a build is cancelled between two calls of FAISS, whatever is built: how much work follows is
 * counted, in calls.
 */
#include "tests/index/ann/faiss_calls.h"
#include "tests/index/ann/heaps.h"

#include <criterion/criterion.h>

#include <string.h>

#define FACTORY(string, rows)                                                                      \
	{.metric = METRIC_COSINE, .dim = 32, .n = (rows), .kind = INDEX_FAISS, .factory = (string)}

/* OPQ wants 9,984 rows. */
static const struct heaps_made_of factories[] = {
	FACTORY("Flat", 1000),
	FACTORY("SQ8", 1000),
	FACTORY("HNSW8", 1000),
	FACTORY("PQ8x5", 1248),
	FACTORY("PQ8x4fs", 1000),
	FACTORY("IVF16,Flat", 1000),
	FACTORY("IVF16_HNSW8,SQ8", 1000),
	FACTORY("IVF16,PQ8x5", 1248),
	FACTORY("IVF16,PQ8x4fsr,Refine(SQ8)", 1000),
	FACTORY("OPQ4_16,IVF16,PQ4x4fs,RFlat", 9984),
	FACTORY("PCA16,RR,L2norm,Pad24,SQ8", 1000),
	FACTORY("ITQ16,HNSW8", 1000),
};

static status build(struct heaps *heaps, uint64_t cancel_at)
{
	const struct sealed_file file = heaps_file(heaps);
	struct deadline deadline;

	deadline_init(&deadline, DEADLINE_NEVER);
	faiss_calls_reset();
	faiss_calls.cancel = &deadline;
	faiss_calls.cancel_at = cancel_at;
	return ann_build(&file, heaps->sealed, &deadline, NULL, &heaps->room.arena);
}

static status build_cancelled_before(struct heaps *heaps)
{
	const struct sealed_file file = heaps_file(heaps);
	struct deadline deadline;

	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);
	faiss_calls_reset();
	return ann_build(&file, heaps->sealed, &deadline, NULL, &heaps->room.arena);
}

/* What would take FAISS long to train is not trained by it. */
static void check_calls(const char *factory)
{
	cr_assert_eq(faiss_calls.counts[FAISS_CLUSTER], 0, "%s", factory);
	if (strstr(factory, "PQ"))
		cr_assert_eq(faiss_calls.counts[FAISS_TRAIN], 0, "%s", factory);
}

Test(factory_cancel, lets_at_most_one_call_begin, .timeout = 300)
{
	for (size_t i = 0; i < COUNT(factories); i++) {
		const char *factory = factories[i].factory;
		struct heaps heaps;
		uint64_t all;

		heaps_init(&heaps, &factories[i], 3);
		cr_assert_eq(build_cancelled_before(&heaps).code, STATUS_CANCELLED);
		cr_assert_eq(faiss_calls.n, 0, "%s", factory);
		cr_assert(!status_failed(build(&heaps, 0)));
		check_calls(factory);
		all = faiss_calls.n;
		for (uint64_t at = 1; at < all; at = 4 * at + 1) {
			status s = build(&heaps, at);

			cr_assert_eq(s.code, STATUS_CANCELLED, "%s at %llu: %s", factory,
				     (unsigned long long)at, s.detail);
			cr_assert_leq(faiss_calls.n, at + 1, "%s at %llu", factory,
				      (unsigned long long)at);
		}
		heaps_finish(&heaps);
	}
}
