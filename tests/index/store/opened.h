/* opened - the store of the running test, open: made, put into, opened again. */
#ifndef SLUICE_TESTS_INDEX_STORE_OPENED_H
#define SLUICE_TESTS_INDEX_STORE_OPENED_H

#include "tests/index/store/fixture.h"

struct opened {
	struct arena arena[1];
	struct store *store;
	struct store_state state; /* what was put */
	const char *directory;
};

extern struct opened opened;

/* For TestSuite's init and fini. opened_anew - in the middle of a test: an empty one of that config. */
void opened_begin(void);
void opened_end(void);
void opened_anew(const struct collection_config *config);

/* opened_again - closed and opened; opened_reopen - opened, where the test has closed it. */
void opened_again(void);
void opened_reopen(void);

/* opened_put - a chunk of the fixture's, into the next row. */
void opened_put(uint64_t number, uint64_t version);

#endif
