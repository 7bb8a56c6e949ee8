/* delete_chunks - IngestService.DeleteChunks, by ids or by a filter: durable before it answers. A
 * filter is put to what is there when its turn among the writes has come.
 */
#include "index/collection.h"
#include "service/codec/filter_codec.h"
#include "service/codec/message.h"
#include "service/ingest/ingest.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/ingest_service.pb-c.h"

struct delete_chunks {
	struct write write; /* first: the writer gives its address back */
	struct rpc_call *call;
	struct collection *collection;
	struct filter filter;
	atomic_bool done;
};

/* On the writer's thread. */
static void delete_done(struct write *write)
{
	struct delete_chunks *delete = (struct delete_chunks *)write;
	struct rpc_call *call = delete->call;

	atomic_store_explicit(&delete->done, true, memory_order_release);
	rpc_wake(call);
	rpc_unhold(call);
}

static status select_by_ids(struct delete_chunks *delete, struct arena *arena,
			    const Sluice__V1__ChunkIds *message)
{
	struct bytes *ids = ARENA_ARRAY(arena, struct bytes, message->n_ids);

	if (!ids)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "the call's memory is used up");
	for (size_t i = 0; i < message->n_ids; i++)
		ids[i] = bytes_of_string(message->ids[i]);
	delete->write.kind = WRITE_DELETE;
	delete->write.ids = ids;
	delete->write.n = message->n_ids;
	return status_ok();
}

static status select_by_filter(struct delete_chunks *delete, struct arena *arena,
			       const Sluice__V1__Filter *message)
{
	TRY(filter_decode(arena, message, collection_config(delete->collection), &delete->filter));
	TRY(filter_refuse_empty(arena, &delete->filter));
	delete->write.kind = WRITE_DELETE_MATCHING;
	delete->write.filter = &delete->filter;
	return status_ok();
}

static status delete_chunks_request(struct rpc_call *call, struct bytes message)
{
	struct delete_chunks *delete = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__DeleteChunksRequest *request;

	TRY(message_unpack(arena, &sluice__v1__delete_chunks_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__DeleteChunksRequest *)unpacked;
	TRY(database_acquire(services->database, bytes_of_string(request->collection), arena,
			     &delete->collection));
	if (request->selector_case == SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_FILTER)
		TRY(select_by_filter(delete, arena, request->filter));
	else
		TRY(select_by_ids(delete, arena, request->ids));
	atomic_init(&delete->done, false);
	delete->call = call;
	delete->write.arena = arena;
	delete->write.done = delete_done;
	rpc_hold(call);
	collection_write(delete->collection, &delete->write);
	return status_ok();
}

static enum rpc_step delete_chunks_next(struct rpc_call *call, struct buffer *ret)
{
	const struct delete_chunks *delete = rpc_state(call);
	Sluice__V1__DeleteChunksResponse response = SLUICE__V1__DELETE_CHUNKS_RESPONSE__INIT;

	if (!atomic_load_explicit(&delete->done, memory_order_acquire))
		return RPC_WAIT;
	if (status_failed(delete->write.result))
		return rpc_fail(call, delete->write.result);
	response.deleted = delete->write.deleted;
	response.generation = delete->write.generation;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

static void delete_chunks_close(struct rpc_call *call)
{
	struct delete_chunks *delete = rpc_state(call);

	collection_release(delete->collection);
}

const struct rpc_method delete_chunks_method = {
	.path = "/sluice.v1.IngestService/DeleteChunks",
	.state_size = sizeof(struct delete_chunks),
	.is_ready = services_is_ready,
	.request = delete_chunks_request,
	.next = delete_chunks_next,
	.close = delete_chunks_close,
};
