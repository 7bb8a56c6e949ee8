/* delete_collection - CollectionService.DeleteCollection: the files are gone before it answers. */
#include "service/collections/collections.h"
#include "service/rpc/protobuf_arena.h"
#include "service/schema/checks.h"

static status delete_collection_request(struct rpc_call *call, struct bytes message)
{
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCAllocator allocator = protobuf_arena_allocator(arena);
	Sluice__V1__DeleteCollectionRequest *request =
		sluice__v1__delete_collection_request__unpack(&allocator, message.size,
							      message.data);

	if (!request)
		return protobuf_status(arena, "sluice.v1.DeleteCollectionRequest", arena);
	TRY(check_name(arena, "name", request->name));
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
