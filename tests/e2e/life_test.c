/* life - what probes are told from the start to the end, the wait before a drain, and SIGHUP. */
#include "tests/e2e/health.h"
#include "tests/e2e/rows.h"
#include "tests/e2e/served.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

/* The world's own server is there for its folder and its session's arena. */
TestSuite(life, .init = world_open, .fini = world_close, .timeout = 120);

static struct rows rows = {
	.collection = "docs",
	.metric = SLUICE__V1__METRIC__METRIC_L2,
	.dim = 4,
	.n = 2000,
	.text_bytes = 16000, /* 32 MB to the end: more than the windows of HTTP/2 let ahead */
};
static float query[4] = {0.1F, 0.2F, 0.3F, 0.4F};

static const char *config_path(void)
{
	return text_of("%s/life.yaml", world.scratch.path);
}

/* With a listener for health alone, over a folder of its own. */
static void start(struct served *served, const char *config)
{
	const char *const arguments[] = {"serve",
					 "--config",
					 config_path(),
					 "--data",
					 text_of("%s/own", world.scratch.path),
					 "--gpu",
					 "off",
					 "--listen",
					 "127.0.0.1:0",
					 NULL};

	file_write(config_path(), text_of("health_listen: 127.0.0.1:0\n%s", config));
	served_start(served, arguments, 2);
}

static int state_of(struct session *session, const char *service)
{
	check_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct answer answer;

	request.service = text_of("%s", service);
	answer = session_call(session, &health_check, &request.base);
	WANT(answer, GRPC_STATUS_OK, "");
	return (int)((const check_response *)answer.message)->status;
}

static void want_not_serving(struct session *session, struct grpc_stream *stream)
{
	const check_response *response = session_next(session, &health_watch, stream, NULL);

	cr_assert_not_null(response);
	cr_assert_eq(response->status, STATE(NOT_SERVING));
}

Test(life, says_that_it_leaves_and_takes_calls_until_it_does)
{
	struct session session, probe;
	struct grpc_stream *stream;
	struct served served;

	start(&served, "drain: {wait: 6s}\n");
	session_open(&session, served_address(&served, "listening on "));
	session_open(&probe, served_address(&served, "health on "));
	cr_assert_eq(state_of(&probe, "startup"), STATE(SERVING));
	cr_assert_eq(state_of(&probe, "sluice.v1.RetrievalService"), STATE(SERVING));
	stream = health_watch_open(&session);
	cr_assert_eq(kill(served.pid, SIGTERM), 0);
	want_not_serving(&session, stream);

	WANT(session_call_bytes(&session, &get_server_info, (struct bytes){0}), GRPC_STATUS_OK, "");
	cr_assert_eq(state_of(&session, ""), STATE(NOT_SERVING));
	cr_assert_eq(state_of(&probe, "readiness"), STATE(NOT_SERVING));
	cr_assert_eq(state_of(&probe, "sluice.v1.RetrievalService"), STATE(NOT_SERVING));
	cr_assert_eq(state_of(&probe, "liveness"), STATE(SERVING));
	cr_assert_eq(state_of(&probe, "startup"), STATE(SERVING));

	cr_assert_null(session_next(&session, &health_watch, stream, NULL));
	WANT(session_finish(&session, stream), GRPC_STATUS_UNAVAILABLE, "drain");
	grpc_stream_close(stream);
	session_close(&session);
	session_close(&probe);
	cr_assert_eq(served_await(&served), 0);
}

