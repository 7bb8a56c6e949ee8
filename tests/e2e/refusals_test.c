/* refusals - batches that break a rule: the answer says which, and nothing of them is there. */
#include "tests/e2e/rows.h"

#include <math.h>

#define DIM 3

TestSuite(refusals, .init = world_open, .fini = world_close, .timeout = 120);

typedef Sluice__V1__UpsertChunksRequest batch_request;

static batch_request *batch(uint64_t sequence, size_t n)
{
	const struct batch_shape shape = {"docs", sequence, n, DIM};

	return batch_make(&world.session.arena, &shape);
}

/* One batch in a stream of its own. */
static struct answer upsert_one(const batch_request *request)
{
	return session_call(&world.session, &upsert_chunks, &request->base);
}

static char *many(char letter, size_t n)
{
	char *text = arena_calloc(&world.session.arena, n + 1, 1);

	cr_assert_not_null(text);
	memset(text, letter, n);
	return text;
}

static void no_vector(batch_request *request)
{
	request->chunks[1]->vector = NULL;
}
static void short_vector(batch_request *request)
{
	request->chunks[1]->vector->n_values = 2;
}
static void empty_vector(batch_request *request)
{
	request->chunks[1]->vector->n_values = 0;
}
static void infinite(batch_request *request)
{
	request->chunks[1]->vector->values[0] = -INFINITY;
}
static void not_a_number(batch_request *request)
{
	request->chunks[1]->vector->values[2] = NAN;
}
static void zero(batch_request *request)
{
	request->chunks[1]->vector->values[0] = 0;
}
static void no_id(batch_request *request)
{
	request->chunks[1]->id = text_of("%s", "");
}
static void long_id(batch_request *request)
{
	request->chunks[1]->id = many('x', 513);
}
static void same_id(batch_request *request)
{
	request->chunks[1]->id = request->chunks[2]->id;
}
static void long_text(batch_request *request)
{
	request->chunks[1]->text = many('x', 65537);
}
static void not_utf8(batch_request *request)
{
	request->chunks[1]->text = text_of("a\xFF z");
}
static void no_chunks(batch_request *request)
{
	request->n_chunks = 0;
}
static void bad_name(batch_request *request)
{
	request->collection = text_of("Docs");
}

static void bad_metadata_key(batch_request *request)
{
	static Sluice__V1__MetadataValue value = SLUICE__V1__METADATA_VALUE__INIT;
	static Sluice__V1__Chunk__MetadataEntry entry = SLUICE__V1__CHUNK__METADATA_ENTRY__INIT;
	static Sluice__V1__Chunk__MetadataEntry *entries[] = {&entry};

	entry.key = text_of("Not a Key");
	entry.value = &value;
	value.kind_case = SLUICE__V1__METADATA_VALUE__KIND_BOOL_VALUE;
	request->chunks[1]->n_metadata = 1;
	request->chunks[1]->metadata = entries;
}

static void metadata_without_value(batch_request *request)
{
	bad_metadata_key(request);
	request->chunks[1]->metadata[0]->key = text_of("key");
	request->chunks[1]->metadata[0]->value->kind_case =
		SLUICE__V1__METADATA_VALUE__KIND__NOT_SET;
}

static const struct {
	void (*spoil)(batch_request *request);
	const char *words;
} refused[] = {
	{no_vector, "batch 77|chunks[1].vector"},
	{short_vector, "batch 77|chunks[1].vector|2 |dimension 3|docs"},
	{empty_vector, "batch 77|chunks[1].vector"},
	{infinite, "batch 77|chunks[1].vector"},
	{not_a_number, "batch 77|chunks[1].vector|nan"},
	{zero, "batch 77|zero|s77-1"},
	{no_id, "batch 77|chunks[1].id"},
	{long_id, "batch 77|chunks[1].id|513|512"},
	{same_id, "batch 77|s77-2|twice"},
	{long_text, "batch 77|chunks[1].text|65537|65536"},
	{not_utf8, "batch 77|chunks[1].text|UTF-8"},
	{no_chunks, "batch 77|chunks|0"},
	{bad_name, "batch 77|collection|Docs"},
	{bad_metadata_key, "batch 77|chunks[1].metadata|Not a Key"},
	{metadata_without_value, "batch 77|chunks[1].metadata|key"},
};

