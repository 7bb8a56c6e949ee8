/* search_request - a SearchRequest as plain data. */
#ifndef SLUICE_SERVICE_RETRIEVAL_SEARCH_REQUEST_H
#define SLUICE_SERVICE_RETRIEVAL_SEARCH_REQUEST_H

#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"

#define PAGE_HITS_MAX 1024

struct search_request {
	struct bytes collection;
	float *vector;         /* [dim], the arena's; NULL: search by chunk_id */
	uint32_t dim;          /* of vector */
	struct bytes chunk_id; /* empty: search by vector */
	uint64_t limit;        /* at least 1 */
	bool has_min_score;
	float min_score;
	size_t page_hits; /* hits of a message at most, 1 .. PAGE_HITS_MAX */
	unsigned fields;  /* READ_ bits */
};

/* search_request_decode - checks a message and takes it apart; all in the arena.
 * Any accuracy is met by the exact walk, so it is checked and not kept.
 * Fails: INVALID_ARGUMENT UNIMPLEMENTED (a field that is not served) RESOURCE_EXHAUSTED */
status search_request_decode(struct arena *arena, struct bytes message, struct search_request *ret);

#endif
