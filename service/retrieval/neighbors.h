/* neighbors - the chunks around a hit in its document. */
#ifndef SLUICE_SERVICE_RETRIEVAL_NEIGHBORS_H
#define SLUICE_SERVICE_RETRIEVAL_NEIGHBORS_H

#include "index/filter/filter.h"
#include "index/snapshot.h"
#include "service/retrieval/sent_rows.h"

/* At most 16 before and 16 after, by the contract. */
#define NEIGHBORS_MAX 32
/* For their records, unpacked. */
#define NEIGHBORS_ARENA_BYTES ((size_t)64 << 20)

struct neighbor {
	struct document_row at;
	struct chunk chunk;
	uint64_t distance; /* in ordinals */
};

struct neighbors {
	struct neighbor items[NEIGHBORS_MAX]; /* [n] by (ordinal, row) */
	size_t n;
};

struct neighbors_query {
	const struct snapshot *snapshot;
	struct collection_reader *reader; /* of the snapshot's collection */
	const struct filter *filter;
	const struct sent_rows *sent;
	const struct deadline *deadline;
	const struct chunk *hit;
	uint64_t row; /* of the hit */
	uint32_t before, after;
};

/* neighbors_find - the nearest of the hit's document that the snapshot sees and the filter passes;
 * of them those that were not sent.
 * ret  chunks in the arena. Fails: CANCELLED DEADLINE_EXCEEDED DATA_LOSS RESOURCE_EXHAUSTED */
status neighbors_find(const struct neighbors_query *query, struct arena *arena,
		      struct neighbors *ret);

/* neighbors_cut - keeps the n nearest: of two as near, the one before the hit.
 * at  of the hit. */
void neighbors_cut(struct neighbors *neighbors, struct document_row at, size_t n);

/* neighbors_by_nearness - indices of items, the nearest first. */
void neighbors_by_nearness(const struct neighbors *neighbors, struct document_row at,
			   size_t ret[NEIGHBORS_MAX]);

#endif
