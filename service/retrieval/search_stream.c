/* search_stream - pages of hits, within limit and budget. */
#include "service/retrieval/search_stream.h"

#include "index/cursor/exact.h"
#include "kernels/base/meter.h"
#include "service/codec/chunk_codec.h"
#include "service/codec/chunk_wire.h"
#include "service/retrieval/neighbors.h"
#include "service/retrieval/record.h"
#include "service/retrieval/retrieval.h"

/* The first page of a search that names no size: what a reader sees first should not wait for what
 * he may never read. */
#define FIRST_PAGE_HITS 16
/* A page ends once it has so much text. */
#define PAGE_TEXT_BYTES ((uint64_t)64 << 10)
/* With neighbours a single hit may take three quarters of a message. */
#define PAGE_BYTES_BEFORE_NEIGHBORS ((size_t)512 << 10)
/* What stands behind the hits: a token and a summary. */
#define PAGE_TAIL_BYTES ((size_t)4096)
/* Of a hit with its text, usually: a page of up to FIRST_PAGE_HITS then need not move as it grows. */
#define HIT_BYTES_USUAL ((size_t)1024)
#define SKIPPED_IN_ROW_MAX 100

static bool has_neighbors(const struct search_stream *stream)
{
	return stream->request.before > 0 || stream->request.after > 0;
}

/* Why a chunk does not fit into what is left of the budget; STOP_NONE: it does. */
static enum stop_reason why_not(const struct search_stream *stream, const struct chunk *chunk)
{
	const struct search_request *request = &stream->request;

	/* A first hit that alone was too large leaves less than nothing. */
	if (stream->tokens > request->max_tokens ||
	    chunk->token_count > request->max_tokens - stream->tokens)
		return STOP_TOKEN_BUDGET;
	if (stream->text_bytes > request->max_bytes ||
	    chunk->text.size > request->max_bytes - stream->text_bytes)
		return STOP_BYTE_BUDGET;
	return STOP_NONE;
}

static void pay(struct search_stream *stream, const struct chunk *chunk)
{
	stream->tokens += chunk->token_count;
	stream->text_bytes += chunk->text.size;
	if (stream->request.fields & READ_TEXT)
		stream->page_text_bytes += chunk->text.size;
}

/* The walk has come past this hit, whether it is sent or skipped. */
static void pass(struct search_stream *stream, struct hit hit, uint64_t row)
{
	stream->token.has_last = true;
	stream->token.last_score = hit.score;
	stream->token.last_row = row;
	stream->token.rank++;
}

/* Neighbours come without their vectors. */
static struct chunk_wire neighbor_wire(const struct search_stream *stream,
				       const struct neighbor *neighbor)
{
	return chunk_wire_of(&neighbor->chunk, stream->request.fields & ~(unsigned)READ_VECTOR, 0);
}

/* Keeps of the neighbours, the nearest first, what budget and message have room for, and pays. */
static void choose(struct search_stream *stream, struct document_row at, size_t room,
		   struct neighbors *neighbors)
{
	size_t order[NEIGHBORS_MAX], n = 0;

	neighbors_by_nearness(neighbors, at, order);
	for (; n < neighbors->n; n++) {
		const struct neighbor *neighbor = &neighbors->items[order[n]];
		size_t size = neighbor_wire(stream, neighbor).size_bytes + 16;

		if (size > room || why_not(stream, &neighbor->chunk) != STOP_NONE)
			break;
		room -= size;
		pay(stream, &neighbor->chunk);
	}
	neighbors_cut(neighbors, at, n);
}

static status find_neighbors(struct search_stream *stream, const struct chunk *chunk, uint64_t row,
			     struct arena *arena, struct neighbors *ret)
{
	return neighbors_find(
		&(struct neighbors_query){
			.snapshot = stream->snapshot,
			.reader = &stream->reader,
			.filter = &stream->filter,
			.sent = &stream->sent,
			.deadline = stream->walk.deadline,
			.hit = chunk,
			.row = row,
			.before = stream->request.before,
			.after = stream->request.after,
		},
		arena, ret);
}

static status append_with_neighbors(struct search_stream *stream, uint64_t row,
				    struct hit_wire *hit, uint32_t field, struct buffer *page)
{
	SCOPED(arena) arena = &(struct arena){0};
	const struct chunk *chunk = hit->chunk.chunk;
	struct document_row at = {chunk->ordinal, row};
	struct chunk_wire wires[NEIGHBORS_MAX];
	struct neighbors neighbors;
	size_t room = RPC_MESSAGE_OUT_MAX - PAGE_TAIL_BYTES - page->size;
	size_t own = hit_wire_size(hit) + 16;

