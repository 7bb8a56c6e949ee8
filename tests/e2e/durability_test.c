/* durability - kill -9 at any moment: what was acknowledged is there after a restart, whole, and of
 * what was not there is all or nothing. */
#include "tests/e2e/random.h"
#include "tests/e2e/rows.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
	ROUNDS = SANITIZED ? 8 : 20,
	BATCHES_MAX = 20000,
	IN_FLIGHT = 4,
	HOT = 4,   /* chunks that every batch replaces */
	DELAY = 8, /* every eighth batch deletes the chunks of the one so many before it */
	DIM = 16,
	KILL_MS = 120,
};

TestSuite(durability, .init = world_open, .fini = world_close, .timeout = 200);

enum fate { NEVER, SENT, ACKNOWLEDGED };

/* By sequence; the writer's while it runs, the test's when it has been joined. */
static struct {
	enum fate written, deleted;
} batches[BATCHES_MAX];

static size_t own_chunks(size_t sequence)
{
	return sequence % 5 ? 6 : 150;
}

/* --- the writer --- */

struct writer {
	struct session session;
	struct grpc_stream *stream;
	size_t next, oldest; /* sequences: to be sent, not acknowledged */
	_Atomic size_t n_acknowledged;
};

static bool send_batch(struct writer *writer)
{
	size_t own = own_chunks(writer->next);
	const struct batch_shape shape = {"docs", writer->next, own + HOT, DIM};
	struct arena *arena = &writer->session.arena;
	Sluice__V1__UpsertChunksRequest *request = batch_make(arena, &shape);

	for (size_t i = 0; i < request->n_chunks; i++) {
		Sluice__V1__Chunk *chunk = request->chunks[i];

		if (i >= own)
			chunk->id = arena_printf(arena, "hot-%zu", i - own);
		chunk->text = arena_printf(arena, "%zu", writer->next);
		for (size_t j = 0; j < DIM; j++)
			chunk->vector->values[j] = (float)writer->next;
	}
	batches[writer->next++].written = SENT;
	return stream_send(writer->stream, &request->base);
}

static bool await_acknowledgement(struct writer *writer)
{
	const Sluice__V1__UpsertChunksResponse *ack =
		session_next(&writer->session, &upsert_chunks, writer->stream, NULL);

	if (!ack || ack->sequence != writer->oldest)
		return false;
	batches[writer->oldest++].written = ACKNOWLEDGED;
	writer->n_acknowledged++;
	return true;
}

static bool delete_batch(struct writer *writer, size_t sequence)
{
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds list = SLUICE__V1__CHUNK_IDS__INIT;
	struct arena *arena = &writer->session.arena;

	list.n_ids = own_chunks(sequence);
	list.ids = ARENA_ARRAY(arena, char *, list.n_ids);
	for (size_t i = 0; i < list.n_ids; i++)
		list.ids[i] = arena_printf(arena, "s%zu-%zu", sequence, i);
	request.collection = arena_printf(arena, "docs");
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &list;
	batches[sequence].deleted = SENT;
	if (session_call(&writer->session, &delete_chunks, &request.base).code != GRPC_STATUS_OK)
		return false;
	batches[sequence].deleted = ACKNOWLEDGED;
	return true;
}

/* Until the server dies. */
static void *write_on(void *arg)
{
	struct writer *writer = arg;

	writer->stream = session_stream(&writer->session, &upsert_chunks, NULL);
	while (writer->next < BATCHES_MAX) {
		size_t old = writer->next - DELAY;

		if (!send_batch(writer))
			break;
		if (writer->next - writer->oldest >= IN_FLIGHT && !await_acknowledgement(writer))
			break;
		if (writer->next % DELAY == 0 && writer->next > 2 * DELAY &&
		    batches[old].written == ACKNOWLEDGED && !delete_batch(writer, old))
			break;
	}
	grpc_stream_close(writer->stream);
	return NULL;
}

/* --- what is there after a restart --- */

struct found {
	size_t own[BATCHES_MAX];
	size_t hot[HOT]; /* the batch that wrote each last; 0: it is not there */
	size_t n;
};

