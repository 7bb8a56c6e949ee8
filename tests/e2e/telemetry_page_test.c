/* telemetry_page - curves and devices on the status page, what a browser makes of it, and /debug. */
#include "kernels/base/deadline.h"
#include "tests/e2e/iterating.h"
#include "tests/e2e/telemetry_world.h"
#include "tests/support/skip.h"

#include <jansson.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIM 16
#define N_ROWS 1500

TestSuite(telemetry_page, .init = world_open, .fini = world_close, .timeout = 300);

/* A collection that is indexed as its kind is. */
static void make_indexed(const char *name, Sluice__V1__IndexKind kind, const char *factory)
{
	Sluice__V1__IndexOptions index = SLUICE__V1__INDEX_OPTIONS__INIT;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
	struct rows rows = {.collection = name,
			    .metric = SLUICE__V1__METRIC__METRIC_L2,
			    .dim = DIM,
			    .n = N_ROWS};

	index.kind = kind;
	index.faiss_factory = text_of("%s", factory);
	collection.name = text_of("%s", name);
	collection.dimension = DIM;
	collection.metric = rows.metric;
	collection.index = &index;
	request.collection = &collection;
	WANT(session_call(&world.session, &create_collection, &request.base), GRPC_STATUS_OK, "");
	rows_make(&rows, 3);
	rows_upsert(&rows, 0, N_ROWS);
	optimize_now(name);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

Test(telemetry_page, draws_a_curve_for_each_collection_that_has_an_index)
{
	static const char *const absent[] = {
		"<script", "<img", "<link", "src=", "http://", "https://", "@import", "url("};
	char *page;

	telemetry_restart("level: warning");
	make_indexed("exact", SLUICE__V1__INDEX_KIND__INDEX_KIND_FLAT, "");
	page = telemetry_get("/");
	cr_assert_null(strstr(page, "<svg"));
	cr_assert_not_null(strstr(page, "<p>0 of 0 shown"));
	free(page);

	make_indexed("listed", SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF, "");
	make_indexed("graph", SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS, "HNSW16");
	page = telemetry_get("/");
	cr_assert_eq(count(page, "<svg "), 2);
	cr_assert_eq(count(page, "</svg>"), 2);
	cr_assert_not_null(strstr(page, "<b>listed</b> ivf"), "%s", page);
	cr_assert_not_null(
		strstr(page, "<b>graph</b> HNSW16, 1,500 rows; 1 of 1 segments indexed"));
	cr_assert_not_null(strstr(page, "share of rows that are read"));
	cr_assert_not_null(strstr(page, "share of rows that are candidates"));
	cr_assert_geq(count(page, "<title>top 10: recall "), 2);
	cr_assert_eq(count(page, "<title>top "), count(page, "%</td></tr>\n"));
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		cr_assert_null(strstr(page, absent[i]), "%s", absent[i]);
	free(page);
}

/* --- in a browser --- */

static const char *find_browser(void)
{
	static const char *const paths[] = {"/usr/bin/chromium-headless-shell", "/usr/bin/chromium",
					    "/usr/bin/google-chrome"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* The page forbids script itself (Content-Security-Policy), and no name but the server's resolves. The exit
 * status. */
static int photograph(const char *browser, const char *path, unsigned width, unsigned height)
{
	const char *const arguments[] = {
		browser,
		"--headless",
		"--no-sandbox",
		"--disable-gpu",
		"--hide-scrollbars",
		"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
		text_of("--user-data-dir=%s/browser", world.scratch.path),
		text_of("--window-size=%u,%u", width, height),
		text_of("--screenshot=%s", path),
		text_of("http://%s/", telemetry_address()),
		NULL,
	};
	int ended = -1;
	pid_t pid;

	setenv("HOME", world.scratch.path, 1);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		execv(browser, (char *const *)(size_t)arguments);
		_exit(127);
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &ended, 0), pid);
	return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

static unsigned number_at(const unsigned char *bytes)
{
	return (unsigned)bytes[0] << 24 | (unsigned)bytes[1] << 16 | (unsigned)bytes[2] << 8 |
	       bytes[3];
}

/* A PNG of that size with something on it. */
static void want_picture(const char *path, unsigned width, unsigned height)
{
	unsigned char head[24];
	struct stat found;
	FILE *in = fopen(path, "re");

	cr_assert_not_null(in, "%s", path);
	cr_assert_eq(fread(head, 1, sizeof head, in), sizeof head);
	fclose(in);
	cr_assert_eq(memcmp(head, "\x89PNG\r\n\x1a\n", 8), 0);
	cr_assert_eq(number_at(head + 16), width);
	cr_assert_eq(number_at(head + 20), height);
	cr_assert_eq(stat(path, &found), 0);
	/* An empty page of this size takes 10 KB. */
	cr_assert_gt(found.st_size, 40000);
}

/* Pictures are kept with the test's outputs, for people to look at. */
Test(telemetry_page, is_shown_by_a_browser_wide_and_narrow)
{
	static const struct {
		const char *name;
		unsigned width, height;
	} windows[] = {{"wide", 1200, 1700}, {"narrow", 400, 2400}};
	const char *browser = find_browser(), *outputs = getenv("TEST_UNDECLARED_OUTPUTS_DIR");
	Sluice__V1__SearchRequest request;
	struct rows rows = {.collection = "listed",
			    .metric = SLUICE__V1__METRIC__METRIC_L2,
			    .dim = DIM,
			    .n = N_ROWS};
	struct grpc_stream *stream;

	if (!browser)
		SKIP_LOUDLY("no headless Chromium (package chromium-headless-shell)");
	telemetry_restart("level: warning");
	make_indexed("listed", SLUICE__V1__INDEX_KIND__INDEX_KIND_IVF, "");
	make_indexed("graph", SLUICE__V1__INDEX_KIND__INDEX_KIND_FAISS, "HNSW16");
	rows_make(&rows, 3);
	request = search_request(&rows, rows_vector(&rows, 1), 0);
	stream = session_stream(&world.session, &iterate, NULL);
	cr_assert(iterate_open(stream, &request));
	iterate_await_opened(&world.session, stream);
	cr_assert(iterate_credit(stream, 500));
	iterate_await_hits(&world.session, stream, 500);
	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
		const char *path = text_of("%s/status_%s.png",
					   outputs ? outputs : world.scratch.path, windows[i].name);

		cr_assert_eq(photograph(browser, path, windows[i].width, windows[i].height), 0);
		want_picture(path, windows[i].width, windows[i].height);
	}
	grpc_stream_close(stream);
}

/* --- /debug --- */

static json_t *debug_now(void)
{
	char *text = telemetry_get("/debug");
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	cr_assert_not_null(root, "%d: %s: %s", error.position, error.text, text);
	free(text);
	return root;
}

static json_int_t number_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	cr_assert(json_is_integer(value), "%s", name);
	return json_integer_value(value);
}

