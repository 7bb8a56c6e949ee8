/* books - a collection of that name that changes at random, and the model of what it should hold. */
#ifndef SLUICE_TESTS_INDEX_BOOKS_H
#define SLUICE_TESTS_INDEX_BOOKS_H

#include "index/collection.h"
#include "tests/index/fixture.h"

/* random, which is not zero, draws the changes; it and the model outlive a close. */
struct books {
	struct collection *collection;
	struct model model;
	uint64_t random;
	uint32_t version;
};

/* books_open, books_close - with the fixture's database. */
void books_open(struct books *books);
void books_close(struct books *books);

/* books_change - one more, written and in the model. */
void books_change(struct books *books);

struct collection_status books_status(const struct books *books);

/* books_check - the newest snapshot and the ids are the model's. */
void books_check(const struct books *books);

#endif
