/* good - a thread a client. */
#include "tests/load/neighbours/good.h"

#include "tests/e2e/server.h"

#include <grpc/status.h>
#include <stdio.h>

/* Whether it ended OK, after messages. */
static bool search_once(struct good *good)
{
	SCOPED(buffer) message = &(struct buffer){0};
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(good->client, search.path, good->request, CALL_SECONDS);
	const char *detail;
	size_t n = 0;
	int code;

	while (grpc_stream_next(stream, message))
		n++;
	code = grpc_stream_finish(stream, &detail);
	if (code == GRPC_STATUS_OK && n > 0)
		return true;
	if (!good->n_failed++)
		snprintf(good->failure, sizeof good->failure, "%d %s, after %zu messages", code,
			 detail, n);
	return false;
}

static void *search_on(void *arg)
{
	struct good *good = arg;

	while (!atomic_load(good->stops)) {
		double start = seconds_now();

		if (search_once(good))
			atomic_fetch_add(&good->n_answered, 1);
		load_histogram_add(&good->latencies, (int64_t)((seconds_now() - start) * 1e9), 1);
	}
	return NULL;
}

bool good_start(struct good *good, const char *address, struct bytes request, atomic_bool *stops)
{
	good->client = grpc_client_open(address, NULL);
	good->request = request;
	good->stops = stops;
	return pthread_create(&good->thread, NULL, search_on, good) == 0;
}

void good_join(struct good *good)
{
	pthread_join(good->thread, NULL);
	grpc_client_close(good->client);
}
