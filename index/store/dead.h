/* dead - rows that no new snapshot sees, by the generation they died in. Private to this folder. */
#ifndef SLUICE_INDEX_STORE_DEAD_H
#define SLUICE_INDEX_STORE_DEAD_H

#include "index/store/value.h"

/* dead_add - Fails: as value_put */
status dead_add(const struct transaction *transaction, uint64_t generation, uint64_t row);

/* dead_rows - all of them, ascending, in ret: as many u64 as ret->size / 8.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status dead_rows(const struct transaction *transaction, struct buffer *ret);

/* dead_purge - removes up to max that died at or below generation, with record and vector.
 * Fails: as value_put */
status dead_purge(const struct transaction *transaction, uint64_t generation, size_t max,
		  size_t *ret_purged);

#endif
