/* list_chunks - RetrievalService.ListChunks: a snapshot's chunks in the order of writing. */
#include "index/selection.h"
#include "index/snapshot.h"
#include "service/codec/chunk_codec.h"
#include "service/codec/filter_codec.h"
#include "service/codec/message.h"
#include "service/cursors.h"
#include "service/retrieval/record.h"
#include "service/retrieval/resume.h"
#include "service/retrieval/retrieval.h"
#include "sluice/v1/retrieval_service.pb-c.h"

enum { FIELD_CHUNKS = 1, FIELD_TOKEN = 2 };
#define PAGE_CHUNKS_MAX 1024

struct list_chunks {
	struct collection *collection;
	struct snapshot *snapshot;
	struct filter filter;
	struct places *places; /* made by the first next, where there is a filter */
	unsigned fields;
	uint64_t place, left;
	struct resume_token token; /* behind the last chunk that was sent */
	struct arena record;
	struct collection_reader reader; /* of the page in hand */
	const struct services *services;
	struct cursor_entry entry; /* for its snapshot, which may have to go */
};

/* The snapshot, and the place in it. */
static status list_begin(struct list_chunks *list, const struct services *services,
			 const Sluice__V1__ListChunksRequest *request, struct arena *arena)
{
	const struct resume_key *key = database_resume_key(services->database);
	struct bytes token = bytes_of(request->resume_token.data, request->resume_token.len);

	TRY(resume_asked_list(key, list->collection, request->filter, &list->token));
	if (token.size > 0) {
		TRY(resume_check(key, token, arena, &list->token));
		TRY(resume_snapshot(list->collection, &list->token, false, arena, &list->snapshot));
		if (list->token.has_last)
			list->place = snapshot_seek(list->snapshot, list->token.last_row + 1);
	} else {
		TRY(snapshot_acquire(list->collection, &list->snapshot));
	}
	list->token.generation = snapshot_generation(list->snapshot);
	list->token.row_limit = snapshot_row_limit(list->snapshot);
	return status_ok();
}

static status list_enter(struct list_chunks *list, struct rpc_call *call)
{
	list->services = rpc_context(call);
	list->entry.call = call;
	list->entry.is_list = true;
	atomic_store(&list->entry.active_ns, clock_ns());
	atomic_store(&list->entry.snapshot, list->snapshot);
	return cursors_add(list->services->cursors, &list->entry, rpc_arena(call));
}

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
	TRY(read_mask_decode(arena, request->read_mask, &list->fields));
	list->left = request->_limit_case ? request->limit : UINT64_MAX;
	TRY(database_acquire(services->database, bytes_of_string(request->collection), arena,
			     &list->collection));
	list->reader = collection_reader_of(list->collection);
	TRY(filter_decode(arena, request->filter, collection_config(list->collection),
			  &list->filter));
	TRY(list_begin(list, services, request, arena));
	return list_enter(list, call);
}

static status list_check(struct rpc_call *call, const struct list_chunks *list)
{
	const char *released_by = atomic_load(&list->entry.released_by);

	if (!released_by)
		released_by = snapshot_pressed_by(list->snapshot);
	if (released_by)
		return resume_released(list->snapshot, released_by, rpc_arena(call));
	if (collection_is_dropped(list->collection))
		return collection_deleted(list->collection, rpc_arena(call));
	if (rpc_drain_phase(call) == RPC_ENDING)
		return rpc_draining();
	return deadline_check(rpc_deadline(call));
}

static status list_select(struct rpc_call *call, struct list_chunks *list)
{
	if (list->places || filter_is_empty(&list->filter))
		return status_ok();
	return selection_make(list->snapshot, &list->filter, rpc_deadline(call), rpc_arena(call),
			      &list->places);
}

/* Goes to the next place that is to be sent, if the one in hand is not; false where none is left. */
static bool list_find(struct list_chunks *list)
{
	uint64_t places = snapshot_places(list->snapshot);

	if (list->places)
		return places_next(list->places, list->place, &list->place);
	if (list->place < places && snapshot_visible(list->snapshot, list->place))
		return true;
	/* Of dead rows there may be many. */
	collection_reader_rest(&list->reader);
	while (list->place < places && !snapshot_visible(list->snapshot, list->place))
		list->place++;
	return list->place < places;
}

static void append_token(struct rpc_call *call, const struct list_chunks *list, struct buffer *page)
{
	const struct services *services = rpc_context(call);
	uint8_t token[RESUME_TOKEN_BYTES];

	resume_token_encode(database_resume_key(services->database), &list->token, token);
	resume_token_append(page, FIELD_TOKEN, token);
}

static status append_chunk(struct list_chunks *list, struct buffer *page)
{
	uint64_t row = snapshot_row(list->snapshot, list->place);

	TRY(record_append(&list->reader, row, list->fields, &list->record, page, FIELD_CHUNKS));
	list->token.has_last = true;
	list->token.last_row = row;
	list->token.rank++;
	list->left--;
	return status_ok();
}

static enum rpc_step list_chunks_next(struct rpc_call *call, struct buffer *page)
{
	struct list_chunks *list = rpc_state(call);
	SCOPED(collection_reader) reader = &list->reader;
	status selected = list_select(call, list);

	atomic_store(&list->entry.active_ns, clock_ns());
	if (status_failed(selected)) {
		status why = list_check(call, list);

		return rpc_fail(call, status_failed(why) ? why : selected);
	}
	for (size_t n = 0; n < PAGE_CHUNKS_MAX && page->size < PAGE_BYTES; list->place++) {
		status checked = list_check(call, list);

		if (status_failed(checked))
			return rpc_fail(call, checked);
		/* Where nothing is left there is nothing to go on with, whatever the limit. */
		if (!list_find(list))
			return RPC_LAST;
		if (list->left == 0) {
			append_token(call, list, page);
			return RPC_LAST;
		}
		checked = append_chunk(list, page);
		if (status_failed(checked))
			return rpc_fail(call, checked);
		n++;
	}
	append_token(call, list, page);
	return RPC_MESSAGE;
}

static void list_chunks_close(struct rpc_call *call)
{
	struct list_chunks *list = rpc_state(call);

	if (list->services)
		cursors_remove(list->services->cursors, &list->entry);
	places_close(list->places);
	snapshot_release(list->snapshot);
	collection_release(list->collection);
	arena_finish(&list->record);
}

const struct rpc_method list_chunks_method = {
	.path = "/sluice.v1.RetrievalService/ListChunks",
	.state_size = sizeof(struct list_chunks),
	.is_ready = services_is_ready,
	.request = list_chunks_request,
	.next = list_chunks_next,
	.close = list_chunks_close,
	.is_long = services_always_long,
};
