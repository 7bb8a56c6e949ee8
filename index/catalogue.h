/* catalogue - the collections of a database in order of name. Not thread safe. */
#ifndef SLUICE_INDEX_CATALOGUE_H
#define SLUICE_INDEX_CATALOGUE_H

#include "index/collection.h"
#include "kernels/base/error_reason.h"

struct catalogue_entry {
	char name[COLLECTION_NAME_MAX + 1];
	struct collection *collection; /* a reference; NULL: not open */
	bool busy;                     /* somebody opens or drops it, without a lock */
	enum status_code code;         /* why it could not be opened; OK: nobody has tried */
	enum error_reason reason;
	char *detail; /* owned, by malloc; NULL without memory */
};

/* All zero is empty. */
struct catalogue {
	struct catalogue_entry *entries; /* [n] owned, bytewise by name */
	size_t n, capacity;
};

/* catalogue_name_valid - as the contract has names: a to z, then also digits, _ and -. No path can
 * be made of one that leaves the directory. */
bool catalogue_name_valid(struct bytes name);

/* catalogue_position - of the first entry that is not before the name. */
size_t catalogue_position(const struct catalogue *catalogue, struct bytes name);

/* catalogue_find - NULL where there is none. Good until the next insert or remove. */
struct catalogue_entry *catalogue_find(const struct catalogue *catalogue, struct bytes name);

/* catalogue_reserve - room for one more, so that the next insert cannot fail.
 * Fails: RESOURCE_EXHAUSTED */
status catalogue_reserve(struct catalogue *catalogue);

/* catalogue_insert - an entry with a name alone. The name is valid, new, and there is room. */
struct catalogue_entry *catalogue_insert(struct catalogue *catalogue, const char *name);

/* catalogue_remove - hands over the reference that the entry held, or NULL. */
struct collection *catalogue_remove(struct catalogue *catalogue, struct catalogue_entry *entry);

/* catalogue_refuse - the entry's collection could not be opened. Copies the detail. */
void catalogue_refuse(struct catalogue_entry *entry, status failure);

/* catalogue_forgive - it is as if nobody had tried. */
void catalogue_forgive(struct catalogue_entry *entry);

#endif
