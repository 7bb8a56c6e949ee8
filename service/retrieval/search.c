/* search - RetrievalService.Search: the walk of a cursor, a page at a time.
 *
 * request opens everything and does no work; next fills one page and is not called again before the
 * page is on its way, so the reader's pace is the pace of the walk. Between pages the call is data:
 * no thread waits, no transaction is open.
 */
#include "index/cursor/exact.h"
#include "index/snapshot.h"
#include "kernels/score.h"
#include "service/codec/chunk_codec.h"
#include "service/retrieval/record.h"
#include "service/retrieval/retrieval.h"
#include "service/retrieval/search_request.h"
#include "service/retrieval/summary.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#define FIELD_HITS 1

/* Bytes of vectors that a scan reads in half a millisecond: above it a page is worth a hand-over to
 * the workers. */
#define SHORT_SCAN_BYTES ((size_t)8 << 20)

struct search {
	struct search_request request;
	struct collection *collection;
	struct snapshot *snapshot;
	struct cursor *cursor;
	struct walk walk;
	struct arena record;    /* one hit's, until it is on the page */
	struct hit_batch batch; /* the cursor's, from which batch_at hits are sent */
	size_t batch_at;
	uint64_t returned, tokens, text_bytes;
	int64_t start_ns;
	bool drained; /* the summary of a drain was sent: UNAVAILABLE comes next */
};

/* The query vector: scaled for cosine. */
static status query_from_vector(struct search *search, struct arena *arena, const float **ret)
{
	const struct collection_config *config = collection_config(search->collection);
	float *vector = search->request.vector;

	if (search->request.dim != config->dim)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "vector: %u values, collection \"%s\" has dimension %u",
				     search->request.dim, config->name, config->dim);
	if (config->metric == METRIC_COSINE && !vector_normalise(vector, config->dim))
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "vector: all zero, which has no direction; collection \"%s\" "
				     "compares by cosine",
				     config->name);
	*ret = vector;
	return status_ok();
}

/* The vector of a stored chunk, in a snapshot that sees its present version. A replacement that
 * commits between the look-up and the pin makes the two disagree: then both are done again. */
static status query_from_chunk(struct search *search, struct arena *arena, const float **ret,
			       uint64_t *ret_place)
{
	struct bytes id = search->request.chunk_id;

	for (;;) {
		bool found = false;
		uint64_t row = 0;

		TRY(collection_find(search->collection, id, arena, &found, &row));
		if (!found)
			return status_format(arena, STATUS_NOT_FOUND,
					     "chunk_id: no chunk \"%.*s\" in collection \"%s\"",
					     (int)id.size, (const char *)id.data,
					     collection_config(search->collection)->name);
		if (snapshot_find(search->snapshot, row, ret_place))
			break;
		TRY(deadline_check(search->walk.deadline));
		snapshot_release(TAKE(search->snapshot));
		TRY(snapshot_acquire(search->collection, &search->snapshot));
	}
	*ret = snapshot_vector(search->snapshot, *ret_place);
	return status_ok();
}

static status open_chain(struct search *search, const struct services *services, const float *query,
			 const uint64_t *without)
{
	const struct search_request *request = &search->request;
	const struct exact_options options = {
		.snapshot = search->snapshot,
		.scanner = services->scanner,
		.scanner_cpu = services->scanner_cpu,
		.query = query,
		/* One more where one is left out again: the first page is whole. */
		.batch = request->page_hits + (without && request->page_hits < PAGE_HITS_MAX),
		.walk = &search->walk,
	};
	SCOPED(cursor) chain = NULL;

	TRY(exact_open(&options, &chain));
	if (without)
		TRY(without_open(TAKE(chain), *without, &chain));
	if (request->has_min_score)
		TRY(floor_open(TAKE(chain), request->min_score, &chain));
	TRY(limit_open(TAKE(chain), request->limit, &chain));
	search->cursor = TAKE(chain);
	return status_ok();
}

static status search_request(struct rpc_call *call, struct bytes message)
{
	struct search *search = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct arena *arena = rpc_arena(call);
	const float *query = NULL;
	uint64_t place = 0;
	bool by_chunk;

	search->start_ns = clock_ns();
	search->walk = (struct walk){.deadline = rpc_deadline(call), .arena = arena};
	arena_init(&search->record, RECORD_ARENA_BYTES);
	TRY(search_request_decode(arena, message, &search->request));
	TRY(database_acquire(services->database, search->request.collection, arena,
			     &search->collection));
	TRY(snapshot_acquire(search->collection, &search->snapshot));
	by_chunk = !search->request.vector;
	TRY(by_chunk ? query_from_chunk(search, arena, &query, &place)
		     : query_from_vector(search, arena, &query));
	return open_chain(search, services, query, by_chunk ? &place : NULL);
}