Test(refusals, refuses_what_breaks_a_rule_and_says_what)
{
	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_COSINE);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		batch_request *request = batch(77, 4);

		refused[i].spoil(request);
		WANT(upsert_one(request), GRPC_STATUS_INVALID_ARGUMENT, refused[i].words);
		cr_assert_eq(count_of("docs"), 0);
	}
	WANT(upsert_one(batch(77, 2049)), GRPC_STATUS_INVALID_ARGUMENT, "batch 77|2049|2048");
	WANT(upsert_one(batch(77, 2048)), GRPC_STATUS_OK, "");
}

Test(refusals, an_unknown_collection_is_not_found)
{
	WANT(upsert_one(batch(5, 1)), GRPC_STATUS_NOT_FOUND, "batch 5|docs");
}

Test(refusals, a_message_above_the_bound_is_refused_and_the_server_lives)
{
	batch_request *request = batch(3, 80);

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	for (size_t i = 0; i < request->n_chunks; i++)
		request->chunks[i]->text = many('x', 60000);
	WANT(upsert_one(request), GRPC_STATUS_RESOURCE_EXHAUSTED, "4194304");
	cr_assert_eq(count_of("docs"), 0);
	request->n_chunks = 60;
	WANT(upsert_one(request), GRPC_STATUS_OK, "");
	cr_assert_eq(count_of("docs"), 60);
}

Test(refusals, bytes_that_do_not_parse_are_refused)
{
	static const uint8_t bytes[] = {0x0A, 0x7F, 'd', 'o', 'c', 's'};
	struct answer answer =
		session_call_bytes(&world.session, &upsert_chunks, bytes_of(bytes, sizeof bytes));

	WANT(answer, GRPC_STATUS_INVALID_ARGUMENT, "UpsertChunksRequest");
}

Test(refusals, a_string_with_a_nul_is_refused_and_not_cut)
{
	/* collection "docs", ids {ids: "s1-0\0x"}: cut at the NUL it would be the id of a chunk. */
	static const uint8_t bytes[] = {0x0A, 4, 'd', 'o', 'c', 's', 0x12, 8,
					0x0A, 6, 's', '1', '-', '0', 0,    'x'};

	make_collection("docs", DIM, SLUICE__V1__METRIC__METRIC_L2);
	WANT(upsert_one(batch(1, 2)), GRPC_STATUS_OK, "");
	WANT(session_call_bytes(&world.session, &delete_chunks, bytes_of(bytes, sizeof bytes)),
	     GRPC_STATUS_INVALID_ARGUMENT, "ids.ids[0]|NUL");
	cr_assert_eq(count_of("docs"), 2);
}

Test(refusals, the_most_that_the_contract_allows_is_not_too_much)
{
	enum { N = 2048, IDS = 10000 };
	Sluice__V1__DeleteChunksRequest request = SLUICE__V1__DELETE_CHUNKS_REQUEST__INIT;
	Sluice__V1__ChunkIds ids = SLUICE__V1__CHUNK_IDS__INIT;
	batch_request *smallest;

	/* Small on the wire, large once unpacked: an id of two letters and a vector of one number. */
	make_collection("docs", 1, SLUICE__V1__METRIC__METRIC_L2);
	smallest = batch_make(&world.session.arena, &(struct batch_shape){"docs", 1, N, .dim = 1});
	for (size_t i = 0; i < N; i++)
		smallest->chunks[i]->id = text_of("%zx", i);
	WANT(upsert_one(smallest), GRPC_STATUS_OK, "");
	cr_assert_eq(count_of("docs"), N);

	ids.n_ids = IDS;
	ids.ids = ARENA_ARRAY(&world.session.arena, char *, IDS);
	for (size_t i = 0; i < IDS; i++)
		ids.ids[i] = text_of("7");
	request.collection = text_of("docs");
	request.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
	request.ids = &ids;
	WANT(session_call(&world.session, &delete_chunks, &request.base), GRPC_STATUS_OK, "");
	cr_assert_eq(count_of("docs"), N - 1);
}
