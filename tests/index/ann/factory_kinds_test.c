/* What is learnt for FAISS's indexes beside lists: transforms and codes; that they are of use. */
#include "tests/index/ann/heaps.h"

#include <criterion/criterion.h>

#define FACTORY(string, what_metric, rows)                                                         \
	{.metric = (what_metric), .dim = 32, .n = (rows), .kind = INDEX_FAISS, .factory = (string)}

static const struct heaps_made_of factories[] = {
	FACTORY("PQ16x6", METRIC_COSINE, 2500),
	FACTORY("PQ16x4fs", METRIC_L2, 2500),
	FACTORY("HNSW16,PQ16", METRIC_COSINE, 9984),
	FACTORY("IVF16,PQ16x6np", METRIC_INNER_PRODUCT, 2500),
	FACTORY("IVF16,PQ16x4fsr,Refine(SQ8)", METRIC_L2, 2500),
	FACTORY("OPQ8_24,IVF16,PQ12x4fs", METRIC_COSINE, 9984),
	FACTORY("Pad48,RR,OPQ6,IVF16,SQ8,RFlat", METRIC_L2, 9984),
	FACTORY("PCAR24,RR,SQ8", METRIC_L2, 2500),
	FACTORY("ITQ24,Flat", METRIC_COSINE, 2500),
	FACTORY("L2norm,IVF16_HNSW8,SQ6", METRIC_COSINE, 2500),
};

Test(factory_kinds, give_the_recall_that_they_say_they_cover, .timeout = 300)
{
	static const float targets[] = {0.8F, 0.95F};

	for (size_t i = 0; i < COUNT(factories); i++) {
		struct heaps heaps;
		SCOPED(ann) ann = NULL;

		heaps_init(&heaps, &factories[i], 3);
		heaps_build(&heaps);
		ann = heaps_open(&heaps);
		cr_assert_str_eq(ann_name(ann), factories[i].factory);
		for (size_t k = 0; k < COUNT(targets); k++) {
			cr_assert(ann_covers(ann, 10, targets[k], 1), "%s: %.2f",
				  factories[i].factory, (double)targets[k]);
			heaps_want_recall(&heaps, ann, targets[k]);
		}
		heaps_finish(&heaps);
	}
}
