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
#include "kernels/base/error_info.h"
#include "service/codec/chunk_codec.h"
#include "service/codec/message.h"
#include "service/ingest/ingest.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/ingest_service.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

/* Enough that one can be decoded and one acknowledged while two share a commit. */
#define BATCHES_MAX 4
/* Of a chunk without its vector, encoded. */
#define CHUNK_BYTES_MAX (96 << 10)
#define FIELD_SEQUENCE 2

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

static status comes_twice(struct arena *arena, struct bytes id)
{
	status s = status_format(arena, STATUS_INVALID_ARGUMENT, "chunks: id \"%.*s\" comes twice",
				 (int)id.size, (const char *)id.data);

	s = status_reason(s, arena, REASON_DUPLICATE_ID, "chunk_id", ERROR_BYTES(id), NULL);
	return status_field(s, arena, "chunks");
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
			return comes_twice(arena, sorted[i]->id);
	return status_ok();
}

static status wrong_dimension(struct arena *arena, const struct collection_config *config,
			      const Sluice__V1__UpsertChunksRequest *request, size_t i)
{
	const Sluice__V1__Chunk *chunk = request->chunks[i];
	size_t found = chunk->vector->n_values;
	char field[64];
	status s =
		status_format(arena, STATUS_INVALID_ARGUMENT,
			      "chunks[%zu].vector: %zu values, collection \"%s\" has dimension %u",
			      i, found, config->name, config->dim);

	s = status_reason(s, arena, REASON_DIMENSION_MISMATCH, "collection", config->name,
			  "expected", ERROR_NUMBER(config->dim), "found", ERROR_NUMBER(found),
			  "chunk_id", chunk->id, NULL);
	snprintf(field, sizeof field, "chunks[%zu].vector.values", i);
	return status_field(s, arena, field);
}

static status check_dimension(struct arena *arena, const struct collection_config *config,
			      const Sluice__V1__UpsertChunksRequest *request)
{
	for (size_t i = 0; i < request->n_chunks; i++)
		if (request->chunks[i]->vector->n_values != config->dim)
			return wrong_dimension(arena, config, request, i);
	return status_ok();
}

static status missing_vector(struct arena *arena, const Sluice__V1__Chunk *chunk, size_t i)
{
	char field[64];
	status s;

	snprintf(field, sizeof field, "chunks[%zu].vector", i);
	s = status_format(arena, STATUS_INVALID_ARGUMENT, "%s: is required on upsert", field);
	s = status_reason(s, arena, REASON_SCHEMA_VIOLATION, "field", field, "chunk_id", chunk->id,
			  NULL);
	return status_field(s, arena, field);
}

static status chunk_too_large(struct arena *arena, const Sluice__V1__Chunk *chunk, size_t i,
			      size_t size)
{
	char field[64];
	status s;

	snprintf(field, sizeof field, "chunks[%zu]", i);
	s = status_format(arena, STATUS_INVALID_ARGUMENT,
			  "%s: %zu bytes without the vector, at most %d", field, size,
			  CHUNK_BYTES_MAX);
	s = status_reason(s, arena, REASON_CHUNK_TOO_LARGE, "limit_bytes",
			  ERROR_NUMBER(CHUNK_BYTES_MAX), "found_bytes", ERROR_NUMBER(size),
			  "chunk_id", chunk->id, NULL);
	return status_field(s, arena, field);
}

/* What a chunk has to be on the way in, and no annotation says: a hit is a chunk too. */
static status check_chunk(struct arena *arena, Sluice__V1__Chunk *chunk, size_t i)
{
	Sluice__V1__Vector *vector = chunk->vector;
	size_t size;

	if (!vector)
		return missing_vector(arena, chunk, i);
	chunk->vector = NULL;
	size = sluice__v1__chunk__get_packed_size(chunk);
	chunk->vector = vector;
	return size > CHUNK_BYTES_MAX ? chunk_too_large(arena, chunk, i, size) : status_ok();
}

/* Bytes to a checked write. The sequence is known even of a message that is refused. */
static status batch_decode(struct batch *batch, const struct services *services,
			   struct bytes message)
{
	struct arena *arena = &batch->arena;
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__UpsertChunksRequest *request;
	struct chunk *chunks;

	batch->sequence = message_peek(message, FIELD_SEQUENCE);
	TRY(message_unpack(arena, &sluice__v1__upsert_chunks_request__descriptor, message,
			   &unpacked));
	request = (const Sluice__V1__UpsertChunksRequest *)unpacked;
	for (size_t i = 0; i < request->n_chunks; i++)
		TRY(check_chunk(arena, request->chunks[i], i));
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
	arena_init(&batch->arena, rpc_arena_bytes(call, message.size));
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

/* With the batch's number, which the contract promises. */
static status failure_of(const struct batch *batch, struct arena *arena)
{
	status result = batch->write.result;
	enum error_reason reason =
		result.info ? result.info->reason : error_reason_of_code(result.code);
	status s = status_format(arena, result.code, "batch %llu: %s",
				 (unsigned long long)batch->sequence, result.detail);

	return status_reason(status_with(s, result.info), arena, reason, "sequence",
			     ERROR_NUMBER(batch->sequence), NULL);
}

static enum rpc_step upsert_next(struct rpc_call *call, struct buffer *ret)
{
	struct upsert *upsert = rpc_state(call);
	SCOPED(batch) batch = NULL;

	if (!upsert->first) {
		if (rpc_is_half_closed(call))
			return RPC_END;
		if (rpc_drain_phase(call) != RPC_SERVING)
			return rpc_fail(call, rpc_draining());
		return RPC_WAIT;
	}
	if (!atomic_load_explicit(&upsert->first->done, memory_order_acquire))
		return RPC_WAIT;
	batch = take_first(upsert);
	if (!status_failed(batch->write.result))
		return acknowledge(batch, ret);
	upsert->failed = true;
	return rpc_fail(call, failure_of(batch, rpc_arena(call)));
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
	.is_ready = services_is_ready,
	.request = upsert_request,
	.next = upsert_next,
	.close = upsert_close,
	.is_long = services_always_long,
	.wants_request = upsert_wants_request,
};
