/* search_end - what a stream says at the end of a page and of itself, who ends it, and its rest. */
#include "index/cursor/exact.h"
#include "kernels/base/error_info.h"
#include "service/retrieval/record.h"
#include "service/retrieval/resume.h"
#include "service/retrieval/search_stream.h"
#include "service/retrieval/summary.h"

/* A scan of so much takes 10 us or so. */
#define HEAVY_BYTES (128 << 10)

static void encode_token(const struct search_stream *stream, uint8_t ret[RESUME_TOKEN_BYTES])
{
	struct resume_token token = stream->token;

	token.approximate = stream->walk.approximate;
	resume_token_encode(database_resume_key(stream->services->database), &token, ret);
}

void search_stream_token(const struct search_stream *stream, uint32_t field, struct buffer *page)
{
	uint8_t token[RESUME_TOKEN_BYTES];

	encode_token(stream, token);
	resume_token_append(page, field, token);
}

/* What scanned, and the index that was asked. */
static const char *backend_name(const struct search_stream *stream)
{
	const char *scanner = stream->services->scanner->name, *ann = stream->walk.ann;
	const char *both = ann ? arena_printf(stream->walk.arena, "%s %s", scanner, ann) : NULL;

	return both ? both : scanner;
}

void search_stream_summary(struct search_stream *stream, uint32_t field, struct buffer *page)
{
	uint8_t token[RESUME_TOKEN_BYTES];
	bool ended = stream->walk.stop == STOP_EXHAUSTED;
	const struct summary summary = {
		.stop = stream->walk.stop,
		.approximate = stream->walk.approximate,
		.returned = stream->returned,
		.skipped = stream->skipped,
		.tokens = stream->tokens,
		.text_bytes = stream->text_bytes,
		.scanned = stream->walk.scanned,
		.reranked = stream->walk.reranked,
		.generation = snapshot_generation(stream->snapshot),
		.resume_token = bytes_of(token, ended ? 0 : sizeof token),
		.backend = backend_name(stream),
		.elapsed_ns = clock_ns() - stream->start_ns,
	};

	encode_token(stream, token);
	summary_append(page, field, &summary);
}

static status is_idle(const struct search_stream *stream, struct arena *arena)
{
	double seconds = (double)cursors_limits(stream->services->cursors)->idle_ns / 1e9;
	const char *text = arena_printf(arena, "%g", seconds);
	status s = status_format(arena, STATUS_ABORTED,
				 "the cursor was not asked for hits for %g s: "
				 "limits.cursor_idle_timeout",
				 seconds);

	return status_reason(s, arena, REASON_CURSOR_IDLE, "idle_seconds", text, NULL);
}

static status is_cancelled(const struct search_stream *stream, struct arena *arena)
{
	status s = status_format(arena, STATUS_ABORTED, "CancelCursor ended the cursor %s",
				 stream->entry.id);

	return status_reason(s, arena, REASON_CURSOR_CANCELLED, "cursor_id", stream->entry.id,
			     NULL);
}

static bool holds_the_past(const struct search_stream *stream)
{
	struct collection_status now;

	collection_status(stream->collection, &now);
	return now.generation > snapshot_generation(stream->snapshot);
}

status search_stream_verdict(struct search_stream *stream, struct rpc_call *call, bool rests)
{
	enum rpc_drain phase = rpc_drain_phase(call);
	const char *released_by = atomic_load(&stream->entry.released_by);

	if (!released_by)
		released_by = snapshot_pressed_by(stream->snapshot);
	if (atomic_load(&stream->entry.cancelled)) {
		stream->walk.stop = STOP_NONE;
		return is_cancelled(stream, rpc_arena(call));
	}
	if (phase == RPC_ENDING || (rests && phase == RPC_DRAINING)) {
		stream->walk.stop = STOP_DRAINING;
		return rpc_draining();
	}
	if (atomic_load(&stream->entry.old) && holds_the_past(stream)) {
		stream->walk.stop = STOP_NONE;
		return resume_released(stream->snapshot, "limits.snapshot_age_max",
				       rpc_arena(call));
	}
	if (released_by) {
		stream->walk.stop = STOP_NONE;
		return resume_released(stream->snapshot, released_by, rpc_arena(call));
	}
	if (rests && atomic_load(&stream->entry.idle)) {
		stream->walk.stop = STOP_NONE;
		return is_idle(stream, rpc_arena(call));
	}
	return status_ok();
}

bool search_stream_was_cut(const struct search_stream *stream, status failure)
{
	return failure.code == STATUS_CANCELLED &&
	       (atomic_load(&stream->entry.cancelled) || atomic_load(&stream->entry.released_by));
}

/* What the next page makes the cursor read, asked once a page. What is not a scan is the records' reading,
 * the same for all. */
static uint64_t bytes_ahead(struct search_stream *stream)
{
	if (stream->scan_listed) {
		switch (shared_scans_state(stream->services->shared_scans, &stream->guest)) {
		case GUEST_LISTED:
			return stream->ahead_bytes;
		case GUEST_TAKEN:
			return 0;
		case GUEST_OUT:
			stream->ahead_known = false;
			break;
		}
	}
	if (!stream->ahead_known)
		stream->ahead_bytes =
			stream->batch_at < stream->batch.n ? 0 : cursor_scan_bytes(stream->cursor);
	stream->ahead_known = true;
	return stream->ahead_bytes;
}

bool search_stream_is_long(struct search_stream *stream)
{
	const struct services *services = stream->services;

	if (!stream->cursor || bytes_ahead(stream) <= services->inline_scan_bytes)
		return false;
	if (services->shared_scans && !stream->scan_listed &&
	    exact_waits_for_scan(stream->cursor)) {
		stream->scan_listed = true;
		shared_scans_list(services->shared_scans, &stream->guest, stream->cursor,
				  stream->entry.call);
	}
	return true;
}

bool search_stream_has_cursor(struct search_stream *stream)
{
	return !stream->scan_listed ||
	       shared_scans_claim(stream->services->shared_scans, &stream->guest);
}

bool search_stream_is_heavy(struct search_stream *stream)
{
	return stream->cursor && bytes_ahead(stream) > HEAVY_BYTES;
}

void search_stream_rest(struct search_stream *stream)
{
	if (atomic_exchange(&stream->entry.shrinks, false)) {
		cursor_shrink(stream->cursor);
		stream->ahead_known = false;
	}
	/* It keeps a block for the next record otherwise. */
	arena_finish(&stream->record);
	arena_init(&stream->record, RECORD_ARENA_BYTES);
	atomic_store(&stream->entry.memory_bytes, sizeof *stream +
							  cursor_memory_bytes(stream->cursor) +
							  stream->sent.capacity * sizeof(uint64_t));
	atomic_store(&stream->entry.waits, true);
}

void search_stream_wakes(struct search_stream *stream)
{
	atomic_store(&stream->entry.waits, false);
	atomic_store(&stream->entry.idle, false);
	atomic_store(&stream->entry.active_ns, clock_ns());
}