	arena_init(arena, NEIGHBORS_ARENA_BYTES);
	TRY(sent_rows_add(&stream->sent, row));
	TRY(find_neighbors(stream, chunk, row, arena, &neighbors));
	choose(stream, at, room > own ? room - own : 0, &neighbors);
	for (size_t i = 0; i < neighbors.n; i++) {
		wires[i] = neighbor_wire(stream, &neighbors.items[i]);
		TRY(sent_rows_add(&stream->sent, neighbors.items[i].at.row));
	}
	hit->neighbors = wires;
	hit->n_neighbors = neighbors.n;
	hit_wire_append(hit, field, page);
	return status_ok();
}

static status append_hit(struct search_stream *stream, struct hit hit, const struct chunk *chunk,
			 uint32_t field, struct buffer *page)
{
	uint64_t row = snapshot_row(stream->snapshot, hit.place);
	uint32_t dim = collection_config(stream->collection)->dim;
	struct hit_wire wire = {
		.chunk = chunk_wire_of(chunk, stream->request.fields, dim),
		.score = hit.score,
		.rank = stream->token.rank,
	};

	pay(stream, chunk);
	if (has_neighbors(stream))
		TRY(append_with_neighbors(stream, row, &wire, field, page));
	else
		hit_wire_append(&wire, field, page);
	stream->returned++;
	stream->skipped_in_row = 0;
	pass(stream, hit, row);
	return status_ok();
}

enum outcome { SENT, SKIPPED, ENDS };

/* What becomes of the next hit. */
static status take_hit(struct search_stream *stream, struct hit hit, uint32_t field,
		       struct buffer *page, enum outcome *ret)
{
	uint64_t row = snapshot_row(stream->snapshot, hit.place);
	struct chunk chunk = {0};
	enum stop_reason stop;

	/* The record is read even where only the vector is asked for: budget and summary count its
	 * text. */
	TRY(record_fetch(&stream->reader, row, stream->request.fields | READ_RECORD,
			 &stream->record, &chunk));
	stop = why_not(stream, &chunk);
	if (stop != STOP_NONE && stream->request.skip_oversized) {
		stream->skipped++;
		stream->skipped_in_row++;
		pass(stream, hit, row);
		if (stream->skipped_in_row == SKIPPED_IN_ROW_MAX)
			stream->walk.stop = stop;
		*ret = stream->skipped_in_row == SKIPPED_IN_ROW_MAX ? ENDS : SKIPPED;
		return status_ok();
	}
	if (stop != STOP_NONE && stream->returned > 0) {
		stream->walk.stop = stop;
		*ret = ENDS;
		return status_ok();
	}
	*ret = SENT;
	return append_hit(stream, hit, &chunk, field, page);
}

/* The next batch of the cursor, where the one in hand is used up. */
static enum step refill_batch(struct search_stream *stream, uint64_t wanted)
{
	if (stream->batch_at < stream->batch.n)
		return STEP_BATCH;
	/* A scan may be long. */
	collection_reader_rest(&stream->reader);
	stream->batch = (struct hit_batch){0};
	stream->batch_at = 0;
	stream->walk.wanted = wanted < PAGE_HITS_MAX ? (size_t)wanted : 0;
	return cursor_next(stream->cursor, &stream->batch);
}

static uint64_t page_hits_max(const struct search_stream *stream, uint64_t hits_max)
{
	const struct search_request *request = &stream->request;
	uint64_t max = request->page_hits, left = request->limit - stream->returned;

	if (stream->returned == 0 && !request->page_is_asked && max > FIRST_PAGE_HITS)
		max = FIRST_PAGE_HITS;
	if (max > hits_max)
		max = hits_max;
	return max < left ? max : left;
}

static bool page_is_full(const struct search_stream *stream, const struct buffer *page)
{
	size_t size_max = has_neighbors(stream) ? PAGE_BYTES_BEFORE_NEIGHBORS : PAGE_BYTES;

	return page->size >= size_max || stream->page_text_bytes >= PAGE_TEXT_BYTES;
}

/* A stage that did not run for a page is not a time of nothing. A page's stages follow each other as
 * good as always; where they come by turns, its trace shows the turns of each as one. */
static void meter_stage(struct search_stream *stream, enum timer timer, int64_t *at_ns,
			struct rpc_stage stage)
{
	if (stage.duration_ns <= 0)
		return;
	timer_add(timer, stage.duration_ns);
	stage.start_ns = *at_ns;
	*at_ns += stage.duration_ns;
	rpc_note_stage(stream->entry.call, &stage);
}

