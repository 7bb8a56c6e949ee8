/* load_wire - the same counts as protobuf-c's unpacking gives. */
#include "service/cli/load_wire.h"

#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#include <criterion/criterion.h>

static uint8_t bytes[4096];

static struct load_answer read_answer(enum load_kind kind, const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_pack(message, bytes);
	struct load_answer answer = {.hits = 99};

	cr_assert(load_wire_read(kind, bytes_of(bytes, size), &answer));
	/* A message that is cut within a field is none; what is cut at one is a shorter one. */
	for (size_t cut = 0; cut < size; cut++) {
		struct load_answer fewer;

		if (load_wire_read(kind, bytes_of(bytes, cut), &fewer))
			cr_assert_leq(fewer.hits, answer.hits);
	}
	return answer;
}

static uint64_t count(enum load_kind kind, const ProtobufCMessage *message)
{
	return read_answer(kind, message).hits;
}

Test(load_wire, counts_what_is_in_each_answer)
{
	Sluice__V1__Chunk chunk = SLUICE__V1__CHUNK__INIT;
	Sluice__V1__Hit hit = SLUICE__V1__HIT__INIT, *hits[] = {&hit, &hit, &hit};
	Sluice__V1__Summary summary = SLUICE__V1__SUMMARY__INIT;
	Sluice__V1__SearchResponse page = SLUICE__V1__SEARCH_RESPONSE__INIT;
	Sluice__V1__HitBatch batch = SLUICE__V1__HIT_BATCH__INIT;
	Sluice__V1__CursorOpened opened = SLUICE__V1__CURSOR_OPENED__INIT;
	Sluice__V1__IterateResponse walk = SLUICE__V1__ITERATE_RESPONSE__INIT;
	Sluice__V1__UpsertChunksResponse ack = SLUICE__V1__UPSERT_CHUNKS_RESPONSE__INIT;

	chunk.id = (char *)(uintptr_t)"note";
	chunk.text = (char *)(uintptr_t)"text";
	hit.chunk = &chunk;
	hit.score = 0.5F;
	summary.returned = 3;
	page.n_hits = 3;
	page.hits = hits;
	page.summary = &summary;
	cr_assert_eq(count(LOAD_SEARCH, &page.base), 3);
	page.n_hits = 0;
	cr_assert_eq(count(LOAD_SEARCH, &page.base), 0);

	opened.cursor_id = (char *)(uintptr_t)"c";
	walk.event_case = SLUICE__V1__ITERATE_RESPONSE__EVENT_OPENED;
	walk.opened = &opened;
	cr_assert_eq(count(LOAD_ITERATE, &walk.base), 0);
	batch.n_hits = 2;
	batch.hits = hits;
	walk.event_case = SLUICE__V1__ITERATE_RESPONSE__EVENT_BATCH;
	walk.batch = &batch;
	cr_assert_eq(count(LOAD_ITERATE, &walk.base), 2);

	ack.sequence = 7;
	ack.inserted = 5;
	ack.replaced = 200;
	ack.generation = 9;
	cr_assert_eq(count(LOAD_UPSERT, &ack.base), 205);
}

Test(load_wire, knows_the_last_answer_of_a_call)
{
	Sluice__V1__Hit hit = SLUICE__V1__HIT__INIT, *hits[] = {&hit};
	Sluice__V1__Summary summary = SLUICE__V1__SUMMARY__INIT;
	Sluice__V1__SearchResponse page = SLUICE__V1__SEARCH_RESPONSE__INIT;
	Sluice__V1__IterateResponse walk = SLUICE__V1__ITERATE_RESPONSE__INIT;
	Sluice__V1__UpsertChunksResponse ack = SLUICE__V1__UPSERT_CHUNKS_RESPONSE__INIT;

	page.n_hits = 1;
	page.hits = hits;
	cr_assert_not(read_answer(LOAD_SEARCH, &page.base).last);
	page.summary = &summary;
	cr_assert(read_answer(LOAD_SEARCH, &page.base).last);
	/* Its end is for the client to say. */
	walk.event_case = SLUICE__V1__ITERATE_RESPONSE__EVENT_SUMMARY;
	walk.summary = &summary;
	cr_assert_not(read_answer(LOAD_ITERATE, &walk.base).last);
	cr_assert(read_answer(LOAD_UPSERT, &ack.base).last);
}
