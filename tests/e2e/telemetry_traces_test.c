/* telemetry_traces - a server that was told of a collector: which spans come there, and what never does. */
#include "tests/e2e/filters.h"
#include "tests/e2e/rows.h"
#include "tests/e2e/served.h"
#include "tests/e2e/telemetry_world.h"
#include "tests/service/telemetry/collector.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DIM 8
#define N_ROWS 3000
#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define TRACEPARENT "00-" TRACE "-" PARENT "-01"
#define SEARCH "sluice.v1.RetrievalService/Search"

/* What a client writes, asks with or shows, and no span has. */
#define SECRET_TEXT "SECRETTEXT"
#define SECRET_ID "SECRETID"
#define SECRET_KEY "SECRETKEY"
#define SECRET_VALUE "SECRETVALUE"

static struct collector *collector;

/* Under ThreadSanitizer all tests are one process. */
static void clear_environment(void)
{
	static const char *const names[] = {
		"OTEL_BSP_MAX_QUEUE_SIZE",
		"OTEL_BSP_SCHEDULE_DELAY",
		"OTEL_EXPORTER_OTLP_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
		"OTEL_EXPORTER_OTLP_CLIENT_KEY",
		"OTEL_EXPORTER_OTLP_COMPRESSION",
		"OTEL_EXPORTER_OTLP_ENDPOINT",
		"OTEL_EXPORTER_OTLP_HEADERS",
		"OTEL_EXPORTER_OTLP_TIMEOUT",
		"OTEL_RESOURCE_ATTRIBUTES",
		"OTEL_SDK_DISABLED",
		"OTEL_SERVICE_NAME",
		"OTEL_TRACES_SAMPLER",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
}

static void open_world(void)
{
	clear_environment();
	collector = collector_open();
	world_open();
}

static void close_world(void)
{
	world_close();
	collector_close(collector);
}

TestSuite(telemetry_traces, .init = open_world, .fini = close_world, .timeout = 200);

/* The server anew, with OTEL_* as they are and the collector as its endpoint. */
static void restart(void)
{
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", text_of("http://%s", collector_address(collector)),
	       1);
	setenv("OTEL_BSP_SCHEDULE_DELAY", "10", 1);
	telemetry_restart("calls_one_in: 1");
}

/* The first span of a name from `from` on; waits for it. */
static const span *await_span(const char *name, size_t *from)
{
	for (;; (*from)++) {
		cr_assert_gt(collector_await(collector, *from + 1), *from, "no span %s", name);
		if (strcmp(collector_span(collector, *from)->name, name) == 0)
			return collector_span(collector, *from);
	}
}

