/* select - the rows that meet a condition, within a transaction. Private to this folder. */
#ifndef SLUICE_INDEX_STORE_SELECT_H
#define SLUICE_INDEX_STORE_SELECT_H

#include "index/store/looked.h"
#include "index/store/transaction.h"

struct select {
	const struct transaction *transaction;
	const struct condition *condition; /* NULL for a document */
	struct bytes document;
	const struct row_visitor *visitor;
	struct looked *looked; /* select_condition has its own */
};

/* Both hand rows on in no order, perhaps more than once. A condition that a field is absent is
 * taken for its opposite. Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL, or what visit gave */
status select_condition(const struct select *select);
status select_document(const struct select *select);

#endif