static const char *text_member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	cr_assert(json_is_string(value), "%s", name);
	return json_string_value(value);
}

static bool one_call_waits(const json_t *root)
{
	const json_t *cursor = json_array_get(json_object_get(root, "cursors"), 0);

	return json_array_size(json_object_get(root, "calls")) == 1 &&
	       json_is_true(json_object_get(cursor, "waits"));
}

/* A call that its client has seen the end of goes a moment later, and one whose message it has rests a moment
 * later; a failure where they never do. */
static json_t *debug_of_one_call(void)
{
	int64_t until_ns = clock_ns() + INT64_C(10000000000);
	json_t *root = debug_now();

	while (!one_call_waits(root) && clock_ns() < until_ns) {
		json_decref(root);
		sched_yield();
		root = debug_now();
	}
	return root;
}

Test(telemetry_page, tells_of_calls_cursors_pools_and_connections)
{
	static const char *const members[] = {"process",           "gauges",  "pools",
					      "completion_queues", "calls",   "cursors",
					      "collections",       "channelz"};
	struct rows rows = {.collection = "docs",
			    .metric = SLUICE__V1__METRIC__METRIC_L2,
			    .dim = DIM,
			    .n = N_ROWS};
	Sluice__V1__SearchRequest request;
	struct grpc_stream *stream;
	const json_t *item, *channelz;
	json_t *root;
	const char *id;

	telemetry_restart("level: warning");
	rows_create(&rows, 3);
	request = search_request(&rows, rows_vector(&rows, 1), 0);
	stream = session_stream(&world.session, &iterate, NULL);
	cr_assert(iterate_open(stream, &request));
	id = iterate_await_opened(&world.session, stream);
	root = debug_of_one_call();

	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		cr_assert_not_null(json_object_get(root, members[i]), "%s", members[i]);
	cr_assert_eq(number_of(json_object_get(root, "gauges"), "cursors"), 1);
	cr_assert_eq(json_array_size(json_object_get(root, "calls")), 1);
	item = json_array_get(json_object_get(root, "calls"), 0);
	cr_assert_str_eq(text_member(item, "method"), "/sluice.v1.RetrievalService/Iterate");
	cr_assert(json_is_true(json_object_get(item, "receives")));
	cr_assert(json_is_false(json_object_get(item, "runs")));
	item = json_array_get(json_object_get(root, "cursors"), 0);
	cr_assert_str_eq(text_member(item, "id"), id);
	cr_assert(json_is_true(json_object_get(item, "waits")));
	item = json_array_get(json_object_get(root, "collections"), 0);
	cr_assert_eq(number_of(item, "chunks"), N_ROWS);
	item = json_array_get(json_object_get(root, "pools"), 0);
	cr_assert_str_eq(text_member(item, "name"), "worker");
	cr_assert_gt(number_of(item, "threads"), 0);
	/* What the core knows: a server, its listener, and our connection with its streams. */
	channelz = json_object_get(root, "channelz");
	item = json_array_get(json_object_get(json_object_get(channelz, "servers"), "server"), 0);
	cr_assert_gt(atoi(text_member(json_object_get(item, "data"), "callsStarted")), 0);
	cr_assert_eq(json_array_size(json_object_get(item, "listenSocket")), 1);
	item = json_array_get(
		json_array_get(json_object_get(channelz, "connections_of_servers"), 0), 0);
	item = json_object_get(json_object_get(item, "socket"), "data");
	cr_assert_gt(atoi(text_member(item, "streamsStarted")), 0);
	json_decref(root);
	grpc_stream_close(stream);
}
