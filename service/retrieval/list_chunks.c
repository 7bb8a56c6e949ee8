/* list_chunks - RetrievalService.ListChunks: a snapshot's chunks in the order of writing. */
#include "index/snapshot.h"
#include "service/codec/chunk_codec.h"
#include "service/codec/message.h"
#include "service/retrieval/record.h"
#include "service/retrieval/retrieval.h"
#include "service/schema/checks.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#define FIELD_CHUNKS 1
#define PAGE_CHUNKS_MAX 1024

struct list_chunks {
	struct collection *collection;
	struct snapshot *snapshot;
	unsigned fields;
	uint64_t place, left;
	struct arena record;
};

static status list_chunks_request(struct rpc_call *call, struct bytes message)
{
	struct list_chunks *list = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__ListChunksRequest *request;

	TRY(message_unpack(arena, &sluice__v1__list_chunks_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__ListChunksRequest *)unpacked;
	arena_init(&list->record, RECORD_ARENA_BYTES);
	TRY(check_list(arena, request));
	TRY(read_mask_decode(arena, request->read_mask, &list->fields));
	list->left = request->_limit_case ? request->limit : UINT64_MAX;
	TRY(database_acquire(services->database, bytes_of_string(request->collection), arena,
			     &list->collection));
	return snapshot_acquire(list->collection, &list->snapshot);
}

static status list_check(struct rpc_call *call, const struct list_chunks *list)
{
	if (collection_is_dropped(list->collection))
		return status_make(STATUS_FAILED_PRECONDITION, "the collection was deleted");
	if (rpc_drain_phase(call) == RPC_ENDING)
		return status_make(STATUS_UNAVAILABLE, "the server is draining");
	return deadline_check(rpc_deadline(call));
}

static enum rpc_step list_chunks_next(struct rpc_call *call, struct buffer *page)
{
	struct list_chunks *list = rpc_state(call);
	uint64_t places = snapshot_places(list->snapshot);

	for (size_t n = 0; n < PAGE_CHUNKS_MAX && page->size < PAGE_BYTES; list->place++) {
		status checked = list_check(call, list);

		if (status_failed(checked))
			return rpc_fail(call, checked);
		if (list->place >= places || list->left == 0)
			return RPC_LAST;
		if (!snapshot_visible(list->snapshot, list->place))
			continue;
		checked = record_append(list->collection, snapshot_row(list->snapshot, list->place),
					list->fields, &list->record, page, FIELD_CHUNKS);
		if (status_failed(checked))
			return rpc_fail(call, checked);
		list->left--;
		n++;
	}
	return RPC_MESSAGE;
}

static void list_chunks_close(struct rpc_call *call)
{
	struct list_chunks *list = rpc_state(call);

	snapshot_release(list->snapshot);
	collection_release(list->collection);
	arena_finish(&list->record);
}

const struct rpc_method list_chunks_method = {
	.path = "/sluice.v1.RetrievalService/ListChunks",
	.state_size = sizeof(struct list_chunks),
	.request = list_chunks_request,
	.next = list_chunks_next,
	.close = list_chunks_close,
	.is_long = services_always_long,
};
