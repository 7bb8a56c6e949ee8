/* iterate - RetrievalService.Iterate: a search's hits as its client grants them.
 *
 * A page is made against credit alone; without any the call is data, and wakes for a message, for
 * the end of a drain's patience, or when it was idle for too long. A close ends the cursor at once.
 * When the client merely sends no more, what it had granted is served first.
 */
#include "service/codec/message.h"
#include "service/retrieval/retrieval.h"
#include "service/retrieval/search_stream.h"
#include "service/rpc/protobuf_arena.h"

#include "kernels/base/error_info.h"

enum { FIELD_OPENED = 1, FIELD_BATCH = 2, FIELD_SUMMARY = 3 };
/* Of a HitBatch. */
enum { FIELD_HITS = 1, FIELD_TOKEN = 2 };

/* Of one message behind the first; they are a few bytes, whatever a client may put into unknown
 * fields. */
#define MESSAGE_ARENA_BYTES ((size_t)1 << 20)

struct iterate {
	struct search_stream stream;
	struct arena message; /* one message behind the first, unpacked */
	uint64_t credit;      /* hits granted and not sent */
	bool opened;          /* the first message came and was good */
	bool greeted;         /* CursorOpened was sent */
	bool closed;          /* by the client's word */
	bool ended;           /* the walk has ended; the summary is due */
};

static status iterate_open(struct rpc_call *call)
{
	struct iterate *iterate = rpc_state(call);

	arena_init(&iterate->message, MESSAGE_ARENA_BYTES);
	return status_ok();
}

static status out_of_turn(struct rpc_call *call, const char *field, const char *why)
{
	status s = status_format(rpc_arena(call), STATUS_INVALID_ARGUMENT, "%s: %s", field, why);

	s = status_reason(s, rpc_arena(call), REASON_SCHEMA_VIOLATION, "field", field, NULL);
	return status_field(s, rpc_arena(call), field);
}

static status begin(struct rpc_call *call, struct iterate *iterate,
		    const Sluice__V1__IterateRequest *request)
{
	switch (request->action_case) {
	case SLUICE__V1__ITERATE_REQUEST__ACTION_OPEN:
		break;
	case SLUICE__V1__ITERATE_REQUEST__ACTION_CREDIT:
		return out_of_turn(call, "credit", "it came before a cursor was opened");
	default:
		return out_of_turn(call, "close", "it came before a cursor was opened");
	}
	TRY(search_stream_open(&iterate->stream, call, request->open, UINT64_MAX));
	iterate->opened = true;
	return status_ok();
}

static status go_on(struct rpc_call *call, struct iterate *iterate,
		    const Sluice__V1__IterateRequest *request)
{
	switch (request->action_case) {
	case SLUICE__V1__ITERATE_REQUEST__ACTION_OPEN:
		return out_of_turn(call, "open", "the cursor is open already");
	case SLUICE__V1__ITERATE_REQUEST__ACTION_CREDIT:
		iterate->credit += request->credit->hits;
		break;
	default:
		iterate->closed = true;
		break;
	}
	return status_ok();
}

/* The first message alone names a collection. */
static bool iterate_is_ready(struct rpc_call *call, struct bytes message)
{
	const struct iterate *iterate = rpc_state(call);

	return iterate->opened || services_is_ready(call, message_peek_bytes(message, 1));
}

static status iterate_request(struct rpc_call *call, struct bytes message)
{
	struct iterate *iterate = rpc_state(call);
	struct arena *arena = iterate->opened ? &iterate->message : rpc_arena(call);
	ProtobufCMessage *unpacked = NULL;
	const Sluice__V1__IterateRequest *request;
	bool opened = iterate->opened;

	if (opened) {
		search_stream_wakes(&iterate->stream);
		arena_reset(arena);
	}
	TRY(message_unpack(arena, &sluice__v1__iterate_request__descriptor, message, &unpacked));
	request = (const Sluice__V1__IterateRequest *)unpacked;
	TRY(opened ? go_on(call, iterate, request) : begin(call, iterate, request));
	rpc_wake(call);
	return status_ok();
}

static enum rpc_step greet(struct iterate *iterate, struct buffer *ret)
{
	struct search_stream *stream = &iterate->stream;
	Sluice__V1__CursorOpened opened = SLUICE__V1__CURSOR_OPENED__INIT;

	iterate->greeted = true;
	opened.cursor_id = stream->entry.id;
	opened.generation = snapshot_generation(stream->snapshot);
	buffer_append_message(ret, FIELD_OPENED, &opened.base);
	return RPC_MESSAGE;
}

