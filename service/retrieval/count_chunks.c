/* count_chunks - RetrievalService.CountChunks. */
#include "index/snapshot.h"
#include "service/codec/message.h"
#include "service/retrieval/retrieval.h"
#include "service/rpc/protobuf_arena.h"
#include "service/schema/checks.h"
#include "sluice/v1/retrieval_service.pb-c.h"

struct count_chunks {
	uint64_t count;
};

static status count_chunks_request(struct rpc_call *call, struct bytes message)
{
	struct count_chunks *count = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__CountChunksRequest *request;
	SCOPED(collection) collection = NULL;
	SCOPED(snapshot) snapshot = NULL;

	TRY(message_unpack(arena, &sluice__v1__count_chunks_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__CountChunksRequest *)unpacked;
	TRY(check_count(arena, request));
	TRY(database_acquire(services->database, bytes_of_string(request->collection), arena,
			     &collection));
	TRY(snapshot_acquire(collection, &snapshot));
	count->count = snapshot_count(snapshot);
	return status_ok();
}

static enum rpc_step count_chunks_next(struct rpc_call *call, struct buffer *ret)
{
	const struct count_chunks *count = rpc_state(call);
	Sluice__V1__CountChunksResponse response = SLUICE__V1__COUNT_CHUNKS_RESPONSE__INIT;

	response.count = count->count;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

const struct rpc_method count_chunks_method = {
	.path = "/sluice.v1.RetrievalService/CountChunks",
	.state_size = sizeof(struct count_chunks),
	.request = count_chunks_request,
	.next = count_chunks_next,
};
