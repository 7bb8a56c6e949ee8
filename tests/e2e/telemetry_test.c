/* telemetry - what an operator sees of a server at work: metrics, the status page, lines of the log; and
 * what nobody is to see there. */
#include "tests/e2e/iterating.h"
#include "tests/e2e/served.h"
#include "tests/e2e/telemetry_world.h"
#include "tests/service/telemetry/metrics.h"
#include "tests/support/http_client.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIM 8
#define N_ROWS 3000

/* Words that a client may write, ask with or show, and that stand in no log. */
#define SECRET_TEXT "SECRETTEXT"
#define SECRET_ID "SECRETID"
#define SECRET_KEY "SECRETKEY"
#define SECRET_METHOD "SECRETMETHOD"

TestSuite(telemetry, .init = world_open, .fini = world_close, .timeout = 200);

static void lint(void)
{
	char *text = telemetry_get("/metrics");
	char objection[512];

	metrics_lint(text, objection, sizeof objection);
	cr_assert_str_eq(objection, "");
	free(text);
}

static struct rows rows;

static void write_rows(void)
{
	rows = (struct rows){.collection = "docs",
			     .metric = SLUICE__V1__METRIC__METRIC_L2,
			     .dim = DIM,
			     .n = N_ROWS};
	rows_create(&rows, 5);
}

#define OF(method, type)                                                                           \
	"grpc_type=\"" type "\",grpc_service=\"sluice.v1.RetrievalService\",grpc_method=\"" method \
	"\""

Test(telemetry, counts_what_calls_did)
{
	Sluice__V1__SearchRequest request;

	telemetry_restart("level: warning");
	write_rows();
	request = search_request(&rows, query_make(DIM, 1), 200);
	cr_assert_eq(search_all(&world.session, &request).n, 200);
	request.collection = (char *)"nowhere";
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_NOT_FOUND, "");

	telemetry_await("grpc_server_started_total{" OF("Search", "server_stream") "}", 2);
	telemetry_await(
		"grpc_server_handled_total{" OF("Search", "server_stream") ",grpc_code=\"OK\"}", 1);
	telemetry_await("grpc_server_handled_total{" OF("Search",
							"server_stream") ",grpc_code=\"NotFound\"}",
			1);
	telemetry_await("grpc_server_msg_received_total{" OF("Search", "server_stream") "}", 2);
	cr_assert_geq(
		telemetry_value("grpc_server_msg_sent_total{" OF("Search", "server_stream") "}"),
		2);
	telemetry_await("grpc_server_handling_seconds_count{" OF("Search", "server_stream") "}", 2);
	cr_assert_gt(telemetry_value(
			     "grpc_server_handling_seconds_sum{" OF("Search", "server_stream") "}"),
		     0);
	telemetry_await("sluice_searches_total", 1);
	telemetry_await("sluice_hits_total", 200);
	cr_assert_geq(telemetry_value("sluice_scanned_rows_total"), N_ROWS);
	cr_assert_geq(telemetry_value("sluice_scanned_bytes_total"), N_ROWS * DIM);
	cr_assert_geq(telemetry_value("sluice_reranked_rows_total"), 200);
	cr_assert_geq(telemetry_value("sluice_search_stage_seconds_count{stage=\"scan\"}"), 1);
	cr_assert_geq(telemetry_value("sluice_search_stage_seconds_count{stage=\"encode\"}"), 1);
	telemetry_await("sluice_written_chunks_total{kind=\"inserted\"}", N_ROWS);
	cr_assert_geq(telemetry_value("sluice_commits_total"), 1);
	telemetry_await("sluice_commit_seconds_count", telemetry_value("sluice_commits_total"));
	telemetry_await("sluice_writes_total{result=\"applied\"}",
			telemetry_value("sluice_queue_seconds_count{queue=\"write\"}"));
	telemetry_await("sluice_collection_chunks{collection=\"docs\"}", N_ROWS);
	telemetry_await("sluice_calls_open", 0);
	lint();
}

/* Alerts on what has not happened yet need the series: whatever is done, no new one appears but those of
 * collections. */
Test(telemetry, has_every_series_from_the_start)
{
	Sluice__V1__SearchRequest request;
	char *before, *after, *text;

	telemetry_restart("level: warning");
	text = telemetry_get("/metrics");
	before = metrics_series(text, "{collection=");
	free(text);
	lint();

	write_rows();
	request = search_request(&rows, query_make(DIM, 1), 10);
	search_all(&world.session, &request);
	session_call(&world.session, &(struct method){"/no.Such/Method", NULL}, &request.base);
	text = telemetry_get("/metrics");
	after = metrics_series(text, "{collection=");
	cr_assert_str_eq(before, after);
	free(before);
	free(after);
	free(text);
	telemetry_await(
		"grpc_server_handled_total{grpc_type=\"unary\",grpc_service=\"unknown\",grpc_"
		"method=\"unknown\",grpc_code=\"Unimplemented\"}",
		1);
}