static enum rpc_step finish(struct iterate *iterate, struct buffer *ret)
{
	search_stream_summary(&iterate->stream, FIELD_SUMMARY, ret);
	return RPC_LAST;
}

/* The hits become a HitBatch: their bytes stand behind their size. */
static void append_batch(const struct search_stream *stream, struct buffer *batch,
			 struct buffer *ret)
{
	search_stream_token(stream, FIELD_TOKEN, batch);
	buffer_append_varint(ret, FIELD_BATCH << 3 | 2);
	buffer_append_varint(ret, batch->size);
	buffer_append(ret, batch->data, batch->size);
	ret->failed |= batch->failed;
}

/* Hits against credit. */
static enum rpc_step serve(struct rpc_call *call, struct iterate *iterate, struct buffer *ret)
{
	struct search_stream *stream = &iterate->stream;
	SCOPED(buffer) batch = &(struct buffer){0};
	status failure = status_ok();
	size_t n_hits;
	enum step step =
		search_stream_fill(stream, iterate->credit, FIELD_HITS, batch, &n_hits, &failure);

	if (step == STEP_FAIL && !search_stream_was_cut(stream, failure))
		return rpc_fail(call, failure);
	iterate->credit -= n_hits;
	iterate->ended = step == STEP_END;
	if (n_hits > 0) {
		append_batch(stream, batch, ret);
		return RPC_MESSAGE;
	}
	if (iterate->ended)
		return finish(iterate, ret);
	/* It was cut before the first hit: the verdict is due. */
	rpc_wake(call);
	return RPC_WAIT;
}

static enum rpc_step not_opened(struct rpc_call *call)
{
	const char *path = rpc_method_of(call)->path;
	status s;

	if (rpc_drain_phase(call) != RPC_SERVING)
		return rpc_fail(call, rpc_draining());
	if (!rpc_is_half_closed(call))
		return RPC_WAIT;
	s = status_make(STATUS_INVALID_ARGUMENT, "the call ended without opening a cursor");
	return rpc_fail(call, status_reason(s, rpc_arena(call), REASON_REQUEST_MISSING, "method",
					    path, NULL));
}

/* The client has said that it wants no more, and got what it had granted before. */
static bool is_closed(struct rpc_call *call, const struct iterate *iterate)
{
	return iterate->closed || (iterate->credit == 0 && rpc_is_half_closed(call));
}

static enum rpc_step iterate_next(struct rpc_call *call, struct buffer *ret)
{
	struct iterate *iterate = rpc_state(call);
	struct search_stream *stream = &iterate->stream;

	if (!iterate->opened)
		return not_opened(call);
	if (!search_stream_has_cursor(stream))
		return RPC_WAIT;
	if (stream->told)
		return rpc_fail(call, stream->ending);
	if (!iterate->greeted)
		return greet(iterate, ret);
	if (iterate->ended)
		return finish(iterate, ret);
	if (is_closed(call, iterate)) {
		stream->walk.stop = STOP_CLOSED;
		return finish(iterate, ret);
	}
	stream->ending = search_stream_verdict(stream, call, iterate->credit == 0);
	if (status_failed(stream->ending)) {
		stream->told = true;
		/* It is the client's turn no more; one that does not take the summary is looked for. */
		search_stream_wakes(stream);
		finish(iterate, ret);
		return RPC_MESSAGE;
	}
	if (iterate->credit > 0)
		return serve(call, iterate, ret);
	search_stream_rest(stream);
	return RPC_WAIT;
}

static void iterate_close(struct rpc_call *call)
{
	struct iterate *iterate = rpc_state(call);

	search_stream_close(&iterate->stream);
	arena_finish(&iterate->message);
}

static bool iterate_is_heavy(struct rpc_call *call)
{
	struct iterate *iterate = rpc_state(call);

	return iterate->credit > 0 && search_stream_is_heavy(&iterate->stream);
}

static bool iterate_is_long(struct rpc_call *call)
{
	struct iterate *iterate = rpc_state(call);

	return iterate->credit > 0 && search_stream_is_long(&iterate->stream);
}

const struct rpc_method iterate_method = {
	.path = "/sluice.v1.RetrievalService/Iterate",
	.client_streams = true,
	.state_size = sizeof(struct iterate),
	.open = iterate_open,
	.is_ready = iterate_is_ready,
	.request = iterate_request,
	.next = iterate_next,
	.close = iterate_close,
	.is_long = iterate_is_long,
	.is_heavy = iterate_is_heavy,
	.minds_silence = true,
};
