/* config - a configuration from outside: what check-config prints, and limits that then hold. */
#include "tests/e2e/rows.h"
#include "tests/e2e/served.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_SECONDS 60.0

/* The suite's server has no configuration until a test restarts it with one. */
TestSuite(config, .init = world_open, .fini = world_close, .timeout = 200);

static const char *file_with(const char *name, const char *text)
{
	const char *path = text_of("%s/%s", world.scratch.path, name);

	file_write(path, text);
	return path;
}

/* Runs the program to its end. output  [size] what it prints. */
static int run(const char *const *arguments, char *output, size_t size)
{
	size_t n = 0;
	ssize_t got;
	int fd;
	pid_t pid = program_start(arguments, &fd);

	while (n < size - 1 && (got = read(fd, output + n, size - 1 - n)) > 0)
		n += (size_t)got;
	output[n] = 0;
	close(fd);
	return program_await(pid, ANSWER_SECONDS);
}

static int check_config(const char *argument, char *output, size_t size)
{
	const char *const arguments[] = {"check-config", argument, NULL};

	return run(arguments, output, size);
}

/* A file with every kind of mistake, and what is said of it, line by line. */
static const char wrong[] = "data_directory: \"\"\n"
			    "listen: 127.0.0.1:7700\n"
			    "insecure: yes\n"
			    "limits:\n"
			    "  mesage_bytes_max: 4MiB\n"
			    "  calls_max: 0\n"
			    "  calls_max: 5\n"
			    "  cursors_max: -1\n"
			    "  stalled_write_timeout: 20\n"
			    "  message_bytes_max: 1TiB\n"
			    "gpu: {mode: maybe}\n"
			    "threads: 4\n";

static const char *const said[] = {
	":1:17: data_directory: ",
	":2:9: listen: must be a list, such as [a, b], found \"127.0.0.1:7700\" (yaml.type)",
	":3:11: insecure: must be true or false, found \"yes\" (yaml.type)",
	":5:3: limits: \"mesage_bytes_max\" is no key here; did you mean \"message_bytes_max\"? "
	"(yaml.unknown_key)",
	":6:14: limits.calls_max: ",
	":7:3: limits.calls_max: comes twice, first in line 6 (yaml.doubled_key)",
	":8:16: limits.cursors_max: must be a whole number of at least 0, found \"-1\" (yaml.type)",
	":9:26: limits.stalled_write_timeout: must be a duration with units, such as 20s, 500ms or "
	"1m30s, found \"20\" (yaml.duration)",
	":10:22: limits.message_bytes_max: ",
	":11:13: gpu.mode: must be auto, off, required or software, found \"maybe\" (yaml.enum)",
	":12:10: threads: must be keys with values, found \"4\" (yaml.type)",
};

Test(config, check_config_tells_of_every_violation)
{
	const char *path = file_with("wrong.yaml", wrong);
	char output[8192], *at = output;

	cr_assert_eq(check_config(path, output, sizeof output), 1);
	for (size_t i = 0; i < sizeof said / sizeof *said; i++) {
		char *end = strchr(at, '\n');

		cr_assert_not_null(end, "%zu lines only: %s", i, output);
		*end = 0;
		cr_assert_eq(strncmp(at, path, strlen(path)), 0, "%s", at);
		at += strlen(path);
		cr_assert_eq(strncmp(at, said[i], strlen(said[i])), 0, "%s", at);
		at = end + 1;
	}
	cr_assert_str_eq(at, "");
}

Test(config, check_config_names_rule_and_range)
{
	const char *path = file_with("range.yaml", "limits: {calls_max: 0}\n");
	char output[1024];

	cr_assert_eq(check_config(path, output, sizeof output), 1);
	cr_assert_not_null(strstr(output, "at least 1 and at most 1000000"), "%s", output);
	cr_assert_not_null(strstr(output, "(uint64.gte_lte)\n"), "%s", output);
}

Test(config, check_config_says_that_a_file_is_fine)
{
	const char *path = file_with("fine.yaml", "limits: {calls_max: 9}\n");
	char output[1024];

	cr_assert_eq(check_config(path, output, sizeof output), 0);
	cr_assert_str_eq(output, text_of("%s: fine\n", path));
}

