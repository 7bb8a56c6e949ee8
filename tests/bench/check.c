/* check - what it costs to check a request, beside what it costs to unpack it.
 *
 *	check
 *
 * Two messages: a Search with 384 floats, and a batch of 1,000 chunks as clients send them, with a
 * vector, some 480 bytes of text and five fields of metadata. Of each the check of its bytes against the
 * contract and protobuf-c's unpacking into an arena take turns; processor time of one thread,
 * medians, and the median of the ratios.
 */
#include "kernels/base/arena.h"
#include "service/rpc/protobuf_arena.h"
#include "service/schema/contract.h"
#include "service/schema/violations.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"
#include "tests/bench/cpu.h"
#include "tests/bench/report.h"

#include <stdio.h>

#define DIM 384
#define CHUNKS 1000
#define ROUNDS 101
#define ARENA_BYTES ((size_t)256 << 20)

static void *must(void *memory)
{
	if (!memory) {
		fputs("check: no memory\n", stderr);
		exit(1);
	}
	return memory;
}

static void must_do(status done)
{
	if (status_failed(done)) {
		fprintf(stderr, "check: %s\n", done.detail);
		exit(1);
	}
}

static Sluice__V1__Vector *make_vector(struct arena *arena)
{
	Sluice__V1__Vector *vector = must(ARENA_NEW(arena, Sluice__V1__Vector));

	sluice__v1__vector__init(vector);
	vector->n_values = DIM;
	vector->values = must(ARENA_ARRAY(arena, float, DIM));
	for (size_t i = 0; i < DIM; i++)
		vector->values[i] = (float)(i % 17) / 16 - 0.5F;
	return vector;
}

static char *make_text(struct arena *arena, size_t size)
{
	char *text = must(arena_alloc(arena, size + 1));

	for (size_t i = 0; i < size; i++)
		text[i] = i % 6 == 5 ? ' ' : (char)('a' + i % 26);
	text[size] = 0;
	return text;
}

static void make_metadata(struct arena *arena, Sluice__V1__Chunk *chunk)
{
	static const char *const keys[] = {"source", "title", "section", "depth", "chars"};
	size_t n = sizeof keys / sizeof *keys;

	chunk->metadata = must(ARENA_ARRAY(arena, Sluice__V1__Chunk__MetadataEntry *, n));
	chunk->n_metadata = n;
	for (size_t i = 0; i < n; i++) {
		Sluice__V1__Chunk__MetadataEntry *entry =
			must(ARENA_NEW(arena, Sluice__V1__Chunk__MetadataEntry));
		Sluice__V1__MetadataValue *value =
			must(ARENA_NEW(arena, Sluice__V1__MetadataValue));

		sluice__v1__chunk__metadata_entry__init(entry);
		sluice__v1__metadata_value__init(value);
		if (i < 3) {
			value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_STRING_VALUE;
			value->string_value = make_text(arena, 20);
		} else {
			value->kind_case = SLUICE__V1__METADATA_VALUE__KIND_INT_VALUE;
			value->int_value = 477;
		}
		entry->key = must(arena_printf(arena, "%s", keys[i]));
		entry->value = value;
		chunk->metadata[i] = entry;
	}
}

static void make_search(struct arena *arena, struct buffer *ret)
{
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;

	request.collection = make_text(arena, 4);
	request.query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request.vector = make_vector(arena);
	request._limit_case = 1;
	request.limit = 10;
	buffer_pack(ret, &request.base);
}

static void make_batch(struct arena *arena, struct buffer *ret)
{
	Sluice__V1__UpsertChunksRequest request = SLUICE__V1__UPSERT_CHUNKS_REQUEST__INIT;

	request.collection = make_text(arena, 4);
	request.n_chunks = CHUNKS;
	request.chunks = must(ARENA_ARRAY(arena, Sluice__V1__Chunk *, CHUNKS));
	for (size_t i = 0; i < CHUNKS; i++) {
		Sluice__V1__Chunk *chunk = must(ARENA_NEW(arena, Sluice__V1__Chunk));

		sluice__v1__chunk__init(chunk);
		chunk->id = must(arena_printf(arena, "chunk-%zu", i));
		chunk->document_id = make_text(arena, 5);
		chunk->text = make_text(arena, 477);
		chunk->vector = make_vector(arena);
		make_metadata(arena, chunk);
		request.chunks[i] = chunk;
	}
	buffer_pack(ret, &request.base);
}

static double seconds_to_check(const struct schema_message *message, struct bytes bytes, int times,
			       struct arena *arena)
{
	int64_t start_ns = cpu_ns();

	for (int i = 0; i < times; i++)
		must_do(violations_check(message, bytes, arena));
	return (double)(cpu_ns() - start_ns) * 1e-9 / times;
}

static double seconds_to_unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes bytes,
				int times, struct arena *arena)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(arena);
	int64_t start_ns = cpu_ns();

	for (int i = 0; i < times; i++) {
		must(protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data));
		arena_reset(arena);
	}
	return (double)(cpu_ns() - start_ns) * 1e-9 / times;
}

static void measure(const char *what, const ProtobufCMessageDescriptor *descriptor,
		    const struct buffer *packed, int times)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct bytes bytes = bytes_of(packed->data, packed->size);
	const struct schema_message *message = contract_message(descriptor->name);
	double check[ROUNDS], unpack[ROUNDS], ratio[ROUNDS];

	arena_init(arena, ARENA_BYTES);
	for (int i = 0; i < ROUNDS; i++) {
		check[i] = seconds_to_check(message, bytes, times, arena);
		unpack[i] = seconds_to_unpack(descriptor, bytes, times, arena);
		ratio[i] = check[i] / unpack[i];
	}
	printf("%-28s %9zu bytes   check %9.2f us   unpack %9.2f us   check/unpack %.3f\n", what,
	       packed->size, median(check, ROUNDS) * 1e6, median(unpack, ROUNDS) * 1e6,
	       median(ratio, ROUNDS));
}

int main(void)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	SCOPED(buffer) search = &(struct buffer){0};
	SCOPED(buffer) batch = &(struct buffer){0};

	arena_init(arena, ARENA_BYTES);
	must_do(contract_init(arena));
	make_search(arena, search);
	make_batch(arena, batch);
	measure("Search, 384 floats", &sluice__v1__search_request__descriptor, search, 1000);
	measure("UpsertChunks, 1,000 chunks", &sluice__v1__upsert_chunks_request__descriptor, batch,
		1);
	return 0;
}