static bool is_hex(ProtobufCBinaryData id, const char *hex)
{
	char text[2 * 16 + 1] = "";

	for (size_t i = 0; i < id.len && i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", id.data[i]);
	return strcmp(text, hex) == 0;
}

static bool is_same(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* A search with a header, read to its end. */
static void search_under(const char *traceparent, const Sluice__V1__SearchRequest *request)
{
	struct session session;

	session_open_with(&session, world.server.address,
			  &(struct grpc_client_options){.traceparent = traceparent});
	{
		SCOPED(grpc_stream) stream = session_stream(&session, &search, &request->base);

		while (session_next(&session, &search, stream, NULL))
			;
		cr_assert_eq(session_finish(&session, stream).code, GRPC_STATUS_OK);
	}
	session_close(&session);
}

static struct rows rows;

static void write_rows(void)
{
	rows = (struct rows){.collection = "docs",
			     .metric = SLUICE__V1__METRIC__METRIC_L2,
			     .dim = DIM,
			     .n = N_ROWS};
	rows_create(&rows, 1);
}

Test(telemetry_traces, has_a_span_of_a_search_with_its_stages_below_it)
{
	static const char *const stages[] = {"open", "scan", "rerank", "encode"};
	Sluice__V1__SearchRequest request;
	const span *call;
	size_t at = 0;
	struct timespec now;

	restart();
	write_rows();
	request = search_request(&rows, rows_vector(&rows, 1), 10);
	search_under(TRACEPARENT, &request);
	call = await_span(SEARCH, &at);
	clock_gettime(CLOCK_REALTIME, &now);

	cr_assert(is_hex(call->trace_id, TRACE));
	cr_assert(is_hex(call->parent_span_id, PARENT));
	cr_assert_eq(call->span_id.len, 8);
	cr_assert_eq(call->kind,
		     OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_SERVER);
	cr_assert_eq(call->flags, 0x301U);
	cr_assert_null(call->status);
	cr_assert_str_eq(span_text(call, "rpc.system"), "grpc");
	cr_assert_str_eq(span_text(call, "rpc.service"), "sluice.v1.RetrievalService");
	cr_assert_str_eq(span_text(call, "rpc.method"), "Search");
	cr_assert_str_eq(span_text(call, "network.type"), "ipv4");
	cr_assert_str_eq(span_text(call, "network.peer.address"), "127.0.0.1");
	cr_assert_gt(span_number(call, "network.peer.port"), 0);
	cr_assert_eq(span_number(call, "rpc.grpc.status_code"), 0);
	cr_assert_eq(span_number(call, "sluice.messages_received"), 1);
	cr_assert_geq(span_number(call, "sluice.messages_sent"), 1);
	cr_assert_eq(span_number(call, "sluice.hits"), 10);
	/* On the wall's clock, within the last minute. */
	cr_assert_leq(call->end_time_unix_nano,
		      (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec);
	cr_assert_gt(call->start_time_unix_nano, (uint64_t)(now.tv_sec - 60) * 1000000000);

	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		const span *stage = await_span(stages[i], &at);

		cr_assert(is_same(stage->trace_id, call->trace_id), "%s", stages[i]);
		cr_assert(is_same(stage->parent_span_id, call->span_id), "%s", stages[i]);
		cr_assert_not(is_same(stage->span_id, call->span_id), "%s", stages[i]);
		cr_assert_eq(stage->kind,
			     OPENTELEMETRY__PROTO__TRACE__V1__SPAN__SPAN_KIND__SPAN_KIND_INTERNAL);
		cr_assert_geq(stage->start_time_unix_nano, call->start_time_unix_nano);
		cr_assert_leq(stage->end_time_unix_nano, call->end_time_unix_nano);
		cr_assert_leq(stage->start_time_unix_nano, stage->end_time_unix_nano);
		if (strcmp(stages[i], "scan") == 0)
			cr_assert_geq(span_number(stage, "sluice.rows"), N_ROWS);
		if (strcmp(stages[i], "rerank") == 0)
			cr_assert_geq(span_number(stage, "sluice.rows"), 10);
		if (strcmp(stages[i], "encode") == 0)
			cr_assert_eq(span_number(stage, "sluice.hits"), 10);
	}
	cr_assert_str_eq(resource_text(collector_resource(collector, at), "service.name"),
			 "sluice");
}

Test(telemetry_traces, has_a_filter_where_there_was_one)
{
	Sluice__V1__SearchRequest request;
	size_t at = 0;
	const span *call;

	restart();
	write_rows();
	request = search_request(&rows, rows_vector(&rows, 1), 10);
	request.filter = filter_documents("nowhere", "elsewhere");
	search_under(TRACEPARENT, &request);
	call = await_span(SEARCH, &at);
	cr_assert(is_same(await_span("filter", &at)->parent_span_id, call->span_id));
}

Test(telemetry_traces, begins_a_trace_where_a_call_is_in_none)
{
	const Sluice__V1__ListCollectionsRequest request =
		SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;
	const char *const parents[] = {NULL, "00-" TRACE "-" PARENT "-1", "nonsense"};
	size_t at = 0;

	restart();
	for (size_t i = 0; i < 3; i++) {
		struct session session;
		const span *call;

		session_open_with(&session, world.server.address,
				  &(struct grpc_client_options){.traceparent = parents[i]});
		session_call(&session, &list_collections, &request.base);
		session_close(&session);
		call = await_span("sluice.v1.CollectionService/ListCollections", &at);
		cr_assert_eq(call->trace_id.len, 16);
		cr_assert_not(is_hex(call->trace_id, TRACE));
		cr_assert_eq(call->parent_span_id.len, 0);
		cr_assert_eq(call->flags, 0x101U);
		at++;
	}
}

Test(telemetry_traces, says_how_a_call_failed_and_not_what_about)
{
	Sluice__V1__SearchRequest request;
	float vector[DIM] = {1};
	size_t at = 0;
	const span *call;

	restart();
	rows = (struct rows){.collection = "secretid", .dim = DIM};
	request = search_request(&rows, vector, 10);
	WANT(session_call(&world.session, &search, &request.base), GRPC_STATUS_NOT_FOUND, "");
	call = await_span(SEARCH, &at);
	cr_assert_eq(span_number(call, "rpc.grpc.status_code"), GRPC_STATUS_NOT_FOUND);
	cr_assert_null(call->status); /* an answer, and no fault of the server's */

	session_call(&world.session, &(struct method){"/no.Such/secretid", NULL}, &request.base);
	call = await_span("unknown", &at);
	cr_assert_eq(span_number(call, "rpc.grpc.status_code"), GRPC_STATUS_UNIMPLEMENTED);
	cr_assert_not_null(call->status);
	cr_assert_eq(call->status->code,
		     OPENTELEMETRY__PROTO__TRACE__V1__STATUS__STATUS_CODE__STATUS_CODE_ERROR);
	cr_assert_str_eq(call->status->message, "Unimplemented");
	cr_assert_not(collector_has(collector, "secretid", 8));
}

/* Of a walk of many pages the first stages are there, and the number of the others. */
Test(telemetry_traces, has_a_bound_for_the_stages_of_a_walk)
{
	Sluice__V1__SearchRequest request;
	size_t at = 0, n = 0;
	const span *call;

	restart();
	write_rows();
	request = search_request(&rows, rows_vector(&rows, 1), N_ROWS);
	request.max_hits_per_message = 10;
	search_under(TRACEPARENT, &request);
	call = await_span(SEARCH, &at);
	cr_assert_gt(span_number(call, "sluice.stages_left_out"), 100);
	collector_await(collector, at + 65);
	for (size_t i = at + 1; i < at + 65; i++)
		n += is_same(collector_span(collector, i)->parent_span_id, call->span_id);
	cr_assert_eq(n, 64);
}

/* Chunks with a secret text, id and value, found by a vector with a number of its own and by an id. */
static void talk_of_secrets(void)
{
	struct batch_shape shape = {.collection = "secrets", .n = 3, .dim = DIM};
	Sluice__V1__UpsertChunksRequest *batch = batch_make(&world.session.arena, &shape);
	float vector[DIM] = {0.73219421f, 0.1f};
	Sluice__V1__SearchRequest request;
	struct session session;

	make_collection("secrets", DIM, SLUICE__V1__METRIC__METRIC_L2);
	for (size_t i = 0; i < batch->n_chunks; i++) {
		batch->chunks[i]->id = text_of(SECRET_ID "-%zu", i);
		batch->chunks[i]->document_id = text_of(SECRET_VALUE);
		batch->chunks[i]->text = (char *)SECRET_TEXT;
	}
	session_open_with(&session, world.server.address,
			  &(struct grpc_client_options){.authorization = "Bearer " SECRET_KEY,
							.traceparent = TRACEPARENT});
	{
		SCOPED(grpc_stream) stream = session_stream(&session, &upsert_chunks, NULL);

		cr_assert(stream_send(stream, &batch->base));
		grpc_stream_half_close(stream);
		while (session_next(&session, &upsert_chunks, stream, NULL))
			;
		cr_assert_eq(session_finish(&session, stream).code, GRPC_STATUS_OK);
	}
	session_close(&session);
	rows = (struct rows){.collection = "secrets", .dim = DIM};
	request = search_request(&rows, vector, 2);
	search_under(TRACEPARENT, &request);
	request.vector = NULL;
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_CHUNK_ID;
	request.chunk_id = text_of(SECRET_ID "-1");
	search_under(TRACEPARENT, &request);
}

Test(telemetry_traces, has_nothing_that_a_call_carried)
{
	static const char *const secrets[] = {SECRET_TEXT,  SECRET_ID, SECRET_KEY,
					      SECRET_VALUE, "Bearer",  "73219"};
	const float number = 0.73219421f;
	size_t at = 0;

	restart();
	talk_of_secrets();
	for (size_t i = 0; i < 2; i++, at++)
		await_span(SEARCH, &at);
	cr_assert_eq(server_stop(&world.server, 30), 0);

	for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
		cr_assert_not(collector_has(collector, secrets[i], strlen(secrets[i])), "%s",
			      secrets[i]);
	cr_assert_not(collector_has(collector, &number, sizeof number));
	cr_assert(collector_has(collector, "sluice.v1.IngestService/UpsertChunks", 36));
	world_restart(&(struct server_options){0});
}

Test(telemetry_traces, obeys_the_environment)
{
	const Sluice__V1__ListCollectionsRequest request =
		SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;
	const resource *from;
	size_t at = 0;

	setenv("OTEL_SERVICE_NAME", "retrieval", 1);
	setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=pod-1", 1);
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20collectors", 1);
	setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none", 1);
	restart();
	session_call(&world.session, &list_collections, &request.base);
	await_span("sluice.v1.CollectionService/ListCollections", &at);
	from = collector_resource(collector, at);
	cr_assert_str_eq(resource_text(from, "service.name"), "retrieval");
	cr_assert_str_eq(resource_text(from, "k8s.pod.name"), "pod-1");
	cr_assert_not_null(resource_text(from, "service.version"));
	cr_assert_str_eq(collector_authorization(collector), "Bearer collectors");

	setenv("OTEL_TRACES_SAMPLER", "always_off", 1);
	restart();
	session_call(&world.session, &list_collections, &request.base);
	cr_assert_eq(server_stop(&world.server, 30), 0);
	cr_assert_eq(collector_await_calls(collector, 0), collector_await_calls(collector, 1));

	unsetenv("OTEL_TRACES_SAMPLER");
	setenv("OTEL_SDK_DISABLED", "true", 1);
	at = collector_await_calls(collector, 1);
	restart();
	session_call(&world.session, &list_collections, &request.base);
	cr_assert_eq(server_stop(&world.server, 30), 0);
	cr_assert_eq(collector_await_calls(collector, 0), at);
	world_restart(&(struct server_options){0});
}

Test(telemetry_traces, is_sent_over_tls_to_whom_it_trusts)
{
	const Sluice__V1__ListCollectionsRequest request =
		SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;
	/* A restart takes what the session's arena has. */
	char certificate[PATH_MAX], key[PATH_MAX], ca[PATH_MAX];
	const struct rpc_tls tls = {certificate, key, ca, false};
	struct collector *plain = collector;
	size_t at = 0;

	snprintf(certificate, sizeof certificate, "%s", tls_file("server.pem"));
	snprintf(key, sizeof key, "%s", tls_file("server.key"));
	snprintf(ca, sizeof ca, "%s", tls_file("ca.pem"));
	collector = collector_open_tls(&tls);
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", text_of("https://%s", collector_address(collector)),
	       1);
	setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", tls_file("ca.pem"), 1);
	setenv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", tls_file("client.pem"), 1);
	setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", tls_file("client.key"), 1);
	setenv("OTEL_BSP_SCHEDULE_DELAY", "10", 1);
	telemetry_restart("level: warning");
	session_call(&world.session, &list_collections, &request.base);
	await_span("sluice.v1.CollectionService/ListCollections", &at);
	telemetry_await("sluice_otlp_sent_total", 1);

	/* A collector of another CA gets nothing. */
	setenv("OTEL_EXPORTER_OTLP_CERTIFICATE", tls_file("other.pem"), 1);
	setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "500", 1);
	telemetry_restart("level: warning");
	session_call(&world.session, &list_collections, &request.base);
	telemetry_await("sluice_otlp_dropped_total{reason=\"collector\"}", 1);
	cr_assert_eq(server_stop(&world.server, 30), 0);
	collector_close(collector);
	collector = plain;
	clear_environment();
	world_restart(&(struct server_options){0});
}

