/* list_collections - CollectionService.ListCollections, by name. The page token says the last name of
 * the page before; its form is nobody's business but this file's. */
#include "kernels/base/error_info.h"
#include "service/codec/message.h"
#include "service/collections/collections.h"
#include "service/rpc/protobuf_arena.h"

#define FIELD_COLLECTIONS 1
#define TOKEN_PREFIX "after:"
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

/* The name behind which a page begins: "" at the start. A token that this server never gave would begin
 * somewhere, and nobody would see that it was none. */
static status token_decode(struct arena *arena, const char *token, struct bytes *ret_after)
{
	const size_t n = sizeof TOKEN_PREFIX - 1;
	status invalid;

	if (token[0] == 0 || (strncmp(token, TOKEN_PREFIX, n) == 0 && token[n] != 0)) {
		*ret_after = bytes_of_string(token[0] ? token + n : token);
		return status_ok();
	}
	invalid = status_make(STATUS_INVALID_ARGUMENT,
			      "page_token: not a next_page_token of this server");
	invalid = status_reason(invalid, arena, REASON_PAGE_TOKEN_INVALID, NULL);
	return status_field(invalid, arena, "page_token");
}

static status list_collections_request(struct rpc_call *call, struct bytes message)
{
	struct list_collections *list = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__ListCollectionsRequest *request;
	struct bytes after;

	TRY(message_unpack(arena, &sluice__v1__list_collections_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__ListCollectionsRequest *)unpacked;
	TRY(token_decode(arena, request->page_token, &after));
	list->page_size = page_size(request);
	arena_init(&list->arena, PAGE_ARENA_BYTES);
	/* One more than the page tells whether there is a next one. */
	return database_list(services->database, after, list->page_size + 1, &list->arena,
			     &list->names, &list->n);
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

	/* Closed ones say nothing of themselves. */
	for (size_t i = 0; i < n; i++)
		if (rpc_allows(call, list->names[i]) && !services_await(call, list->names[i]))
			return RPC_WAIT;
	/* Sixty-four fields of long names make a collection 5 KB: a page is cut where the message
	 * would grow past its bound, and the token goes on from there. */
	for (; at < n && ret->size < RPC_MESSAGE_OUT_MAX - 65536; at++) {
		status appended;

		if (!rpc_allows(call, list->names[at]))
			continue;
		appended = append_collection(services, arena, list->names[at], ret);
		if (status_failed(appended))
			return rpc_fail(call, appended);
	}
	if (at < list->n) {
		rest.next_page_token =
			arena_printf(arena, TOKEN_PREFIX "%.*s", (int)list->names[at - 1].size,
				     (const char *)list->names[at - 1].data);
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
