/* create_collection - CollectionService.CreateCollection: on disk before it answers. */
#include "service/codec/message.h"
#include "service/collections/collections.h"
#include "service/rpc/protobuf_arena.h"
#include "service/schema/checks.h"

struct create_collection {
	struct collection_config config;
};

static status create_collection_request(struct rpc_call *call, struct bytes message)
{
	struct create_collection *create = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__CreateCollectionRequest *request;

	TRY(message_unpack(arena, &sluice__v1__create_collection_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__CreateCollectionRequest *)unpacked;
	TRY(check_collection(arena, request->collection));
	collection_decode(request->collection, &create->config);
	return database_create(services->database, &create->config, arena);
}

static enum rpc_step create_collection_next(struct rpc_call *call, struct buffer *ret)
{
	struct create_collection *create = rpc_state(call);
	Sluice__V1__CreateCollectionResponse response =
		SLUICE__V1__CREATE_COLLECTION_RESPONSE__INIT;
	status made = collection_to_message(rpc_arena(call), &create->config, &response.collection);

	if (status_failed(made))
		return rpc_fail(call, made);
	buffer_pack(ret, &response.base);
	return RPC_LAST;
}

const struct rpc_method create_collection_method = {
	.path = "/sluice.v1.CollectionService/CreateCollection",
	.state_size = sizeof(struct create_collection),
	.request = create_collection_request,
	.next = create_collection_next,
	.is_long = services_always_long,
};
