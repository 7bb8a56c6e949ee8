/* truth - the nearest rows of a segment, beyond doubt: what calibrations are measured by. */
#ifndef SLUICE_INDEX_ANN_TRUTH_H
#define SLUICE_INDEX_ANN_TRUTH_H

#include "index/segment/sealed.h"
#include "kernels/base/deadline.h"

/* truth_find - dead rows count, too.
 * query       [dim]; of unit length under COSINE.
 * depth       from 1 to the segment's length.
 * ret_places  [depth] by score, best first, ties by place.
 * A scan of all codes and at least 4 * depth exact scores.
 * Fails: DEADLINE_EXCEEDED CANCELLED RESOURCE_EXHAUSTED */
status truth_find(const struct sealed *sealed, const float *query, uint32_t depth,
		  const struct deadline *deadline, uint32_t *ret_places);

#endif
