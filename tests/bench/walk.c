/* walk - what depth costs, and how soon a cancelled search stops.
 *
 *	walk ADDRESS COLLECTION QUERIES.npy
 *
 * Deep: hits 1,001 to 1,010 for a reader who has read 1,000. From the stream that is still open:
 * as the reader waits for them (the server has run ahead by what the windows of HTTP/2 let in), and
 * as they cost when the walk goes on for another 1,000 (a hundredth of that: running ahead no
 *longer helps). Or asked for again, with a limit of 1,010.
 *
 * Stop: a search for everything is ended as soon as its cursor is open, in its first scan: by its
 * client, or by CancelCursor. From then until GetServerInfo says that no cursor and no call is left. A
 * question of that kind costs the time of one round trip, which is printed beside it.
 */
#include "kernels/base/arena.h"
#include "kernels/base/deadline.h"
#include "service/cli/npy.h"
#include "sluice/v1/admin_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"
#include "tests/bench/report.h"
#include "tests/support/grpc_client.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 50
#define READ 1000
#define PAGE 10
#define DIM_MAX 8192
#define SECONDS_MAX 60.0

struct walk {
	struct grpc_client *client, *other; /* a connection for streams, one for questions */
	const char *collection;
	struct npy *queries;
};

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "walk: %s: %s\n", what, detail);
	exit(1);
}

static double seconds_now(void)
{
	return (double)clock_ns() * 1e-9;
}

static struct grpc_stream *search(struct walk *walk, size_t query, uint64_t limit)
{
	static float values[DIM_MAX];
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	const struct npy_header *header = npy_header_of(walk->queries);
	struct grpc_stream *stream;
	size_t size;
	void *packed;

	if (status_failed(npy_read_floats(walk->queries, query % header->rows, values)))
		fail(npy_path(walk->queries), "cannot be read");
	vector.values = values;
	vector.n_values = header->columns;
	request.collection = (char *)(size_t)walk->collection; /* protobuf-c takes no const */
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = &vector;
	request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
	request.limit = limit;
	request.max_hits_per_message = PAGE;
	size = sluice__v1__search_request__get_packed_size(&request);
	packed = malloc(size);
	if (!packed)
		fail("memory", "none");
	sluice__v1__search_request__pack(&request, packed);
	stream = grpc_stream_open_server(walk->client, "/sluice.v1.RetrievalService/Search",
					 bytes_of(packed, size), SECONDS_MAX);
	free(packed);
	return stream;
}

/* The next hits of a stream, a whole number of pages. */
static void read_hits(struct grpc_stream *stream, size_t n)
{
	struct buffer memory = {0};
	SCOPED(buffer) message = &memory;
	const char *detail;

	for (size_t i = 0; i < n; i += PAGE) {
		if (grpc_stream_next(stream, message))
			continue;
		grpc_stream_finish(stream, &detail);
		fail("search", *detail ? detail : "it ended too soon: 2,000 chunks are needed");
	}
}

struct depth_times {
	double next[ROUNDS], going_on[ROUNDS], again[ROUNDS];
};

static void measure_depth(struct walk *walk, size_t round, struct depth_times *times)
{
	SCOPED(grpc_stream) open = search(walk, round, UINT64_MAX);
	SCOPED(grpc_stream) again = NULL;
	double start;

	read_hits(open, READ);
	start = seconds_now();
	read_hits(open, PAGE);
	times->next[round] = seconds_now() - start;
	read_hits(open, READ - PAGE);
	times->going_on[round] = (seconds_now() - start) / (READ / PAGE);
	grpc_stream_cancel(open);

	start = seconds_now();
	again = search(walk, round, READ + PAGE);
	read_hits(again, READ + PAGE);
	times->again[round] = seconds_now() - start;
}

struct alive {
	uint64_t cursors, calls;
};

static struct alive ask_alive(struct walk *walk)
{
	Sluice__V1__GetServerInfoResponse *info;
	struct grpc_reply reply;
	struct alive alive;

	grpc_client_unary(walk->other, "/sluice.v1.AdminService/GetServerInfo", bytes_of_string(""),
			  SECONDS_MAX, &reply);
	info = sluice__v1__get_server_info_response__unpack(NULL, reply.message.size,
							    reply.message.data);
	if (reply.code != 0 || !info)
		fail("GetServerInfo", reply.detail);
	alive = (struct alive){info->open_cursors, info->calls_in_flight};
	sluice__v1__get_server_info_response__free_unpacked(info, NULL);
	grpc_reply_finish(&reply);
	return alive;
}

