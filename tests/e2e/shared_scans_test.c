/* shared_scans - exact searches that wait for a worker are scanned for together: each still gets its own order,
 * and one that ends before its time takes nothing from the others.
 */
#include "tests/e2e/iterating.h"
#include "tests/e2e/random.h"
#include "tests/e2e/telemetry_world.h"

#include <stdio.h>

#define DIM 96
#define AT_ONCE 40
#define TURNS_MAX 50

TestSuite(shared_scans, .init = world_open, .fini = world_close, .timeout = 200);

static struct rows rows;

/* Every page is a worker's, so every scan may be shared. Some rows are sealed, some are not. */
static void begin(unsigned workers)
{
	telemetry_restart_with(
		text_of("threads: {workers: %u, inline_scan_bytes_max: 0}\n", workers));
	rows = (struct rows){.collection = "docs",
			     .dim = DIM,
			     .n = SANITIZED ? 1500 : 6000,
			     .metric = SLUICE__V1__METRIC__METRIC_COSINE};
	rows_make(&rows, 3);
	make_collection(rows.collection, rows.dim, rows.metric);
	rows_upsert(&rows, 0, rows.n - 200);
	optimize_now(rows.collection);
	rows_upsert(&rows, rows.n - 200, 200);
}

static Sluice__V1__SearchRequest draw_exact(uint64_t seed, uint64_t limit)
{
	return search_request(&rows, query_make(rows.dim, seed), limit);
}

static struct grpc_stream *open_stream(Sluice__V1__SearchRequest request, double seconds)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	bytes->size = protobuf_c_message_pack(&request.base, buffer_reserve(bytes, 4096));
	return grpc_stream_open_server(world.session.client, search.path,
				       bytes_of(bytes->data, bytes->size), seconds);
}

static void search_at_once(uint64_t seed, uint64_t limit)
{
	struct grpc_stream *streams[AT_ONCE];

	for (size_t i = 0; i < AT_ONCE; i++)
		streams[i] = open_stream(draw_exact(seed + i, limit), CALL_SECONDS);
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct seen_list seen = {0};
		struct seen_list wanted = oracle_order(&rows, query_make(rows.dim, seed + i), NULL);

		seen_read(&world.session, streams[i], SIZE_MAX, &seen);
		WANT(seen.end, GRPC_STATUS_OK, "");
		cr_assert_eq(seen.n, limit);
		WANT_SAME(&seen, &wanted, limit);
		cr_assert_eq(seen.summary->scanned, rows.n);
		grpc_stream_close(streams[i]);
	}
}

static void check_order(unsigned workers)
{
	size_t turns = 0;

	begin(workers);
	/* How many wait at a time is the machine's to say. */
	do
		search_at_once(1000 * ++turns, 10);
	while (turns < TURNS_MAX && !(telemetry_value("sluice_shared_scans_total") > 0));
	cr_assert_gt(telemetry_value("sluice_shared_scans_total"), 0);
	/* Beyond the first window. */
	search_at_once(7, 300);
	want_idle();
}

Test(shared_scans, give_each_search_its_own_order_with_one_worker)
{
	check_order(1);
}

Test(shared_scans, give_each_search_its_own_order_with_three_workers)
{
	check_order(3);
}

/* A walk whose credit comes in pieces begins as a search does. */
Test(shared_scans, give_each_walk_its_own_order)
{
	struct grpc_stream *streams[AT_ONCE];

	begin(2);
	for (size_t turn = 0; turn < 5; turn++) {
		for (size_t i = 0; i < AT_ONCE; i++) {
			Sluice__V1__SearchRequest wanted = draw_exact(100 * turn + i, 0);

			streams[i] =
				grpc_stream_open(world.session.client, iterate.path, CALL_SECONDS);
			cr_assert(iterate_open(streams[i], &wanted));
			cr_assert(iterate_credit(streams[i], 3));
			cr_assert(iterate_credit(streams[i], 4));
		}
		for (size_t i = 0; i < AT_ONCE; i++) {
			iterate_await_opened(&world.session, streams[i]);
			iterate_await_hits(&world.session, streams[i], 7);
			iterate_close(streams[i]);
			WANT(iterate_read_all(&world.session, streams[i], NULL), GRPC_STATUS_OK,
			     "");
			grpc_stream_close(streams[i]);
		}
	}
	want_idle();
}

/* Cancelled by the client, or out of time, at any moment. */
Test(shared_scans, outlive_those_that_end_before_their_time)
{
	struct random random = {11};

	begin(2);
	for (size_t turn = 0; turn < (SANITIZED ? 10 : 40); turn++) {
		struct grpc_stream *streams[AT_ONCE];
		bool ends[AT_ONCE];

		for (size_t i = 0; i < AT_ONCE; i++) {
			bool expires = random_below(&random, 4) == 0;

			streams[i] = open_stream(
				draw_exact(100 * turn + i, 10),
				expires ? 0.0005 * (double)(1 + random_below(&random, 8))
					: CALL_SECONDS);
			ends[i] = expires;
		}
		for (size_t i = 0; i < AT_ONCE; i++) {
			if (ends[i] || random_below(&random, 3))
				continue;
			grpc_stream_cancel(streams[i]);
			ends[i] = true;
		}
		for (size_t i = 0; i < AT_ONCE; i++) {
			struct seen_list seen = {0};

			if (ends[i]) {
				session_finish(&world.session, streams[i]);
			} else {
				struct seen_list wanted = oracle_order(
					&rows, query_make(rows.dim, 100 * turn + i), NULL);

				seen_read(&world.session, streams[i], SIZE_MAX, &seen);
				WANT(seen.end, GRPC_STATUS_OK, "");
				WANT_SAME(&seen, &wanted, 10);
			}
			grpc_stream_close(streams[i]);
		}
	}
	want_idle();
}

/* Those that are cut wait for nobody, and nobody for them. A call that the server had not seen when it left waits
 * for another one to come, to its end. */
Test(shared_scans, end_with_a_drain)
{
	struct grpc_stream *streams[AT_ONCE];

	begin(1);
	for (size_t i = 0; i < AT_ONCE; i++)
		streams[i] = open_stream(draw_exact(i, 10), 2.0);
	server_terminate(&world.server);
	for (size_t i = 0; i < AT_ONCE; i++) {
		struct answer end = session_finish(&world.session, streams[i]);

		cr_assert(end.code == GRPC_STATUS_OK || end.code == GRPC_STATUS_UNAVAILABLE ||
				  end.code == GRPC_STATUS_CANCELLED ||
				  end.code == GRPC_STATUS_DEADLINE_EXCEEDED,
			  "%d: %s", end.code, end.detail);
		grpc_stream_close(streams[i]);
	}
}
