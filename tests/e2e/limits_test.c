/* limits - each at its edge, over a socket: what is just within is served, what is just beyond is told which
 * limit it was. Where the others are tested, by the keys of the configuration:
 *
 *	limits.message_bytes_max, calls_max, cursors_max, stalled_write_timeout, call_arena_factor,
 *	call_arena_bytes_min; index.head_rows_max, page_hits     config_test
 *	limits.message_bytes_max to the byte                     tests/service/rpc/hostile_test
 *	limits.queue_time_max, memory_bytes_max                  tests/service/rpc: shed_test, pressed_test
 *	access.calls_*                                           tests/service/access: rate_test, access_test
 *	limits.request_timeout, stream_idle_timeout              silence_test
 *	keepalive.*                                              keepalive_test
 *	limits.snapshot_age_max; index.dead_*                    tests/clients/python/resume_test
 *	threads.inline_scan_bytes_max                            churn_test
 *	logging.calls_one_in                                     telemetry_test
 */
#include "tests/e2e/details.h"
#include "tests/e2e/http2.h"
#include "tests/e2e/iterating.h"
#include "tests/e2e/key_line.h"
#include "tests/e2e/served.h"
#include "tests/service/telemetry/metrics.h"
#include "tests/support/http_client.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(limits, .init = world_open, .fini = world_close, .timeout = 200);

static void restart_with(const char *text)
{
	world_restart_with(&(struct server_options){0}, text);
}

/* --- calls --- */

static void open_with_key(struct session *session, const char *key)
{
	char header[64];

	snprintf(header, sizeof header, "Bearer %s", key);
	session_open_with(session, world.server.address,
			  &(struct grpc_client_options){.authorization = header});
}

static struct answer ask(struct session *session)
{
	return session_call_bytes(session, &get_server_info, (struct bytes){0});
}

/* How many calls one key may begin in a row, as good as at once. */
static size_t ask_until_refused(struct session *session, size_t max, struct answer *ret)
{
	size_t n = 0;

	for (; n < max; n++) {
		*ret = ask(session);
		if (ret->code != GRPC_STATUS_OK)
			break;
	}
	return n;
}

Test(limits, of_calls_a_second_are_each_keys_own)
{
	struct session one, other, free_one;
	struct grpc_stream *stream;
	struct details details;
	struct answer refused, last;
	const char *keys = text_of("%s/keys", world.scratch.path);
	size_t n;

	file_write(keys, text_of("%s%s%s", key_line("one", "read"), key_line("other", "read"),
				 key_line("free", "read:*:0")));
	restart_with(
		text_of("access: {api_keys_file: %s, calls_per_second_max: 1, calls_burst_max: "
			"5}\n",
			keys));
	open_with_key(&one, "one");
	open_with_key(&other, "other");
	open_with_key(&free_one, "free");
	n = ask_until_refused(&one, 1000, &refused);
	cr_assert(n >= 5 && n < 1000, "%zu", n);
	WANT(refused, GRPC_STATUS_RESOURCE_EXHAUSTED, "access.calls_per_second_max|1 a second|5");
	details = want_reason_at(__LINE__, &one, refused, "LIMIT_REACHED");
	cr_assert_str_eq(details_value(&details, "setting"), "access.calls_per_second_max");
	cr_assert_str_eq(details_value(&details, "limit"), "1");
	cr_assert_not_null(details.retry);
	cr_assert_not_null(details.retry->retry_delay);
	stream = session_stream(&one, &get_server_info, NULL);
	if (session_finish(&one, stream).code == GRPC_STATUS_RESOURCE_EXHAUSTED)
		cr_assert_gt(grpc_stream_trailer(stream, "grpc-retry-pushback-ms").size, 0);
	grpc_stream_close(stream);

	cr_assert_geq(ask_until_refused(&other, 5, &last), 5);
	cr_assert_eq(ask_until_refused(&free_one, 100, &last), 100);
	/* Health has no part in it. */
	for (size_t i = 0; i < 20; i++)
		WANT(session_call_bytes(&one,
					&(struct method){"/grpc.health.v1.Health/Check",
							 get_server_info.response},
					(struct bytes){0}),
		     GRPC_STATUS_OK, "");
	session_close(&one);
	session_close(&other);
	session_close(&free_one);
}