static status append_hit(struct search *search, struct hit hit, struct buffer *page)
{
	uint64_t row = snapshot_row(search->snapshot, hit.place);
	Sluice__V1__Hit message = SLUICE__V1__HIT__INIT;
	Sluice__V1__Chunk chunk_message;
	struct chunk chunk = {0};

	/* The record is read even where only the vector is asked for: the summary counts its text.
	 */
	TRY(record_fetch(search->collection, row, search->request.fields | READ_RECORD,
			 &search->record, &chunk));
	TRY(chunk_to_message(&search->record, &chunk, search->request.fields,
			     collection_config(search->collection)->dim, &chunk_message));
	message.chunk = &chunk_message;
	message.score = hit.score;
	message.rank = search->returned++;
	buffer_append_message(page, FIELD_HITS, &message.base);
	search->tokens += chunk.token_count;
	search->text_bytes += chunk.text.size;
	return status_ok();
}

static enum rpc_step append_summary(struct search *search, const struct services *services,
				    Sluice__V1__StopReason stop, struct buffer *page)
{
	const struct summary summary = {
		.stop_reason = stop,
		.returned = search->returned,
		.tokens = search->tokens,
		.text_bytes = search->text_bytes,
		.scanned = search->walk.scanned,
		.reranked = search->walk.reranked,
		.generation = snapshot_generation(search->snapshot),
		.backend = services->scanner->name,
		.elapsed_ns = clock_ns() - search->start_ns,
	};

	summary_append(page, &summary);
	return RPC_LAST;
}

static Sluice__V1__StopReason stop_to_wire(enum stop_reason stop)
{
	switch (stop) {
	case STOP_LIMIT:
		return SLUICE__V1__STOP_REASON__STOP_REASON_LIMIT;
	case STOP_EXHAUSTED:
		return SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED;
	case STOP_MIN_SCORE:
		return SLUICE__V1__STOP_REASON__STOP_REASON_MIN_SCORE;
	case STOP_NONE:
		break;
	}
	return SLUICE__V1__STOP_REASON__STOP_REASON_UNSPECIFIED;
}

/* The next batch of the cursor, where the one in hand is used up. */
static enum step refill_batch(struct search *search)
{
	if (search->batch_at < search->batch.n)
		return STEP_BATCH;
	search->batch = (struct hit_batch){0};
	search->batch_at = 0;
	return cursor_next(search->cursor, &search->batch);
}

static enum rpc_step search_next(struct rpc_call *call, struct buffer *page)
{
	struct search *search = rpc_state(call);
	const struct services *services = rpc_context(call);

	if (search->drained)
		return rpc_fail(call, status_make(STATUS_UNAVAILABLE, "the server is draining"));
	if (rpc_drain_phase(call) == RPC_ENDING) {
		search->drained = true;
		append_summary(search, services, SLUICE__V1__STOP_REASON__STOP_REASON_DRAINING,
			       page);
		return RPC_MESSAGE;
	}

	for (size_t n = 0; n < search->request.page_hits && page->size < PAGE_BYTES; n++) {
		enum step step = refill_batch(search);
		status appended;

		if (step == STEP_FAIL)
			return rpc_fail(call, search->cursor->status);
		if (step == STEP_END)
			return append_summary(search, services, stop_to_wire(search->walk.stop),
					      page);
		appended = append_hit(search, search->batch.hits[search->batch_at++], page);
		if (status_failed(appended))
			return rpc_fail(call, appended);
	}
	if (search->batch_at == search->batch.n && search->walk.stop != STOP_NONE)
		return append_summary(search, services, stop_to_wire(search->walk.stop), page);
	return RPC_MESSAGE;
}

static void search_close(struct rpc_call *call)
{
	struct search *search = rpc_state(call);

	cursor_close(search->cursor);
	snapshot_release(search->snapshot);
	collection_release(search->collection);
	arena_finish(&search->record);
}

static bool search_is_long(struct rpc_call *call)
{
	const struct search *search = rpc_state(call);

	if (!search->cursor)
		return false;
	return snapshot_places(search->snapshot) *
		       scan_stride(collection_config(search->collection)->dim) * sizeof(float) >
	       SHORT_SCAN_BYTES;
}

const struct rpc_method search_method = {
	.path = "/sluice.v1.RetrievalService/Search",
	.state_size = sizeof(struct search),
	.request = search_request,
	.next = search_next,
	.close = search_close,
	.is_long = search_is_long,
};