Test(telemetry, counts_a_client_that_goes_as_cancelled)
{
	Sluice__V1__SearchRequest request;
	struct grpc_stream *stream;

	telemetry_restart("level: warning");
	write_rows();
	request = search_request(&rows, query_make(DIM, 1), 0);
	stream = session_stream(&world.session, &iterate, NULL);
	cr_assert(iterate_open(stream, &request));
	iterate_await_opened(&world.session, stream);
	telemetry_await("sluice_cursors_open", 1);
	telemetry_await("sluice_collection_snapshots{collection=\"docs\"}", 1);
	grpc_stream_close(stream);

	telemetry_await("grpc_server_handled_total{" OF("Iterate",
							"bidi_stream") ",grpc_code=\"Canceled\"}",
			1);
	telemetry_await("sluice_cursors_open", 0);
}

Test(telemetry, shows_collections_cursors_and_stages_on_its_page)
{
	static const char *const words[] = {"<h2>Collections</h2>",        ">docs<",    ">3,000<",
					    "<h2>Open cursors</h2>",       ">Iterate<", ">scan<",
					    ">IngestService/UpsertChunks<"};
	/* A page that needs nothing from elsewhere, and no script. */
	static const char *const absent[] = {
		"<script", "<img", "<link", "src=", "http://", "https://", "@import", "url("};
	Sluice__V1__SearchRequest request;
	struct grpc_stream *stream;
	const char *id;
	char *page;

	telemetry_restart("level: warning");
	write_rows();
	request = search_request(&rows, query_make(DIM, 1), 0);
	stream = session_stream(&world.session, &iterate, NULL);
	cr_assert(iterate_open(stream, &request));
	id = iterate_await_opened(&world.session, stream);
	cr_assert(iterate_credit(stream, 5));
	iterate_await_hits(&world.session, stream, 5);

	page = telemetry_get("/");
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		cr_assert_not_null(strstr(page, words[i]), "%s: %s", words[i], page);
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		cr_assert_null(strstr(page, absent[i]), "%s", absent[i]);
	cr_assert_not_null(strstr(page, id));
	cr_assert_eq(strncmp(page, "<!doctype html>", 15), 0);
	cr_assert_not_null(strstr(page, "</html>\n"));
	free(page);
	grpc_stream_close(stream);
}

Test(telemetry, is_asked_for_on_the_command_line)
{
	const char *data = text_of("%s/other", world.scratch.path);
	const char *const arguments[] = {"serve",       "--data",   data,          "--gpu",
					 "off",         "--listen", "127.0.0.1:0", "--metrics",
					 "127.0.0.1:0", NULL};
	struct served served;
	char *text;

	served_start(&served, arguments, 2);
	text = http_get(served_address(&served, "metrics on "), "/metrics");
	cr_assert_not_null(text);
	cr_assert_eq(metrics_value(text, "sluice_serving"), 1);
	free(text);
	cr_assert_eq(served_stop(&served), 0);
}

/* --- the log --- */

/* The server's standard error is the test's. */
static int log_file, stderr_before;

static void log_begin(void)
{
	const char *path = text_of("%s/log", world.scratch.path);

	log_file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	cr_assert_geq(log_file, 0);
	stderr_before = dup(STDERR_FILENO);
	dup2(log_file, STDERR_FILENO);
}

static char *log_end(void)
{
	off_t size;
	char *text;

	dup2(stderr_before, STDERR_FILENO);
	close(stderr_before);
	size = lseek(log_file, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	cr_assert_eq(pread(log_file, text, (size_t)size, 0), size);
	close(log_file);
	return text;
}

/* Chunks with a secret text and id, found by a vector with a number of its own, by a token, and with a
 * key. */
static ProtobufCBinaryData talk_of_secrets(void)
{
	struct grpc_client *client = grpc_client_open(
		world.server.address,
		&(struct grpc_client_options){.authorization = "Bearer " SECRET_KEY});
	struct batch_shape shape = {.collection = "secrets", .n = 3, .dim = DIM};
	Sluice__V1__UpsertChunksRequest *batch = batch_make(&world.session.arena, &shape);
	float vector[DIM] = {0.73219421f, 0.1f}, other[DIM] = {0.73219421f, 0.2f};
	struct grpc_reply reply;
	struct seen_list list;
	Sluice__V1__SearchRequest request;

	make_collection("secrets", DIM, SLUICE__V1__METRIC__METRIC_L2);
	for (size_t i = 0; i < batch->n_chunks; i++) {
		batch->chunks[i]->id = text_of(SECRET_ID "-%zu", i);
		batch->chunks[i]->text = (char *)SECRET_TEXT;
	}
	{
		SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);

		cr_assert(stream_send(stream, &batch->base));
		grpc_stream_half_close(stream);
		while (session_next(&world.session, &upsert_chunks, stream, NULL))
			;
		WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	}
	rows = (struct rows){.collection = "secrets", .dim = DIM};
	request = search_request(&rows, vector, 2);
	list = search_all(&world.session, &request);
	cr_assert_eq(list.n, 2);
	/* Refused with what was sent in the reason. */
	request = search_request(&rows, other, 2);
	request.resume_token = list.summary->resume_token;
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_INVALID_ARGUMENT,
	     "");
	grpc_client_unary(client, "/sluice.v1.AdminService/" SECRET_METHOD, (struct bytes){0}, 20,
			  &reply);
	cr_assert_eq(reply.code, GRPC_STATUS_UNIMPLEMENTED);
	grpc_reply_finish(&reply);
	grpc_client_close(client);
	return list.summary->resume_token;
}

