/* database_state - what a database is, for the files that implement it. */
#ifndef SLUICE_INDEX_DATABASE_STATE_H
#define SLUICE_INDEX_DATABASE_STATE_H

#include "index/catalogue.h"
#include "index/collection_state.h"
#include "index/database.h"
#include "index/layout.h"

#include <pthread.h>
#include <stdatomic.h>

/* One for database_warm, and two that a large collection which is asked for leaves one of. */
#define DATABASE_OPENERS 3

struct database {
	struct layout layout;
	struct scanner *scanner, *scanner_cpu;
	struct pool *writers;
	struct pool *sealers, *mergers, *indexers; /* owned; NULL: nothing is sealed */
	struct pool *openers;                      /* owned */
	struct pool *backups;                      /* owned; one thread */
	struct job warming;
	atomic_bool closing; /* database_warm stops */
	atomic_bool warm;    /* it is through */
	bool opened;         /* all of database_open was done */
	uint64_t seal_rows;
	struct writer_limits limits;
	int64_t retention_ns;
	struct resume_key resume_key;
	void (*opening)(void *context, const char *name);
	void *context;
	pthread_mutex_t changing;
	pthread_mutex_t lock;
	pthread_cond_t closed;
	pthread_cond_t turned; /* an entry is busy no more, or gone */
	size_t n_open;         /* collections that exist, dropped ones with references included */
	struct catalogue catalogue;
	struct database_wait *waits;
};

/* --- opening.c --- */

/* opening_open - the files of a name to a collection. */
status opening_open(struct database *database, const char *name, struct arena *arena,
		    struct collection **ret);

/* opening_turned - those who wait for the name, for opening_tell. Under `lock`. */
struct database_wait *opening_turned(struct database *database, const char *name);
/* opening_tell - without a lock. */
void opening_tell(struct database_wait *waits);

/* opening_no_such - NOT_FOUND. */
status opening_no_such(struct bytes name, struct arena *arena);

#endif
