#include "index/store/record.h"
#include "tests/index/store/fixture.h"

#include <criterion/criterion.h>

#include <stdlib.h>

static struct bytes random_string(struct arena *arena, uint64_t *seed)
{
	/* Short ones, empty ones and some whose size takes three bytes. */
	static const size_t bounds[] = {1, 8, 300, 20000};
	size_t size = fixture_random(seed) % bounds[fixture_random(seed) % 4];
	uint8_t *data = arena_alloc(arena, size + 1);

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)fixture_random(seed);
	return bytes_of(data, size);
}

static struct value random_value(struct arena *arena, uint64_t *seed)
{
	struct value value = {.kind = (enum value_kind)(1 + fixture_random(seed) % 5)};
	struct bytes *items;

	switch (value.kind) {
	case VALUE_STRING:
		value.string = random_string(arena, seed);
		break;
	case VALUE_INT:
		value.integer = (int64_t)fixture_random(seed);
		break;
	case VALUE_DOUBLE:
		value.number = (double)fixture_random(seed) / -3.0;
		break;
	case VALUE_BOOL:
		value.boolean = fixture_random(seed) % 2;
		break;
	case VALUE_STRING_LIST:
		value.list.n = fixture_random(seed) % 5;
		items = ARENA_ARRAY(arena, struct bytes, value.list.n);
		for (size_t i = 0; i < value.list.n; i++)
			items[i] = random_string(arena, seed);
		value.list.items = items;
		break;
	}
	return value;
}

static struct chunk random_chunk(struct arena *arena, uint64_t *seed)
{
	struct chunk chunk = {
		.id = random_string(arena, seed),
		.document_id = random_string(arena, seed),
		.text = random_string(arena, seed),
		.ordinal = (uint32_t)fixture_random(seed),
		.token_count = (uint32_t)(fixture_random(seed) % 1000),
		.n_metadata = fixture_random(seed) % 6,
	};
	struct metadata *metadata = ARENA_ARRAY(arena, struct metadata, chunk.n_metadata);

	for (size_t i = 0; i < chunk.n_metadata; i++) {
		metadata[i].key = random_string(arena, seed);
		metadata[i].value = random_value(arena, seed);
	}
	chunk.metadata = metadata;
	return chunk;
}

static void check_terminated(struct bytes string)
{
	cr_assert_eq(string.data[string.size], 0);
}

/* A copy of exact size on the heap, so that a sanitizer sees a read behind it. */
static status decode_exact(struct bytes record, struct arena *arena, struct chunk *ret)
{
	uint8_t *copy = malloc(record.size ? record.size : 1);
	status decoded;

	memcpy(copy, record.data, record.size);
	decoded = record_decode(bytes_of(copy, record.size), arena, ret);
	free(copy);
	return decoded;
}

Test(record, gives_back_every_part_of_a_chunk)
{
	uint64_t seed = 1;

	for (int round = 0; round < 300; round++) {
		SCOPED(arena) arena = &(struct arena){0};
		SCOPED(buffer) out = &(struct buffer){0};
		struct chunk chunk, got;
		struct bytes id;

		arena_init(arena, FIXTURE_ARENA_BYTES);
		chunk = random_chunk(arena, &seed);
		record_encode(&chunk, out);
		cr_assert(!out->failed);

		cr_assert(
			!status_failed(record_decode(bytes_of(out->data, out->size), arena, &got)));
		cr_assert(fixture_same(&chunk, &got), "round %d", round);
		cr_assert(!status_failed(record_id(bytes_of(out->data, out->size), &id)));
		cr_assert(bytes_equal(id, chunk.id));
	}
}

Test(record, puts_a_nul_behind_each_string)
{
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(buffer) out = &(struct buffer){0};
	struct chunk chunk, got;

	arena_init(arena, FIXTURE_ARENA_BYTES);
	chunk = fixture_chunk(arena, 7, 1);
	record_encode(&chunk, out);
	cr_assert(!status_failed(record_decode(bytes_of(out->data, out->size), arena, &got)));

	check_terminated(got.id);
	check_terminated(got.text);
	check_terminated(got.document_id);
	for (size_t i = 0; i < got.n_metadata; i++) {
		const struct value *value = &got.metadata[i].value;

		check_terminated(got.metadata[i].key);
		if (value->kind == VALUE_STRING)
			check_terminated(value->string);
		for (size_t j = 0; value->kind == VALUE_STRING_LIST && j < value->list.n; j++)
			check_terminated(value->list.items[j]);
	}
}

Test(record, refuses_every_truncation)
{
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(buffer) out = &(struct buffer){0};
	struct chunk chunk, got;

	arena_init(arena, FIXTURE_ARENA_BYTES);
	chunk = fixture_chunk(arena, 7, 1);
	record_encode(&chunk, out);

	for (size_t size = 0; size < out->size; size++)
		cr_assert_eq(decode_exact(bytes_of(out->data, size), arena, &got).code,
			     STATUS_DATA_LOSS, "size %zu", size);
	buffer_append_u8(out, 0);
	cr_assert_eq(decode_exact(bytes_of(out->data, out->size), arena, &got).code,
		     STATUS_DATA_LOSS, "a byte behind");
}

Test(record, survives_any_bytes)
{
	uint64_t seed = 2;

	for (int round = 0; round < 20000; round++) {
		SCOPED(arena) arena = &(struct arena){0};
		SCOPED(buffer) out = &(struct buffer){0};
		struct chunk chunk, got;
		status decoded;

		arena_init(arena, (size_t)1 << 20);
		chunk = fixture_chunk(arena, 7, 1);
		record_encode(&chunk, out);
		for (uint64_t n = 1 + fixture_random(&seed) % 4; n > 0; n--)
			out->data[fixture_random(&seed) % out->size] =
				(uint8_t)fixture_random(&seed);
		decoded = decode_exact(bytes_of(out->data, out->size), arena, &got);

		cr_assert(decoded.code == STATUS_OK || decoded.code == STATUS_DATA_LOSS,
			  "round %d gives %d", round, decoded.code);
	}
}

Test(record, asks_for_no_memory_that_the_bytes_cannot_need)
{
	/* Three empty strings, two numbers and a count of 2^62. */
	static const uint8_t bomb[] = {0,    0,    0,    0,    0,    0,    0,    0,   0x80,
				       0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40};
	SCOPED(arena) arena = &(struct arena){0};
	struct chunk got;

	arena_init(arena, 4096);
	cr_assert_eq(decode_exact(bytes_of(bomb, sizeof bomb), arena, &got).code, STATUS_DATA_LOSS);
	cr_assert(!arena->exhausted);
}

Test(record, says_when_memory_is_short)
{
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(arena) small = &(struct arena){0};
	SCOPED(buffer) out = &(struct buffer){0};
	struct chunk chunk, got;

	arena_init(arena, FIXTURE_ARENA_BYTES);
	arena_init(small, 64);
	chunk = fixture_chunk(arena, 7, 1);
	record_encode(&chunk, out);

	cr_assert_eq(record_decode(bytes_of(out->data, out->size), small, &got).code,
		     STATUS_RESOURCE_EXHAUSTED);
}
