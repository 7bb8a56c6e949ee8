/* lists_measure - what walks of some queries find, for every z and every number of rows kept: what
 * lists_calibrate.c makes the table of. Nobody else includes it.
 */
#ifndef SLUICE_INDEX_ANN_LISTS_MEASURE_H
#define SLUICE_INDEX_ANN_LISTS_MEASURE_H

#include "index/ann/lists_build.h"

#define LISTS_KEEPS 4
#define LISTS_STEPS 12

/* Rows of the segment, and mixtures of them. */
enum lists_kind { LISTS_KIND_ROW, LISTS_KIND_MIXED, LISTS_KINDS };

/* Sums over the queries of a kind. */
struct lists_measured {
	double recall[LISTS_STEPS], read[LISTS_STEPS];
};

/* of        by kind, depth and number kept
 * n_probes  queries of a kind that a depth was measured with */
struct lists_measures {
	struct lists_measured of[LISTS_KINDS][LISTS_DEPTHS][LISTS_KEEPS];
	uint32_t n_probes[LISTS_KINDS][LISTS_DEPTHS];
};

/* lists_keep - the numbers kept that are measured for a depth, ascending; 0: no more. */
uint32_t lists_keep(uint32_t row, uint32_t i);

/* lists_step - the z that are measured, ascending. */
float lists_step(uint32_t i);

/* lists_measure - the same measures however many threads take part. Heap, for each of them: 2 bytes for each
 * position, up to 16 MiB, a bit for each row.
 * Fails: RESOURCE_EXHAUSTED DEADLINE_EXCEEDED CANCELLED */
status lists_measure(struct building *building, const struct lists *lists,
		     struct lists_measures *ret);

#endif
