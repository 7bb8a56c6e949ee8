/* filter_world - chunks with every type of field, filters over them, and an oracle that puts a
 * filter to the records one by one. It shares no code with index/filter: numbers are compared as
 * long doubles, which hold every int and double of 64 bits.
 */
#ifndef SLUICE_TESTS_INDEX_FILTER_WORLD_H
#define SLUICE_TESTS_INDEX_FILTER_WORLD_H

#include "index/filter/filter.h"
#include "index/filter/places.h"
#include "tests/index/fixture.h"

#define WORLD_IDS 240
#define WORLD_DIM 4

/* Fields 0 .. 6: text, long_text, count, ratio, flag, labels, and rare, which few chunks have. */
struct collection_config world_config(const char *name);

/* world_collection - made where missing; a reference of the caller's. */
struct collection *world_collection(const char *name);

/* world_chunks - n of them with the ids from first on; in the arena. */
struct chunk *world_chunks(struct arena *arena, uint64_t first, size_t n, uint64_t *random);

/* world_upsert, world_delete - one write of n chunks, ids drawn without a repeat. */
void world_upsert(struct collection *collection, uint64_t *random, size_t n);
void world_delete(struct collection *collection, uint64_t *random, size_t n);
/* world_delete_matching - one write; gives how many were deleted. */
uint64_t world_delete_matching(struct collection *collection, const struct filter *filter);

/* world_filter - one at random; in the arena. */
struct filter world_filter(uint64_t *random, struct arena *arena);

/* world_check - asserts that the selection of a snapshot is what the oracle says, place by place;
 * gives how many there are. */
uint64_t world_check(const struct snapshot *snapshot, const struct filter *filter);

#endif
