/* upsert_chunks - IngestService.UpsertChunks: batches in, an acknowledgement for each, in order.
 *
 * A message becomes a struct batch with an arena of its own: decoded and checked here, then handed
 * to the collection's writer, whose thread sets the result and wakes the call. Batches stand in a
 * queue in the order of arrival; only the call's own functions touch the queue. A batch that is
 * refused takes its place in it too: the acknowledgements before it go out first, then the stream
 * ends, and nothing behind it is read. At most BATCHES_MAX wait for the writer; the rest stays with
 * the client by flow control.
 */
#include "index/collection.h"
#include "service/codec/chunk_codec.h"
#include "service/codec/message.h"
#include "service/ingest/ingest.h"
#include "service/rpc/protobuf_arena.h"
#include "service/schema/checks.h"
#include "service/schema/wire_strings.h"
#include "sluice/v1/ingest_service.pb-c.h"

#include <stdlib.h>

/* Enough that one can be decoded and one acknowledged while two share a commit. */
#define BATCHES_MAX 4

struct batch {
	struct write write; /* first: the writer gives its address back */
	struct rpc_call *call;
	struct collection *collection;
	struct arena arena;
	uint64_t sequence;
	bool refused;     /* never reached the writer; why is in write.result */
	atomic_bool done; /* set last by the writer's thread */
	struct batch *next;
};

struct upsert {
	struct batch *first, **last; /* in order of arrival */
	size_t n;
	bool failed; /* a batch was refused: read no more */
};

static void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	collection_release(batch->collection);
	arena_finish(&batch->arena);
	free(batch);
}

SCOPE_DEFINE(batch, batch_free)

static int compare_ids(const void *left, const void *right)
{
	const struct chunk *const *a = (const struct chunk *const *)left;
	const struct chunk *const *b = (const struct chunk *const *)right;

	return bytes_compare((*a)->id, (*b)->id);
}

/* An id twice in a batch is a mistake of the client that nobody can resolve. */
static status check_distinct(struct arena *arena, const struct chunk *chunks, size_t n)
{
	const struct chunk **sorted = ARENA_ARRAY(arena, const struct chunk *, n);

	if (!sorted)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "the batch's memory is used up");
	for (size_t i = 0; i < n; i++)
		sorted[i] = &chunks[i];
	qsort((void *)sorted, n, sizeof *sorted, compare_ids);
	for (size_t i = 1; i < n; i++)
		if (bytes_equal(sorted[i - 1]->id, sorted[i]->id))
			return status_format(
				arena, STATUS_INVALID_ARGUMENT, "chunks: id \"%.*s\" comes twice",
				(int)sorted[i]->id.size, (const char *)sorted[i]->id.data);
	return status_ok();
}

static status check_dimension(struct arena *arena, const struct collection_config *config,
			      const Sluice__V1__UpsertChunksRequest *request)
{
	for (size_t i = 0; i < request->n_chunks; i++)
		if (request->chunks[i]->vector->n_values != config->dim)
			return status_format(arena, STATUS_INVALID_ARGUMENT,
					     "chunks[%zu].vector: %zu values, collection \"%s\" "
					     "has dimension %u",
					     i, request->chunks[i]->vector->n_values, config->name,
					     config->dim);
	return status_ok();
}

/* Bytes to a checked write. The sequence is known as soon as the message parses. */
static status batch_decode(struct batch *batch, const struct services *services,
			   struct bytes message)
{
	struct arena *arena = &batch->arena;
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__UpsertChunksRequest *request;
	struct chunk *chunks;

	TRY(message_parse(arena, &sluice__v1__upsert_chunks_request__descriptor, message,
			  &unpacked));
	request = (const Sluice__V1__UpsertChunksRequest *)unpacked;
	batch->sequence = request->sequence;
	TRY(wire_check_strings(arena, &sluice__v1__upsert_chunks_request__descriptor, message));
	TRY(check_upsert(arena, request));
	TRY(database_acquire(services->database, bytes_of_string(request->collection), arena,
			     &batch->collection));
	TRY(check_dimension(arena, collection_config(batch->collection), request));
	chunks = ARENA_ARRAY(arena, struct chunk, request->n_chunks);
	if (!chunks)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "the batch's memory is used up");
	for (size_t i = 0; i < request->n_chunks; i++)
		TRY(chunk_decode(arena, request->chunks[i], &chunks[i]));
	TRY(check_distinct(arena, chunks, request->n_chunks));
	batch->write.chunks = chunks;
	batch->write.n = request->n_chunks;
	return collection_prepare_upsert(batch->collection, chunks, request->n_chunks, arena);
}

