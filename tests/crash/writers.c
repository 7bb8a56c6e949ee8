/* writers - operations of the models as calls. */
#include "tests/crash/writers.h"

#include "sluice/v1/ingest_service.pb-c.h"

#include <grpc/status.h>
#include <stdio.h>

#define IN_FLIGHT 4

/* --- requests, in the session's arena --- */

static Sluice__V1__MetadataValue *text_value(struct arena *arena, const char *text)
{
	Sluice__V1__MetadataValue *value = ARENA_NEW(arena, Sluice__V1__MetadataValue);

	sluice__v1__metadata_value__init(value);
	value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE;
	value->string_value = arena_printf(arena, "%s", text);
	return value;
}

static char *language_name(struct arena *arena, uint32_t language)
{
	return arena_printf(arena, "l%u", language);
}

static void put_metadata(struct arena *arena, Sluice__V1__Chunk *chunk, uint32_t id,
			 uint32_t version)
{
	Sluice__V1__Chunk__MetadataEntry *entries =
		ARENA_ARRAY(arena, Sluice__V1__Chunk__MetadataEntry, 2);

	chunk->n_metadata = 2;
	chunk->metadata = ARENA_ARRAY(arena, Sluice__V1__Chunk__MetadataEntry *, 2);
	for (size_t i = 0; i < 2; i++) {
		sluice__v1__chunk__metadata_entry__init(&entries[i]);
		chunk->metadata[i] = &entries[i];
	}
	entries[0].key = arena_printf(arena, "lang");
	entries[0].value = text_value(arena, language_name(arena, chunk_language(id, version)));
	entries[1].key = arena_printf(arena, "version");
	entries[1].value = ARENA_NEW(arena, Sluice__V1__MetadataValue);
	sluice__v1__metadata_value__init(entries[1].value);
	entries[1].value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE;
	entries[1].value->int_value = version;
}

static Sluice__V1__Chunk *make_chunk(struct arena *arena, uint32_t id, uint32_t version)
{
	Sluice__V1__Chunk *chunk = ARENA_NEW(arena, Sluice__V1__Chunk);

	sluice__v1__chunk__init(chunk);
	chunk->id = arena_printf(arena, "c%u", id);
	chunk->text = arena_printf(arena, "chunk %u as operation %u left it%*s", id, version,
				   (int)chunk_padding(id, version), "");
	chunk->document_id = arena_printf(arena, "d%u", id / DOCUMENT_CHUNKS);
	chunk->ordinal = id % DOCUMENT_CHUNKS;
	chunk->vector = ARENA_NEW(arena, Sluice__V1__Vector);
	sluice__v1__vector__init(chunk->vector);
	chunk->vector->n_values = DIM;
	chunk->vector->values = ARENA_ARRAY(arena, float, DIM);
	chunk_vector(id, version, chunk->vector->values);
	put_metadata(arena, chunk, id, version);
	return chunk;
}

static Sluice__V1__UpsertChunksRequest *make_batch(struct writer *writer, const struct op *op)
{
	struct arena *arena = &writer->session.arena;
	Sluice__V1__UpsertChunksRequest *request =
		ARENA_NEW(arena, Sluice__V1__UpsertChunksRequest);

	sluice__v1__upsert_chunks_request__init(request);
	request->collection = arena_printf(arena, "%s", writer->model->plan->name);
	request->sequence = op->version;
	request->n_chunks = op->n;
	request->chunks = ARENA_ARRAY(arena, Sluice__V1__Chunk *, op->n);
	for (size_t i = 0; i < op->n; i++)
		request->chunks[i] = make_chunk(arena, op->ids[i], op->version);
	return request;
}

/* --- calls: each gives how it ended --- */

