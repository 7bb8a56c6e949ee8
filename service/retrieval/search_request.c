/* search_request - a SearchRequest as plain data. */
#include "service/retrieval/search_request.h"

#include "service/codec/chunk_codec.h"

/* Where the client names no size: a page of so many hits is some 100 KB of text, and its message
 * costs the server a few percent of what its hits cost. */
#define PAGE_HITS_DEFAULT 100

static size_t page_hits(const Sluice__V1__SearchRequest *message, uint64_t limit, size_t otherwise)
{
	uint64_t hits = message->max_hits_per_message;

	if (!hits)
		hits = otherwise ? otherwise : PAGE_HITS_DEFAULT;

	if (hits > limit)
		hits = limit;
	return hits > PAGE_HITS_MAX ? PAGE_HITS_MAX : (size_t)hits;
}

static void query_decode(const Sluice__V1__SearchRequest *message, struct search_request *ret)
{
	if (message->query_case == SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR) {
		ret->vector = message->vector->values;
		ret->dim = (uint32_t)message->vector->n_values;
	} else {
		ret->chunk_id = bytes_of_string(message->chunk_id);
	}
}

static void budget_decode(const Sluice__V1__Budget *message, struct search_request *ret)
{
	ret->max_tokens = ret->max_bytes = UINT64_MAX;
	if (!message)
		return;
	if (message->_max_tokens_case)
		ret->max_tokens = message->max_tokens;
	if (message->_max_bytes_case)
		ret->max_bytes = message->max_bytes;
	ret->skip_oversized = message->skip_oversized;
}

static float recall_target(const Sluice__V1__Accuracy *message)
{
	if (!message)
		return -1;
	return message->kind_case == SLUICE__V1__ACCURACY__KIND_RECALL_TARGET
		       ? message->recall_target
		       : 0;
}

status search_request_decode(struct arena *arena, const Sluice__V1__SearchRequest *message,
			     const struct search_defaults *defaults, struct search_request *ret)
{
	struct search_request search = {
		.collection = bytes_of_string(message->collection),
		.filter = message->filter,
		.limit = message->_limit_case ? message->limit : defaults->limit,
		.has_min_score = message->_min_score_case != 0,
		.min_score = message->_min_score_case ? message->min_score : 0,
		.page_is_asked = message->max_hits_per_message > 0,
		.recall_target = recall_target(message->accuracy),
		.before = message->neighbors ? message->neighbors->before : 0,
		.after = message->neighbors ? message->neighbors->after : 0,
		.resume_token = bytes_of(message->resume_token.data, message->resume_token.len),
		.resume_on_newest = message->resume_on_newest,
	};

	TRY(read_mask_decode(arena, message->read_mask, &search.fields));
	query_decode(message, &search);
	budget_decode(message->budget, &search);
	search.page_hits = page_hits(message, search.limit, defaults->page_hits);
	*ret = search;
	return status_ok();
}

float search_request_recall(const struct search_request *request,
			    const struct collection_config *config)
{
	if (request->recall_target >= 0)
		return request->recall_target;
	return config->default_recall_target > 0 ? config->default_recall_target
						 : SEARCH_RECALL_DEFAULT;
}
