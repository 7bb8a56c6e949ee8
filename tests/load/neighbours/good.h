/* good - clients that behave: each searches again and again, over a connection of its own, until it is
 * told to stop, and keeps count. None of these asserts.
 */
#ifndef SLUICE_TESTS_LOAD_NEIGHBOURS_GOOD_H
#define SLUICE_TESTS_LOAD_NEIGHBOURS_GOOD_H

#include "service/cli/load_histogram.h"
#include "tests/e2e/session.h"

#include <pthread.h>
#include <stdatomic.h>

struct good {
	pthread_t thread;
	struct grpc_client *client;
	struct bytes request; /* of Search; borrowed */
	atomic_bool *stops;
	atomic_size_t n_answered; /* searches that ended OK, with hits */
	/* Once joined. */
	struct load_histogram latencies; /* in nanoseconds */
	size_t n_failed;
	char failure[300]; /* of the first that did */
};

/* good_start - false: no thread can be had. */
bool good_start(struct good *good, const char *address, struct bytes request, atomic_bool *stops);

/* good_join - after stops is set. */
void good_join(struct good *good);

#endif
