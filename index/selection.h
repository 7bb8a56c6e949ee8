/* selection - the places of a snapshot that pass a filter. */
#ifndef SLUICE_INDEX_SELECTION_H
#define SLUICE_INDEX_SELECTION_H

#include "index/filter/filter.h"
#include "index/filter/places.h"
#include "index/snapshot.h"
#include "kernels/base/deadline.h"

/* selection_make - reads the postings of the filter's conditions, so it may wait for the disk; costs
 * what meets each condition, and a bit a place of memory (three while it is made).
 * filter    its fields are those of the snapshot's collection.
 * deadline  borrowed; NULL: none. arena  for details.
 * ret  visible places alone, counted.
 * Fails: CANCELLED DEADLINE_EXCEEDED RESOURCE_EXHAUSTED DATA_LOSS INTERNAL; FAILED_PRECONDITION
 * where the collection is dropped meanwhile */
status selection_make(const struct snapshot *snapshot, const struct filter *filter,
		      const struct deadline *deadline, struct arena *arena, struct places **ret);

#endif