Test(limits, of_streams_in_a_connection_let_the_next_one_wait)
{
	const struct batch_shape shape = {.collection = "docs", .n = 1, .dim = 4};
	struct grpc_stream *streams[3];
	SCOPED(buffer) message = &(struct buffer){0};
	bool late;

	restart_with("limits: {streams_per_connection_max: 2}\n");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	for (size_t i = 0; i < 3; i++)
		streams[i] = session_stream(&world.session, &upsert_chunks, NULL);
	for (size_t i = 0; i < 2; i++) {
		stream_send(streams[i], &batch_make(&world.session.arena, &shape)->base);
		cr_assert_not_null(session_next(&world.session, &upsert_chunks, streams[i], NULL));
	}
	cr_assert_not(grpc_stream_next_within(streams[2], 0.5, message, &late));
	cr_assert(late);
	grpc_stream_close(streams[0]);
	stream_send(streams[2], &batch_make(&world.session.arena, &shape)->base);
	cr_assert(grpc_stream_next(streams[2], message));
	grpc_stream_close(streams[1]);
	grpc_stream_close(streams[2]);
}

/* One that opens more than it may is told so. */
Test(limits, of_streams_in_a_connection_hold_for_whoever_pays_them_no_heed)
{
	struct http2 http2;

	restart_with("limits: {streams_per_connection_max: 2}\n");
	cr_assert(http2_open(&http2, world.server.address));
	/* It holds from the client's word that it has read it. */
	cr_assert(http2_await_frame(&http2, HTTP2_SETTINGS, 0, 20));
	http2_frame(&http2, HTTP2_SETTINGS, HTTP2_ACK, 0, (struct bytes){0});
	for (uint32_t i = 0; i < 3; i++)
		http2_call(&http2, 1 + 2 * i, upsert_chunks.path, "");
	cr_assert(http2_is_over(&http2, 20));
	http2_close(&http2);
	WANT(ask(&world.session), GRPC_STATUS_OK, "");
}

/* --- headers --- */

static int code_with_header(size_t size)
{
	char *header = arena_calloc(&world.session.arena, size + 1, 1);
	struct session session;
	struct answer answer;

	memset(header, 'x', size);
	session_open_with(&session, world.server.address,
			  &(struct grpc_client_options){.authorization = header});
	answer = ask(&session);
	session_close(&session);
	return answer.code;
}

Test(limits, of_headers_are_where_they_are_said_to_be)
{
	size_t fits = 1000, does_not = 8192;

	restart_with("limits: {metadata_bytes_max: 8KiB}\n");
	cr_assert_eq(code_with_header(fits), GRPC_STATUS_OK);
	cr_assert_eq(code_with_header(does_not), GRPC_STATUS_RESOURCE_EXHAUSTED);
	while (does_not - fits > 1) {
		size_t middle = (fits + does_not) / 2;

		if (code_with_header(middle) == GRPC_STATUS_OK)
			fits = middle;
		else
			does_not = middle;
	}
	/* The rest is what every call has. */
	cr_assert(fits > 8192 - 1024 && fits < 8192, "%zu", fits);
	restart_with("limits: {metadata_bytes_max: 32KiB}\n");
	cr_assert_eq(code_with_header(does_not), GRPC_STATUS_OK);
}

/* --- memory --- */

static struct answer upsert_many(void)
{
	const struct batch_shape shape = {.collection = "docs", .n = 2048, .dim = 64};
	struct grpc_stream *stream = session_stream(&world.session, &upsert_chunks, NULL);
	struct answer answer;

