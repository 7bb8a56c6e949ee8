/* truth - the oracle: every visible row scored exactly and sorted, and a walk held against it. */
#ifndef SLUICE_TESTS_INDEX_CURSOR_TRUTH_H
#define SLUICE_TESTS_INDEX_CURSOR_TRUTH_H

#include "index/cursor/cursor.h"
#include "index/snapshot.h"

struct truth {
	struct hit *hits; /* [n] in key order */
	size_t n;
};

void truth_init(struct truth *truth, const struct snapshot *snapshot, const float *query);
void truth_finish(struct truth *truth);

SCOPE_DEFINE(truth, truth_finish)

/* truth_walk - takes up to max hits from the cursor and asserts of each batch that it is neither
 * empty nor above batch, and of each hit that it is the very one that is due, to the bit: so there
 * is no miss, no repeat and no inversion. Asserts that an end comes after the last hit and stays.
 * what  names the case in a failure. Returns the hits taken. */
size_t truth_walk(const struct truth *truth, struct cursor *cursor, size_t batch, size_t max,
		  const char *what);

/* Sanitizers make a test several times slower: large sizes are divided by this. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 3
#else
#define SLOWER 1
#endif

#endif
