/* ingest - what is acknowledged is there, what is refused left no trace. */
#include "tests/e2e/rows.h"

#include <math.h>
#include <pthread.h>

#define DIM 3

TestSuite(ingest, .init = world_open, .fini = world_close, .timeout = 120);

typedef Sluice__V1__UpsertChunksRequest batch_request;

static batch_request *batch(uint64_t sequence, size_t n)
{
	const struct batch_shape shape = {"docs", sequence, n, DIM};

	return batch_make(&world.session.arena, &shape);
}

static const Sluice__V1__UpsertChunksResponse *next_ack(struct grpc_stream *stream)
{
	return session_next(&world.session, &upsert_chunks, stream, NULL);
}

/* One batch in a stream of its own. */
static struct answer upsert_one(const batch_request *request)
{
	return session_call(&world.session, &upsert_chunks, &request->base);
}

static struct answer delete_ids(const char *const *ids, size_t n)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds list = SLUICE__V1__CHUNK_IDS__INIT;

	list.n_ids = n;
	list.ids = ARENA_ARRAY(&world.session.arena, char *, n);
	for (size_t i = 0; i < n; i++)
		list.ids[i] = text_of("%s", ids[i]);
	request.collection = text_of("docs");
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &list;
	return session_call(&world.session, &delete_chunks, &request.base);
}

/* The chunk as it is stored; NULL where there is none. */
static const Sluice__V1__Chunk *stored(const char *id)
{
	Sluice__V1__GetChunksRequest request = SLUICE__V1__GET_CHUNKS_REQUEST__INIT;
	const Sluice__V1__GetChunksResponse *response;
	char *ids[] = {text_of("%s", id)};
	struct answer answer;

	request.collection = text_of("docs");
	request.n_ids = 1;
	request.ids = ids;
	answer = session_call(&world.session, &get_chunks, &request.base);
	WANT(answer, GRPC_STATUS_OK, "");
	response = answer.message;
	return response->n_chunks ? response->chunks[0] : NULL;
}

Test(ingest, acknowledges_in_order_with_rising_generations)
{
	enum { BATCHES = 40, CHUNKS = 5 };
	SCOPED(grpc_stream) stream = NULL;
	uint64_t generation = 0;

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	stream = session_stream(&world.session, &upsert_chunks, NULL);
	/* All are on their way before the first acknowledgement is read. */
	for (uint64_t i = 0; i < BATCHES; i++)
		cr_assert(stream_send(stream, &batch(1000 + i * 3, CHUNKS)->base));
	grpc_stream_half_close(stream);

	for (uint64_t i = 0; i < BATCHES; i++) {
		const Sluice__V1__UpsertChunksResponse *ack = next_ack(stream);

		cr_assert_not_null(ack);
		cr_assert_eq(ack->sequence, 1000 + i * 3);
		cr_assert_eq(ack->inserted, CHUNKS);
		cr_assert_eq(ack->replaced, 0);
		cr_assert_gt(ack->generation, generation);
		generation = ack->generation;
	}
	cr_assert_null(next_ack(stream));
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	cr_assert_eq(count_of("docs"), BATCHES * CHUNKS);
}

Test(ingest, an_acknowledged_batch_is_visible_at_once)
{
	SCOPED(grpc_stream) stream = NULL;

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	stream = session_stream(&world.session, &upsert_chunks, NULL);
	for (uint64_t i = 0; i < 20; i++) {
		stream_send(stream, &batch(i, 2)->base);
		cr_assert_not_null(next_ack(stream));
		cr_assert_eq(count_of("docs"), 2 * (i + 1));
	}
}

Test(ingest, an_empty_stream_is_fine)
{
	SCOPED(grpc_stream) stream = session_stream(&world.session, &upsert_chunks, NULL);

	grpc_stream_half_close(stream);
	cr_assert_null(next_ack(stream));
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
}

Test(ingest, replaces_the_whole_chunk)
{
	batch_request *request = batch(1, 3);
	Sluice__V1__MetadataValue value = SLUICE__V1__METADATA_VALUE__INIT;
	Sluice__V1__Chunk__MetadataEntry entry = SLUICE__V1__CHUNK__METADATA_ENTRY__INIT;
	Sluice__V1__Chunk__MetadataEntry *entries[] = {&entry};
	const Sluice__V1__UpsertChunksResponse *ack;
	const Sluice__V1__Chunk *chunk;

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	entry.key = text_of("page");
	entry.value = &value;
	value.kind_case = SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE;
	value.int_value = -7;
	request->chunks[0]->text = text_of("before");
	request->chunks[0]->document_id = text_of("document");
	request->chunks[0]->ordinal = 4;
	request->chunks[0]->token_count = 11;
	request->chunks[0]->n_metadata = 1;
	request->chunks[0]->metadata = entries;
	WANT(upsert_one(request), GRPC_STATUS_OK, "");
	chunk = stored("s1-0");
	cr_assert_not_null(chunk);
	cr_assert_str_eq(chunk->text, "before");
	cr_assert_str_eq(chunk->document_id, "document");
	cr_assert_eq(chunk->ordinal, 4);
	cr_assert_eq(chunk->token_count, 11);
	cr_assert_eq(chunk->n_metadata, 1);
	cr_assert_str_eq(chunk->metadata[0]->key, "page");
	cr_assert_eq(chunk->metadata[0]->value->int_value, -7);

	request = batch(2, 2);
	request->chunks[0]->id = text_of("s1-0");
	request->chunks[0]->text = text_of("after it all");
	ack = upsert_one(request).message;
	cr_assert_not_null(ack);
	cr_assert_eq(ack->inserted, 1);
	cr_assert_eq(ack->replaced, 1);
	chunk = stored("s1-0");
	cr_assert_not_null(chunk);
	cr_assert_str_eq(chunk->text, "after it all");
	cr_assert_str_empty(chunk->document_id);
	cr_assert_eq(chunk->ordinal, 0);
	cr_assert_eq(chunk->token_count, 3, "four bytes a token, rounded up");
	cr_assert_eq(chunk->n_metadata, 0);
	cr_assert_eq(count_of("docs"), 4);
}

