/* ramp - a source of hits for tests of the stages: scores fall by one at every second hit. */
#ifndef SLUICE_TESTS_INDEX_CURSOR_RAMP_H
#define SLUICE_TESTS_INDEX_CURSOR_RAMP_H

#include "index/cursor/cursor.h"

#define RAMP_BATCH_MAX 16

/* On the caller's stack; a close only counts, so it can be read afterwards. */
struct ramp {
	struct cursor base;
	struct walk walk;
	struct hit hits[RAMP_BATCH_MAX];
	uint64_t n, sent;
	size_t batch;
	int asked, freed; /* calls so far */
	int fail_at;      /* the call that fails, counted from 1; 0: none */
};

/* ramp_init - hit i of n has place i and score -(i / 2). */
void ramp_init(struct ramp *ramp, uint64_t n, size_t batch);

float ramp_score(uint64_t place);

#endif
