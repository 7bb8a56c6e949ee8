/* truth - the nearest rows of a segment, beyond doubt: what calibrations are measured by. */
#ifndef SLUICE_INDEX_ANN_TRUTH_H
#define SLUICE_INDEX_ANN_TRUTH_H

#include "index/segment/sealed.h"
#include "kernels/base/deadline.h"

/* truth_question
 * query     [dim]; of unit length under COSINE.
 * depth     from 1 to the segment's length.
 * least     a score that `depth` rows are known to reach: then few others are looked at. -INFINITY: none. */
struct truth_question {
	const float *query;
	uint32_t depth;
	float least;
	const struct deadline *deadline;
};

/* truth_find - dead rows count, too.
 * ret_places  [depth] by score, best first, ties by place.
 * A scan of all codes and, where no score is known, at least 4 * depth exact scores.
 * Fails: DEADLINE_EXCEEDED CANCELLED RESOURCE_EXHAUSTED */
status truth_find(const struct sealed *sealed, const struct truth_question *question,
		  uint32_t *ret_places);

#endif
