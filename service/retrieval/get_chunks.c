/* get_chunks - RetrievalService.GetChunks: chunks by id, in the order asked for.
 *
 * The ids are resolved at once, under a snapshot taken before: a row that was found can then die,
 * but its record stays until the snapshot is released.
 */
#include "index/snapshot.h"
#include "service/codec/chunk_codec.h"
#include "service/codec/message.h"
#include "service/retrieval/record.h"
#include "service/retrieval/retrieval.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#define FIELD_CHUNKS 1

struct get_chunks {
	struct collection *collection;
	struct snapshot *snapshot;
	unsigned fields;
	uint64_t *rows; /* [n_rows] found, in the order asked for */
	size_t n_rows, at;
	char **missing; /* [n_missing] */
	size_t n_missing;
	struct arena record;
	struct collection_reader reader; /* of the page in hand */
};

static status resolve(struct get_chunks *get, struct arena *arena,
		      const Sluice__V1__GetChunksRequest *request)
{
	SCOPED(collection_reader) reader = &get->reader;

	get->rows = ARENA_ARRAY(arena, uint64_t, request->n_ids);
	get->missing = ARENA_ARRAY(arena, char *, request->n_ids);
	if (!get->rows || !get->missing)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "the call's memory is used up");
	for (size_t i = 0; i < request->n_ids; i++) {
		bool found = false;
		uint64_t row = 0;

		TRY(collection_reader_find(reader, bytes_of_string(request->ids[i]), arena, &found,
					   &row));
		if (found)
			get->rows[get->n_rows++] = row;
		else
			get->missing[get->n_missing++] = request->ids[i];
	}
	return status_ok();
}

static status get_chunks_request(struct rpc_call *call, struct bytes message)
{
	struct get_chunks *get = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__GetChunksRequest *request;

	TRY(message_unpack(arena, &sluice__v1__get_chunks_request__descriptor, message, &unpacked));
	request = (const Sluice__V1__GetChunksRequest *)unpacked;
	arena_init(&get->record, RECORD_ARENA_BYTES);
	TRY(read_mask_decode(arena, request->read_mask, &get->fields));
	TRY(database_acquire(services->database, bytes_of_string(request->collection), arena,
			     &get->collection));
	get->reader = collection_reader_of(get->collection);
	TRY(snapshot_acquire(get->collection, &get->snapshot));
	return resolve(get, arena, request);
}

static enum rpc_step get_chunks_next(struct rpc_call *call, struct buffer *page)
{
	struct get_chunks *get = rpc_state(call);
	SCOPED(collection_reader) reader = &get->reader;
	Sluice__V1__GetChunksResponse last = SLUICE__V1__GET_CHUNKS_RESPONSE__INIT;

	while (get->at < get->n_rows) {
		status appended = deadline_check(rpc_deadline(call));

		if (page->size >= PAGE_BYTES)
			return RPC_MESSAGE;
		if (!status_failed(appended))
			appended = record_append(reader, get->rows[get->at++], get->fields,
						 &get->record, page, FIELD_CHUNKS);
		if (status_failed(appended))
			return rpc_fail(call, appended);
	}
	/* At most 1,000 ids of 512 bytes: they fit behind any page. */
	last.missing_ids = get->missing;
	last.n_missing_ids = get->n_missing;
	buffer_pack(page, &last.base);
	return RPC_LAST;
}

static void get_chunks_close(struct rpc_call *call)
{
	struct get_chunks *get = rpc_state(call);

	snapshot_release(get->snapshot);
	collection_release(get->collection);
	arena_finish(&get->record);
}

const struct rpc_method get_chunks_method = {
	.path = "/sluice.v1.RetrievalService/GetChunks",
	.state_size = sizeof(struct get_chunks),
	.is_ready = services_is_ready,
	.request = get_chunks_request,
	.next = get_chunks_next,
	.close = get_chunks_close,
	.is_long = services_always_long,
};
