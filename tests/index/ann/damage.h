/* damage - the file of an index that is changed under it, and what opening it then says. */
#ifndef SLUICE_TESTS_INDEX_ANN_DAMAGE_H
#define SLUICE_TESTS_INDEX_ANN_DAMAGE_H

#include "tests/index/ann/heaps.h"
#include "tests/kernels/random.h"

struct damage {
	struct heaps heaps;
	char path[512];
};

/* damage_init - the index is built, and its file is whole. */
void damage_init(struct damage *damage, const struct heaps_made_of *what);
void damage_finish(struct damage *damage);

/* damage_opens - what opening gives; closed again. The detail is the room's. */
status damage_opens(struct damage *damage);

/* damage_expect - it is lost, and this is the block that is named. */
void damage_expect(struct damage *damage, const char *block);

/* damage_blocks - of the file, behind its header and table. */
uint64_t damage_blocks(const struct damage *damage);

/* damage_check_block - the block's first and last byte and one between are missed, and the detail has
 * the word. damage_check_front - so are those of header and table. damage_check_cuts - so is what the
 * file is cut by, which then is cut. */
void damage_check_block(struct damage *damage, struct random *random, uint64_t block,
			const char *word);
void damage_check_front(struct damage *damage);
void damage_check_cuts(struct damage *damage);

#endif