Test(ingest, deletes_by_id)
{
	const Sluice__V1__DeleteChunksResponse *response;
	const Sluice__V1__UpsertChunksResponse *ack;
	struct answer answer;

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	ack = upsert_one(batch(1, 10)).message;
	cr_assert_not_null(ack);
	answer = delete_ids((const char *const[]){"s1-3", "nobody", "s1-7", "s1-3"}, 4);
	WANT(answer, GRPC_STATUS_OK, "");
	response = answer.message;
	cr_assert_eq(response->deleted, 2);
	cr_assert_gt(response->generation, ack->generation);
	cr_assert_eq(count_of("docs"), 8);
	cr_assert_null(stored("s1-3"));
	cr_assert_not_null(stored("s1-4"));

	answer = delete_ids((const char *const[]){"s1-3"}, 1);
	WANT(answer, GRPC_STATUS_OK, "");
	response = answer.message;
	cr_assert_eq(response->deleted, 0);
	WANT(delete_ids(NULL, 0), GRPC_STATUS_INVALID_ARGUMENT, "ids|0|at least 1");
	WANT(delete_ids((const char *const[]){""}, 1), GRPC_STATUS_INVALID_ARGUMENT, "ids");

	/* It comes back as a new one. */
	ack = upsert_one(batch(1, 10)).message;
	cr_assert_not_null(ack);
	cr_assert_eq(ack->inserted, 2);
	cr_assert_eq(ack->replaced, 8);
}

Test(ingest, a_bad_batch_ends_the_stream_after_the_good_ones_before_it)
{
	SCOPED(grpc_stream) stream = NULL;
	batch_request *bad = batch(12, 2);

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	bad->chunks[1]->vector->values[2] = NAN;
	stream = session_stream(&world.session, &upsert_chunks, NULL);
	stream_send(stream, &batch(10, 2)->base);
	stream_send(stream, &batch(11, 2)->base);
	stream_send(stream, &bad->base);
	/* The server may have ended the call already: then it cannot be sent, which is as good. */
	stream_send(stream, &batch(13, 2)->base);

	for (uint64_t sequence = 10; sequence < 12; sequence++) {
		const Sluice__V1__UpsertChunksResponse *ack = next_ack(stream);

		cr_assert_not_null(ack);
		cr_assert_eq(ack->sequence, sequence);
	}
	cr_assert_null(next_ack(stream));
	WANT(session_finish(&world.session, stream), GRPC_STATUS_INVALID_ARGUMENT,
	     "batch 12|chunks[1].vector|nan");
	want_idle();
	cr_assert_eq(count_of("docs"), 4);
	cr_assert_not_null(stored("s11-1"));
	cr_assert_null(stored("s12-0"));
	cr_assert_null(stored("s13-0"));
}

/* --- many writers --- */

enum { WRITERS = 16, BATCHES = SANITIZED ? 8 : 25, CHUNKS = 4 };

struct writer {
	pthread_t thread;
	uint64_t first_sequence;
	uint64_t generations[BATCHES];
	size_t n_acknowledged; /* in order, with a higher generation than the one before */
	int code;
};

static void *write_batches(void *arg)
{
	struct writer *writer = arg;
	struct session session;

	session_open(&session, world.server.address);
	{
		SCOPED(grpc_stream) stream = session_stream(&session, &upsert_chunks, NULL);
		uint64_t generation = 0;

		for (uint64_t i = 0; i < BATCHES; i++) {
			const struct batch_shape shape = {"docs", writer->first_sequence + i,
							  CHUNKS, DIM};

			stream_send(stream, &batch_make(&session.arena, &shape)->base);
		}
		grpc_stream_half_close(stream);
		for (uint64_t i = 0; i < BATCHES; i++) {
			const Sluice__V1__UpsertChunksResponse *ack =
				session_next(&session, &upsert_chunks, stream, NULL);

			if (!ack || ack->sequence != writer->first_sequence + i ||
			    ack->inserted != CHUNKS || ack->generation <= generation)
				break;
			generation = writer->generations[i] = ack->generation;
			writer->n_acknowledged++;
		}
		writer->code = session_finish(&session, stream).code;
	}
	session_close(&session);
	return NULL;
}

static int compare_numbers(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

Test(ingest, sixteen_writers_at_once_lose_nothing)
{
	static struct writer writers[WRITERS];
	static uint64_t all[WRITERS * BATCHES];
	size_t n = 0;

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	for (size_t i = 0; i < WRITERS; i++) {
		writers[i].first_sequence = i * 1000;
		cr_assert_eq(pthread_create(&writers[i].thread, NULL, write_batches, &writers[i]),
			     0);
	}
	for (size_t i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);

	for (size_t i = 0; i < WRITERS; i++) {
		cr_assert_eq(writers[i].code, GRPC_STATUS_OK);
		cr_assert_eq(writers[i].n_acknowledged, BATCHES, "writer %zu: %zu", i,
			     writers[i].n_acknowledged);
		for (size_t j = 0; j < BATCHES; j++)
			all[n++] = writers[i].generations[j];
	}
	/* Each batch has a generation of its own, even where several shared a commit. */
	qsort(all, n, sizeof *all, compare_numbers);
	for (size_t i = 1; i < n; i++)
		cr_assert_gt(all[i], all[i - 1]);
	cr_assert_eq(count_of("docs"), WRITERS * BATCHES * CHUNKS);
}
