/* transaction - reading and writing under the lock that growth takes. Private to this folder.
 *
 *	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};
 *	TRY(transaction_read(t));
 *
 * A read transaction ends with its scope. A finished one is reset and kept, since its slot in the
 * table of readers then needs no search and no lock next time.
 */
#ifndef SLUICE_INDEX_STORE_TRANSACTION_H
#define SLUICE_INDEX_STORE_TRANSACTION_H

#include "index/store/environment.h"
#include "index/store/reader.h"

struct transaction {
	struct store *store;
	struct arena *arena; /* for details of failures, and what is read out */
	MDB_txn *handle;     /* NULL: not begun */
	bool reads_only;     /* so all that it reads lies in the map */
};

/* transaction_read - Fails: RESOURCE_EXHAUSTED DATA_LOSS INTERNAL */
status transaction_read(struct transaction *transaction);
/* transaction_end - of a read transaction. NULL or not begun is fine. */
void transaction_end(struct transaction *transaction);

/* transaction_of_reader - the one that the reader has open, begun where it rests; the reader ends it.
 * arena  of ret. Fails: as transaction_read */
status transaction_of_reader(struct store_reader *reader, struct arena *arena,
			     struct transaction *ret);

/* transaction_write - waits for the writer before. Ended by transaction_commit or
 * transaction_abort, on the same thread. Fails: as transaction_read */
status transaction_write(struct transaction *transaction);
status transaction_commit(struct transaction *transaction);
void transaction_abort(struct transaction *transaction);

/* transaction_forget_kept - ends the kept ones: before the environment closes. */
void transaction_forget_kept(struct store *store);

SCOPE_DEFINE(transaction, transaction_end)

#endif
