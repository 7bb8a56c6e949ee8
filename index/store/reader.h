/* reader - several reads of one thread within one read transaction.
 *
 *	SCOPED(store_reader) reader = &(struct store_reader){.store = store};
 *	TRY(store_reader_fetch(reader, row, arena, &chunk));
 *
 * The transaction begins with the first read and ends with the scope, at a rest, or by itself after
 * STORE_READER_READS_MAX; the next read then begins another. While it is open the map cannot grow and
 * no page that a write gives up is used again: so a reader rests before anything that waits or may
 * take long. Until then its thread reads the store through it alone: a second transaction would wait
 * for a growth that waits for the first.
 */
#ifndef SLUICE_INDEX_STORE_READER_H
#define SLUICE_INDEX_STORE_READER_H

#include "index/chunk.h"
#include "kernels/base/arena.h"
#include "kernels/base/scope.h"
#include "kernels/base/status.h"

struct store;

/* So many rows share what a transaction costs to well below what a row does; and a write that must
 * grow the map waits for no more. */
#define STORE_READER_READS_MAX 64

struct store_reader {
	struct store *store;
	void *transaction; /* LMDB's; NULL: it rests */
	unsigned reads;    /* within it */
};

/* store_reader_rest - ends the transaction, if there is one. NULL is fine. */
void store_reader_rest(struct store_reader *reader);

/* store_reader_find - the row that an id names; false in *ret_found where it names none.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status store_reader_find(struct store_reader *reader, struct bytes id, struct arena *arena,
			 bool *ret_found, uint64_t *ret_row);

/* store_reader_fetch - the record of a row; ret  points into the arena, and so outlasts the reader.
 * Fails: NOT_FOUND (no such row, or purged) DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status store_reader_fetch(struct store_reader *reader, uint64_t row, struct arena *arena,
			  struct chunk *ret);

/* store_reader_document_rows - the rows of a document next to a position in its order, the nearest
 * first; committed and not purged yet, whichever generation they belong to. Of an id above 400 bytes
 * they may be another document's, which the record tells.
 * ret  [query->max]. Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL */
status store_reader_document_rows(struct store_reader *reader, const struct document_query *query,
				  struct arena *arena, struct document_row *ret, size_t *ret_n);

SCOPE_DEFINE(store_reader, store_reader_rest)

#endif
