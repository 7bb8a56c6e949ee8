/* house - a data directory at work within the test, and operations of the crash test's models on it.
 *
 * It asserts nothing of how an operation ends: that is what tests of faults ask.
 */
#ifndef SLUICE_TESTS_FAULTS_HOUSE_H
#define SLUICE_TESTS_FAULTS_HOUSE_H

#include "index/collection.h"
#include "index/database.h"
#include "tests/crash/model.h"

#include <semaphore.h>

/* What an instrumented program does in ten times the time, tests do less of. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* Smaller ones than the crash test's: there is one with an index of FAISS's. */
enum { HOUSE_PLANS = 3 };
extern const struct plan house_plans[HOUSE_PLANS];

struct house {
	const char *directory;
	uint64_t seal_rows;
	int64_t retention_ns;
	struct scanner *scanner; /* NULL until it is first opened; kept */
	struct pool *writers;
	struct database *database;
	struct arena arena; /* of details; emptied by house_rest */
};

void house_init(struct house *house, const char *directory);
void house_finish(struct house *house);

/* house_open - house_close is fine where it failed. */
status house_open(struct house *house);
void house_close(struct house *house);
void house_rest(struct house *house);

/* A batch, or a delete, under way. */
struct errand {
	struct write write; /* first */
	struct arena arena;
	struct value value;
	struct condition condition;
	struct filter filter;
	struct collection *collection;
	sem_t answered;
	/* Called when it is answered, on the writer's thread; NULL: nothing. */
	void (*told)(struct errand *errand);
	void *context;
};

/* errand_make - the write of an OP_UPSERT, OP_DELETE or OP_DELETE_LANGUAGE; errand_finish frees it. */
void errand_make(struct errand *errand, const struct op *op);
void errand_finish(struct errand *errand);

/* errand_send - to the collection of a plan. A failure is how it ended; else errand_await says. */
status errand_send(struct errand *errand, struct house *house, const struct plan *plan);
status errand_await(struct errand *errand);

/* house_create, house_drop, house_optimize - and their ends. */
status house_create(struct house *house, const struct plan *plan);
status house_drop(struct house *house, const struct plan *plan);
status house_optimize(struct house *house, const struct plan *plan);

/* house_keep - makes a snapshot; house_kept - how many a plan's collection has, all of which have to be
 * readable, and with ret_last not NULL the path of one; house_unkeep removes one. */
status house_keep(struct house *house, const struct plan *plan);
status house_kept(struct house *house, const struct plan *plan, size_t *ret_n,
		  const char **ret_last);
status house_unkeep(struct house *house, const struct plan *plan);

/* house_restore - one of them, into a data directory of its own. */
status house_restore(struct house *house, const struct plan *plan, const char *directory);

#endif