/* What a page took and cost, since before. */
static void meter(struct search_stream *stream, const struct walk *before, uint64_t returned,
		  int64_t start_ns)
{
	const struct walk *walk = &stream->walk;
	int64_t fill_ns = clock_ns() - start_ns, at_ns = start_ns;
	int64_t select_ns = walk->select_ns - before->select_ns;
	int64_t scan_ns = walk->scan_ns - before->scan_ns;
	int64_t rerank_ns = walk->rerank_ns - before->rerank_ns;

	meter_stage(stream, TIMER_SEARCH_SELECT, &at_ns,
		    (struct rpc_stage){.name = "filter", .duration_ns = select_ns});
	meter_stage(stream, TIMER_SEARCH_SCAN, &at_ns,
		    (struct rpc_stage){
			    .name = "scan",
			    .duration_ns = scan_ns,
			    .what = {"rows", "bytes"},
			    .count = {walk->scanned - before->scanned,
				      walk->scanned_bytes - before->scanned_bytes},
		    });
	meter_stage(stream, TIMER_SEARCH_RERANK, &at_ns,
		    (struct rpc_stage){
			    .name = "rerank",
			    .duration_ns = rerank_ns,
			    .what = {"rows"},
			    .count = {walk->reranked - before->reranked},
		    });
	meter_stage(stream, TIMER_SEARCH_ENCODE, &at_ns,
		    (struct rpc_stage){
			    .name = "encode",
			    .duration_ns = fill_ns - select_ns - scan_ns - rerank_ns,
			    .what = {"hits"},
			    .count = {stream->returned - returned},
		    });
	meter_add(METER_SCANS, scan_ns > 0);
	meter_add(METER_SCANNED_ROWS, walk->scanned - before->scanned);
	meter_add(METER_SCANNED_BYTES, walk->scanned_bytes - before->scanned_bytes);
	meter_add(METER_RERANKED_ROWS, walk->reranked - before->reranked);
	meter_add(METER_HITS, stream->returned - returned);
}

static void note(struct search_stream *stream)
{
	struct cursor_entry *entry = &stream->entry;

	atomic_store(&entry->returned, stream->returned);
	atomic_store(&entry->scanned, stream->walk.scanned);
	atomic_store(&entry->memory_bytes, sizeof *stream + cursor_memory_bytes(stream->cursor) +
						   stream->record.used_bytes +
						   stream->sent.capacity * sizeof(uint64_t));
	atomic_store(&entry->active_ns, clock_ns());
}

static enum step fill(struct search_stream *stream, uint64_t hits_max, uint32_t field,
		      struct buffer *page, size_t *ret_hits, status *ret_failure)
{
	uint64_t max = page_hits_max(stream, hits_max);

	if (stream->request.fields & READ_TEXT)
		buffer_reserve(page,
			       HIT_BYTES_USUAL * (max < FIRST_PAGE_HITS ? max : FIRST_PAGE_HITS));
	while (*ret_hits < max && !page_is_full(stream, page)) {
		enum step step = refill_batch(stream, max - *ret_hits);
		enum outcome outcome;
		status taken;

		if (step == STEP_FAIL)
			*ret_failure = stream->cursor->status;
		if (step != STEP_BATCH)
			return step;
		taken = take_hit(stream, stream->batch.hits[stream->batch_at], field, page,
				 &outcome);
		if (status_failed(taken)) {
			*ret_failure = taken;
			return STEP_FAIL;
		}
		if (outcome == ENDS)
			return STEP_END;
		stream->batch_at++;
		*ret_hits += outcome == SENT;
	}
	if (stream->returned < stream->request.limit)
		return STEP_BATCH;
	stream->walk.stop = STOP_LIMIT;
	return STEP_END;
}

/* The scan that the page begins with, unless another has done it, with those that others wait for. */
static void lead(struct search_stream *stream)
{
	stream->scan_listed = false;
	if (exact_waits_for_scan(stream->cursor))
		shared_scans_lead(stream->services->shared_scans, stream->cursor);
}

enum step search_stream_fill(struct search_stream *stream, uint64_t hits_max, uint32_t field,
			     struct buffer *page, size_t *ret_hits, status *ret_failure)
{
	uint64_t returned = stream->returned;
	int64_t start_ns = clock_ns(), ahead_ns;
	enum step step;

	/* A filter may have been looked up ahead, to know what the page will take; and a scan been done. */
	ahead_ns = stream->walk.select_ns - stream->metered.select_ns + stream->walk.scan_ns -
		   stream->metered.scan_ns;
	start_ns -= ahead_ns;
	if (stream->scan_listed)
		lead(stream);
	*ret_hits = 0;
	stream->page_text_bytes = 0;
	stream->ahead_known = false;
	stream->reader = collection_reader_of(stream->collection);
	step = fill(stream, hits_max, field, page, ret_hits, ret_failure);
	collection_reader_rest(&stream->reader);
	meter(stream, &stream->metered, returned, start_ns);
	stream->metered = stream->walk;
	note(stream);
	return step;
}
