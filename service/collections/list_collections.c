/* list_collections - CollectionService.ListCollections, by name. The page token is the last name of
 * the page before. */
#include "service/codec/message.h"
#include "service/collections/collections.h"
#include "service/rpc/protobuf_arena.h"

#define FIELD_COLLECTIONS 1
#define PAGE_DEFAULT 100
#define PAGE_MAX 1000
/* A page of collections as messages, each of at most 64 fields: far above what a request so small
 * may use of its call's arena. */
#define PAGE_ARENA_BYTES ((size_t)16 << 20)

struct list_collections {
	struct bytes *names; /* [n] */
	size_t n, page_size;
	struct arena arena;
};

static size_t page_size(const Sluice__V1__ListCollectionsRequest *request)
{
	if (request->page_size == 0)
		return PAGE_DEFAULT;
	return request->page_size > PAGE_MAX ? PAGE_MAX : (size_t)request->page_size;
}

static status list_collections_request(struct rpc_call *call, struct bytes message)
{
	struct list_collections *list = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__ListCollectionsRequest *request;

	TRY(message_unpack(arena, &sluice__v1__list_collections_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__ListCollectionsRequest *)unpacked;
	list->page_size = page_size(request);
	arena_init(&list->arena, PAGE_ARENA_BYTES);
	/* One more than the page tells whether there is a next one. */
	return database_list(services->database, bytes_of_string(request->page_token),
			     list->page_size + 1, &list->arena, &list->names, &list->n);
}

/* One that was dropped since, or that cannot be opened, is left out. */
static status append_collection(const struct services *services, struct arena *arena,
				struct bytes name, struct buffer *ret)
{
	SCOPED(collection) collection = NULL;
	Sluice__V1__Collection *message = NULL;

	if (status_failed(database_acquire(services->database, name, arena, &collection)))
		return status_ok();
	TRY(collection_to_message(arena, collection_config(collection), &message));
	buffer_append_message(ret, FIELD_COLLECTIONS, &message->base);
	return status_ok();
}

static enum rpc_step list_collections_next(struct rpc_call *call, struct buffer *ret)
{
	struct list_collections *list = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = &list->arena;
	Sluice__V1__ListCollectionsResponse rest = SLUICE__V1__LIST_COLLECTIONS_RESPONSE__INIT;
	size_t n = list->n < list->page_size ? list->n : list->page_size, at = 0;

	/* Sixty-four fields of long names make a collection 5 KB: a page is cut where the message
	 * would grow past its bound, and the token goes on from there. */
	for (; at < n && ret->size < RPC_MESSAGE_OUT_MAX - 65536; at++) {
		status appended = append_collection(services, arena, list->names[at], ret);

		if (status_failed(appended))
			return rpc_fail(call, appended);
	}
	if (at < list->n) {
		rest.next_page_token =
			arena_copy(arena, list->names[at - 1].data, list->names[at - 1].size);
		if (!rest.next_page_token)
			return rpc_fail(call, status_make(STATUS_RESOURCE_EXHAUSTED,
							  "the call's memory is used up"));
	}
	buffer_pack(ret, &rest.base);
	return RPC_LAST;
}

static void list_collections_close(struct rpc_call *call)
{
	struct list_collections *list = rpc_state(call);

	arena_finish(&list->arena);
}

const struct rpc_method list_collections_method = {
	.path = "/sluice.v1.CollectionService/ListCollections",
	.state_size = sizeof(struct list_collections),
	.request = list_collections_request,
	.next = list_collections_next,
	.close = list_collections_close,
};
