/* opening - a collection that takes long to open, here for ever: its requests wait, and nobody else's. */
#include "tests/e2e/rows.h"

#include <stdlib.h>

TestSuite(opening, .init = world_open, .fini = world_close, .timeout = 120);

/* More than the server has threads. */
#define WAITING 40

static void shell(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static void make(const char *name)
{
	struct rows rows = {
		.collection = name, .metric = SLUICE__V1__METRIC__METRIC_L2, .dim = 8, .n = 100};

	rows_create(&rows, 2);
	optimize_now(name);
}

static struct grpc_stream *begin_count(const char *name)
{
	Sluice__V1__CountChunksRequest request = SLUICE__V1__COUNT_CHUNKS_REQUEST__INIT;

	request.collection = text_of("%s", name);
	return session_stream(&world.session, &count_chunks, &request.base);
}

Test(opening, of_one_collection_keeps_nobody_else_waiting)
{
	const char *directory = world.scratch.path;
	struct grpc_stream *streams[WAITING];

	make("large");
	make("small");
	/* Whoever opens a pipe to read waits for somebody who writes. */
	shell(text_of("cd %s/collections/large && for f in *.segment; do rm $f && mkfifo $f; done",
		      directory));
	world_restart(&(struct server_options){.data = directory});

	for (int i = 0; i < WAITING; i++)
		streams[i] = begin_count("large");
	cr_assert_eq(count_of("small"), 100);
	make("third");
	cr_assert_eq(count_of("third"), 100);

	/* Now it goes on, and finds that this is no file. */
	shell(text_of("cd %s/collections/large && for f in *.segment; do : >$f; done", directory));
	for (int i = 0; i < WAITING; i++) {
		WANT(session_finish(&world.session, streams[i]), GRPC_STATUS_INTERNAL, "large");
		grpc_stream_close(streams[i]);
	}
	cr_assert_eq(count_of("small"), 100);
}
