/* lists - inverted lists of 4-bit codes, beside a sealed segment: one kind of what ann.h opens.
 *
 * FAISS trains some centroids, and each row is in the lists of two of them (index/build/nearest.h says
 * which): a list is a range of positions, and a position's place in the segment stands in the file. A
 * query takes lists in the order of what they may hold, which it sees by 4-bit codes of their centroids,
 * all in one sweep (lists_walk.c). It reads their rows' codes (kernels/codes4.h), keeps the best few
 * hundred rows,
 * bounds these by bytes (kernels/rows8.h) and hands them on. It stops at the first list that is not
 * likely to hold anything better than what it keeps. How likely is a number, z, that follows with how
 * many it keeps from the recall that is wanted: by a table that is measured when the file is made, on
 * rows of the segment and mixtures of them (lists_measure.c). lists_table.h has the margin that is
 * added.
 * lists_layout.h draws the file; lists_build.h says how it is made.
 */
#ifndef SLUICE_INDEX_ANN_LISTS_H
#define SLUICE_INDEX_ANN_LISTS_H

#include "index/ann/ann.h"

struct lists;

/* lists_build - as ann_build. Heap: twice a sample of up to LISTS_SAMPLE_BYTES, or the centroids four
 * times, up to 72 MiB of codes, 16 bytes for each row, and up to 18 MiB and an eighth of a byte for each
 * row and thread. Disk: about dim * 5 / 4 + 24 bytes for each row.
 * A crew of threads (index/build/crew.h), of the caller's priority; the file does not tell how many.
 * Fails: RESOURCE_EXHAUSTED INTERNAL DEADLINE_EXCEEDED CANCELLED */
status lists_build(const struct sealed_file *file, const struct sealed *sealed,
		   const struct deadline *deadline, const struct ann_progress *progress,
		   struct arena *arena);

/* lists_open, lists_close - as ann_open and ann_close; that the file is there was seen before.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status lists_open(const struct sealed_file *file, const struct sealed *sealed, struct arena *arena,
		  struct lists **ret);
void lists_close(struct lists *lists); /* NULL is fine */

/* lists_covers, lists_find - as ann_covers and ann_find.
 * Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED */
bool lists_covers(const struct lists *lists, uint32_t depth, float recall, double share);
status lists_find(const struct lists *lists, struct ann_probe *probe);

const char *lists_name(const struct lists *lists);                          /* "ivf948" */
void lists_calibration(const struct lists *lists, struct calibration *ret); /* ret  all zero */
uint64_t lists_memory_bytes(const struct lists *lists);
uint64_t lists_disk_bytes(const struct lists *lists);

SCOPE_DEFINE(lists, lists_close)

#endif
