/* deeds - all that clients do to a collection, at random, by one thread, with walks that stay open
 * meanwhile; and what has to be in it afterwards.
 *
 * The collection is "docs" of the world's server. Each deed asserts how it ends.
 */
#ifndef SLUICE_TESTS_LOAD_DEEDS_H
#define SLUICE_TESTS_LOAD_DEEDS_H

#include "tests/e2e/rows.h"

enum { DEEDS_DIM = 16, DEEDS_IDS = 4000 };

/* deeds_do - for so long. Resets the session's arena after each deed. */
void deeds_do(double seconds);

/* deeds_upsert - one of them: rows, some of which were there. */
void deeds_upsert(void);

/* deeds_rows - how many there have to be: what was acknowledged. */
uint64_t deeds_rows(void);

/* deeds_drop_walks - cancels those that are open. deeds_open_walks - sees to it that some are. */
void deeds_drop_walks(void);
void deeds_open_walks(void);

/* deeds_want_walks_end - each of them, since the server has gone away: UNAVAILABLE. */
void deeds_want_walks_end(void);

/* deeds_print - to standard error, how many there were of each. */
void deeds_print(void);

#endif
