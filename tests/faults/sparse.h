/* sparse - a house whose first collection has a data file that is mostly free pages: it becomes a small one
 * when it is opened the next time.
 */
#ifndef SLUICE_TESTS_FAULTS_SPARSE_H
#define SLUICE_TESTS_FAULTS_SPARSE_H

#include "tests/faults/house.h"

#include <sys/types.h>

enum { SPARSE_BATCH = 20 };

/* sparse_fill - an open house, which is empty, and the model of its first plan. Asserts. */
void sparse_fill(struct house *house, struct model *model);

/* sparse_draw - the next operation: a batch of chunks, from a number on. */
void sparse_draw(struct model *model, size_t first, struct op *ret);

/* sparse_send - sends it and awaits it; the model is the caller's. */
status sparse_send(struct house *house, const struct op *op);

/* sparse_bytes - of the data file. */
off_t sparse_bytes(const struct house *house);

#endif
