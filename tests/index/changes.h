/* changes - a collection that many writes go into, and a model of what it holds after each of them.
 *
 * A chunk has a vector of few small numbers, so most scores are shared by many, a group to filter by,
 * and a text that follows from id and version. Rows are numbered as the model counts: so a hit is
 * compared by its row, and a record with what its row was written with.
 */
#ifndef SLUICE_TESTS_INDEX_CHANGES_H
#define SLUICE_TESTS_INDEX_CHANGES_H

#include "index/collection.h"
#include "tests/index/fixture.h"

#define CHANGES_IDS 150
#define CHANGES_DIM 4
#define CHANGES_GROUPS 6
#define CHANGES_ANY_GROUP CHANGES_GROUPS

/* One version of a chunk. */
struct version {
	uint64_t row;
	unsigned id, group;
	float vector[CHANGES_DIM];
};

struct changes {
	struct collection *collection;
	uint64_t random;
	uint64_t n_rows; /* that were written */
	bool lives[CHANGES_IDS];
	struct version now[CHANGES_IDS];
	uint64_t n_written, n_deleted, n_matched; /* writes of each kind */
};

/* changes_open, changes_close - the collection, made where missing, in the fixture's database. */
void changes_open(struct changes *changes);
void changes_close(struct changes *changes);

/* changes_make - so many writes, submitted at once; returns when all are answered as the model says. */
void changes_make(struct changes *changes, size_t n);

void changes_vector(struct changes *changes, float ret[CHANGES_DIM]);

/* A hit as it has to come. */
struct expected {
	float score;
	struct version version;
};

/* changes_order - what lives now, of one group or any, best first; gives how many.
 * ret  [CHANGES_IDS] */
size_t changes_order(const struct changes *changes, const float *query, unsigned group,
		     struct expected *ret);

/* changes_check_record - the chunk of the version's row is that version. */
void changes_check_record(const struct changes *changes, const struct version *version);

/* changes_filter - of a group; the condition is the caller's. */
struct group_filter {
	struct value value;
	struct condition condition;
	struct filter filter;
};
void changes_filter(unsigned group, struct group_filter *ret);

#endif