	stream_send(stream, &batch_make(&world.session.arena, &shape)->base);
	grpc_stream_half_close(stream);
	while (session_next(&world.session, &upsert_chunks, stream, NULL))
		;
	answer = session_finish(&world.session, stream);
	grpc_stream_close(stream);
	return answer;
}

Test(limits, of_a_calls_memory_have_one_that_goes_first)
{
	restart_with("limits: {call_arena_factor: 1024, call_arena_bytes_max: 1MiB}\n");
	make_collection("docs", 64, SLUICE__V1__METRIC__METRIC_L2);
	WANT(upsert_many(), GRPC_STATUS_RESOURCE_EXHAUSTED, "memory");
	cr_assert_eq(count_of("docs"), 0);
	restart_with("limits: {call_arena_factor: 1024, call_arena_bytes_max: 16MiB}\n");
	WANT(upsert_many(), GRPC_STATUS_OK, "");
	cr_assert_eq(count_of("docs"), 2048);
}

/* --- time --- */

static struct rows rows = {
	.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 4, .n = 10};

Test(limits, of_idle_walks_end_those_alone)
{
	Sluice__V1__SearchRequest wanted;
	struct grpc_stream *stream;

	restart_with("limits: {cursor_idle_timeout: 1s}\n");
	rows_create(&rows, 1);
	wanted = search_request(&rows, query_make(rows.dim, 7), 0);
	stream = session_stream(&world.session, &iterate, NULL);
	cr_assert(iterate_open(stream, &wanted));
	iterate_await_opened(&world.session, stream);
	WANT(iterate_read_all(&world.session, stream, NULL), GRPC_STATUS_ABORTED,
	     "limits.cursor_idle_timeout");
	grpc_stream_close(stream);
	want_idle();
}

Test(limits, of_handshakes_end_connections_that_say_nothing)
{
	struct http2 silent, served;

	restart_with("limits: {handshake_timeout: 1s}\n");
	cr_assert(http2_connect(&silent, world.server.address));
	cr_assert(http2_open(&served, world.server.address));
	cr_assert(http2_is_over(&silent, 20));
	http2_frame(&served, HTTP2_PING, 0, 0, bytes_of_string("isitwell"));
	cr_assert(http2_await(&served, "isitwell", 20));
	http2_close(&silent);
	http2_close(&served);
}

/* --- overload --- */

#define SEARCHES 200

/* One worker, and more searches at once than it can begin in a millisecond: who waits would be late. */
Test(limits, of_a_queue_have_what_is_too_much_refused)
{
	struct rows many = rows;
	struct grpc_stream *streams[SEARCHES];
	Sluice__V1__SearchRequest request;
	size_t n_served = 0, n_refused = 0;

	restart_with("threads: {workers: 1, inline_scan_bytes_max: 0}\n"
		     "limits: {queue_time_max: 1ms}\n");
	many.n = 5000;
	many.dim = 64;
	rows_create(&many, 1);
	request = search_request(&many, query_make(many.dim, 7), 100);
	for (size_t i = 0; i < SEARCHES; i++)
		streams[i] = session_stream(&world.session, &search, &request.base);
	for (size_t i = 0; i < SEARCHES; i++) {
		struct answer answer;

		while (session_next(&world.session, &search, streams[i], NULL))
			;
		answer = session_finish(&world.session, streams[i]);
		n_served += answer.code == GRPC_STATUS_OK;
		if (answer.code != GRPC_STATUS_OK) {
			n_refused++;
			WANT(answer, GRPC_STATUS_RESOURCE_EXHAUSTED, "limits.queue_time_max");
			cr_assert_gt(grpc_stream_trailer(streams[i], "grpc-retry-pushback-ms").size,
				     0);
		}
		grpc_stream_close(streams[i]);
	}
	cr_assert_gt(n_served, 0);
	cr_assert_gt(n_refused, 0);
	/* Who comes later is served as ever. */
	want_idle();
	cr_assert_eq(search_all(&world.session, &request).n, 100);
}

