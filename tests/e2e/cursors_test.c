/* cursors - many of them, opened and ended at random, and what an open one costs. */
#include "tests/e2e/random.h"
#include "tests/e2e/rows.h"

#include <dirent.h>
#include <stdio.h>

TestSuite(cursors, .init = world_open, .fini = world_close, .timeout = 280);

#define OPEN_MAX 64

static struct rows rows = {.collection = "docs",
			   .dim = 8,
			   .n = 500,
			   .text_bytes = 200,
			   .metric = SLUICE__V1__METRIC__METRIC_COSINE};

static void send_open(struct grpc_stream *stream, float *query)
{
	Sluice__V1__SearchRequest wanted = search_request(&rows, query, 0);
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;

	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_OPEN;
	request.open = &wanted;
	stream_send(stream, &request.base);
}

static void send_credit(struct grpc_stream *stream, uint32_t hits)
{
	Sluice__V1__Credit credit = SLUICE__V1__CREDIT__INIT;
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;

	credit.hits = hits;
	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_CREDIT;
	request.credit = &credit;
	stream_send(stream, &request.base);
}

static void send_close(struct grpc_stream *stream)
{
	Sluice__V1__CloseCursor close = SLUICE__V1__CLOSE_CURSOR__INIT;
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;

	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_CLOSE;
	request.close = &close;
	stream_send(stream, &request.base);
}

/* The id of the cursor, in the session's arena. */
static const char *await_opened(struct session *session, struct grpc_stream *stream)
{
	const Sluice__V1__IterateResponse *response = session_next(session, &iterate, stream, NULL);

	cr_assert_not_null(response);
	cr_assert_eq(response->event_case, SLUICE__V1__ITERATE_RESPONSE__EVENT_OPENED);
	return response->opened->cursor_id;
}

static void await_hits(struct session *session, struct grpc_stream *stream, size_t n)
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

static struct answer read_to_the_end(struct session *session, struct grpc_stream *stream)
{
	while (session_next(session, &iterate, stream, NULL))
		continue;
	return session_finish(session, stream);
}

static struct answer cancel(const char *id)
{
	Sluice__V1__CancelCursorRequest request = SLUICE__V1__CANCEL_CURSOR_REQUEST__INIT;

	request.cursor_id = (char *)(uintptr_t)id;
	return session_call(&world.session, &cancel_cursor, &request.base);
}

/* --- at random --- */

enum ending { CANCELS, CLOSES, HALF_CLOSES, IS_CANCELLED, READS_ALL, EXPIRES, SEARCHES, ENDINGS };

static void end_at_random(struct session *session, enum ending ending, struct random *random)
{
	float *query = query_make(rows.dim, random_bits(random));
	SCOPED(grpc_stream) stream = NULL;
	uint32_t hits = (uint32_t)random_below(random, 60);
	const char *id;

	if (ending == SEARCHES) {
		Sluice__V1__SearchRequest request = search_request(&rows, query, 1 + hits);

		stream = session_stream(session, &search, &request.base);
		if (hits % 2)
			session_next(session, &search, stream, NULL);
		return;
	}
	stream = grpc_stream_open(session->client, iterate.path,
				  ending == EXPIRES ? 0.001 * (1 + hits) : CALL_SECONDS);
	send_open(stream, query);
	if (hits % 3 == 0 || ending == EXPIRES) {
		/* Without looking whether it is open. */
		if (ending == EXPIRES)
			session_finish(session, stream);
		return;
	}
	id = await_opened(session, stream);
	send_credit(stream, hits);
	if (hits % 2)
		await_hits(session, stream, hits);
	switch (ending) {
	case CLOSES:
		send_close(stream);
		WANT(read_to_the_end(session, stream), GRPC_STATUS_OK, "");
		break;
	case HALF_CLOSES:
		grpc_stream_half_close(stream);
		WANT(read_to_the_end(session, stream), GRPC_STATUS_OK, "");
		break;
	case IS_CANCELLED:
		WANT(cancel(id), GRPC_STATUS_OK, "");
		WANT(read_to_the_end(session, stream), GRPC_STATUS_ABORTED, "CancelCursor");
		break;
	case READS_ALL:
		send_credit(stream, 65536);
		WANT(read_to_the_end(session, stream), GRPC_STATUS_OK, "");
		break;
	default:
		grpc_stream_cancel(stream);
		break;
	}
}

