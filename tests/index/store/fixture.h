/* fixture - a store in a directory of its own, and chunks to put into it. */
#ifndef SLUICE_TESTS_INDEX_STORE_FIXTURE_H
#define SLUICE_TESTS_INDEX_STORE_FIXTURE_H

#include "index/store/environment.h"

#define FIXTURE_DIM 8
#define FIXTURE_ARENA_BYTES ((size_t)64 << 20)

/* fixture_random - the next number of a seed's sequence (SplitMix64). */
uint64_t fixture_random(uint64_t *seed);

/* fixture_directory - makes an empty directory; fixture_remove takes it away with what LMDB put
 * there. Both work on one directory at a time. */
const char *fixture_directory(void);
void fixture_remove(void);

struct collection_config fixture_config(void);

/* fixture_chunk - a chunk whose all parts follow from number and version; in the arena. */
struct chunk fixture_chunk(struct arena *arena, uint64_t number, uint64_t version);

/* fixture_same - but for the vectors. */
bool fixture_same(const struct chunk *a, const struct chunk *b);

/* fixture_put - one chunk in one transaction, with the state behind it. Grows the map as needed. */
status fixture_put(struct store *store, struct arena *arena, uint64_t row,
		   const struct chunk *chunk, struct store_state *state);

/* fixture_edit - reads a value of a closed store past all checks, and writes back what edit makes
 * of it in place (fix_checksum: with a new checksum), or, where edit is NULL, deletes it. */
void fixture_edit(const char *table, struct bytes key, void (*edit)(uint8_t *value, size_t size),
		  bool fix_checksum);

/* fixture_count_visit - a visitor that counts living rows into a uint64_t. */
status fixture_count_visit(void *context, uint64_t row, uint64_t died, const float *vector);

#endif