/* --- threads, commits, lines --- */

static size_t threads_named(const char *name)
{
	const char *path = text_of("/proc/%d/task", (int)world.server.pid);
	DIR *folder = opendir(path);
	const struct dirent *entry;
	size_t n = 0;

	cr_assert_not_null(folder);
	while ((entry = readdir(folder))) {
		FILE *in = fopen(text_of("%s/%s/comm", path, entry->d_name), "re");
		char line[32] = "";

		if (in && fgets(line, sizeof line, in))
			n += strncmp(line, name, strlen(name)) == 0;
		if (in)
			fclose(in);
	}
	closedir(folder);
	return n;
}

Test(limits, of_threads_are_how_many_there_are)
{
	restart_with("threads: {pollers: 3, workers: 5, writers: 2}\n");
	WANT(ask(&world.session), GRPC_STATUS_OK, "");
	cr_assert_eq(threads_named("rpc-poller"), 3);
	cr_assert_eq(threads_named("worker-"), 5);
	cr_assert_eq(threads_named("writer-"), 2);
}

/* Standard output's next line is "metrics on ADDRESS".
 * Of the series, what it is now. */
static double metric(const char *series)
{
	static char address[128];
	static pid_t of;
	char *text;
	double value;

	if (of != world.server.pid) {
		size_t n = 0;
		char line[128] = "";

		while (n < sizeof line - 1 && read(world.server.output, &line[n], 1) == 1 &&
		       line[n] != '\n')
			n++;
		line[n] = 0;
		cr_assert_eq(strncmp(line, "metrics on ", 11), 0, "%s", line);
		snprintf(address, sizeof address, "%s", line + 11);
		of = world.server.pid;
	}
	text = http_get(address, "/metrics");
	cr_assert_not_null(text);
	value = metrics_value(text, series);
	free(text);
	return value;
}

static const char *const commits_of_one[] = {"commit_writes_max: 1", "commit_bytes_max: 1"};

Test(limits, of_a_commit_let_no_write_share_it)
{
	enum { BATCHES = 40 };

	for (size_t i = 0; i < sizeof commits_of_one / sizeof *commits_of_one; i++) {
		const char *name = text_of("docs%zu", i);
		struct grpc_stream *stream;
		double before;

		restart_with(text_of("metrics_listen: 127.0.0.1:0\ndurability: {%s}\n",
				     commits_of_one[i]));
		name = text_of("docs%zu", i);
		make_collection(name, 4, SLUICE__V1__METRIC__METRIC_L2);
		before = metric("sluice_commits_total");
		stream = session_stream(&world.session, &upsert_chunks, NULL);
		for (uint64_t j = 0; j < BATCHES; j++) {
			const struct batch_shape shape = {name, j, 1, 4};

			stream_send(stream, &batch_make(&world.session.arena, &shape)->base);
		}
		for (size_t j = 0; j < BATCHES; j++)
			cr_assert_not_null(
				session_next(&world.session, &upsert_chunks, stream, NULL));
		grpc_stream_close(stream);
		cr_assert_eq(metric("sluice_commits_total") - before, BATCHES, "%s",
			     commits_of_one[i]);
	}
}

Test(limits, of_lines_drop_the_rest)
{
	restart_with("metrics_listen: 127.0.0.1:0\n"
		     "logging: {lines_per_second_max: 1, calls_one_in: 1}\n");
	for (int i = 0; i < 3000 && metric("sluice_log_lines_total{result=\"dropped\"}") <= 0; i++)
		WANT(ask(&world.session), GRPC_STATUS_OK, "");
	cr_assert_gt(metric("sluice_log_lines_total{result=\"dropped\"}"), 0);
}
