/* get_collection - CollectionService.GetCollection: configuration and status. */
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
	status made = collection_to_message(rpc_arena(call), collection_config(get->collection),
					    &response.collection);

	if (!status_failed(made))
		made = collection_status_to_message(rpc_arena(call), get->collection,
						    &response.status);
	if (status_failed(made))
		return rpc_fail(call, made);
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
	.is_ready = services_is_ready,
	.request = get_collection_request,
	.next = get_collection_next,
	.close = get_collection_close,
};
