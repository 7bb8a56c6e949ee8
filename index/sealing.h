/* sealing - a head that has grown becomes a sealed segment.
 *
 * It is due when the head has index.seal_rows rows, and takes all that wait then, up to a bound, so
 * that a bulk import makes few large segments. Readers never wait for it. Writers do where it falls
 * behind: while it runs and the head has more than twice the bound, no write is taken on.
 * What fails is logged and tried again when a quarter of the rows has come in addition.
 * Behind it the vectors of rows that are sealed leave the store, some thousands a transaction.
 */
#ifndef SLUICE_INDEX_SEALING_H
#define SLUICE_INDEX_SEALING_H

#include "index/making.h"

/* The bound: so many times seal_rows, or what makes so many bytes of vectors, whichever is less;
 * seal_rows at least. */
#define SEALING_TIMES 16
#define SEALING_BYTES ((uint64_t)512 << 20)

/* Vectors that leave the store in one transaction. */
#define SEALING_FORGETS 4096

struct sealing {
	struct making making;
	uint64_t rows;       /* 0: never */
	uint64_t not_before; /* so far the head must be, after a failure */
	uint64_t forget_end; /* the store has no vectors below this row, or is about to */
	bool forgets;        /* it may still have some */
};

/* sealing_init - rows  index.seal_rows. */
void sealing_init(struct sealing *sealing, struct collection *collection, struct pool *pool,
		  uint64_t rows);
void sealing_finish(struct sealing *sealing);

/* sealing_is_due - whether there are rows to be sealed. The writer's. */
bool sealing_is_due(const struct collection *collection);

/* sealing_is_behind - whether writes wait until it has caught up. */
bool sealing_is_behind(const struct collection *collection);

/* sealing_forget - from now on the store need not have vectors of the sealed rows. */
void sealing_forget(struct collection *collection);

/* sealing_attend - does what is due. The writer's, between its groups. */
void sealing_attend(struct collection *collection);

#endif
