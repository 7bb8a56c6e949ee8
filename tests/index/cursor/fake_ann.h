/* fake_ann - an approximate index that leaves rows out at random, for tests of whatever asks one.
 *
 * It implements the reading part of index/ann/ann.h, so a test links it in the place of the real ones.
 * Each question leaves out other rows than the one before, as if each depth had lists of its own.
 */
#ifndef SLUICE_TESTS_INDEX_CURSOR_FAKE_ANN_H
#define SLUICE_TESTS_INDEX_CURSOR_FAKE_ANN_H

#include "index/ann/ann.h"
#include "tests/index/cursor/fake_snapshot.h"

#define FAKE_ASKED_MAX 64

struct ann {
	const struct sealed *sealed;
	enum metric metric;
	unsigned keeps_percent; /* of the rows, at random */
	uint32_t depth_max;     /* what it covers */
	float slack;            /* bounds are above the score by up to this */
	status fails;           /* what ann_find gives, where it is no OK */
	/* Says nothing of rows that are read, at first. */
	struct calibration measured;

	/* What it was asked, changed through a const pointer: tests are of one thread. */
	struct fake_asked {
		uint64_t state;
		size_t n;
		struct {
			uint32_t depth;
			float recall;
			double share;
			bool all_visible;
		} each[FAKE_ASKED_MAX];
	} *asked;
};

/* fake_ann_init - of a segment; asked is the caller's and is emptied. */
void fake_ann_init(struct ann *ann, struct fake_asked *asked, struct snapshot *snapshot,
		   uint32_t segment, unsigned keeps_percent);

#endif