/* On the writer's thread. The hold keeps the call, and with it the batch, until it returns. */
static void batch_done(struct write *write)
{
	struct batch *batch = (struct batch *)write;
	struct rpc_call *call = batch->call;

	atomic_store_explicit(&batch->done, true, memory_order_release);
	rpc_wake(call);
	rpc_unhold(call);
}

static status upsert_open(struct rpc_call *call)
{
	struct upsert *upsert = rpc_state(call);

	upsert->last = &upsert->first;
	return status_ok();
}

static status upsert_request(struct rpc_call *call, struct bytes message)
{
	struct upsert *upsert = rpc_state(call);
	struct batch *batch = calloc(1, sizeof *batch);
	status decoded;

	if (!batch)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "no memory for a batch");
	arena_init(&batch->arena, rpc_arena_bytes(message.size));
	atomic_init(&batch->done, false);
	batch->call = call;
	batch->write.kind = WRITE_UPSERT;
	batch->write.arena = &batch->arena;
	batch->write.done = batch_done;
	*upsert->last = batch;
	upsert->last = &batch->next;
	upsert->n++;

	decoded = batch_decode(batch, rpc_context(call), message);
	if (status_failed(decoded)) {
		batch->refused = true;
		batch->write.result = decoded;
		upsert->failed = true;
		atomic_store_explicit(&batch->done, true, memory_order_release);
		rpc_wake(call);
		return status_ok();
	}
	rpc_hold(call);
	collection_write(batch->collection, &batch->write);
	return status_ok();
}

static bool upsert_wants_request(struct rpc_call *call)
{
	const struct upsert *upsert = rpc_state(call);

	return !upsert->failed && upsert->n < BATCHES_MAX && rpc_drain_phase(call) == RPC_SERVING;
}

static struct batch *take_first(struct upsert *upsert)
{
	struct batch *batch = upsert->first;

	upsert->first = batch->next;
	if (!upsert->first)
		upsert->last = &upsert->first;
	upsert->n--;
	return batch;
}

static enum rpc_step acknowledge(const struct batch *batch, struct buffer *ret)
{
	Sluice__V1__UpsertChunksResponse response = SLUICE__V1__UPSERT_CHUNKS_RESPONSE__INIT;

	response.sequence = batch->sequence;
	response.inserted = (uint32_t)batch->write.inserted;
	response.replaced = (uint32_t)batch->write.replaced;
	response.generation = batch->write.generation;
	buffer_pack(ret, &response.base);
	return RPC_MESSAGE;
}

static enum rpc_step upsert_next(struct rpc_call *call, struct buffer *ret)
{
	struct upsert *upsert = rpc_state(call);
	SCOPED(batch) batch = NULL;

	if (!upsert->first) {
		if (rpc_is_half_closed(call))
			return RPC_END;
		if (rpc_drain_phase(call) != RPC_SERVING)
			return rpc_fail(call,
					status_make(STATUS_UNAVAILABLE, "the server is draining"));
		return RPC_WAIT;
	}
	if (!atomic_load_explicit(&upsert->first->done, memory_order_acquire))
		return RPC_WAIT;
	batch = take_first(upsert);
	if (!status_failed(batch->write.result))
		return acknowledge(batch, ret);
	upsert->failed = true;
	return rpc_fail(call, status_format(rpc_arena(call), batch->write.result.code,
					    "batch %llu: %s", (unsigned long long)batch->sequence,
					    batch->write.result.detail));
}

static void upsert_close(struct rpc_call *call)
{
	struct upsert *upsert = rpc_state(call);

	while (upsert->first)
		batch_free(take_first(upsert));
}

const struct rpc_method upsert_chunks_method = {
	.path = "/sluice.v1.IngestService/UpsertChunks",
	.client_streams = true,
	.state_size = sizeof(struct upsert),
	.open = upsert_open,
	.request = upsert_request,
	.next = upsert_next,
	.close = upsert_close,
	.is_long = services_always_long,
	.wants_request = upsert_wants_request,
};