static void note_chunk(const Sluice__V1__Chunk *chunk, struct found *found)
{
	size_t sequence, index, of_text = strtoul(chunk->text, NULL, 10);

	cr_assert_not_null(chunk->vector, "%s", chunk->id);
	cr_assert_eq(chunk->vector->n_values, DIM);
	for (size_t i = 0; i < DIM; i++)
		cr_assert_eq((size_t)chunk->vector->values[i], of_text,
			     "%s has the text of one batch and the vector of another", chunk->id);
	found->n++;
	if (sscanf(chunk->id, "hot-%zu", &index) == 1) {
		cr_assert_lt(index, HOT);
		cr_assert_eq(found->hot[index], 0, "%s twice", chunk->id);
		found->hot[index] = of_text;
		return;
	}
	cr_assert_eq(sscanf(chunk->id, "s%zu-%zu", &sequence, &index), 2, "%s", chunk->id);
	cr_assert_eq(sequence, of_text);
	cr_assert_lt(sequence, BATCHES_MAX);
	found->own[sequence]++;
}

static void look(struct found *found)
{
	char *paths[] = {text_of("id"), text_of("text"), text_of("vector")};
	Sluice__V1__ListChunksRequest request = SLUICE__V1__LIST_CHUNKS_REQUEST__INIT;
	Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;
	const Sluice__V1__ListChunksResponse *page;
	SCOPED(grpc_stream) stream = NULL;

	memset(found, 0, sizeof *found);
	mask.n_paths = 3;
	mask.paths = paths;
	request.collection = text_of("docs");
	request.read_mask = &mask;
	stream = session_stream(&world.session, &list_chunks, &request.base);
	while ((page = session_next(&world.session, &list_chunks, stream, NULL)))
		for (size_t i = 0; i < page->n_chunks; i++)
			note_chunk(page->chunks[i], found);
	WANT(session_finish(&world.session, stream), GRPC_STATUS_OK, "");
	cr_assert_eq(count_of("docs"), found->n);
}

/* What was not acknowledged is settled by what is found: from now on it must stay so. */
static void want_whole(const struct found *found, size_t n_sent)
{
	size_t last = found->hot[0];

	for (size_t i = 1; i < HOT; i++)
		cr_assert_eq(found->hot[i], last, "chunks of one batch from different worlds");
	for (size_t sequence = 1; sequence < n_sent; sequence++) {
		size_t own = found->own[sequence];

		cr_assert(own == 0 || own == own_chunks(sequence), "%zu of batch %zu", own,
			  sequence);
		if (batches[sequence].deleted == ACKNOWLEDGED)
			cr_assert_eq(own, 0, "batch %zu was deleted", sequence);
		else if (batches[sequence].deleted == SENT)
			batches[sequence].deleted = own ? NEVER : ACKNOWLEDGED;
		else if (batches[sequence].written == ACKNOWLEDGED)
			cr_assert_eq(own, own_chunks(sequence), "batch %zu is lost", sequence);
		else if (batches[sequence].written == SENT)
			batches[sequence].written = own ? ACKNOWLEDGED : NEVER;
		else
			cr_assert_eq(own, 0, "batch %zu came back", sequence);
		if (batches[sequence].written == ACKNOWLEDGED)
			cr_assert_leq(sequence, last, "a batch without its replacements");
	}
	cr_assert_eq(batches[last].written, ACKNOWLEDGED);
}

/* The server's death, some time after the writer's first success. */
static void kill_at_a_random_moment(struct writer *writer, struct random *random)
{
	double end = seconds_now() + 60;

	while (writer->n_acknowledged == 0 && seconds_now() < end)
		pause_ms(1);
	pause_ms((long)random_below(random, KILL_MS));
	server_kill(&world.server);
}

