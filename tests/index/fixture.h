/* fixture - a database in a directory of its own, and a model of one collection in it.
 *
 * The model is what a collection should hold: for each of MODEL_IDS ids a version, or none. The
 * text, the metadata and the vector of a chunk follow from id and version alone, so a snapshot is
 * compared row by row.
 */
#ifndef SLUICE_TESTS_INDEX_FIXTURE_H
#define SLUICE_TESTS_INDEX_FIXTURE_H

#include "index/database.h"
#include "index/snapshot.h"

#include <criterion/criterion.h>
#include <semaphore.h>
#include <sys/types.h>

#define MODEL_IDS 200
#define MODEL_DIM 20

struct fixture {
	char directory[256];
	struct pool *writers;
	struct database *database;
	struct arena arena;
	int64_t retention_ns; /* of a database that is opened from here on */
	/* Likewise; 0: no bound. */
	uint64_t dead_rows_max, dead_bytes_max;
	uint64_t seal_rows; /* likewise; at first what SLUICE_TEST_SEAL_ROWS says */
	/* Likewise; called before a collection is opened. */
	void (*opening)(void *context, const char *name);
};

/* For TestSuite's init and fini: a new directory, and what is left in it removed. */
void fixture_begin(void);
void fixture_end(void);

/* The one of the running test. */
extern struct fixture fixture;

/* fixture_open - the database over the directory. Asserts that it opens. */
void fixture_open(size_t n_threads);
void fixture_close(void);

/* fixture_collection - one of MODEL_DIM and L2, made where missing; a reference of the caller's.
 * fixture_collection_of - the same of any config. */
struct collection *fixture_collection(const char *name);
struct collection *fixture_collection_of(const struct collection_config *config);
struct collection_config fixture_config(const char *name);

/* fixture_write - submits it, waits and asserts OK; done is not the caller's. Gives how many were
 * deleted. */
uint64_t fixture_write(struct collection *collection, struct write write);

/* fixture_shell - system(), asserting that it succeeds. */
void fixture_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* fixture_segment - the path of a collection's first segment; good until the next but one. */
const char *fixture_segment(const char *name);

/* fixture_flip - the bits of a mask, in one byte of a file: done twice it is as before. */
void fixture_flip(const char *path, off_t at, uint8_t mask);

/* xorshift64*: the same numbers on every machine. state is not zero. */
uint64_t random_next(uint64_t *state);
uint64_t random_below(uint64_t *state, uint64_t n);

struct model {
	uint32_t versions[MODEL_IDS]; /* 0: not there */
	uint64_t n_live;
};

struct bytes model_id(unsigned i, struct arena *arena);

/* A write of chunks of the model. */
#define CHANGE_ROWS 24

struct change {
	struct write write; /* first */
	sem_t answered;
	struct arena arena;
	unsigned items[CHANGE_ROWS];
	uint32_t version; /* of every chunk in an upsert */
};

/* change_init - n items [n] of the model, all different for an upsert.
 * version  0: a delete. */
void change_init(struct change *change, const unsigned *items, size_t n, uint32_t version);
/* change_draw - a random one. */
void change_draw(struct change *change, uint64_t *random, uint32_t version);
void change_finish(struct change *change);
/* change_write - submits, waits and asserts OK. */
void change_write(struct change *change, struct collection *collection);
/* change_now - all of the above for a few items. */
void change_now(struct collection *collection, const unsigned *items, size_t n, uint32_t version);

/* model_apply - asserts nothing; gives what the write should have answered. */
struct model_counts {
	uint64_t inserted, replaced, deleted;
} model_apply(struct model *model, const struct change *change);

/* model_fill - an empty model, and a new collection, get one change with each version below this; then a
 * segment is waited for. */
void model_fill(struct model *model, struct collection *collection, uint32_t versions);

/* model_check - the snapshot holds the model's rows, all of them, and nothing else. */
void model_check(const struct model *model, const struct snapshot *snapshot);

/* model_check_ids - collection_find gives every id of the model, and no other, at the newest. */
void model_check_ids(const struct model *model, struct collection *collection);

#endif
