/* world - opened before each test, closed after it. */
#include "tests/e2e/world.h"

#include "tests/e2e/served.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define IDLE_SECONDS 10.0
#define STOP_SECONDS 60.0

struct world world;

static void world_start(const struct server_options *options)
{
	struct server_options all = *options;

	if (!all.data)
		all.data = world.scratch.path;
	cr_assert(server_start(&world.server, &all), "the server did not start");
	session_open(&world.session, world.server.address);
}

void world_open(void)
{
	scratch_open(&world.scratch);
	world_start(&(struct server_options){0});
}

void world_close(void)
{
	int exit_status = -1;

	session_close(&world.session);
	if (world.server.pid)
		exit_status = server_stop(&world.server, STOP_SECONDS);
	scratch_close(&world.scratch);
	if (exit_status == 0)
		return;
	/* Criterion forgets an assertion that fails after a test; a crash it counts. */
	fprintf(stderr, "the server ended with %d\n", exit_status);
	abort();
}

void world_restart(const struct server_options *options)
{
	session_close(&world.session);
	if (world.server.pid)
		cr_assert_eq(server_stop(&world.server, STOP_SECONDS), 0);
	world_start(options);
}

void world_restart_with(const struct server_options *options, const char *text)
{
	struct server_options all = *options;
	char path[512]; /* the session's arena goes with it */

	snprintf(path, sizeof path, "%s/config.yaml", world.scratch.path);
	file_write(path, text);
	all.config = path;
	world_restart(&all);
}

void want_at(int line, struct answer answer, int code, const char *words)
{
	char word[256];

	cr_assert_eq(answer.code, code, "line %d: code %d, not %d: %s", line, answer.code, code,
		     answer.detail);
	while (*words) {
		size_t n = strcspn(words, "|");

		snprintf(word, sizeof word, "%.*s", (int)n, words);
		cr_assert(strstr(answer.detail, word), "line %d: \"%s\" is not in: %s", line, word,
			  answer.detail);
		words += n + (words[n] == '|');
	}
}

void want_idle(void)
{
	const Sluice__V1__GetServerInfoRequest request = SLUICE__V1__GET_SERVER_INFO_REQUEST__INIT;
	const Sluice__V1__GetServerInfoResponse *info;
	double end = seconds_now() + IDLE_SECONDS * (SANITIZED ? 10 : 1);

	for (;;) {
		struct answer answer =
			session_call(&world.session, &get_server_info, &request.base);

		WANT(answer, GRPC_STATUS_OK, "");
		info = answer.message;
		cr_assert_not_null(info);
		if (info->open_cursors + info->pinned_snapshots + info->gpu_objects_in_flight +
			    info->calls_in_flight ==
		    0)
			return;
		if (seconds_now() > end)
			break;
		pause_ms(10);
	}
	cr_assert_fail("still alive: %llu cursors, %llu snapshots, %llu of a GPU, %llu calls",
		       (unsigned long long)info->open_cursors,
		       (unsigned long long)info->pinned_snapshots,
		       (unsigned long long)info->gpu_objects_in_flight,
		       (unsigned long long)info->calls_in_flight);
}

void make_collection(const char *name, uint32_t dim, Sluice__V1__Metric metric)
{
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;

	collection.name = text_of("%s", name);
	collection.dimension = dim;
	collection.metric = metric;
	request.collection = &collection;
	WANT(session_call(&world.session, &create_collection, &request.base), GRPC_STATUS_OK, "");
}

uint64_t count_of(const char *collection)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;
	const Sluice__V1__CountChunksResponse *response;
	struct answer answer;

	request.collection = text_of("%s", collection);
	answer = session_call(&world.session, &count_chunks, &request.base);
	WANT(answer, GRPC_STATUS_OK, "");
	response = answer.message;
	cr_assert_not_null(response);
	return response->count;
}

const Sluice__V1__GetCollectionResponse *described(const char *collection)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	const Sluice__V1__GetCollectionResponse *response;

	request.name = text_of("%s", collection);
	response = session_call(&world.session, &get_collection, &request.base).message;
	cr_assert_not_null(response);
	return response;
}

void optimize_now(const char *collection)
{
	Sluice__V1__OptimizeCollectionRequest request =
		SLUICE__V1__OPTIMIZE_COLLECTION_REQUEST__INIT;
	SCOPED(grpc_stream) stream = NULL;

	request.name = text_of("%s", collection);
	stream = session_stream(&world.session, &optimize_collection, &request.base);
	while (session_next(&world.session, &optimize_collection, stream, NULL))
		;
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
}

void await_indexed(const char *collection, uint64_t rows)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds ids = SLUICE__V1__CHUNK_IDS__INIT;
	char *id = text_of("nobody");

	ids.n_ids = 1;
	ids.ids = &id;
	request.collection = text_of("%s", collection);
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &ids;
	while (described(collection)->status->indexed_rows < rows) {
		WANT(session_call(&world.session, &delete_chunks, &request.base), GRPC_STATUS_OK,
		     "");
		sched_yield();
	}
}

char *text_of(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = arena_vprintf(&world.session.arena, format, args);
	va_end(args);
	cr_assert_not_null(text);
	return text;
}
