/* create_collection - CollectionService.CreateCollection: on disk before it answers. */
#include "kernels/base/error_info.h"
#include "service/codec/message.h"
#include "service/collections/collections.h"
#include "service/rpc/protobuf_arena.h"

#include <stdio.h>

struct create_collection {
	struct collection_config config;
};

/* What the contract has and this version does not serve. */
static status check_served(struct arena *arena, const Sluice__V1__IndexOptions *index)
{
	if (index && index->kind == SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS)
		return unserved_field(arena, "collection.index.kind = INDEX_KIND_FAISS");
	if (index && index->encoding == SLUICE__V1__VECTOR_ENCODING__VECTOR_ENCODING_FLOAT16)
		return unserved_field(arena, "collection.index.encoding = VECTOR_ENCODING_FLOAT16");
	return status_ok();
}

/* A field's name comes once: what no annotation of the contract can say. */
static status check_fields(struct arena *arena, const Sluice__V1__Collection *collection)
{
	for (size_t i = 0; i < collection->n_fields; i++)
		for (size_t j = 0; j < i; j++) {
			const char *name = collection->fields[i]->name;
			char field[64];
			status twice;

			if (strcmp(name, collection->fields[j]->name) != 0)
				continue;
			snprintf(field, sizeof field, "collection.fields[%zu].name", i);
			twice = status_format(arena, STATUS_INVALID_ARGUMENT,
					      "%s: \"%s\" is declared twice", field, name);
			twice = status_reason(twice, arena, REASON_SCHEMA_VIOLATION, "field", field,
					      NULL);
			return status_field(twice, arena, field);
		}
	return status_ok();
}

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
	TRY(check_served(arena, request->collection->index));
	TRY(check_fields(arena, request->collection));
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
