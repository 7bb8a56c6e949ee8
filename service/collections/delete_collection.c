/* delete_collection - CollectionService.DeleteCollection: the files are gone before it answers. */
#include "service/codec/message.h"
#include "service/collections/collections.h"

static status delete_collection_request(struct rpc_call *call, struct bytes message)
{
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__DeleteCollectionRequest *request;

	TRY(message_unpack(arena, &sluice__v1__delete_collection_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__DeleteCollectionRequest *)unpacked;
	return database_drop(services->database, bytes_of_string(request->name), arena);
}

static enum rpc_step delete_collection_next(struct rpc_call *call, struct buffer *ret)
{
	(void)call;
	(void)ret; /* the answer has no fields */
	return RPC_LAST;
}

const struct rpc_method delete_collection_method = {
	.path = "/sluice.v1.CollectionService/DeleteCollection",
	.request = delete_collection_request,
	.next = delete_collection_next,
	.is_long = services_always_long,
};
