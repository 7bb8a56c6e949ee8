/* first_walks - walks of N hits, one after the other: how soon the first come, how fast the rest.
 *
 *	first_walks ADDRESS COLLECTION QUERIES.npy HITS HITS_IN_A_MESSAGE WALKS
 *
 * HITS_IN_A_MESSAGE 0: the server decides. Answers are counted by their outermost fields and not
 * unpacked, since the client takes processor time from the server. A walk that is not counted makes
 * the connection. Prints one line, medians of the walks but for the sums at its end:
 *
 *	first_us=A first_hits=B walk_us=C hits=N messages=M bytes=X
 */
#include "kernels/base/deadline.h"
#include "tests/bench/queries.h"
#include "tests/bench/report.h"
#include "tests/support/grpc_client.h"

#include <stdio.h>

#define SECONDS_MAX 120.0
#define WALKS_MAX 10000
#define FIELD_HITS 1
#define TYPE_BYTES 2

struct totals {
	size_t hits, messages, bytes;
};

struct walks {
	struct grpc_client *client;
	struct queries queries;
	uint64_t limit, page;
	struct totals totals;
	double first_us[WALKS_MAX], first_hits[WALKS_MAX], walk_us[WALKS_MAX];
};

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "first_walks: %s: %s\n", what, detail);
	exit(1);
}

static uint64_t take_varint(struct bytes *left)
{
	const unsigned char *data = left->data;
	uint64_t value = 0;
	size_t i = 0;

	for (;; i++) {
		if (i == left->size || i == 10)
			fail("answer", "a varint has no end");
		value |= (uint64_t)(data[i] & 0x7f) << (7 * i);
		if (data[i] < 0x80)
			break;
	}
	*left = bytes_of(data + i + 1, left->size - i - 1);
	return value;
}

/* Hits of a SearchResponse, all fields of which are runs of bytes. */
static size_t count_hits(struct bytes left)
{
	size_t n = 0;

	while (left.size > 0) {
		uint64_t tag = take_varint(&left), size = take_varint(&left);

		if (tag % 8 != TYPE_BYTES || size > left.size)
			fail("answer", "it is none of a search");
		left = bytes_of((const char *)left.data + size, left.size - (size_t)size);
		n += tag / 8 == FIELD_HITS;
	}
	return n;
}

static double us_since(int64_t start_ns)
{
	return (double)(clock_ns() - start_ns) * 1e-3;
}

static struct grpc_stream *search(struct walks *walks, size_t query, int64_t *ret_start_ns)
{
	struct buffer memory = {0};
	SCOPED(buffer) packed = &memory;
	Sluice__V1__SearchRequest request = queries_request(&walks->queries, query);

	request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
	request.limit = walks->limit;
	request.max_hits_per_message = (uint32_t)walks->page;
	message_write(&request.base, packed);
	*ret_start_ns = clock_ns();
	return grpc_stream_open_server(walks->client, "/sluice.v1.RetrievalService/Search",
				       bytes_of(packed->data, packed->size), SECONDS_MAX);
}

static void walk(struct walks *walks, size_t round)
{
	struct buffer memory = {0};
	SCOPED(buffer) message = &memory;
	SCOPED(grpc_stream) stream = NULL;
	const char *detail;
	size_t n_hits = 0;
	int64_t start_ns;

	stream = search(walks, round, &start_ns);
	while (grpc_stream_next(stream, message)) {
		double now_us = us_since(start_ns);
		size_t n = count_hits(bytes_of(message->data, message->size));

		if (n_hits == 0) {
			walks->first_us[round] = now_us;
			walks->first_hits[round] = (double)n;
		}
		n_hits += n;
		walks->totals.messages++;
		walks->totals.bytes += message->size;
	}
	walks->walk_us[round] = us_since(start_ns);
	if (grpc_stream_finish(stream, &detail) != 0)
		fail("search", detail);
	if (n_hits != walks->limit)
		fail("search", "the collection has fewer chunks");
	walks->totals.hits += n_hits;
}

int main(int argc, char **argv)
{
	static struct walks walks;
	size_t n;

	if (argc != 7) {
		fputs("usage: first_walks ADDRESS COLLECTION QUERIES.npy HITS HITS_IN_A_MESSAGE "
		      "WALKS\n",
		      stderr);
		return 2;
	}
	walks.limit = strtoull(argv[4], NULL, 10);
	walks.page = strtoull(argv[5], NULL, 10);
	n = strtoull(argv[6], NULL, 10);
	if (n < 1 || n > WALKS_MAX)
		fail("WALKS", "1 to 10000");
	queries_open(&walks.queries, argv[3], argv[2]);
	walks.client = grpc_client_open(argv[1], NULL);
	walk(&walks, 0);
	walks.totals = (struct totals){0};
	for (size_t round = 0; round < n; round++)
		walk(&walks, round);
	printf("first_us=%.3f first_hits=%.0f walk_us=%.3f hits=%zu messages=%zu bytes=%zu\n",
	       median(walks.first_us, n), median(walks.first_hits, n), median(walks.walk_us, n),
	       walks.totals.hits, walks.totals.messages, walks.totals.bytes);
	grpc_client_close(walks.client);
	queries_close(&walks.queries);
	return 0;
}
