/* writers - threads that change collections until the server dies.
 *
 * One for each collection, which follows its model, and one that has collections optimized meanwhile.
 */
#ifndef SLUICE_TESTS_CRASH_WRITERS_H
#define SLUICE_TESTS_CRASH_WRITERS_H

#include "tests/crash/model.h"
#include "tests/e2e/session.h"

#include <pthread.h>
#include <stdatomic.h>

struct writer {
	struct model *model;
	struct random random;
	struct session session;
	pthread_t thread;
	atomic_size_t *n_acknowledged; /* of all writers */
	atomic_bool *dying;            /* from here on calls may fail */
	bool failed;                   /* one did before; it is said on standard error */
};

struct optimizer {
	struct random random;
	struct session session;
	pthread_t thread;
	atomic_bool *dying;
	atomic_bool runs; /* a call is under way */
};

struct writers {
	struct writer writers[PLANS];
	struct optimizer optimizer;
	atomic_size_t n_acknowledged;
	atomic_bool dying;
};

/* writers_start - models  [PLANS], the threads' until writers_join. False: no threads. */
bool writers_start(struct writers *writers, const char *address, struct model *models,
		   struct random *random);

/* writers_join - once dying is set and the server is dead. False: some call failed before. */
bool writers_join(struct writers *writers);

#endif
