/* search_request - a SearchRequest as plain data. */
#include "service/retrieval/search_request.h"

#include "service/codec/chunk_codec.h"
#include "service/codec/message.h"
#include "service/schema/checks.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#define LIMIT_DEFAULT 10
/* Where the client names no size: a page of so many hits is some 100 KB of text, and its message
 * costs the server a few percent of what its hits cost. */
#define PAGE_HITS_DEFAULT 100

static size_t page_hits(const Sluice__V1__SearchRequest *message, uint64_t limit)
{
	uint64_t hits =
		message->max_hits_per_message ? message->max_hits_per_message : PAGE_HITS_DEFAULT;

	if (hits > limit)
		hits = limit;
	return hits > PAGE_HITS_MAX ? PAGE_HITS_MAX : (size_t)hits;
}

status search_request_decode(struct arena *arena, struct bytes message, struct search_request *ret)
{
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__SearchRequest *request;
	struct search_request search = {0};

	TRY(message_unpack(arena, &sluice__v1__search_request__descriptor, message, &unpacked));
	request = (const Sluice__V1__SearchRequest *)unpacked;
	TRY(check_search(arena, request));
	TRY(read_mask_decode(arena, request->read_mask, &search.fields));

	search.collection = bytes_of_string(request->collection);
	if (request->query_case == SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR) {
		search.vector = request->vector->values;
		search.dim = (uint32_t)request->vector->n_values;
	} else {
		search.chunk_id = bytes_of_string(request->chunk_id);
	}
	search.limit = request->_limit_case ? request->limit : LIMIT_DEFAULT;
	search.has_min_score = request->_min_score_case != 0;
	search.min_score = search.has_min_score ? request->min_score : 0;
	search.page_hits = page_hits(request, search.limit);
	*ret = search;
	return status_ok();
}
