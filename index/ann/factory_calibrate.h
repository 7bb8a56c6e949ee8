/* factory_calibrate - how many candidates FAISS has to give for which recall.
 *
 * Probes are drawn from the rows: each is a row that is pushed in the direction between two others,
 * half of them by 0.5 of its length and half by all of it, since questions lie further from the
 * rows than the rows do from each other; what counts is the half that fares worse. What is right
 * comes from a full scan with proven bounds.
 * An IVF's nprobe (a graph's efSearch) is the least of 1 (16), 2, 4 ... that finds nearly all of the
 * nearest 10 and 100. Then for each depth the number of candidates is doubled, from the depth itself
 * on, until nothing is missed or no more is found.
 */
#ifndef SLUICE_INDEX_ANN_FACTORY_CALIBRATE_H
#define SLUICE_INDEX_ANN_FACTORY_CALIBRATE_H

#include "index/ann/factory_check.h"
#include "index/build/factory_index.h"
#include "index/segment/sealed.h"
#include "kernels/base/deadline.h"

/* Hits asked for: 10, 100, 1,000. */
#define FACTORY_DEPTHS 3
/* Candidates: 1, 2, ... 128 times as many. */
#define FACTORY_WIDTHS 8
#define FACTORY_FOUND_MAX 16384

/* As it is stored. */
struct factory_calibration {
	uint32_t effort;                              /* nprobe, efSearch, or 0 */
	float recall[FACTORY_DEPTHS][FACTORY_WIDTHS]; /* of the harder probes; 0: not tried */
	char factory[260];
};

/* factory_depth - the depth of a column, in hits. */
static inline uint32_t factory_depth(size_t column)
{
	static const uint32_t depths[FACTORY_DEPTHS] = {10, 100, 1000};

	return depths[column];
}

/* factory_scaling - what rows and queries are multiplied by before FAISS sees them, so that no sum
 * of squares leaves float: a power of two. */
struct factory_scaling {
	enum metric metric;
	uint32_t dim;
	float rows;
};

/* factory_scale_query - may write over the query; ret may be it. */
void factory_scale_query(const struct factory_scaling *scaling, const float *query, float *ret);

/* factory_made - an index that is trained and full. All is borrowed. */
struct factory_made {
	struct factory_index *index;
	const struct sealed *sealed;
	struct factory_traits traits;
	struct factory_scaling scaling;
};

/* factory_calibrate - sets the effort in the index for good: FAISS stores it with it. Writes all of
 * *ret but its factory.
 * Fails: DEADLINE_EXCEEDED CANCELLED RESOURCE_EXHAUSTED INTERNAL */
status factory_calibrate(const struct factory_made *made, const struct deadline *deadline,
			 struct arena *arena, struct factory_calibration *ret);

/* factory_candidates - how many to ask FAISS for; 0: the calibration does not reach it.
 * depth  hits among all rows; where only a share of them counts, the caller divides by it. */
uint32_t factory_candidates(const struct factory_calibration *calibration, uint64_t depth,
			    float recall);

#endif
