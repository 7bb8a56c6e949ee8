/* search_open - how a search begins: the request, the token, the snapshot, the query and the chain. */
#include "index/cursor/exact.h"
#include "index/selection.h"
#include "kernels/base/error_info.h"
#include "kernels/base/meter.h"
#include "kernels/score.h"
#include "service/codec/filter_codec.h"
#include "service/retrieval/record.h"
#include "service/retrieval/resume.h"
#include "service/retrieval/search_stream.h"

static status wrong_dimension(const struct search_stream *stream, struct arena *arena)
{
	const struct collection_config *config = collection_config(stream->collection);
	uint32_t found = stream->request.dim;
	status s = status_format(arena, STATUS_INVALID_ARGUMENT,
				 "vector: %u values, collection \"%s\" has dimension %u", found,
				 config->name, config->dim);

	s = status_reason(s, arena, REASON_DIMENSION_MISMATCH, "collection", config->name,
			  "expected", ERROR_NUMBER(config->dim), "found", ERROR_NUMBER(found),
			  NULL);
	return status_field(s, arena, "vector.values");
}

static status zero_vector(const struct search_stream *stream, struct arena *arena)
{
	const char *name = collection_config(stream->collection)->name;
	status s = status_format(arena, STATUS_INVALID_ARGUMENT,
				 "vector: all zero, which has no direction; collection \"%s\" "
				 "compares by cosine",
				 name);

	s = status_reason(s, arena, REASON_ZERO_VECTOR, "collection", name, NULL);
	return status_field(s, arena, "vector.values");
}

/* A score against the longest stored vector would leave float, and the order with it. */
static status too_long(const struct search_stream *stream, struct arena *arena, double norm)
{
	const char *name = collection_config(stream->collection)->name;
	status s = status_format(arena, STATUS_INVALID_ARGUMENT,
				 "vector: its length is %g, above %g", norm, VECTOR_NORM_MAX);

	s = status_reason(s, arena, REASON_VECTOR_OUT_OF_RANGE, "collection", name, NULL);
	return status_field(s, arena, "vector.values");
}

static status no_such_chunk(const struct search_stream *stream, struct arena *arena)
{
	struct bytes id = stream->request.chunk_id;
	const char *name = collection_config(stream->collection)->name, *text = ERROR_BYTES(id);
	status s = status_format(arena, STATUS_NOT_FOUND,
				 "chunk_id: no chunk \"%.*s\" in collection \"%s\"", (int)id.size,
				 (const char *)id.data, name);

	s = status_reason(s, arena, REASON_CHUNK_NOT_FOUND, "collection", name, "chunk_id", text,
			  NULL);
	return status_about(s, arena, RESOURCE_CHUNK, text);
}

/* What a query is: its vector, and the place that it leaves out. */
struct query {
	const float *vector;
	bool has_place;
	uint64_t place;
};

/* The query vector: scaled for cosine. */
static status query_from_vector(struct search_stream *stream, struct arena *arena,
				struct query *ret)
{
	const struct collection_config *config = collection_config(stream->collection);
	float *vector = stream->request.vector;
	double norm;

	if (stream->request.dim != config->dim)
		return wrong_dimension(stream, arena);
	if (config->metric == METRIC_COSINE && !vector_normalise(vector, config->dim))
		return zero_vector(stream, arena);
	norm = vector_norm(vector, config->dim);
	if (norm > VECTOR_NORM_MAX)
		return too_long(stream, arena, norm);
	*ret = (struct query){.vector = vector};
	return status_ok();
}

static status query_from_place(const struct snapshot *snapshot, uint64_t place, struct arena *arena,
			       struct query *ret)
{
	uint32_t dim = collection_config(snapshot_collection(snapshot))->dim;
	float *widened = ARENA_ARRAY(arena, float, dim);

	if (!widened)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a query");
	*ret = (struct query){snapshot_vector(snapshot, place, widened), true, place};
	return status_ok();
}

/* The vector of a stored chunk, in a snapshot that sees its present version. A replacement that
 * commits between the look-up and the pin makes the two disagree: then both are done again. */
