/* count_chunks - RetrievalService.CountChunks: how many chunks of the newest snapshot pass a filter.
 */
#include "index/selection.h"
#include "index/snapshot.h"
#include "service/codec/filter_codec.h"
#include "service/codec/message.h"
#include "service/retrieval/retrieval.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/retrieval_service.pb-c.h"

struct count_chunks {
	struct collection *collection;
	struct snapshot *snapshot;
	struct filter filter;
};

static status count_chunks_request(struct rpc_call *call, struct bytes message)
{
	struct count_chunks *count = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__CountChunksRequest *request;

	TRY(message_unpack(arena, &sluice__v1__count_chunks_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__CountChunksRequest *)unpacked;
	TRY(database_acquire(services->database, bytes_of_string(request->collection), arena,
			     &count->collection));
	TRY(filter_decode(arena, request->filter, collection_config(count->collection),
			  &count->filter));
	return snapshot_acquire(count->collection, &count->snapshot);
}

static status count_matching(struct rpc_call *call, const struct count_chunks *count, uint64_t *ret)
{
	SCOPED(places) places = NULL;

	TRY(selection_make(count->snapshot, &count->filter, rpc_deadline(call), rpc_arena(call),
			   &places));
	*ret = places->count;
	return status_ok();
}

static enum rpc_step count_chunks_next(struct rpc_call *call, struct buffer *ret)
{
	const struct count_chunks *count = rpc_state(call);
	Sluice__V1__CountChunksResponse response = SLUICE__V1__COUNT_CHUNKS_RESPONSE__INIT;
	status counted = status_ok();

	if (filter_is_empty(&count->filter))
		response.count = snapshot_count(count->snapshot);
	else
		counted = count_matching(call, count, &response.count);
	if (status_failed(counted))
		return rpc_fail(call, counted);
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

static void count_chunks_close(struct rpc_call *call)
{
	struct count_chunks *count = rpc_state(call);

	snapshot_release(count->snapshot);
	collection_release(count->collection);
}

static bool count_chunks_is_long(struct rpc_call *call)
{
	const struct count_chunks *count = rpc_state(call);

	return !filter_is_empty(&count->filter);
}

const struct rpc_method count_chunks_method = {
	.path = "/sluice.v1.RetrievalService/CountChunks",
	.state_size = sizeof(struct count_chunks),
	.is_ready = services_is_ready,
	.request = count_chunks_request,
	.next = count_chunks_next,
	.close = count_chunks_close,
	.is_long = count_chunks_is_long,
};
