/* inspect - a store that nobody has open, read from end to end: every value, and what the tables say of
 * each other.
 *
 * Damage is told and gone past, where that can be; nothing is written. LMDB may end the process over a
 * page that is damaged, so whoever calls this is a process that may end.
 * lmdb.h is not known to those who include this.
 */
#ifndef SLUICE_INDEX_STORE_INSPECT_H
#define SLUICE_INDEX_STORE_INSPECT_H

#include "index/store/store.h"

struct inspect {
	/* Called for each damage, in words that begin with the table or the page. */
	void (*damaged)(void *context, const char *what);
	/* Called before each part, so that a death is known by where it happened. */
	void (*enters)(void *context, const char *part);
	/* Whether a segment has the row. */
	bool (*has_row)(void *context, uint64_t row);
	void *context;

	/* Out: */
	uint64_t values, live_rows, dead_rows;
};

/* inspect_pages - the pages of the data file, without LMDB (pages.h): to be asked first, and no store
 * to be opened where it fails. Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status inspect_pages(const char *directory, struct arena *arena);

/* inspect_open - Fails: as store_open, also where the format is one that an opening would upgrade, with
 * FAILED_PRECONDITION */
status inspect_open(const char *directory, struct arena *arena, struct store **ret);

/* inspect_tables - Fails: RESOURCE_EXHAUSTED INTERNAL; of damage it is OK */
status inspect_tables(struct store *store, struct inspect *inspect, struct arena *arena);

#endif
