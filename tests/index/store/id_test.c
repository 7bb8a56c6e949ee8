#include "index/store/id.h"
#include "tests/index/store/fixture.h"

#include <criterion/criterion.h>

static struct arena arena[1];
static struct store *store;

static void open_store(void)
{
	const char *directory = fixture_directory();
	struct collection_config config = fixture_config();

	arena_init(arena, FIXTURE_ARENA_BYTES);
	cr_assert(!status_failed(store_create(directory, &config, arena)));
	cr_assert(!status_failed(store_open(directory, arena, &store)));
}

static void close_store(void)
{
	store_close(TAKE(store));
	arena_finish(arena);
	fixture_remove();
}

TestSuite(id, .init = open_store, .fini = close_store);

/* An id of size bytes that ends in last; all others are the same. */
static struct bytes long_id(size_t size, char last)
{
	char *id = arena_alloc(arena, size);

	memset(id, 'x', size);
	id[size - 1] = last;
	return bytes_of(id, size);
}

static const size_t sizes[] = {1, 2, 383, 384, 385, 399, 400, 401, 402, 403, 510, 511, 512};

#define SIZES (sizeof sizes / sizeof *sizes)

Test(id, tells_ids_of_every_size_apart)
{
	struct store_state state = {0};

	for (size_t i = 0; i < SIZES; i++)
		for (char last = 'a'; last <= 'b'; last++) {
			struct chunk chunk = fixture_chunk(arena, i, (uint64_t)last);

			chunk.id = long_id(sizes[i], last);
			cr_assert(!status_failed(
				fixture_put(store, arena, state.next_row, &chunk, &state)));
		}

	cr_assert_eq(state.live_rows, 2 * SIZES);
	for (size_t i = 0; i < SIZES; i++)
		for (char last = 'a'; last <= 'c'; last++) {
			uint64_t row = UINT64_MAX;
			bool found;

			cr_assert(!status_failed(
				store_find(store, long_id(sizes[i], last), arena, &found, &row)));
			cr_assert_eq(found, last != 'c', "size %zu %c", sizes[i], last);
			if (found)
				cr_assert_eq(row, 2 * i + (last == 'b'), "size %zu", sizes[i]);
		}
}

Test(id, replaces_a_long_one_by_itself_alone)
{
	struct store_state state = {0};

	for (int version = 0; version < 2; version++)
		for (char last = 'a'; last <= 'b'; last++) {
			struct chunk chunk = fixture_chunk(arena, 1, (uint64_t)version);

			chunk.id = long_id(500, last);
			cr_assert(!status_failed(
				fixture_put(store, arena, state.next_row, &chunk, &state)));
		}

	cr_assert_eq(state.live_rows, 2);
	cr_assert_eq(state.next_row, 4);
}

/* A short id made of the bytes of a long one's key is another key. */
Test(id, cannot_be_forged_by_the_key_of_another)
{
	struct store_state state = {0};
	struct chunk chunk = fixture_chunk(arena, 1, 1);
	struct id_key key, forged;
	uint64_t row;
	bool found;

	chunk.id = long_id(450, 'a');
	cr_assert(!status_failed(fixture_put(store, arena, 0, &chunk, &state)));
	id_key_make(chunk.id, &key);
	cr_assert_gt(key.size, (size_t)ID_PLAIN_MAX);

	id_key_make(id_key_bytes(&key), &forged);
	cr_assert(!bytes_equal(id_key_bytes(&key), id_key_bytes(&forged)));
	cr_assert(!status_failed(store_find(store, id_key_bytes(&key), arena, &found, &row)));
	cr_assert(!found);
}

/* As if the hashes of two ids were the same: the key of one leads to the record of the other. */
Test(id, is_compared_with_the_record)
{
	struct transaction t = {.store = store, .arena = arena};
	struct store_state state = {0};
	struct chunk chunk = fixture_chunk(arena, 1, 1);
	struct bytes other = long_id(450, 'b');
	uint8_t row_zero[8] = {0};
	struct id_key key;
	uint64_t row;
	bool found;

	chunk.id = long_id(450, 'a');
	cr_assert(!status_failed(fixture_put(store, arena, 0, &chunk, &state)));
	id_key_make(other, &key);
	cr_assert(!status_failed(transaction_write(&t)));
	cr_assert(!status_failed(
		value_put(&t, TABLE_IDS, id_key_bytes(&key), bytes_of(row_zero, 8))));
	cr_assert(!status_failed(transaction_commit(&t)));

	cr_assert(!status_failed(store_find(store, other, arena, &found, &row)));
	cr_assert(!found);
	chunk.id = other;
	cr_assert_eq(fixture_put(store, arena, 1, &chunk, &state).code, STATUS_INTERNAL);
}

Test(id, that_cannot_be_stored_is_not_found)
{
	uint64_t row;
	bool found = true;

	cr_assert(!status_failed(store_find(store, bytes_of("", 0), arena, &found, &row)));
	cr_assert(!found);
	found = true;
	cr_assert(!status_failed(store_find(store, long_id(513, 'a'), arena, &found, &row)));
	cr_assert(!found);
}
