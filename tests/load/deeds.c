/* deeds - one function each. */
#include "tests/load/deeds.h"

#include "tests/e2e/iterating.h"
#include "tests/e2e/random.h"

#include <stdio.h>

enum { dim = DEEDS_DIM, n_ids = DEEDS_IDS, n_walks = 24, batch_rows = 40 };

enum deed { UPSERTS, DELETES, SEARCHES, DROPS, WALKS, EXPIRES, ERRS, DEEDS };

static const char *const deed_names[] = {"upserts",          "deletes",        "searches",
					 "dropped searches", "steps of walks", "expired",
					 "refused"};

struct walk {
	struct grpc_stream *stream; /* NULL: none */
	size_t granted;
};

static struct deeds {
	struct random random;
	bool there[n_ids];
	struct walk walks[n_walks];
	uint64_t n_by[DEEDS], sequence;
} deeds = {.random = {1}};

static struct rows rows = {.collection = "docs", .dim = dim, .n = n_ids};

static Sluice__V1__SearchRequest draw_search(uint64_t limit)
{
	return search_request(&rows, query_make(dim, random_bits(&deeds.random)), limit);
}

void deeds_upsert(void)
{
	struct batch_shape shape = {"docs", deeds.sequence++, batch_rows, dim};
	Sluice__V1__UpsertChunksRequest *batch = batch_make(&world.session.arena, &shape);
	size_t first = random_below(&deeds.random, n_ids - batch_rows);

	cr_assert_not_null(batch);
	for (size_t i = 0; i < batch_rows; i++) {
		batch->chunks[i]->id = rows_id(first + i);
		batch->chunks[i]->vector->values = query_make(dim, random_bits(&deeds.random));
		deeds.there[first + i] = true;
	}
	WANT(session_call(&world.session, &upsert_chunks, &batch->base), GRPC_STATUS_OK, "");
}

static void delete_some(void)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds ids = SLUICE__V1__CHUNK_IDS__INIT;
	const Sluice__V1__DeleteChunksResponse *response;
	char *names[batch_rows];
	uint64_t n_there = 0;
	struct answer answer;

	for (size_t i = 0; i < batch_rows; i++) {
		size_t row = random_below(&deeds.random, n_ids);

		names[i] = rows_id(row);
		n_there += deeds.there[row];
		deeds.there[row] = false;
	}
	ids.n_ids = batch_rows;
	ids.ids = names;
	request.collection = text_of("docs");
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &ids;
	answer = session_call(&world.session, &delete_chunks, &request.base);
	WANT(answer, GRPC_STATUS_OK, "");
	response = answer.message;
	cr_assert_eq(response->deleted, n_there);
}

uint64_t deeds_rows(void)
{
	uint64_t n = 0;

	for (size_t i = 0; i < n_ids; i++)
		n += deeds.there[i];
	return n;
}

/* As many as there are, in order; each once is what other tests look at. */
static void search_some(void)
{
	uint64_t limit = 1 + random_below(&deeds.random, 300), there = deeds_rows();
	Sluice__V1__SearchRequest request = draw_search(limit);
	struct seen_list seen = search_all(&world.session, &request);

	WANT(seen.end, GRPC_STATUS_OK, "");
	cr_assert_eq(seen.n, there < limit ? there : limit);
	for (size_t i = 1; i < seen.n; i++)
		cr_assert_leq(seen.seen[i].score, seen.seen[i - 1].score);
}

static void drop_a_search(void)
{
	Sluice__V1__SearchRequest request = draw_search(UINT64_MAX);
	SCOPED(grpc_stream) stream = session_stream(&world.session, &search, &request.base);
	SCOPED(buffer) message = &(struct buffer){0};

	if (random_below(&deeds.random, 2))
		cr_assert(grpc_stream_next(stream, message));
}