Test(config, check_config_ends_with_one_without_a_file_and_with_two_without_a_name)
{
	const char *const nothing[] = {"check-config", NULL};
	const char *const too_much[] = {"check-config", "a", "b", NULL};
	char output[1024];

	cr_assert_eq(check_config("/nowhere/at/all", output, sizeof output), 1);
	cr_assert_str_eq(output, "");
	cr_assert_eq(check_config("--nonsense", output, sizeof output), 2);
	cr_assert_eq(run(nothing, output, sizeof output), 2);
	cr_assert_eq(run(too_much, output, sizeof output), 2);
	cr_assert_eq(check_config("--help", output, sizeof output), 0);
	cr_assert_eq(strncmp(output, "usage: sluice check-config", 26), 0);
}

Test(config, reference_has_every_key_with_default_range_and_comment)
{
	static char output[65536];

	cr_assert_eq(check_config("--reference", output, sizeof output), 0);
	cr_assert_not_null(strstr(output,
				  "\n| `limits.calls_max` | whole number | `65536` | at least "
				  "1 and at most 1000000 | Calls at once, those of the "
				  "health service apart. |\n"),
			   "%s", output);
	cr_assert_not_null(strstr(output, "\n| `gpu.mode` | name | `auto` | auto, off, required, "
					  "software | Whether a GPU scans. |\n"));
	cr_assert_not_null(strstr(output, "\n| `SLUICE_DATA` | `data_directory` |\n"));
}

/* --- serve --- */

static int serve_exit(const char *config, const char *variable, const char *value)
{
	const char *const arguments[] = {"serve", "--config", config, NULL};
	char output[256];
	int result;

	setenv(variable, value, 1);
	result = run(arguments, output, sizeof output);
	unsetenv(variable);
	return result;
}

Test(config, serve_does_not_start_with_what_is_wrong)
{
	cr_assert_eq(serve_exit(file_with("wrong.yaml", wrong), "NONE", ""), 2);
	cr_assert_eq(serve_exit("/nowhere/at/all", "NONE", ""), 1);
	cr_assert_eq(serve_exit(file_with("fine.yaml", ""), "SLUICE_GPU", "maybe"), 2);
}

/* The address of the file is one that cannot be bound, so that only the option's can have held. */
Test(config, options_go_before_the_environment_and_that_before_the_file)
{
	const char *path = file_with("order.yaml", "data_directory: /dev/null/never\n"
						   "listen: [\"unix:/dev/null/never\"]\n");

	setenv("SLUICE_CONFIG", path, 1);
	setenv("SLUICE_LISTEN", "unix:/dev/null/nor-this", 1);
	world_restart(&(struct server_options){.data = world.scratch.path});
	unsetenv("SLUICE_CONFIG");
	unsetenv("SLUICE_LISTEN");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	cr_assert_eq(count_of("docs"), 0);
}

static void restart_with(const char *text)
{
	world_restart_with(&(struct server_options){0}, text);
}

Test(config, holds_the_size_of_a_message)
{
	struct batch_shape shape = {.collection = "docs", .n = 1, .dim = 4};
	Sluice__V1__UpsertChunksRequest *batch;
	struct grpc_stream *stream;

	restart_with("limits: {message_bytes_max: 64KiB}\n");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	batch = batch_make(&world.session.arena, &shape);
	batch->chunks[0]->text = arena_calloc(&world.session.arena, 65536, 1);
	memset(batch->chunks[0]->text, 'x', 65535);
	stream = session_stream(&world.session, &upsert_chunks, NULL);
	stream_send(stream, &batch->base);
	WANT(session_finish(&world.session, stream), GRPC_STATUS_RESOURCE_EXHAUSTED, "65536");
	grpc_stream_close(stream);
	want_idle();
}

/* Small chunks unpack to many times their bytes. */
Test(config, holds_the_memory_of_a_call)
{
	struct batch_shape shape = {.collection = "docs", .n = 2000, .dim = 4};
	struct grpc_stream *stream;

	restart_with("limits: {call_arena_factor: 4, call_arena_bytes_min: 256KiB}\n");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	stream = session_stream(&world.session, &upsert_chunks, NULL);
	stream_send(stream, &batch_make(&world.session.arena, &shape)->base);
	WANT(session_finish(&world.session, stream), GRPC_STATUS_RESOURCE_EXHAUSTED,
	     "a call may use");
	grpc_stream_close(stream);
	cr_assert_eq(count_of("docs"), 0);
}

static struct rows long_rows(void)
{
	struct rows rows = {.collection = "docs",
			    .dim = 4,
			    .n = 1000,
			    .text_bytes = 16000,
			    .metric = SLUICE__V1__METRIC__METRIC_L2};

