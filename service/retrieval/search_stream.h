/* search_stream - one search under way: what Search and Iterate have in common.
 *
 * Opening checks everything and does no work. A fill appends the next hits to a page; between two
 * the stream is data: no thread waits, no transaction is open. The budget, the limit and the
 * neighbours are kept here, where a hit's record is at hand; the order is the cursor's.
 */
#ifndef SLUICE_SERVICE_RETRIEVAL_SEARCH_STREAM_H
#define SLUICE_SERVICE_RETRIEVAL_SEARCH_STREAM_H

#include "index/cursor/cursor.h"
#include "index/filter/filter.h"
#include "index/resume_token.h"
#include "index/snapshot.h"
#include "kernels/window.h"
#include "service/cursors.h"
#include "service/retrieval/search_request.h"
#include "service/retrieval/sent_rows.h"
#include "service/retrieval/shared_scans.h"
#include "service/services.h"

struct search_stream {
	const struct services *services;
	struct search_request request;
	struct collection *collection;
	struct snapshot *snapshot;
	struct filter filter;
	struct cursor *cursor;
	struct walk walk, metered;       /* metered: as it was when a page was last metered */
	struct arena record;             /* one hit's, until it is on the page */
	struct collection_reader reader; /* of the fill in hand; it rests while a batch is sought */
	struct hit_batch batch;          /* the cursor's, from which batch_at hits are used */
	size_t batch_at;

	uint64_t ahead_bytes; /* ahead_known: what the next page's scan reads */
	bool ahead_known;
	bool scan_listed; /* guest has been listed, and its end was not looked at yet */
	struct scan_guest guest;

	uint64_t returned, skipped, tokens, text_bytes; /* of this call */
	uint64_t skipped_in_row;
	uint64_t page_text_bytes;  /* of the page in hand */
	struct resume_token token; /* behind the last hit that was sent or skipped */
	struct sent_rows sent;     /* what neighbours leave out */
	int64_t start_ns;
	struct cursor_entry entry; /* the call's, in the list of open cursors */
	bool told;                 /* the summary of an end of the server's own was sent */
	status ending;             /* with which status it then ends */
};

/* search_stream_open - message  checked, in the call's arena. limit  where it names none. A stream
 * that is all zero may be closed, whether opened or not.
 * Fails: INVALID_ARGUMENT NOT_FOUND FAILED_PRECONDITION RESOURCE_EXHAUSTED DATA_LOSS INTERNAL */
status search_stream_open(struct search_stream *stream, struct rpc_call *call,
			  const Sluice__V1__SearchRequest *message, uint64_t limit);
void search_stream_close(struct search_stream *stream);

/* search_stream_has_cursor - at the beginning of next. False: another search's worker scans for this one with its
 * own; next is to answer that it waits, and touches nothing. */
bool search_stream_has_cursor(struct search_stream *stream);

/* search_stream_fill - appends up to hits_max hits as fields of that number, and fewer where the
 * page is full.
 * ret_hits  how many; none only with an end.
 * STEP_BATCH, or STEP_END: the walk has ended and walk.stop says why, behind the hits.
 * STEP_FAIL: ret_failure says why; what is on the page is whole. */
enum step search_stream_fill(struct search_stream *stream, uint64_t hits_max, uint32_t field,
			     struct buffer *page, size_t *ret_hits, status *ret_failure);

/* search_stream_token - appends the token to go on behind what was filled, as a field of that number.
 */
void search_stream_token(const struct search_stream *stream, uint32_t field, struct buffer *page);

/* search_stream_summary - appends the summary as a field of that number; it ended for walk.stop. */
void search_stream_summary(struct search_stream *stream, uint32_t field, struct buffer *page);

/* search_stream_was_cut - whether a fill failed because somebody asked for the end: then what was
 * filled is sent, and the verdict says the rest. */
bool search_stream_was_cut(const struct search_stream *stream, status failure);

/* search_stream_verdict - whether the server ends the stream: by a drain, for its idleness, or since
 * somebody asked for it. Then a summary is owed, once (told), and this status.
 * rests  whether the stream waits for its client: a drain ends such a one at once. */
status search_stream_verdict(struct search_stream *stream, struct rpc_call *call, bool rests);

/* search_stream_is_long - whether the next fill is worth a worker's thread. */
bool search_stream_is_long(struct search_stream *stream);

/* search_stream_is_heavy - whether it is some work at all. */
bool search_stream_is_heavy(struct search_stream *stream);

/* search_stream_rest - the client is owed nothing: gives back what can be made again, as far as asked
 * to, and says that it waits. search_stream_wakes takes that back. */
void search_stream_rest(struct search_stream *stream);
void search_stream_wakes(struct search_stream *stream);

#endif