static void await_idle(struct walk *walk)
{
	struct alive alive;

	do
		alive = ask_alive(walk);
	while (alive.cursors || alive.calls);
}

struct stop_times {
	double stop[ROUNDS], cancel[ROUNDS], trip[ROUNDS];
};

/* Of the only cursor that is open. Gives when it was asked for. */
static double cancel_cursor(struct walk *walk)
{
	Sluice__V1__CancelCursorRequest request = SLUICE__V1__CANCEL_CURSOR_REQUEST__INIT;
	Sluice__V1__ListCursorsResponse *list;
	struct grpc_reply reply;
	uint8_t packed[64];
	double start;
	size_t size;

	grpc_client_unary(walk->other, "/sluice.v1.AdminService/ListCursors", bytes_of_string(""),
			  SECONDS_MAX, &reply);
	list = sluice__v1__list_cursors_response__unpack(NULL, reply.message.size,
							 reply.message.data);
	if (!list || list->n_cursors != 1)
		fail("ListCursors", "the search has ended already: more chunks are needed");
	request.cursor_id = list->cursors[0]->cursor_id;
	size = sluice__v1__cancel_cursor_request__pack(&request, packed);
	sluice__v1__list_cursors_response__free_unpacked(list, NULL);
	grpc_reply_finish(&reply);
	start = seconds_now();
	grpc_client_unary(walk->other, "/sluice.v1.AdminService/CancelCursor",
			  bytes_of(packed, size), SECONDS_MAX, &reply);
	grpc_reply_finish(&reply);
	return start;
}

static struct grpc_stream *begin_scan(struct walk *walk, size_t round)
{
	struct grpc_stream *stream;

	await_idle(walk);
	stream = search(walk, round, UINT64_MAX);
	while (ask_alive(walk).cursors == 0)
		continue;
	return stream;
}

static void measure_stop(struct walk *walk, size_t round, struct stop_times *times)
{
	SCOPED(grpc_stream) dropped = NULL;
	SCOPED(grpc_stream) cancelled = NULL;
	double start;

	await_idle(walk);
	start = seconds_now();
	ask_alive(walk);
	times->trip[round] = seconds_now() - start;

	dropped = begin_scan(walk, round);
	start = seconds_now();
	grpc_stream_cancel(dropped);
	await_idle(walk);
	times->stop[round] = seconds_now() - start;

	cancelled = begin_scan(walk, round);
	start = cancel_cursor(walk);
	await_idle(walk);
	times->cancel[round] = seconds_now() - start;
}

static void print(const char *what, double *seconds)
{
	double middle = median(seconds, ROUNDS);

	printf("%-52s %8.3f %8.3f\n", what, middle * 1e3, seconds[ROUNDS - 1] * 1e3);
}

int main(int argc, char **argv)
{
	static struct depth_times depth;
	static struct stop_times stop;
	struct walk walk = {.collection = argc == 4 ? argv[2] : NULL};
	struct arena arena;

	if (argc != 4) {
		fputs("usage: walk ADDRESS COLLECTION QUERIES.npy\n", stderr);
		return 2;
	}
	arena_init(&arena, (size_t)1 << 20);
	if (status_failed(npy_open(&arena, argv[3], &walk.queries)) ||
	    npy_header_of(walk.queries)->rows == 0 ||
	    npy_header_of(walk.queries)->columns > DIM_MAX)
		fail(argv[3], "no matrix of queries");
	walk.client = grpc_client_open(argv[1], NULL);
	walk.other = grpc_client_open(argv[1], NULL);
	for (size_t round = 0; round < ROUNDS; round++)
		measure_depth(&walk, round, &depth);
	for (size_t round = 0; round < ROUNDS; round++)
		measure_stop(&walk, round, &stop);

	printf("%-52s %8s %8s\n", "ms, of 50 rounds", "median", "max");
	print("hits 1,001-1,010: waited for, from the open stream", depth.next);
	print("hits 1,001-1,010: each ten on the way to 2,000", depth.going_on);
	print("hits 1,001-1,010: asked again with limit 1,010", depth.again);
	print("from cancel until no cursor and no call is left", stop.stop);
	print("from CancelCursor until no cursor and no call is left", stop.cancel);
	print("  of each, a round trip to ask", stop.trip);
	grpc_client_close(walk.other);
	grpc_client_close(walk.client);
	npy_close(walk.queries);
	arena_finish(&arena);
	return 0;
}