/* Bytes as a log might have them: in hexadecimal, in base64. */
static void want_no_bytes(const char *log, const uint8_t *bytes)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char hex[13] = "", escaped[25] = "", base64[9] = "";

	for (size_t i = 0; i < 6; i++) {
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
		snprintf(escaped + 4 * i, 5, "\\x%02x", bytes[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		const uint8_t *at = bytes + 3 * i;
		unsigned bits = (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];

		for (size_t j = 0; j < 4; j++)
			base64[4 * i + j] = letters[bits >> (18 - 6 * j) & 63];
	}
	cr_assert_null(strstr(log, hex), "%s", log);
	cr_assert_null(strstr(log, escaped), "%s", log);
	cr_assert_null(strstr(log, base64), "%s", log);
}

static void want_no_secret(const char *log)
{
	static const char *const secrets[] = {SECRET_TEXT,   SECRET_ID, SECRET_KEY,
					      SECRET_METHOD, "73219",   "Bearer"};

	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		cr_assert_null(strstr(log, secrets[i]), "%s is in the log:\n%s", secrets[i], log);
}

Test(telemetry, logs_a_line_for_a_call_and_nothing_that_it_carried)
{
	static const char *const forms[] = {"text", "json"};

	for (size_t i = 0; i < 2; i++) {
		ProtobufCBinaryData token;
		uint8_t token_end[6];
		char *log;

		log_begin();
		telemetry_restart(text_of("level: debug, format: %s, calls_one_in: 1", forms[i]));
		token = talk_of_secrets();
		cr_assert_gt(token.len, sizeof token_end);
		memcpy(token_end, token.data + token.len - sizeof token_end, sizeof token_end);
		want_idle();
		cr_assert_eq(server_stop(&world.server, 30), 0);
		log = log_end();

		want_no_secret(log);
		want_no_bytes(log, token_end);
		if (i == 0) {
			cr_assert_not_null(strstr(log, "call method=/sluice.v1.RetrievalService/"
						       "Search code=OK ms="),
					   "%s", log);
			cr_assert_not_null(strstr(log, " hits=2 received=1 "), "%s", log);
			cr_assert_not_null(strstr(log, "code=InvalidArgument "), "%s", log);
			cr_assert_not_null(strstr(log, "method=unknown code=Unimplemented "), "%s",
					   log);
			cr_assert_not_null(strstr(log, " peer=ipv4:127.0.0.1:"), "%s", log);
		} else {
			cr_assert_not_null(strstr(log, "\"message\": \"call\", \"method\": "
						       "\"/sluice.v1.RetrievalService/Search\", "
						       "\"code\": \"OK\", \"ms\": "),
					   "%s", log);
			cr_assert_not_null(strstr(log, "\"hits\": 2, \"received\": 1, "), "%s",
					   log);
		}
		free(log);
		scratch_close(&world.scratch);
		scratch_open(&world.scratch);
	}
	world_restart(&(struct server_options){0});
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

Test(telemetry, logs_one_call_of_so_many)
{
	static const struct {
		const char *setting;
		size_t lines;
	} settings[] = {{"calls_one_in: 0", 0}, {"calls_one_in: 1", 20}, {"calls_one_in: 10", 2}};

	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
		const Sluice__V1__CountChunksRequest request =
			SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
		char *log;

		log_begin();
		telemetry_restart(settings[i].setting);
		for (int call = 0; call < 20; call++)
			session_call(&world.session, &count_chunks, &request.base);
		cr_assert_eq(server_stop(&world.server, 30), 0);
		log = log_end();
		cr_assert_eq(count(log, " INFO call method="), settings[i].lines, "%s", log);
		free(log);
	}
	world_restart(&(struct server_options){0});
}