static int create(struct writer *writer)
{
	static const char *const names[] = {"lang", "version"};
	const struct plan *plan = writer->model->plan;
	struct arena *arena = &writer->session.arena;
	Sluice__V1__Collection collection = SLUICE__V1__COLLECTION__INIT;
	Sluice__V1__IndexOptions index = SLUICE__V1__INDEX_OPTIONS__INIT;
	Sluice__V1__FieldSchema fields[2];
	Sluice__V1__FieldSchema *list[] = {&fields[0], &fields[1]};
	Sluice__V1__CreateCollectionRequest request = SLUICE__V1__CREATE_COLLECTION_REQUEST__INIT;

	for (size_t i = 0; i < 2; i++) {
		sluice__v1__field_schema__init(&fields[i]);
		fields[i].name = arena_printf(arena, "%s", names[i]);
	}
	fields[0].type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_STRING;
	fields[1].type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_INT;
	index.kind = plan->kind;
	index.encoding = plan->encoding;
	index.faiss_factory = arena_printf(arena, "%s", plan->factory);
	collection.name = arena_printf(arena, "%s", plan->name);
	collection.dimension = DIM;
	collection.metric = plan->metric;
	collection.index = &index;
	collection.n_fields = 2;
	collection.fields = list;
	request.collection = &collection;
	return session_call(&writer->session, &create_collection, &request.base).code;
}

static int drop(struct writer *writer)
{
	Sluice__V1__DeleteCollectionRequest request = SLUICE__V1__DELETE_COLLECTION_REQUEST__INIT;

	request.name = arena_printf(&writer->session.arena, "%s", writer->model->plan->name);
	return session_call(&writer->session, &delete_collection, &request.base).code;
}

static int delete_ids(struct writer *writer, const struct op *op)
{
	struct arena *arena = &writer->session.arena;
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds list = SLUICE__V1__CHUNK_IDS__INIT;

	list.n_ids = op->n;
	list.ids = ARENA_ARRAY(arena, char *, op->n);
	for (size_t i = 0; i < op->n; i++)
		list.ids[i] = arena_printf(arena, "c%u", op->ids[i]);
	request.collection = arena_printf(arena, "%s", writer->model->plan->name);
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &list;
	return session_call(&writer->session, &delete_chunks, &request.base).code;
}

static int delete_language(struct writer *writer, const struct op *op)
{
	struct arena *arena = &writer->session.arena;
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__Filter filter = SLUICE__V1__FILTER__INIT;
	Sluice__V1__Condition condition = SLUICE__V1__CONDITION__INIT;
	Sluice__V1__Condition *list = &condition;

	condition.field = arena_printf(arena, "lang");
	condition.test_case = SLUICE__V1__CONDITION__TEST_EQUAL_TO;
	condition.equal_to = text_value(arena, language_name(arena, op->language));
	filter.n_all_of = 1;
	filter.all_of = &list;
	request.collection = arena_printf(arena, "%s", writer->model->plan->name);
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_FILTER;
	request.filter = &filter;
	return session_call(&writer->session, &delete_chunks, &request.base).code;
}

static int call(struct writer *writer, const struct op *op)
{
	switch (op->kind) {
	case OP_CREATE:
		return create(writer);
	case OP_DROP:
		return drop(writer);
	case OP_DELETE:
		return delete_ids(writer, op);
	case OP_DELETE_LANGUAGE:
		return delete_language(writer, op);
	case OP_UPSERT:
		break;
	}
	return GRPC_STATUS_INTERNAL;
}

/* --- the thread --- */

static void complain(struct writer *writer, const char *what, int code, const char *detail)
{
	if (atomic_load(writer->dying))
		return;
	writer->failed = true;
	fprintf(stderr, "%s: %s ended with %d: %s\n", writer->model->plan->name, what, code,
		detail);
}

static void acknowledge(struct writer *writer)
{
	model_acknowledge(writer->model);
	atomic_fetch_add(writer->n_acknowledged, 1);
}

