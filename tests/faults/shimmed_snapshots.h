/* shimmed_snapshots - the rpcs of snapshots, and restoring, in the script of a server one of whose calls fails.
 *
 * A snapshot that is listed can be restored, and what was fetched to the end too: each is put into a
 * directory of its own, which is removed again. For the test's own thread; asserts.
 */
#ifndef SLUICE_TESTS_FAULTS_SHIMMED_SNAPSHOTS_H
#define SLUICE_TESTS_FAULTS_SHIMMED_SNAPSHOTS_H

#include "tests/e2e/world.h"

#include <stdbool.h>
#include <stddef.h>

struct snapshots_run {
	const char *where; /* for messages */
	/* Whether an answer is OK; asserts that it is clear where it is not. */
	bool (*went_well)(struct answer answer, const char *what);
	const char *collection;
	size_t n_rows; /* of it, while all of this runs */
};

/* snapshots_call - makes one, lists, fetches and removes it; whatever fails is asked for no further. */
void snapshots_call(const struct snapshots_run *run);

/* snapshots_want_whole - nothing fails any more: what is listed can be restored and removed, and what is
 * not listed is not there, but for what a failed removal left for the next start. */
void snapshots_want_whole(const struct snapshots_run *run);

/* snapshots_want_swept - after a start: nothing is left of any. */
void snapshots_want_swept(const struct snapshots_run *run);

#endif
