/* look - reads what a house has, and holds it to what a collection has to be. */
#ifndef SLUICE_TESTS_FAULTS_LOOK_H
#define SLUICE_TESTS_FAULTS_LOOK_H

#include "tests/faults/house.h"

/* look_where - what messages of failed assertions begin with, from here on; printed. */
void look_where(const char *format, ...) __attribute__((format(printf, 1, 2)));
const char *look_here(void);

/* look_read - the chunks of a plan's collection, each of which has to be whole, found by its id, by an exact
 * search with its own vector, by its language and by its document, and counted. Asserts. */
void look_read(struct house *house, const struct plan *plan, struct state *ret);

/* look_settle - the models, [HOUSE_PLANS], have to allow what there is. */
void look_settle(struct house *house, struct model *models);

/* look_files - nothing is in the data directory but what the models' collections, which are open, need. */
void look_files(struct house *house, const struct model *models);

/* look_kept - a plan's snapshots can be read, and are as many; restore  where the last one is restored,
 * which has to work; NULL: it is not. */
void look_kept(struct house *house, const struct plan *plan, size_t least, size_t most,
	       const char *restore);

/* look_check - `sluice check` of a directory that is closed: no damage, and nothing left over. */
void look_check(const char *directory);

#endif