Test(durability, keeps_every_acknowledged_batch_whole)
{
	static struct found found;
	struct random random = {77};
	size_t next = 1;

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	for (int round = 0; round < ROUNDS; round++) {
		struct writer writer = {.next = next, .oldest = next};
		pthread_t thread;

		session_open(&writer.session, world.server.address);
		cr_assert_eq(pthread_create(&thread, NULL, write_on, &writer), 0);
		kill_at_a_random_moment(&writer, &random);
		pthread_join(thread, NULL);
		session_close(&writer.session);
		cr_assert_gt(writer.n_acknowledged, 0, "round %d: nothing was acknowledged", round);
		next = writer.next;

		world_restart(&(struct server_options){0});
		look(&found);
		want_whole(&found, next);
	}
	cr_log_info("%zu batches, %zu chunks", next, found.n);
}

/* --- collections --- */

enum { COLLECTIONS_MAX = 400 };

static struct {
	enum fate created, dropped;
} collections[COLLECTIONS_MAX];

struct maker {
	struct session session;
	size_t next;
	_Atomic size_t n_created;
};

/* Each is made, and every second one is dropped again. */
static void *make_on(void *arg)
{
	struct maker *maker = arg;

	for (; maker->next < COLLECTIONS_MAX; maker->next++) {
		Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
		Sluice__V1__CreateCollectionRequest create =
			SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;
		Sluice__V1__DeleteCollectionRequest drop =
			SLUICE__V1__DELETE_COLLECTION_REQUEST__INIT;

		collection.name = arena_printf(&maker->session.arena, "c%zu", maker->next);
		collection.dimension = DIM;
		collection.metric = SLUICE__V1__METRIC__METRIC_L2;
		create.collection = &collection;
		drop.name = collection.name;
		collections[maker->next].created = SENT;
		if (session_call(&maker->session, &create_collection, &create.base).code != 0)
			break;
		collections[maker->next].created = ACKNOWLEDGED;
		maker->n_created++;
		if (maker->next % 2)
			continue;
		collections[maker->next].dropped = SENT;
		if (session_call(&maker->session, &delete_collection, &drop.base).code != 0)
			break;
		collections[maker->next].dropped = ACKNOWLEDGED;
	}
	maker->next++;
	return NULL;
}

static bool exists(size_t number)
{
	Sluice__V1__GetCollectionRequest request = SLUICE__V1__GET_COLLECTION_REQUEST__INIT;
	struct answer answer;

	request.name = text_of("c%zu", number);
	answer = session_call(&world.session, &get_collection, &request.base);
	if (answer.code != GRPC_STATUS_NOT_FOUND)
		WANT(answer, GRPC_STATUS_OK, "");
	return answer.code == GRPC_STATUS_OK;
}

Test(durability, keeps_collections_that_were_made_and_none_that_were_dropped)
{
	struct random random = {78};
	size_t next = 0;

	for (int round = 0; round < ROUNDS / 2; round++) {
		struct maker maker = {.next = next};
		pthread_t thread;
		double end = seconds_now() + 60;

		session_open(&maker.session, world.server.address);
		cr_assert_eq(pthread_create(&thread, NULL, make_on, &maker), 0);
		while (maker.n_created == 0 && seconds_now() < end)
			pause_ms(1);
		pause_ms((long)random_below(&random, 30));
		server_kill(&world.server);
		pthread_join(thread, NULL);
		session_close(&maker.session);
		next = maker.next;

		world_restart(&(struct server_options){0});
		for (size_t i = 0; i < next && i < COLLECTIONS_MAX; i++) {
			bool is_there = exists(i);

			if (collections[i].dropped == ACKNOWLEDGED)
				cr_assert(!is_there, "c%zu was dropped", i);
			else if (collections[i].created == ACKNOWLEDGED &&
				 collections[i].dropped == NEVER)
				cr_assert(is_there, "c%zu is lost", i);
			/* What was under way is settled now. */
			collections[i].created = is_there ? ACKNOWLEDGED : NEVER;
			collections[i].dropped = is_there ? NEVER : ACKNOWLEDGED;
		}
	}
	/* A name that a crash left half made or half dropped is free or whole: never in the way. */
	for (size_t i = 0; i < next && i < COLLECTIONS_MAX; i++)
		if (!exists(i))
			make_collection(text_of("c%zu", i), DIM, SLUICE__V1__METRIC__METRIC_L2);
}