static size_t descriptors(void)
{
	char path[64];
	size_t n = 0;
	DIR *listing;

	snprintf(path, sizeof path, "/proc/%ld/fd", (long)world.server.pid);
	listing = opendir(path);
	cr_assert_not_null(listing);
	while (readdir(listing))
		n++;
	closedir(listing);
	return n;
}

/* Over one connection after the other. */
static void churn(size_t n, struct random *random)
{
	struct session session = {0};

	for (size_t i = 0; i < n; i++) {
		if (i % 100 == 0) {
			session_close(&session);
			session_open(&session, world.server.address);
			arena_reset(&world.session.arena);
		}
		end_at_random(&session, (enum ending)random_below(random, ENDINGS), random);
	}
	session_close(&session);
}

Test(cursors, ten_thousand_that_end_in_every_way_leave_nothing)
{
	const size_t n = SANITIZED ? 2000 : 10000;
	struct random random = {11};
	size_t files, bytes;

	rows_create(&rows, 1);
	churn(n / 10, &random);
	want_idle();
	files = descriptors();
	bytes = server_own_bytes(&world.server);
	churn(n - n / 10, &random);
	want_idle();
	cr_assert_leq(descriptors(), files + 2);
	if (!SANITIZED)
		cr_assert_lt(server_own_bytes(&world.server), bytes + ((size_t)24 << 20));
}

/* --- what one costs --- */

static size_t settled_bytes(void)
{
	size_t bytes = server_own_bytes(&world.server);

	for (int same = 0, looks = 0; same < 10 && looks < 500; looks++) {
		size_t now = server_own_bytes(&world.server);

		same = now == bytes ? same + 1 : 0;
		bytes = now;
		pause_ms(20);
	}
	return bytes;
}

static const Sluice__V1__ListCursorsResponse *listed(void)
{
	const Sluice__V1__ListCursorsRequest request = SLUICE__V1__LIST_CURSORS_REQUEST__INIT;
	struct answer answer = session_call(&world.session, &list_cursors, &request.base);

	WANT(answer, GRPC_STATUS_OK, "");
	return answer.message;
}

/* gRPC's own share of a stream is some 20 KiB. */
Test(cursors, that_wait_cost_little)
{
	enum { CURSORS = 900 };
	static struct grpc_stream *streams[CURSORS];
	const Sluice__V1__ListCursorsResponse *list;
	size_t before, after;

	rows_create(&rows, 1);
	before = settled_bytes();
	for (size_t i = 0; i < CURSORS; i++) {
		streams[i] = session_stream(&world.session, &iterate, NULL);
		send_open(streams[i], query_make(rows.dim, i));
		await_opened(&world.session, streams[i]);
		send_credit(streams[i], 10);
		await_hits(&world.session, streams[i], 10);
	}
	after = settled_bytes();
	list = listed();
	cr_assert_eq(list->n_cursors, CURSORS);
	for (size_t i = 0; i < CURSORS; i++) {
		cr_assert_eq(list->cursors[i]->returned, 10);
		cr_assert_lt(list->cursors[i]->memory_bytes, 32 << 10);
	}
	cr_log_info("%zu bytes a cursor", (after - before) / CURSORS);
	if (!SANITIZED)
		cr_assert_lt((after - before) / CURSORS, (64 + 32) << 10);
	for (size_t i = 0; i < CURSORS; i++)
		grpc_stream_close(streams[i]);
	want_idle();
}

/* A window deep in a walk is large, but not for long. */
Test(cursors, that_wait_give_back_what_they_can)
{
	const Sluice__V1__ListCursorsResponse *list;
	SCOPED(grpc_stream) stream = NULL;
	size_t bytes = 0;

	rows.n = 20000;
	rows_create(&rows, 1);
	stream = session_stream(&world.session, &iterate, NULL);
	send_open(stream, query_make(rows.dim, 7));
	await_opened(&world.session, stream);
	send_credit(stream, 10000);
	await_hits(&world.session, stream, 10000);
	cr_assert_gt(listed()->cursors[0]->memory_bytes, 100 << 10);
	for (int looks = 0; looks < 600; looks++) {
		list = listed();
		bytes = list->cursors[0]->memory_bytes;
		if (bytes < 32 << 10)
			break;
		pause_ms(50);
	}
	cr_assert_lt(bytes, 32 << 10);
	send_credit(stream, 65536);
	await_hits(&world.session, stream, 10000);
	WANT(read_to_the_end(&world.session, stream), GRPC_STATUS_OK, "");
}