static void shell(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static void want_state_soon(struct session *session, const char *service, int state)
{
	int now = -1;

	for (int i = 0; i < 2000 && now != state; i++) {
		now = state_of(session, service);
		if (now != state)
			pause_ms(10);
	}
	cr_assert_eq(now, state, "%s: %d", service, now);
}

/* One that takes long to open, since whoever opens a pipe to read waits for somebody who writes. */
Test(life, is_ready_when_every_collection_is_there)
{
	const char *directory = world.scratch.path;
	struct rows few = {
		.collection = "docs", .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 8, .n = 100};

	rows_create(&few, 2);
	optimize_now("docs");
	shell(text_of("cd %s/collections/docs && for f in *.segment; do rm $f && mkfifo $f; done",
		      directory));
	world_restart(&(struct server_options){.data = directory});
	cr_assert_eq(state_of(&world.session, "startup"), STATE(SERVING));
	cr_assert_eq(state_of(&world.session, "liveness"), STATE(SERVING));
	cr_assert_eq(state_of(&world.session, "readiness"), STATE(NOT_SERVING));
	cr_assert_eq(state_of(&world.session, ""), STATE(NOT_SERVING));
	cr_assert_eq(state_of(&world.session, "sluice.v1.RetrievalService"), STATE(NOT_SERVING));
	make_collection("other", 4, SLUICE__V1__METRIC__METRIC_L2);
	cr_assert_eq(count_of("other"), 0);

	/* Now it goes on, and finds that this is no file: it is not served, and no longer waited for. */
	shell(text_of("cd %s/collections/docs && for f in *.segment; do : >$f; done", directory));
	want_state_soon(&world.session, "readiness", STATE(SERVING));
	cr_assert_eq(state_of(&world.session, ""), STATE(SERVING));
}

Test(life, ends_at_once_with_a_second_signal_of_either_kind)
{
	static const int seconds[] = {SIGTERM, SIGINT};

	for (size_t i = 0; i < 2; i++) {
		struct session session;
		struct grpc_stream *stream;
		struct served served;

		start(&served, "drain: {wait: 1h}\n");
		session_open(&session, served_address(&served, "listening on "));
		stream = health_watch_open(&session);
		cr_assert_eq(kill(served.pid, SIGTERM), 0);
		want_not_serving(&session, stream);
		cr_assert_eq(kill(served.pid, seconds[i]), 0);
		cr_assert_eq(served_await(&served), 128 + seconds[i]);
		grpc_stream_close(stream);
		session_close(&session);
	}
}

/* Until the server has read its configuration: what it does about a later signal it does behind that. Two signals at once
 * may come in any order, by way of threads that libraries have. */
static void reload(const struct served *served)
{
	struct pollfd watch = {.fd = inotify_init1(IN_CLOEXEC), .events = POLLIN};

	cr_assert_geq(inotify_add_watch(watch.fd, config_path(), IN_CLOSE_NOWRITE), 0);
	cr_assert_eq(kill(served->pid, SIGHUP), 0);
	cr_assert_eq(poll(&watch, 1, 60000), 1);
	close(watch.fd);
}

Test(life, takes_up_what_a_running_server_can_and_says_what_it_cannot)
{
	Sluice__V1__SearchRequest request;
	struct grpc_stream *stream;
	struct seen_list list = {0};
	struct session other = {0}, before;
	struct served served;

	start(&served, "drain: {timeout: 1h}\n");
	session_open(&other, served_address(&served, "listening on "));
	before = world.session;
	world.session = other;
	rows_create(&rows, 1);
	request = search_request(&rows, query, UINT64_MAX);
	stream = session_stream(&world.session, &search, &request.base);
	seen_read(&world.session, stream, 1, &list);

	file_write(config_path(), "drain: {timeout: 0s}\nlimits: {calls_max: 7}\n");
	reload(&served);
	cr_assert_eq(kill(served.pid, SIGTERM), 0);
	seen_read(&world.session, stream, SIZE_MAX, &list);
	WANT(list.end, GRPC_STATUS_UNAVAILABLE, "drain");
	cr_assert_eq(list.summary->stop_reason, SLUICE__V1__STOP_REASON__STOP_REASON_DRAINING);
	cr_assert_eq(served_await(&served), 0);
	grpc_stream_close(stream);
	session_close(&world.session);
	world.session = before;
}

Test(life, goes_on_with_a_configuration_that_is_wrong_by_now)
{
	struct session session;
	struct served served;

	start(&served, "");
	session_open(&session, served_address(&served, "listening on "));
	file_write(config_path(), "nonsense: true\n");
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(kill(served.pid, SIGHUP), 0);
		WANT(session_call_bytes(&session, &get_server_info, (struct bytes){0}),
		     GRPC_STATUS_OK, "");
	}
	session_close(&session);
	cr_assert_eq(served_stop(&served), 0);
}
