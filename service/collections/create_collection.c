/* create_collection - CollectionService.CreateCollection: on disk before it answers. */
#include "index/ann/factory_check.h"
#include "kernels/base/error_info.h"
#include "service/codec/message.h"
#include "service/collections/collections.h"
#include "service/rpc/protobuf_arena.h"

#include <stdio.h>

struct create_collection {
	struct collection_config config;
};

static status violation(struct arena *arena, const char *field, const char *why)
{
	status s = status_format(arena, STATUS_INVALID_ARGUMENT, "%s: %s", field, why);

	s = status_reason(s, arena, REASON_SCHEMA_VIOLATION, "field", field, NULL);
	return status_field(s, arena, field);
}

/* Whether FAISS makes such an index: now, and not when the first segment is to get one. */
static status check_factory(struct arena *arena, const Sluice__V1__Collection *collection)
{
	const char *factory = collection->index->faiss_factory;
	status checked = factory_check(factory, collection->dimension,
				       (enum metric)collection->metric, arena);

	if (checked.code != STATUS_INVALID_ARGUMENT)
		return checked;
	return violation(arena, "collection.index.faiss_factory", checked.detail);
}

/* What goes with which kind: an option that would do nothing is a mistake. */
static status check_index(struct arena *arena, const Sluice__V1__Collection *collection)
{
	const Sluice__V1__IndexOptions *index = collection->index;
	bool is_faiss;

	if (!index)
		return status_ok();
	is_faiss = index->kind == SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS;
	if (is_faiss && !index->faiss_factory[0])
		return violation(arena, "collection.index.faiss_factory",
				 "INDEX_KIND_FAISS needs an index_factory string");
	if (!is_faiss && index->faiss_factory[0])
		return violation(arena, "collection.index.faiss_factory",
				 "it goes with INDEX_KIND_FAISS alone");
	if (index->lists && index->kind != SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF &&
	    index->kind != SLUICE__V1__INDEX_KIND__INDEX_KIND_UNSPECIFIED)
		return violation(arena, "collection.index.lists",
				 "it goes with INDEX_KIND_IVF, and with no kind, alone");
	return is_faiss ? check_factory(arena, collection) : status_ok();
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
	TRY(check_index(arena, request->collection));
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
