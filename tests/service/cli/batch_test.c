/* batch - what is put together piece by piece reads as the message it stands for. */
#include "service/cli/batch.h"

#include "sluice/v1/ingest_service.pb-c.h"

#include <criterion/criterion.h>

#include <stdlib.h>

static Sluice__V1__UpsertChunksRequest *unpack(const struct batch *batch)
{
	return sluice__v1__upsert_chunks_request__unpack(NULL, batch->buffer.size,
							 batch->buffer.data);
}

Test(batch, reads_as_a_request)
{
	struct batch memory = {.chunks_max = 10};
	SCOPED(batch) batch = &memory;
	Sluice__V1__Chunk chunk = SLUICE__V1__CHUNK__INIT;
	Sluice__V1__UpsertChunksRequest *request;

	batch_start(batch, "manuals", 300);
	chunk.id = (char *)"a";
	cr_assert_eq(batch_add(batch, &chunk, 7), BATCH_ADDED);
	chunk.id = (char *)"b";
	cr_assert_eq(batch_add(batch, &chunk, 9), BATCH_ADDED);

	request = unpack(batch);
	cr_assert_not_null(request);
	cr_assert_str_eq(request->collection, "manuals");
	cr_assert_eq(request->sequence, 300);
	cr_assert_eq(request->n_chunks, 2);
	cr_assert_str_eq(request->chunks[1]->id, "b");
	cr_assert_eq(batch->lines.sequence, 300);
	cr_assert_eq(batch->lines.n, 2);
	cr_assert_eq(batch->lines.numbers[0], 7);
	cr_assert_eq(batch->lines.numbers[1], 9);
	sluice__v1__upsert_chunks_request__free_unpacked(request, NULL);
}

Test(batch, is_full_by_chunks_and_starts_anew)
{
	struct batch memory = {.chunks_max = 2};
	SCOPED(batch) batch = &memory;
	Sluice__V1__Chunk chunk = SLUICE__V1__CHUNK__INIT;
	Sluice__V1__UpsertChunksRequest *request;

	chunk.id = (char *)"a";
	batch_start(batch, "c", 1);
	cr_assert_eq(batch_add(batch, &chunk, 1), BATCH_ADDED);
	cr_assert_eq(batch_add(batch, &chunk, 2), BATCH_ADDED);
	cr_assert_eq(batch_add(batch, &chunk, 3), BATCH_FULL);
	cr_assert_eq(batch->lines.n, 2);

	batch_start(batch, "c", 2);
	cr_assert_eq(batch_add(batch, &chunk, 3), BATCH_ADDED);
	request = unpack(batch);
	cr_assert_eq(request->n_chunks, 1);
	cr_assert_eq(request->sequence, 2);
	sluice__v1__upsert_chunks_request__free_unpacked(request, NULL);
}

Test(batch, stays_below_the_limit_of_a_message)
{
	struct batch memory = {.chunks_max = BATCH_CHUNKS_MAX};
	SCOPED(batch) batch = &memory;
	Sluice__V1__Chunk chunk = SLUICE__V1__CHUNK__INIT;
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	Sluice__V1__UpsertChunksRequest *request;
	uint32_t n = 0;

	vector.n_values = 8192;
	vector.values = calloc(vector.n_values, sizeof *vector.values);
	cr_assert_not_null(vector.values);
	chunk.id = (char *)"a";
	chunk.vector = &vector;
	batch_start(batch, "c", 1);
	while (batch_add(batch, &chunk, n + 1) == BATCH_ADDED)
		n++;

	cr_assert_leq(batch->buffer.size, BATCH_BYTES_MAX);
	cr_assert_gt(batch->buffer.size, BATCH_BYTES_MAX - 2 * 32768);
	request = unpack(batch);
	cr_assert_eq(request->n_chunks, n);
	sluice__v1__upsert_chunks_request__free_unpacked(request, NULL);
	free(vector.values);
}

Test(batch, refuses_a_chunk_that_no_message_can_hold)
{
	struct batch memory = {.chunks_max = 10};
	SCOPED(batch) batch = &memory;
	Sluice__V1__Chunk chunk = SLUICE__V1__CHUNK__INIT;
	size_t size = BATCH_BYTES_MAX;

	chunk.text = malloc(size + 1);
	cr_assert_not_null(chunk.text);
	memset(chunk.text, 'x', size);
	chunk.text[size] = '\0';
	batch_start(batch, "c", 1);

	cr_assert_eq(batch_add(batch, &chunk, 1), BATCH_TOO_LARGE);
	free(chunk.text);
}
