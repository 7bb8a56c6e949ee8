/* search_request - a SearchRequest as plain data. */
#ifndef SLUICE_SERVICE_RETRIEVAL_SEARCH_REQUEST_H
#define SLUICE_SERVICE_RETRIEVAL_SEARCH_REQUEST_H

#include "index/collection_config.h"
#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/status.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#define PAGE_HITS_MAX 1024

struct search_request {
	struct bytes collection;
	float *vector;         /* [dim], the arena's; NULL: search by chunk_id */
	uint32_t dim;          /* of vector */
	struct bytes chunk_id; /* empty: search by vector */
	uint64_t limit;        /* at least 1 */
	bool has_min_score;
	float min_score;
	size_t page_hits;    /* hits of a message at most, 1 .. PAGE_HITS_MAX */
	bool page_is_asked;  /* the client named it; else the first page may be smaller */
	float recall_target; /* 0: exact; below 0: what the collection has, see below */
	/* Budget of the call; UINT64_MAX: no bound. */
	uint64_t max_tokens, max_bytes;
	bool skip_oversized;
	uint32_t before, after;    /* neighbours of each hit */
	struct bytes resume_token; /* empty: from the beginning */
	bool resume_on_newest;
	unsigned fields; /* READ_ bits */
	/* The arena's; NULL: all chunks. For filter_decode, once the collection is known. */
	const Sluice__V1__Filter *filter;
};

/* Where the client names no number. */
struct search_defaults {
	size_t page_hits; /* 0: 100 */
	uint64_t limit;
};

#define SEARCH_LIMIT_DEFAULT 10
#define SEARCH_RECALL_DEFAULT 0.95F

/* search_request_decode - takes a message apart that has been checked (codec/message.h), and which
 * the result borrows from.
 * Fails: INVALID_ARGUMENT */
status search_request_decode(struct arena *arena, const Sluice__V1__SearchRequest *message,
			     const struct search_defaults *defaults, struct search_request *ret);

/* search_request_recall - the recall target that a search of the collection has by what it says, or
 * does not say; 0: exact. */
float search_request_recall(const struct search_request *request,
			    const struct collection_config *config);

#endif
