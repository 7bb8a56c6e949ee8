/* postings - what a transaction adds to and removes from the tables of filters. Private to this
 * folder.
 *
 * Changes are noted first and applied together, in order of key, so that a run of rows is read and
 * written once a transaction and LMDB's pages are visited in their order. A note costs its key and
 * a few bytes. Only declared fields have postings.
 */
#ifndef SLUICE_INDEX_STORE_POSTINGS_H
#define SLUICE_INDEX_STORE_POSTINGS_H

#include "index/store/transaction.h"

struct postings {
	struct buffer notes;   /* each: what to do, and the key */
	struct buffer offsets; /* u64 each, of a note */
};

/* A place to go back to. */
struct postings_mark {
	size_t notes, offsets;
};

void postings_finish(struct postings *postings);

/* postings_add, postings_remove - notes the postings of a row's chunk: its declared fields and its
 * document. Memory that is short shows in postings_apply. */
void postings_add(struct postings *postings, const struct collection_config *config, uint64_t row,
		  const struct chunk *chunk);
void postings_remove(struct postings *postings, const struct collection_config *config,
		     uint64_t row, const struct chunk *chunk);

static inline bool postings_are_noted(const struct postings *postings)
{
	return postings->offsets.size > 0 || postings->notes.failed || postings->offsets.failed;
}

struct postings_mark postings_mark(const struct postings *postings); /* now */
/* postings_forget - the notes since the mark. */
void postings_forget(struct postings *postings, struct postings_mark mark);

/* What a row has by its chunk. row  TABLE_POSTINGS: in the run of the key. */
struct posting {
	enum table table;
	struct bytes key;
	uint16_t row;
};

/* postings_each - what was noted to be added, in order of table, key and row, each once; the notes are
 * gone then. Fails: RESOURCE_EXHAUSTED, or what visit gave */
status postings_each(struct postings *postings,
		     status (*visit)(void *context, const struct posting *posting), void *context);

/* postings_apply - every note, which are then gone, whatever it returns.
 * Fails: as value_put */
status postings_apply(struct postings *postings, const struct transaction *transaction);

#endif
