/* writer - the one who writes to a collection: many writes, one transaction.
 *
 * Writes queue; a job of the writer pool takes those that wait, up to 64 or 32 MiB, makes one
 * transaction of them and queues itself again while there are more. What arrives while a commit
 * waits for the disk is the next transaction: the slower the disk, the larger the groups, and an
 * idle collection answers at once.
 * It is no strand: the job holds a reference to the collection, and releasing it as its last act
 * may free the collection, the writer included, which a strand would still look at.
 */
#ifndef SLUICE_INDEX_WRITER_H
#define SLUICE_INDEX_WRITER_H

#include "index/collection.h"
#include "kernels/base/pool.h"

#include <pthread.h>
#include <stdbool.h>

#define WRITER_GROUP_WRITES 64
#define WRITER_GROUP_BYTES ((size_t)32 << 20)

/* What a writer does at most. 0: what is above, and rows without a bound. */
struct writer_limits {
	size_t group_writes; /* of a transaction, WRITER_GROUP_WRITES at most */
	size_t group_bytes;  /* nothing is added to a transaction that has them */
	uint64_t head_rows;  /* places of the head in use, dead ones included */
	/* Kept for their retention: so many, and so many bytes of them (store_write_row_bytes). Above
	 * it the oldest go, pins apart. */
	uint64_t dead_rows, dead_bytes;
};

/* Dead rows removed by one transaction: so many, and two for each that died in it, so that removal
 * keeps up with any rate of replacing. */
#define WRITER_PURGE_ROWS 1024

struct writer {
	struct job job; /* in the pool while scheduled */
	struct collection *collection;
	struct pool *pool;
	struct writer_limits limits;
	pthread_mutex_t lock;
	struct job *first, *last; /* jobs of writes that wait */
	bool scheduled;           /* holds a reference to the collection */
	bool woken;               /* to be run once more */
};

void writer_init(struct writer *writer, struct collection *collection, struct pool *pool,
		 const struct writer_limits *limits);
void writer_finish(struct writer *writer); /* nothing may wait or run */

/* writer_submit - as collection_write. */
void writer_submit(struct writer *writer, struct write *write);

/* writer_wake - runs the writer once though there may be no write: it then looks after sealing. */
void writer_wake(struct writer *writer);

#endif
