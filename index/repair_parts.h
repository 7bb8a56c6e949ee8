/* repair_parts - the inside of a repair, for its files. */
#ifndef SLUICE_INDEX_REPAIR_PARTS_H
#define SLUICE_INDEX_REPAIR_PARTS_H

#include "index/repair.h"
#include "index/segment/sealed_salvage.h"
#include "index/store/store.h"

/* A row of a damaged segment that has a record. */
struct repair_row {
	uint64_t row, died;
	size_t salvaged; /* in the salvage; SIZE_MAX: its vector is in the store */
};

/* A segment that the manifest names. */
struct repair_segment {
	struct store_segment says;
	bool damaged;
	struct sealed_salvage *salvage; /* owned; NULL: nothing is left of the file */
	struct repair_row *rows;        /* [n] owned: those that are kept, ascending */
	size_t n, n_max;
};

struct repairing {
	const struct repair_listener *listener;
	struct arena *arena;
	const char *directory; /* the data directory */
	const char *name;
	const char *live, *work;         /* the collection's directories */
	struct store *store;             /* owned; of live to be read, then of work */
	struct repair_segment *segments; /* [n] in the arena */
	size_t n, n_damaged;
	uint64_t *lost; /* [n_lost] owned: rows that live, without a vector */
	size_t n_lost, n_lost_max;
	bool lost_dead; /* likewise dead ones that can be seen, of which nobody is told */
	uint64_t readable_from;
};

/* repair_say - done  false: it could not be. In the words of printf. */
void repair_say(const struct repairing *repairing, bool done, const char *file, const char *format,
		...) __attribute__((format(printf, 4, 5)));

/* repair_file - a segment's. */
struct sealed_file repair_file(const struct repairing *repairing, const char *directory,
			       uint64_t id);

/* repair_rebuild - in work, whose store is open: damaged segments become whole ones, and what is lost leaves
 * the store. Fails: DATA_LOSS (of the store) RESOURCE_EXHAUSTED INTERNAL, or what lost gave */
status repair_rebuild(struct repairing *repairing);

#endif
