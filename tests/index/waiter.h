/* waiter - one who waits until a collection is optimized. */
#ifndef SLUICE_TESTS_INDEX_WAITER_H
#define SLUICE_TESTS_INDEX_WAITER_H

#include "index/optimize.h"

#include <semaphore.h>

struct waiter {
	struct optimize optimize; /* first */
	struct arena arena;
	sem_t done;
	int n_told, n_back; /* how often; how often of an earlier phase than before */
	enum optimize_phase last;
	bool told[OPTIMIZE_DONE + 1]; /* of which phases */
};

void waiter_begin(struct waiter *waiter, struct collection *collection);

/* waiter_end - waits, asserts that no phase came back, and gives how it ended.
 * waiter_end_well - asserts that this was OK. */
enum status_code waiter_end(struct waiter *waiter);
void waiter_end_well(struct waiter *waiter);

/* waiter_finish - in the place of an end, for one that was cancelled. */
void waiter_finish(struct waiter *waiter);

/* optimize_now - from its beginning to an end that is OK. */
void optimize_now(struct collection *collection);

#endif