/* The oldest batch's. False: the stream is over. */
static bool await(struct writer *writer, struct grpc_stream *stream)
{
	const Sluice__V1__UpsertChunksResponse *response =
		session_next(&writer->session, &upsert_chunks, stream, NULL);
	struct answer answer;

	if (response && response->sequence == writer->model->pending[0].version) {
		acknowledge(writer);
		return true;
	}
	answer = session_finish(&writer->session, stream);
	complain(writer, "UpsertChunks", answer.code, answer.detail);
	return false;
}

static bool upsert(struct writer *writer, struct grpc_stream *stream, const struct op *op)
{
	if (writer->model->n_pending == IN_FLIGHT && !await(writer, stream))
		return false;
	model_send(writer->model, op);
	if (stream_send(stream, &make_batch(writer, op)->base))
		return true;
	return await(writer, stream);
}

/* Whatever is no batch waits for those before it, so that all operations have one order. */
static bool do_next(struct writer *writer, struct grpc_stream *stream)
{
	struct op op;
	int code;

	model_draw(writer->model, &writer->random, &op);
	if (op.kind == OP_UPSERT)
		return upsert(writer, stream, &op);
	while (writer->model->n_pending > 0)
		if (!await(writer, stream))
			return false;
	model_send(writer->model, &op);
	code = call(writer, &op);
	if (code == GRPC_STATUS_OK) {
		acknowledge(writer);
		return true;
	}
	complain(writer, "a call", code, "");
	return false;
}

static void *write_on(void *arg)
{
	struct writer *writer = arg;
	struct grpc_stream *stream = session_stream(&writer->session, &upsert_chunks, NULL);

	while (!atomic_load(writer->dying) && do_next(writer, stream))
		;
	grpc_stream_close(stream);
	return NULL;
}

/* A collection may be gone, or go meanwhile. */
static void *optimize_on(void *arg)
{
	struct optimizer *optimizer = arg;

	while (!atomic_load(optimizer->dying)) {
		Sluice__V1__OptimizeCollectionRequest request =
			SLUICE__V1__OPTIMIZE_COLLECTION_REQUEST__INIT;
		struct grpc_stream *stream;
		int code;

		request.name = arena_printf(&optimizer->session.arena, "%s",
					    plans[random_below(&optimizer->random, PLANS)].name);
		stream = session_stream(&optimizer->session, &optimize_collection, &request.base);
		while (session_next(&optimizer->session, &optimize_collection, stream, NULL))
			atomic_store(&optimizer->runs, true);
		code = session_finish(&optimizer->session, stream).code;
		grpc_stream_close(stream);
		if (code == GRPC_STATUS_UNAVAILABLE)
			break;
		atomic_store(&optimizer->runs, false);
	}
	return NULL;
}

bool writers_start(struct writers *writers, const char *address, struct model *models,
		   struct random *random)
{
	struct optimizer *optimizer = &writers->optimizer;

	*writers = (struct writers){0};
	for (size_t i = 0; i < PLANS; i++) {
		struct writer *writer = &writers->writers[i];

		writer->model = &models[i];
		writer->random.state = random_bits(random);
		writer->n_acknowledged = &writers->n_acknowledged;
		writer->dying = &writers->dying;
		session_open(&writer->session, address);
		if (pthread_create(&writer->thread, NULL, write_on, writer))
			return false;
	}
	optimizer->random.state = random_bits(random);
	optimizer->dying = &writers->dying;
	session_open(&optimizer->session, address);
	return pthread_create(&optimizer->thread, NULL, optimize_on, optimizer) == 0;
}

bool writers_join(struct writers *writers)
{
	bool good = true;

	for (size_t i = 0; i < PLANS; i++) {
		pthread_join(writers->writers[i].thread, NULL);
		session_close(&writers->writers[i].session);
		good = good && !writers->writers[i].failed;
	}
	pthread_join(writers->optimizer.thread, NULL);
	session_close(&writers->optimizer.session);
	return good;
}