static status query_from_chunk(struct search_stream *stream, struct arena *arena, struct query *ret)
{
	struct bytes id = stream->request.chunk_id;
	uint64_t row = 0, place = 0;

	for (;;) {
		bool found = false;

		TRY(collection_find(stream->collection, id, arena, &found, &row));
		if (!found)
			return no_such_chunk(stream, arena);
		if (snapshot_find(stream->snapshot, row, &place))
			break;
		TRY(deadline_check(stream->walk.deadline));
		snapshot_release(TAKE(stream->snapshot));
		TRY(snapshot_acquire(stream->collection, &stream->snapshot));
	}
	stream->token.query_row = row;
	return query_from_place(stream->snapshot, place, arena, ret);
}

/* The version of the chunk that the walk began with, whether it is still there or not. */
static status query_from_row(struct search_stream *stream, struct arena *arena, struct query *ret)
{
	const struct snapshot *snapshot = stream->snapshot;
	const char *name = collection_config(stream->collection)->name;
	uint64_t row = stream->token.query_row, place = snapshot_seek(snapshot, row);
	status s;

	if (place < snapshot_places(snapshot) && snapshot_row(snapshot, place) == row)
		return query_from_place(snapshot, place, arena, ret);
	s = status_format(
		arena, STATUS_FAILED_PRECONDITION,
		"collection %s: the version of the chunk that was searched with cannot be "
		"read any more",
		name);
	return status_reason(s, arena, REASON_SNAPSHOT_GONE, "collection", name, "generation",
			     ERROR_NUMBER(stream->token.generation), NULL);
}

static status make_query(struct search_stream *stream, bool resumes, struct arena *arena,
			 struct query *ret)
{
	if (stream->request.vector)
		return query_from_vector(stream, arena, ret);
	return resumes ? query_from_row(stream, arena, ret) : query_from_chunk(stream, arena, ret);
}

/* The first step of the walk calls it: the postings are read on a worker's thread. */
static status select_places(void *context, struct places **ret)
{
	struct search_stream *stream = context;

	return selection_make(stream->snapshot, &stream->filter, stream->walk.deadline,
			      stream->walk.arena, ret);
}

/* Of values that are looked up one by one, and of bits that are gone through a few times. */
#define QUICK_VALUES 16
#define QUICK_STRING_BYTES 256
#define QUICK_PLACES (1 << 20)

static bool is_quick(const struct condition *conditions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct condition *condition = &conditions[i];

		if (condition->test == CONDITION_EXISTS)
			continue;
		if (condition->test != CONDITION_ANY_OF_VALUES ||
		    condition->n_values > QUICK_VALUES)
			return false;
		for (size_t j = 0; j < condition->n_values; j++) {
			const struct value *value = &condition->values[j];

			if (value->kind != VALUE_BOOL && (value->kind != VALUE_STRING ||
							  value->string.size > QUICK_STRING_BYTES))
				return false;
		}
	}
	return true;
}

/* Numbers and beginnings of strings may stand for any number of postings. */
static bool selects_quickly(const struct filter *filter, const struct snapshot *snapshot)
{
	size_t n = filter->n_all_of + filter->n_any_of + filter->n_none_of;

	return n <= QUICK_VALUES && filter->n_document_ids <= QUICK_VALUES &&
	       snapshot_places(snapshot) <= QUICK_PLACES &&
	       is_quick(filter->all_of, filter->n_all_of) &&
	       is_quick(filter->any_of, filter->n_any_of) &&
	       is_quick(filter->none_of, filter->n_none_of);
}

/* How many hits the walk is expected to give; 0: nobody knows. */
static uint32_t expected_depth(const struct search_request *request, const struct query *query)
{
	if (request->limit >= UINT32_MAX)
		return 0;
	return (uint32_t)request->limit + query->has_place;
}

static float recall_target(const struct search_stream *stream)
{
	const struct collection_config *config = collection_config(stream->collection);

	if (config->index_kind == INDEX_FLAT)
		return 0;
	return search_request_recall(&stream->request, config);
}