static void walk_on(void)
{
	struct walk *walk = &deeds.walks[random_below(&deeds.random, n_walks)];
	uint32_t hits = 1 + (uint32_t)random_below(&deeds.random, 50);

	if (!walk->stream) {
		Sluice__V1__SearchRequest request = draw_search(0);

		*walk = (struct walk){.stream = grpc_stream_open(world.session.client, iterate.path,
								 CALL_SECONDS)};
		cr_assert(iterate_open(walk->stream, &request));
		iterate_await_opened(&world.session, walk->stream);
	} else if (walk->granted + hits < deeds_rows() / 2 && random_below(&deeds.random, 4)) {
		cr_assert(iterate_credit(walk->stream, hits));
		iterate_await_hits(&world.session, walk->stream, hits);
		walk->granted += hits;
	} else {
		if (random_below(&deeds.random, 2)) {
			iterate_close(walk->stream);
			WANT(iterate_read_all(&world.session, walk->stream, NULL), GRPC_STATUS_OK,
			     "");
		}
		/* Or it is cancelled. */
		grpc_stream_close(TAKE(walk->stream));
	}
}

/* A deadline that may be too short for the first page, or not; or for the wait for a worker, which the server
 * then says at once. */
static void let_one_expire(void)
{
	Sluice__V1__SearchRequest request = draw_search(UINT64_MAX);
	SCOPED(buffer) packed = &(struct buffer){0};
	SCOPED(buffer) message = &(struct buffer){0};
	size_t size = sluice__v1__search_request__get_packed_size(&request);
	SCOPED(grpc_stream) stream = NULL;
	int code;

	sluice__v1__search_request__pack(&request, buffer_reserve(packed, size));
	stream = grpc_stream_open_server(world.session.client, search.path,
					 bytes_of(packed->data, size),
					 0.0005 * (1 + (double)random_below(&deeds.random, 20)));
	while (grpc_stream_next(stream, message))
		;
	code = grpc_stream_finish(stream, NULL);
	cr_assert(code == GRPC_STATUS_OK || code == GRPC_STATUS_DEADLINE_EXCEEDED ||
			  code == GRPC_STATUS_RESOURCE_EXHAUSTED,
		  "%d", code);
}

static void err(void)
{
	Sluice__V1__SearchRequest request = draw_search(10);
	bool names_none = random_below(&deeds.random, 2);

	if (names_none)
		request.collection = text_of("nowhere");
	else
		request.vector->n_values = dim - 1;
	WANT(session_call(&world.session, &search, &request.base),
	     names_none ? GRPC_STATUS_NOT_FOUND : GRPC_STATUS_INVALID_ARGUMENT, "");
}

static void (*const functions[DEEDS])(void) = {
	deeds_upsert, delete_some, search_some, drop_a_search, walk_on, let_one_expire, err};

void deeds_do(double seconds)
{
	double end = seconds_now() + seconds;

	while (seconds_now() < end) {
		enum deed deed = (enum deed)random_below(&deeds.random, DEEDS);

		functions[deed]();
		deeds.n_by[deed]++;
		/* Nothing of a deed is looked at after it. */
		arena_reset(&world.session.arena);
	}
}

void deeds_drop_walks(void)
{
	for (size_t i = 0; i < n_walks; i++)
		grpc_stream_close(TAKE(deeds.walks[i].stream));
}

void deeds_open_walks(void)
{
	for (size_t i = 0; i < n_walks; i++)
		walk_on();
}

void deeds_want_walks_end(void)
{
	for (size_t i = 0; i < n_walks; i++) {
		struct grpc_stream *stream = deeds.walks[i].stream;

		if (stream)
			WANT(iterate_read_all(&world.session, stream, NULL),
			     GRPC_STATUS_UNAVAILABLE, "");
		grpc_stream_close(TAKE(deeds.walks[i].stream));
	}
}

void deeds_print(void)
{
	for (size_t i = 0; i < DEEDS; i++)
		fprintf(stderr, "soak: %llu %s\n", (unsigned long long)deeds.n_by[i],
			deed_names[i]);
}
