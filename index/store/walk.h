/* walk - the entries of a table in order of key, each checked. Private to this folder.
 *
 *	SCOPED(walk) walk = &(struct walk){.transaction = transaction, .table = TABLE_DEAD};
 *	struct entry entry;
 *
 *	for (;;) {
 *		TRY(walk_next(walk, &found, &entry));
 *		if (!found) ...
 *
 * Nothing is written between two steps.
 */
#ifndef SLUICE_INDEX_STORE_WALK_H
#define SLUICE_INDEX_STORE_WALK_H

#include "index/store/value.h"

struct walk {
	const struct transaction *transaction;
	enum table table;
	MDB_cursor *cursor; /* NULL until the first step */
	struct bytes from;  /* a key to begin at or behind; borrowed for the first step */
};

/* Borrowed until the transaction writes or ends. */
struct entry {
	struct bytes key, payload;
};

/* walk_next - the first entry at or behind `from`, then the one behind; false in *ret_found at the end.
 * Fails: DATA_LOSS (also a key of the wrong size) RESOURCE_EXHAUSTED INTERNAL */
status walk_next(struct walk *walk, bool *ret_found, struct entry *ret);

void walk_finish(struct walk *walk); /* NULL is fine; before the transaction ends */

SCOPE_DEFINE(walk, walk_finish)

#endif
