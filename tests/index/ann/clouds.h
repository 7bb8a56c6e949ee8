/* clouds - rows in clouds that differ in size and lie along few directions, as those of texts do, in the
 * fixture of heaps.h.
 */
#ifndef SLUICE_TESTS_INDEX_ANN_CLOUDS_H
#define SLUICE_TESTS_INDEX_ANN_CLOUDS_H

#include "tests/index/ann/heaps.h"

/* clouds_init - as heaps_init. */
void clouds_init(struct heaps *heaps, const struct heaps_made_of *what, uint64_t seed);

/* clouds_question - drawn as rows are; ret [dim]. */
void clouds_question(const struct heaps *heaps, uint64_t nth, float *ret);

/* clouds_recall - as heaps_recall, with these questions. */
double clouds_recall(const struct heaps *heaps, const struct ann *ann,
		     const struct heaps_asking *asking, double *ret_read);

#endif
