/* fake_snapshot - a snapshot over arrays, for tests of whatever reads one.
 *
 * It implements what index/snapshot.h and index/collection.h say of reading, so a test links it in
 * the place of the real one. Rows lie in blocks of block_rows, as those of a head do, or in real
 * segments.
 */
#ifndef SLUICE_TESTS_INDEX_CURSOR_FAKE_SNAPSHOT_H
#define SLUICE_TESTS_INDEX_CURSOR_FAKE_SNAPSHOT_H

#include "index/snapshot.h"

/* What the vectors are: RANDOM all different; TIES small whole numbers in three dimensions, so that
 * most scores are shared by many rows; SAME one vector over and over. */
enum fake_vectors { FAKE_RANDOM, FAKE_TIES, FAKE_SAME };

struct fake_snapshot_options {
	uint64_t n;
	uint32_t dim;
	enum metric metric;
	enum fake_vectors vectors;
	uint32_t block_rows; /* 0: one block */
	/* So many segments of so many rows, in files, take the place of the first blocks. */
	uint32_t segments, segment_rows;
	unsigned hidden_percent; /* of the rows, spread at random, are not visible */
	uint64_t seed;
};

/* fake_snapshot_open - asserts that there is memory. Released by snapshot_release. */
struct snapshot *fake_snapshot_open(const struct fake_snapshot_options *options);

/* fake_snapshot_drop - the collection is dropped. Any thread. */
void fake_snapshot_drop(struct snapshot *snapshot);

#define FAKE_SEGMENTS_MAX 4

/* fake_snapshot_set_ann - what snapshot_ann gives for a segment; borrowed. */
void fake_snapshot_set_ann(struct snapshot *snapshot, uint32_t segment, const struct ann *ann);

uint32_t fake_snapshot_segment_rows(const struct snapshot *snapshot);

/* fake_snapshot_query - a query [dim] like the vectors; of unit length under COSINE. */
const float *fake_snapshot_query(const struct snapshot *snapshot);

/* fake_random - the next number of a generator (splitmix64, Steele et al. 2014); fake_uniform - in
 * [0, 1). */
uint64_t fake_random(uint64_t *state);
float fake_uniform(uint64_t *state);

#endif