	rows_create(&rows, 1);
	return rows;
}

Test(config, holds_the_number_of_searches)
{
	SCOPED(buffer) message = &(struct buffer){0};
	struct grpc_stream *first, *second;
	Sluice__V1__SearchRequest request;
	struct rows rows;

	restart_with("limits: {cursors_max: 1}\n");
	rows = long_rows();
	request = search_request(&rows, query_make(rows.dim, 7), UINT64_MAX);
	first = session_stream(&world.session, &search, &request.base);
	cr_assert(grpc_stream_next(first, message));
	second = session_stream(&world.session, &search, &request.base);
	WANT(session_finish(&world.session, second), GRPC_STATUS_RESOURCE_EXHAUSTED,
	     "limits.cursors_max|1");
	grpc_stream_close(second);
	grpc_stream_close(first);
	want_idle();
	cr_assert_eq(search_all(&world.session, &request).n, rows.n);
}

/* A stream that is accepted answers its batch. The call before the first may not be over yet. */
Test(config, holds_the_number_of_calls)
{
	const struct batch_shape shape = {.collection = "docs", .n = 1, .dim = 4};
	struct grpc_stream *streams[4] = {0};
	size_t n = 0;

	restart_with("limits: {calls_max: 3}\n");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	for (; n < 4; n++) {
		streams[n] = session_stream(&world.session, &upsert_chunks, NULL);
		stream_send(streams[n], &batch_make(&world.session.arena, &shape)->base);
		if (!session_next(&world.session, &upsert_chunks, streams[n], NULL))
			break;
	}
	cr_assert(n == 2 || n == 3, "%zu streams", n);
	WANT(session_finish(&world.session, streams[n]), GRPC_STATUS_RESOURCE_EXHAUSTED,
	     "limits.calls_max|3");
	cr_assert(bytes_equal(grpc_stream_trailer(streams[n], "grpc-retry-pushback-ms"),
			      bytes_of_string("1000")));
	for (size_t i = 0; i <= n; i++)
		grpc_stream_close(streams[i]);
}

Test(config, holds_the_rows_of_a_collection)
{
	struct batch_shape shape = {.collection = "docs", .n = 6, .dim = 4};
	struct grpc_stream *stream;

	restart_with("index: {head_rows_max: 10}\n");
	make_collection("docs", 4, SLUICE__V1__METRIC__METRIC_L2);
	stream = session_stream(&world.session, &upsert_chunks, NULL);
	cr_assert(stream_send(stream, &batch_make(&world.session.arena, &shape)->base));
	cr_assert_not_null(session_next(&world.session, &upsert_chunks, stream, NULL));
	shape.sequence = 1;
	stream_send(stream, &batch_make(&world.session.arena, &shape)->base);
	WANT(session_finish(&world.session, stream), GRPC_STATUS_RESOURCE_EXHAUSTED,
	     "index.head_rows_max|10");
	grpc_stream_close(stream);
	cr_assert_eq(count_of("docs"), 6);
}

Test(config, holds_the_hits_of_a_page)
{
	struct rows rows;
	Sluice__V1__SearchRequest request;

	restart_with("index: {page_hits: 3}\n");
	rows = (struct rows){
		.collection = "docs", .dim = 4, .n = 10, .metric = SLUICE__V1__METRIC__METRIC_L2};
	rows_create(&rows, 1);
	request = search_request(&rows, query_make(rows.dim, 7), 10);
	cr_assert_eq(search_all(&world.session, &request).hits_in_message_max, 3);
}

/* Nobody reads: what the server sends fills the windows, and then a message waits. */
Test(config, ends_a_call_whose_client_does_not_read)
{
	SCOPED(buffer) message = &(struct buffer){0};
	Sluice__V1__SearchRequest request;
	struct grpc_stream *stream;
	struct rows rows;

	restart_with("limits: {stalled_write_timeout: 1s}\n");
	rows = long_rows();
	request = search_request(&rows, query_make(rows.dim, 7), UINT64_MAX);
	stream = session_stream(&world.session, &search, &request.base);
	cr_assert(grpc_stream_next(stream, message));
	want_idle();
	while (grpc_stream_next(stream, message))
		;
	WANT(session_finish(&world.session, stream), GRPC_STATUS_ABORTED,
	     "limits.stalled_write_timeout");
	grpc_stream_close(stream);
}