static status open_chain(struct search_stream *stream, const struct query *query)
{
	const struct search_request *request = &stream->request;
	struct key behind;
	const struct exact_options options = {
		.snapshot = stream->snapshot,
		.scanner = stream->services->scanner,
		.scanner_cpu = stream->services->scanner_cpu,
		.query = query->vector,
		/* One more where one is left out again: the first page is whole. */
		.batch = request->page_hits +
			 (query->has_place && request->page_hits < PAGE_HITS_MAX),
		.walk = &stream->walk,
		.recall_target = recall_target(stream),
		.depth = expected_depth(request, query),
		.after = resume_key_behind(stream->snapshot, &stream->token, &behind) ? &behind
										      : NULL,
		.select = filter_is_empty(&stream->filter) ? NULL : select_places,
		.select_context = stream,
		.selects_quickly = selects_quickly(&stream->filter, stream->snapshot),
	};
	SCOPED(cursor) chain = NULL;

	TRY(exact_open(&options, &chain));
	if (query->has_place)
		TRY(without_open(TAKE(chain), query->place, &chain));
	if (request->has_min_score)
		TRY(floor_open(TAKE(chain), request->min_score, &chain));
	/* A hit that is skipped does not count: then the bound is the page's alone. */
	if (!request->skip_oversized)
		TRY(limit_open(TAKE(chain), request->limit, &chain));
	stream->cursor = TAKE(chain);
	return status_ok();
}

static status enter(struct search_stream *stream, struct rpc_call *call)
{
	struct cursor_entry *entry = &stream->entry;

	entry->call = call;
	entry->collection = collection_config(stream->collection)->name;
	entry->method = rpc_method_of(call)->path;
	entry->peer = rpc_peer(call);
	entry->opened_ns = stream->start_ns;
	atomic_store(&entry->active_ns, stream->start_ns);
	return cursors_add(stream->services->cursors, entry, rpc_arena(call));
}

status search_stream_open(struct search_stream *stream, struct rpc_call *call,
			  const Sluice__V1__SearchRequest *message, uint64_t limit)
{
	const struct services *services = rpc_context(call);
	const struct search_defaults defaults = {services->page_hits, limit};
	const struct resume_key *key = database_resume_key(services->database);
	struct search_request *request = &stream->request;
	struct arena *arena = rpc_arena(call);
	bool resumes = message->resume_token.len > 0;
	struct query query = {0};
	int64_t open_ns;

	stream->services = services;
	stream->start_ns = clock_ns();
	stream->walk = (struct walk){.deadline = rpc_deadline(call), .arena = arena};
	arena_init(&stream->record, RECORD_ARENA_BYTES);
	TRY(search_request_decode(arena, message, &defaults, request));
	TRY(database_acquire(services->database, request->collection, arena, &stream->collection));
	TRY(filter_decode(arena, request->filter, collection_config(stream->collection),
			  &stream->filter));
	TRY(enter(stream, call));
	TRY(resume_asked(key, stream->collection, request, arena, &stream->token));
	if (resumes) {
		TRY(resume_check(key, request->resume_token, arena, &stream->token));
		TRY(resume_snapshot(stream->collection, &stream->token, request->resume_on_newest,
				    arena, &stream->snapshot));
	} else {
		TRY(snapshot_acquire(stream->collection, &stream->snapshot));
	}
	TRY(make_query(stream, resumes, arena, &query));
	/* What the part before this one left out stays left out. */
	stream->walk.approximate = stream->token.approximate;
	stream->token.generation = snapshot_generation(stream->snapshot);
	stream->token.row_limit = snapshot_row_limit(stream->snapshot);
	atomic_store(&stream->entry.generation, stream->token.generation);
	atomic_store(&stream->entry.snapshot, stream->snapshot);
	TRY(open_chain(stream, &query));
	meter_add(METER_SEARCHES, 1);
	open_ns = clock_ns() - stream->start_ns;
	timer_add(TIMER_SEARCH_OPEN, open_ns);
	rpc_note_stage(call, &(struct rpc_stage){
				     .name = "open",
				     .start_ns = stream->start_ns,
				     .duration_ns = open_ns,
			     });
	return status_ok();
}

void search_stream_close(struct search_stream *stream)
{
	if (stream->scan_listed)
		shared_scans_leave(stream->services->shared_scans, &stream->guest);
	if (stream->entry.call)
		rpc_note_hits(stream->entry.call, stream->returned);
	if (stream->services)
		cursors_remove(stream->services->cursors, &stream->entry);
	cursor_close(stream->cursor);
	snapshot_release(stream->snapshot);
	collection_release(stream->collection);
	sent_rows_finish(&stream->sent);
	arena_finish(&stream->record);
}
