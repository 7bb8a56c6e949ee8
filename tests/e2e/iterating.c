/* iterating - see iterating.h. */
#include "tests/e2e/iterating.h"

#include <dirent.h>
#include <stdio.h>

bool iterate_open(struct grpc_stream *stream, const Sluice__V1__SearchRequest *wanted)
{
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;

	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_OPEN;
	request.open = (Sluice__V1__SearchRequest *)(uintptr_t)wanted; /* only read */
	return stream_send(stream, &request.base);
}

bool iterate_credit(struct grpc_stream *stream, uint32_t hits)
{
	Sluice__V1__Credit credit = SLUICE__V1__CREDIT__INIT;
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;

	credit.hits = hits;
	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_CREDIT;
	request.credit = &credit;
	return stream_send(stream, &request.base);
}

bool iterate_close(struct grpc_stream *stream)
{
	Sluice__V1__CloseCursor close = SLUICE__V1__CLOSE_CURSOR__INIT;
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;

	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_CLOSE;
	request.close = &close;
	return stream_send(stream, &request.base);
}

const char *iterate_await_opened(struct session *session, struct grpc_stream *stream)
{
	const Sluice__V1__IterateResponse *response = session_next(session, &iterate, stream, NULL);

	cr_assert_not_null(response);
	cr_assert_eq(response->event_case, SLUICE__V1__ITERATE_RESPONSE__EVENT_OPENED);
	return response->opened->cursor_id;
}

void iterate_await_hits(struct session *session, struct grpc_stream *stream, size_t n)
{
	for (size_t seen = 0; seen < n;) {
		const Sluice__V1__IterateResponse *response =
			session_next(session, &iterate, stream, NULL);

		cr_assert_not_null(response);
		cr_assert_eq(response->event_case, SLUICE__V1__ITERATE_RESPONSE__EVENT_BATCH);
		seen += response->batch->n_hits;
		cr_assert_leq(seen, n);
	}
}

struct answer iterate_read_all(struct session *session, struct grpc_stream *stream,
			       Sluice__V1__StopReason *ret_stop)
{
	const Sluice__V1__IterateResponse *response;

	while ((response = session_next(session, &iterate, stream, NULL)))
		if (ret_stop && response->event_case == SLUICE__V1__ITERATE_RESPONSE__EVENT_SUMMARY)
			*ret_stop = response->summary->stop_reason;
	return session_finish(session, stream);
}

struct answer iterate_cancel(const char *cursor_id)
{
	Sluice__V1__CancelCursorRequest request = SLUICE__V1__CANCEL_CURSOR_REQUEST__INIT;

	request.cursor_id = (char *)(uintptr_t)cursor_id;
	return session_call(&world.session, &cancel_cursor, &request.base);
}

size_t server_entries(const char *what)
{
	char path[64];
	size_t n = 0;
	DIR *listing;

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)world.server.pid, what);
	listing = opendir(path);
	cr_assert_not_null(listing);
	while (readdir(listing))
		n++;
	closedir(listing);
	return n;
}