/* What was recorded last is sent before the process ends. */
Test(telemetry_traces, sends_what_waits_at_the_end)
{
	const Sluice__V1__ListCollectionsRequest request =
		SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;
	size_t at = 0;

	restart();
	setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000", 1);
	world_restart(&(struct server_options){0});
	session_call(&world.session, &list_collections, &request.base);
	cr_assert_eq(server_stop(&world.server, 30), 0);
	await_span("sluice.v1.CollectionService/ListCollections", &at);
	world_restart(&(struct server_options){0});
}

/* A collector that is not there, and one that never answers: calls do what they did, spans are dropped and
 * counted, and the end comes all the same. */
Test(telemetry_traces, costs_calls_nothing_where_the_collector_is_dead)
{
	const Sluice__V1__ListCollectionsRequest request =
		SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;

	setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200", 1);
	setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20", 1);
	for (size_t i = 0; i < 2; i++) {
		double dropped;

		if (i == 0)
			collector_stall(collector);
		restart();
		if (i == 1) {
			setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", 1);
			telemetry_restart("level: warning");
		}
		for (size_t call = 0; call < 300; call++)
			cr_assert_eq(
				session_call(&world.session, &list_collections, &request.base).code,
				GRPC_STATUS_OK);
		do {
			pause_ms(5);
			dropped =
				telemetry_value("sluice_otlp_dropped_total{reason=\"queue\"}") +
				telemetry_value("sluice_otlp_dropped_total{reason=\"collector\"}");
		} while (dropped < 300);
		cr_assert_eq(dropped, 300);
		cr_assert_eq(telemetry_value("sluice_otlp_sent_total"), 0);
		cr_assert_eq(server_stop(&world.server, 30), 0);
	}
	world_restart(&(struct server_options){0});
}

