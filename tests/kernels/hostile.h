/* hostile - vectors that a proof about rounding could stumble over, and blocks of them.
 *
 * Shared by the tests of all scanners. Everything drawn is finite; stored vectors obey what the
 * server demands of them: unit length under COSINE, at most VECTOR_NORM_MAX otherwise.
 */
#ifndef SLUICE_TESTS_KERNELS_HOSTILE_H
#define SLUICE_TESTS_KERNELS_HOSTILE_H

#include "kernels/scanner.h"
#include "tests/kernels/random.h"

enum hostile_query {
	QUERY_RANDOM,
	QUERY_UNIT,
	QUERY_ONE_HOT,
	QUERY_ALTERNATING, /* 1, -1, 1, ... */
	QUERY_SCALES,      /* exponents all over the range */
	QUERY_DENORMAL,
	QUERY_TINY,  /* its square vanishes in float */
	QUERY_LARGE, /* about 2^55: everything still fits in float */
	QUERY_HUGE,  /* up to FLT_MAX */
	QUERY_ZERO,
	HOSTILE_QUERIES,
};

/* hostile_query_draw - ret [dim]. Under COSINE scaled to unit length; one that cannot be becomes
 * one-hot. */
void hostile_query_draw(struct random *random, enum hostile_query kind, enum metric metric,
			float *ret, uint32_t dim);

/* hostile_block - a block on the heap. */
struct hostile_block {
	struct scan_block block;
	float *vectors, *norms, *squares; /* owned; what the block points to */
	uint32_t dim;
};

/* hostile_block_init - room for n rows, all zero vectors. */
void hostile_block_init(struct hostile_block *block, uint32_t n, uint32_t dim);
void hostile_block_finish(struct hostile_block *block);

static inline float *hostile_row(struct hostile_block *block, size_t row)
{
	return block->vectors + row * block->block.stride;
}

/* hostile_block_measure - norms and squares of all rows, from their values. */
void hostile_block_measure(struct hostile_block *block);

/* hostile_block_draw - fills all rows against the query: equal, opposite, nearly equal, zero,
 * one-hot, denormal, huge, mixed, random, and twins of earlier rows. */
void hostile_block_draw(struct random *random, struct hostile_block *block, enum metric metric,
			const float *query);

#endif
