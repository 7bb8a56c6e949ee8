/* search - RetrievalService.Search: a search's pages as fast as its client takes them.
 *
 * next fills one page and is not called again before the page is on its way, so the reader's pace is
 * the pace of the walk.
 */
#include "service/codec/message.h"
#include "service/retrieval/retrieval.h"
#include "service/retrieval/search_stream.h"

enum { FIELD_HITS = 1, FIELD_SUMMARY = 2, FIELD_TOKEN = 3 };

static status search_request(struct rpc_call *call, struct bytes message)
{
	ProtobufCMessage *unpacked = NULL;

	TRY(message_unpack(rpc_arena(call), &sluice__v1__search_request__descriptor, message,
			   &unpacked));
	return search_stream_open(rpc_state(call), call,
				  (const Sluice__V1__SearchRequest *)unpacked,
				  SEARCH_LIMIT_DEFAULT);
}

static enum rpc_step append_end(struct search_stream *stream, struct buffer *page)
{
	search_stream_token(stream, FIELD_TOKEN, page);
	search_stream_summary(stream, FIELD_SUMMARY, page);
	return RPC_LAST;
}

static enum rpc_step search_next(struct rpc_call *call, struct buffer *page)
{
	struct search_stream *stream = rpc_state(call);
	status failure = status_ok();
	size_t n_hits;

	if (!search_stream_has_cursor(stream))
		return RPC_WAIT;
	if (stream->told)
		return rpc_fail(call, stream->ending);
	stream->ending = search_stream_verdict(stream, call, false);
	if (status_failed(stream->ending)) {
		stream->told = true;
		append_end(stream, page);
		return RPC_MESSAGE;
	}
	switch (search_stream_fill(stream, UINT64_MAX, FIELD_HITS, page, &n_hits, &failure)) {
	case STEP_END:
		return append_end(stream, page);
	case STEP_FAIL:
		if (!search_stream_was_cut(stream, failure))
			return rpc_fail(call, failure);
		break;
	case STEP_BATCH:
		break;
	}
	search_stream_token(stream, FIELD_TOKEN, page);
	return RPC_MESSAGE;
}

static void search_close(struct rpc_call *call)
{
	search_stream_close(rpc_state(call));
}

static bool search_is_heavy(struct rpc_call *call)
{
	return search_stream_is_heavy(rpc_state(call));
}

static bool search_is_long(struct rpc_call *call)
{
	return search_stream_is_long(rpc_state(call));
}

const struct rpc_method search_method = {
	.path = "/sluice.v1.RetrievalService/Search",
	.state_size = sizeof(struct search_stream),
	.is_ready = services_is_ready,
	.request = search_request,
	.next = search_next,
	.close = search_close,
	.is_long = search_is_long,
	.is_heavy = search_is_heavy,
};
