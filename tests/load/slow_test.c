/* slow - readers by the hundred that do not read, beside some that do. */
#include "tests/e2e/rows.h"

TestSuite(slow, .init = world_open, .fini = world_close, .timeout = 280);

enum { connections = 8, streams = SANITIZED ? 80 : 240, n_searches = 200 };

/* Each stream would bring 8 MB to its end. The server may hold a page of it, and what the windows of
 * HTTP/2 have let into its sockets and buffers. */
#define STREAM_BYTES_MAX ((size_t)1 << 20)

Test(slow, readers_cost_a_bounded_part_each_and_keep_nobody_waiting)
{
	struct rows rows = {.collection = "docs",
			    .dim = 4,
			    .n = 2000,
			    .text_bytes = 4000,
			    .metric = SLUICE__V1__METRIC__METRIC_L2};
	static struct session sessions[connections];
	static struct grpc_stream *open[streams];
	SCOPED(buffer) message = &(struct buffer){0};
	Sluice__V1__SearchRequest all, few;
	size_t before, after;

	rows_create(&rows, 1);
	all = search_request(&rows, query_make(rows.dim, 7), UINT64_MAX);
	few = search_request(&rows, query_make(rows.dim, 8), 5);
	cr_assert_eq(search_all(&world.session, &all).n, rows.n);
	before = server_own_bytes(&world.server);
	for (size_t i = 0; i < connections; i++)
		session_open(&sessions[i], world.server.address);
	for (size_t i = 0; i < streams; i++)
		open[i] = session_stream(&sessions[i % connections], &search, &all.base);
	for (size_t i = 0; i < streams; i++)
		cr_assert(grpc_stream_next(open[i], message));

	/* Others are served meanwhile, to their end. */
	for (size_t i = 0; i < n_searches; i++)
		cr_assert_eq(search_all(&world.session, &few).n, 5);
	after = server_own_bytes(&world.server);
	if (!SANITIZED)
		cr_assert_lt(after, before + streams * STREAM_BYTES_MAX,
			     "%zu MB more for %d streams", (after - before) >> 20, streams);

	/* One of each connection is read to its end, slow as it was; the others break off. */
	for (size_t i = 0; i < connections; i++) {
		while (grpc_stream_next(open[i], message))
			;
		WANT(session_finish(&sessions[i], open[i]), GRPC_STATUS_OK, "");
	}
	for (size_t i = 0; i < streams; i++)
		grpc_stream_close(open[i]);
	for (size_t i = 0; i < connections; i++)
		session_close(&sessions[i]);
	want_idle();
}
