/* collection_state - the inside of a collection, for the files of this folder alone.
 *
 * The lock covers what is published, the pins and the state of a commit. It is held for a few
 * instructions; what takes long (LMDB, copying vectors) is done outside it by the one writer.
 * Invariant: what a reader reaches through length and generation was written before they were set
 * under the lock.
 */
#ifndef SLUICE_INDEX_COLLECTION_STATE_H
#define SLUICE_INDEX_COLLECTION_STATE_H

#include "index/collection.h"
#include "index/indexing.h"
#include "index/merging.h"
#include "index/optimizing.h"
#include "index/retention.h"
#include "index/sealing.h"
#include "index/segment/head.h"
#include "index/store/store.h"
#include "index/view.h"
#include "index/writer.h"

#include <pthread.h>
#include <stdatomic.h>

/* What a snapshot copies. */
struct published {
	struct strata *strata; /* the collection's reference */
	uint64_t n_lists;      /* of segments, that there were before */
	uint64_t head_first;   /* the head's own place of the first one that is not sealed */
	uint64_t length;       /* places in use, sealed and dead ones included */
	uint64_t live_rows;    /* of them not dead */
	uint64_t generation;
	uint64_t next_row;
	uint64_t readable_from; /* no row that died after it has been removed */
	/* In the store: how many, and their records and vectors. */
	uint64_t dead_rows, dead_bytes;
};

/* One end of the list of pins is the collection's: next is the oldest. */
struct pin {
	struct pin *next, *previous;
	uint64_t generation;
	uint64_t head_first; /* from this place of its on it reads the head */
};

struct collection {
	struct store *store;
	struct head *head;
	char *directory; /* owned */
	struct writer writer;
	struct sealing sealing;
	struct merging merging;
	struct indexing indexing;
	struct optimizing optimizing;
	atomic_size_t references;
	atomic_bool dropped, stopping;
	void (*closed)(void *context);
	void *context;

	pthread_mutex_t lock;
	pthread_cond_t settled; /* committing went false */
	struct published published;
	bool committing; /* the store may show rows that are not published yet */
	struct pin pins; /* in order of generation */
	uint32_t n_pins;
	struct retention retention;
	/* The oldest pin should go, if it is not after pressed_at: the setting that says so; NULL. */
	_Atomic(const char *) pressed;
	uint64_t pressed_at; /* a generation */
	uint64_t purged_to;  /* what the writer may be removing now: no new pin is below it */
};

struct collection_options {
	const char *directory;
	const char *name;        /* what the store must say */
	struct scanner *scanner; /* borrowed; told when a block goes away. May be NULL */
	struct pool *writers;    /* borrowed */
	struct writer_limits limits;
	/* Borrowed; NULL where seal_rows is 0. Three, so that what takes long does not hold up
	 * what does not. */
	struct pool *sealers, *mergers, *indexers;
	uint64_t seal_rows;   /* of the head, from which on they are sealed; 0: never */
	int64_t retention_ns; /* how long dead rows stay after the last pin that saw them */
	/* Called as the last thing when the last reference is gone: the scanner, the pool and the
	 * directory are not used any more. */
	void (*closed)(void *context);
	void *context;
};

/* collection_open - the store, and its live rows in memory. The reference is the caller's.
 * Fails: DATA_LOSS RESOURCE_EXHAUSTED INTERNAL; closed is not called then. */
status collection_open(const struct collection_options *options, struct arena *arena,
		       struct collection **ret);

/* collection_drop - from here on writes are refused and no snapshot is given. */
void collection_drop(struct collection *collection);

/* collection_stop - gives up what is done in the background: before a close that should not wait. */
void collection_stop(struct collection *collection);

/* collection_is_stopping - nothing is to be begun in the background, nor to be published of it. */
static inline bool collection_is_stopping(const struct collection *collection)
{
	return atomic_load(&collection->stopping);
}

/* collection_attend - does what is due in the background, takes what was done there, and gives back
 * memory. The writer's, between its groups. */
void collection_attend(struct collection *collection);

/* collection_file - a segment's. Borrows from the collection. */
struct sealed_file collection_file(const struct collection *collection, uint64_t id);

/* collection_view - what a state of it reaches. */
static inline struct view collection_view(const struct collection *collection,
					  const struct published *published)
{
	return (struct view){
		.strata = published->strata,
		.head = collection->head,
		.sealed = strata_places(published->strata),
		.head_first = published->head_first,
		.length = published->length,
	};
}

/* collection_lacks_row - DATA_LOSS: an id names a row that is not there. */
status collection_lacks_row(const struct collection *collection, uint64_t row, struct arena *arena);

/* collection_least - the least generation in use: the oldest pin's, or the newest. Under the lock. */
uint64_t collection_least(const struct collection *collection);

/* collection_horizon - a generation that every snapshot, now and later, is at or after: what died
 * at or below it may be removed. crowded  the retention is not waited for. */
uint64_t collection_horizon(struct collection *collection, bool crowded);

#endif
