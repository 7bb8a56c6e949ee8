/* dead - rows that no new snapshot sees, by the generation they died in. Private to this folder. */
#ifndef SLUICE_INDEX_STORE_DEAD_H
#define SLUICE_INDEX_STORE_DEAD_H

#include "index/store/postings.h"
#include "index/store/value.h"

/* dead_add - Fails: as value_put */
status dead_add(const struct transaction *transaction, uint64_t generation, uint64_t row);

struct dead_row {
	uint64_t row, generation;
};

/* dead_rows - all of them, ascending, in ret: as many struct dead_row as fit into ret->size.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status dead_rows(const struct transaction *transaction, struct buffer *ret);

/* dead_row_bytes - what a row holds as long as it is kept: record and vector. */
uint64_t dead_row_bytes(const struct transaction *transaction, uint64_t row);

/* dead_purge - removes what purge says, with record and vector, and notes that their postings go.
 * Where a record cannot be read they stay: no row number is given twice, so they say nothing false.
 * Fails: as value_put */
status dead_purge(const struct transaction *transaction, struct postings *postings,
		  struct store_purge *purge);

#endif
