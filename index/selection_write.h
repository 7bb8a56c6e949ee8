/* selection_write - the places that a filter names within a write, for the writer alone. */
#ifndef SLUICE_INDEX_SELECTION_WRITE_H
#define SLUICE_INDEX_SELECTION_WRITE_H

#include "index/collection.h"
#include "index/filter/places.h"
#include "index/store/store.h"

/* selection_make_in_write - over the first length places of the head, published or not; the rows
 * written before must have been flushed (store_write_flush).
 * ret  may hold places whose rows die in this very transaction. Fails: as store_write_select */
status selection_make_in_write(const struct collection *collection, struct store_write *transaction,
			       uint64_t length, const struct filter *filter, struct places **ret);

#endif
