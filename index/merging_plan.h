/* merging_plan - which segments are to be one; merging.h says why. */
#ifndef SLUICE_INDEX_MERGING_PLAN_H
#define SLUICE_INDEX_MERGING_PLAN_H

#include "index/strata.h"

#define MERGING_FACTOR 4

/* Of a segment's rows one in so many is gone: it is thin. */
#define MERGING_SHARE 4

/* merging_plan - which segments are to be merged next. horizon  as of the intake.
 * Gives whether any. */
bool merging_plan(const struct strata *strata, uint64_t horizon, uint64_t seal_rows,
		  size_t *ret_first, size_t *ret_end);

#endif