/* --- the log --- */

static char *log_of_a_call(const char *traceparent)
{
	const Sluice__V1__ListCollectionsRequest request =
		SLUICE__V1__LIST_COLLECTIONS_REQUEST__INIT;
	const char *path = text_of("%s/log", world.scratch.path);
	int before = dup(STDERR_FILENO);
	int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct session session;
	char *text;
	off_t size;

	cr_assert_geq(file, 0);
	dup2(file, STDERR_FILENO);
	world_restart_with(&(struct server_options){0}, "logging: {calls_one_in: 1}\n");
	session_open_with(&session, world.server.address,
			  &(struct grpc_client_options){.traceparent = traceparent});
	session_call(&session, &list_collections, &request.base);
	session_close(&session);
	cr_assert_eq(server_stop(&world.server, 30), 0);
	dup2(before, STDERR_FILENO);
	close(before);
	size = lseek(file, 0, SEEK_END);
	text = calloc(1, (size_t)size + 1);
	cr_assert_eq(pread(file, text, (size_t)size, 0), size);
	close(file);
	world_restart(&(struct server_options){0});
	return text;
}

Test(telemetry_traces, names_the_trace_in_the_log)
{
	char *log = log_of_a_call(TRACEPARENT);

	/* Nobody records: then it is the caller's span. */
	cr_assert_not_null(strstr(log, " trace_id=" TRACE " span_id=" PARENT "\n"), "%s", log);
	free(log);
	log = log_of_a_call("00-" TRACE "-" PARENT "-0");
	cr_assert_null(strstr(log, "trace_id"), "%s", log);
	free(log);
	log = log_of_a_call(NULL);
	cr_assert_null(strstr(log, "trace_id"), "%s", log);
	free(log);
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", text_of("http://%s", collector_address(collector)),
	       1);
	log = log_of_a_call(TRACEPARENT);
	cr_assert_not_null(strstr(log, " trace_id=" TRACE " span_id="), "%s", log);
	cr_assert_null(strstr(log, " span_id=" PARENT), "%s", log);
	free(log);
}
