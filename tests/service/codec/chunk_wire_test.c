#include "service/codec/chunk_wire.h"

#include "service/codec/chunk_codec.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#include <criterion/criterion.h>

#include <float.h>
#include <math.h>

/* The oracle: protobuf-c, over chunk_to_message. */

#define FIELD 9
#define DIM_MAX 40
#define N_NEIGHBORS 3

static struct arena arena;
static uint64_t random_state = 20240611;

static void setup(void)
{
	arena_init(&arena, (size_t)64 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(chunk_wire, .init = setup, .fini = teardown);

/* SplitMix64. */
static uint64_t draw(uint64_t below)
{
	uint64_t z = random_state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return (z ^ z >> 31) % below;
}

/* Lengths at which a size takes another byte are as likely as any. */
static struct bytes draw_string(size_t size_max)
{
	static const size_t edges[] = {0, 1, 127, 128, 16383, 16384};
	size_t size = draw(3) ? draw(40) : edges[draw(sizeof edges / sizeof *edges)];
	char *string;

	if (size > size_max)
		size = size_max;
	string = arena_alloc(&arena, size + 1);
	cr_assert_not_null(string);
	for (size_t i = 0; i < size; i++)
		string[i] = (char)('a' + draw(26));
	string[size] = 0;
	return bytes_of(string, size);
}

static uint32_t draw_u32(void)
{
	static const uint32_t edges[] = {0, 1, 127, 128, 16383, 16384, INT32_MAX, UINT32_MAX};

	return edges[draw(sizeof edges / sizeof *edges)];
}

static struct value draw_value(void)
{
	static const int64_t integers[] = {0, 1, -1, 127, 128, INT64_MIN, INT64_MAX};
	static const double numbers[] = {0, -0.0, 1.5, -DBL_MAX, DBL_MIN};
	struct value value = {.kind = (enum value_kind)(VALUE_STRING + draw(5))};
	struct bytes *items;

	switch (value.kind) {
	case VALUE_STRING:
		value.string = draw_string(4096);
		break;
	case VALUE_INT:
		value.integer = integers[draw(sizeof integers / sizeof *integers)];
		break;
	case VALUE_DOUBLE:
		value.number = numbers[draw(sizeof numbers / sizeof *numbers)];
		break;
	case VALUE_BOOL:
		value.boolean = draw(2);
		break;
	case VALUE_STRING_LIST:
		value.list.n = draw(5);
		items = ARENA_ARRAY(&arena, struct bytes, value.list.n);
		cr_assert_not_null(items);
		for (size_t i = 0; i < value.list.n; i++)
			items[i] = draw_string(1024);
		value.list.items = items;
		break;
	}
	return value;
}

static struct chunk draw_chunk(void)
{
	struct chunk chunk = {
		.id = draw_string(512),
		.document_id = draw_string(512),
		.text = draw_string(65536),
		.ordinal = draw_u32(),
		.token_count = draw_u32(),
		.n_metadata = draw(6),
	};
	struct metadata *metadata = ARENA_ARRAY(&arena, struct metadata, chunk.n_metadata);

	cr_assert_not_null(metadata);
	for (size_t i = 0; i < chunk.n_metadata; i++)
		metadata[i] = (struct metadata){draw_string(63), draw_value()};
	chunk.metadata = metadata;
	if (draw(2)) {
		chunk.vector = ARENA_ARRAY(&arena, float, DIM_MAX);
		cr_assert_not_null(chunk.vector);
		for (size_t i = 0; i < DIM_MAX; i++)
			chunk.vector[i] = (float)draw(100) - 50;
	}
	return chunk;
}

static struct bytes bytes_in(const struct buffer *buffer)
{
	cr_assert(!buffer->failed);
	return bytes_of(buffer->data, buffer->size);
}

/* Every mask in turn. */
static unsigned mask_of(unsigned round)
{
	return round % (READ_RECORD + READ_VECTOR + 1);
}

Test(chunk_wire, writes_a_chunk_as_protobuf_packs_it)
{
	for (unsigned round = 0; round < 2000; round++) {
		SCOPED(buffer) got = &(struct buffer){0};
		SCOPED(buffer) want = &(struct buffer){0};
		struct chunk chunk = draw_chunk();
		uint32_t dim = (uint32_t)draw(DIM_MAX + 1);
		struct chunk_wire wire = chunk_wire_of(&chunk, mask_of(round), dim);
		Sluice__V1__Chunk message;

		cr_assert(!status_failed(
			chunk_to_message(&arena, &chunk, mask_of(round), dim, &message)));
		buffer_append_message(want, FIELD, &message.base);
		chunk_wire_append(&wire, FIELD, got);

		cr_assert(bytes_equal(bytes_in(got), bytes_in(want)), "round %u", round);
		cr_assert_eq(wire.size_bytes, sluice__v1__chunk__get_packed_size(&message));
		arena_reset(&arena);
	}
}

static void neighbors_to_message(const struct chunk_wire *wires, Sluice__V1__Chunk *chunks,
				 Sluice__V1__Chunk **pointers)
{
	for (size_t i = 0; i < N_NEIGHBORS; i++) {
		cr_assert(!status_failed(
			chunk_to_message(&arena, wires[i].chunk, wires[i].fields, 0, &chunks[i])));
		pointers[i] = &chunks[i];
	}
}

Test(chunk_wire, writes_a_hit_with_its_neighbors_as_protobuf_packs_it)
{
	static const float scores[] = {0, -0.0F, 0.75F, -3, FLT_MIN, -FLT_MAX};
	static const uint64_t ranks[] = {0, 1, 127, 128, UINT64_MAX};

	for (unsigned round = 0; round < 600; round++) {
		SCOPED(buffer) got = &(struct buffer){0};
		SCOPED(buffer) want = &(struct buffer){0};
		struct chunk chunks[1 + N_NEIGHBORS];
		struct chunk_wire neighbors[N_NEIGHBORS];
		Sluice__V1__Chunk messages[1 + N_NEIGHBORS], *pointers[N_NEIGHBORS];
		Sluice__V1__Hit message = SLUICE__V1__HIT__INIT;
		struct hit_wire hit = {
			.score = scores[draw(sizeof scores / sizeof *scores)],
			.rank = ranks[draw(sizeof ranks / sizeof *ranks)],
			.neighbors = neighbors,
			.n_neighbors = draw(N_NEIGHBORS + 1),
		};

		for (size_t i = 0; i < 1 + N_NEIGHBORS; i++)
			chunks[i] = draw_chunk();
		hit.chunk = chunk_wire_of(chunks, mask_of(round), DIM_MAX);
		for (size_t i = 0; i < N_NEIGHBORS; i++)
			neighbors[i] = chunk_wire_of(&chunks[1 + i],
						     mask_of(round) & ~(unsigned)READ_VECTOR, 0);
		cr_assert(!status_failed(
			chunk_to_message(&arena, chunks, mask_of(round), DIM_MAX, messages)));
		neighbors_to_message(neighbors, messages + 1, pointers);
		message.chunk = messages;
		message.score = hit.score;
		message.rank = hit.rank;
		message.neighbors = pointers;
		message.n_neighbors = hit.n_neighbors;
		buffer_append_message(want, FIELD, &message.base);
		hit_wire_append(&hit, FIELD, got);

		cr_assert(bytes_equal(bytes_in(got), bytes_in(want)), "round %u", round);
		cr_assert_eq(hit_wire_size(&hit), sluice__v1__hit__get_packed_size(&message));
		arena_reset(&arena);
	}
}

Test(chunk_wire, appends_behind_what_a_page_has)
{
	SCOPED(buffer) page = &(struct buffer){0};
	const struct chunk chunk = {.id = bytes_of_string("a")};
	struct chunk_wire wire = chunk_wire_of(&chunk, READ_RECORD, 0);
	static const uint8_t want[] = {7, FIELD << 3 | 2, 3, 1 << 3 | 2, 1, 'a'};

	buffer_append_u8(page, 7);
	chunk_wire_append(&wire, FIELD, page);
	cr_assert(bytes_equal(bytes_in(page), bytes_of(want, sizeof want)));
}
