/* get_collection - CollectionService.GetCollection: configuration and status. */
#include "google/protobuf/timestamp.pb-c.h"
#include "service/codec/message.h"
#include "service/collections/collections.h"
#include "service/rpc/protobuf_arena.h"

struct get_collection {
	struct collection *collection;
};

static status get_collection_request(struct rpc_call *call, struct bytes message)
{
	struct get_collection *get = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__GetCollectionRequest *request;

	TRY(message_unpack(arena, &sluice__v1__get_collection_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__GetCollectionRequest *)unpacked;
	return database_acquire(services->database, bytes_of_string(request->name), arena,
				&get->collection);
}

static enum rpc_step get_collection_next(struct rpc_call *call, struct buffer *ret)
{
	struct get_collection *get = rpc_state(call);
	Sluice__V1__GetCollectionResponse response = SLUICE__V1__GET_COLLECTION_RESPONSE__INIT;
	Sluice__V1__CollectionStatus message = SLUICE__V1__COLLECTION_STATUS__INIT;
	Google__Protobuf__Timestamp create_time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct collection_status now = {0};
	status made = collection_to_message(rpc_arena(call), collection_config(get->collection),
					    &response.collection);

	if (status_failed(made))
		return rpc_fail(call, made);
	collection_status(get->collection, &now);
	create_time.seconds = now.create_time_ns / 1000000000;
	create_time.nanos = (int32_t)(now.create_time_ns % 1000000000);
	message.chunk_count = now.chunk_count;
	message.generation = now.generation;
	message.indexed_rows = now.indexed_rows;
	message.segment_count = now.segment_count;
	message.disk_bytes = now.disk_bytes;
	message.memory_bytes = now.memory_bytes;
	message.open_cursors = now.open_cursors;
	message.create_time = &create_time;
	response.status = &message;
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

static void get_collection_close(struct rpc_call *call)
{
	struct get_collection *get = rpc_state(call);

	collection_release(get->collection);
}

const struct rpc_method get_collection_method = {
	.path = "/sluice.v1.CollectionService/GetCollection",
	.state_size = sizeof(struct get_collection),
	.request = get_collection_request,
	.next = get_collection_next,
	.close = get_collection_close,
};
