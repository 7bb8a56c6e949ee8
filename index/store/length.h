/* length - whether a data file has been cut off. Private to this folder. */
#ifndef SLUICE_INDEX_STORE_LENGTH_H
#define SLUICE_INDEX_STORE_LENGTH_H

#include "index/store/transaction.h"

/* length_check - of the file, against the pages that LMDB counts on: reading a page behind the end
 * would be a signal. A file may be short by pages that are free; it is then lengthened.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status length_check(const struct transaction *transaction);

/* length_count_free - pages that LMDB has freed and not used again.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status length_count_free(const struct transaction *transaction, size_t *ret);

#endif
