#include "tests/index/store/fixture.h"

#include <criterion/criterion.h>

/* A small world beside the store: which version of which chunk is where. */
#define CHUNKS 60

struct world {
	struct store_state state;
	uint64_t rows[CHUNKS], versions[CHUNKS];
	bool live[CHUNKS];
};

static struct arena arena[1];
static struct store *store;
static const char *directory;

static void open_store(void)
{
	struct collection_config config = fixture_config();

	directory = fixture_directory();
	arena_init(arena, (size_t)1 << 30);
	cr_assert(!status_failed(store_create(directory, &config, arena)));
	cr_assert(!status_failed(store_open_sized(directory, (size_t)64 << 10, arena, &store)));
}

static void close_store(void)
{
	store_close(TAKE(store));
	arena_finish(arena);
	fixture_remove();
}

TestSuite(write, .init = open_store, .fini = close_store);

static void check_world(const struct world *world)
{
	struct store_state state;
	uint64_t count = 0;

	for (uint64_t i = 0; i < CHUNKS; i++) {
		struct chunk want = fixture_chunk(arena, i, world->versions[i]), got;
		uint64_t row;
		bool found;

		cr_assert(!status_failed(store_find(store, want.id, arena, &found, &row)));
		cr_assert_eq(found, world->live[i], "chunk %zu", (size_t)i);
		if (!found)
			continue;
		cr_assert_eq(row, world->rows[i], "chunk %zu", (size_t)i);
		cr_assert(!status_failed(store_fetch_record(store, row, arena, &got)));
		cr_assert(fixture_same(&want, &got), "chunk %zu", (size_t)i);
	}
	status loaded = store_load(store, arena, &state, fixture_count_visit, &count);

	cr_assert(!status_failed(loaded), "%s", loaded.detail);
	cr_assert_eq(count, world->state.live_rows);
	cr_assert_eq(memcmp(&state, &world->state, sizeof state), 0);
}

static status put(struct store_write *write, struct world *world, uint64_t number, uint64_t *seed)
{
	uint64_t version = fixture_random(seed) % 1000, row = world->state.next_row, old;
	struct chunk chunk = fixture_chunk(arena, number, version);
	bool replaced;

	TRY(store_write_put(write, row, world->state.generation, &chunk, &replaced, &old));
	cr_assert_eq(replaced, world->live[number]);
	if (replaced) {
		cr_assert_eq(old, world->rows[number]);
		world->state.dead_bytes += store_write_row_bytes(write, old);
	}
	world->state.next_row++;
	world->state.live_rows += !replaced;
	world->live[number] = true;
	world->rows[number] = row;
	world->versions[number] = version;
	return status_ok();
}

static status delete_one(struct store_write *write, struct world *world, uint64_t number)
{
	struct bytes id = fixture_chunk(arena, number, 0).id;
	uint64_t old;
	bool found;

	TRY(store_write_delete(write, id, world->state.generation, &found, &old));
	cr_assert_eq(found, world->live[number]);
	if (found) {
		cr_assert_eq(old, world->rows[number]);
		world->state.dead_bytes += store_write_row_bytes(write, old);
	}
	world->state.live_rows -= found;
	world->live[number] = false;
	return status_ok();
}

/* One savepoint and some writes behind it, which may be undone. */
static status write_part(struct store_write *write, struct world *world, uint64_t *seed)
{
	struct world before = *world;

	TRY(store_write_savepoint(write));
	world->state.generation++;
	for (uint64_t n = fixture_random(seed) % 12; n > 0; n--) {
		uint64_t number = fixture_random(seed) % CHUNKS;

		if (fixture_random(seed) % 4 == 0)
			TRY(delete_one(write, world, number));
		else
			TRY(put(write, world, number, seed));
	}
	if (fixture_random(seed) % 3 == 0) {
		store_write_undo(write);
		*world = before;
	}
	return status_ok();
}

static status write_once(struct world *world, uint64_t *seed)
{
	SCOPED(store_write) write = NULL;
	struct world before = *world;
	struct store_purge purge = {.rows_wanted = SIZE_MAX};

	TRY(store_write_begin(store, arena, &write));
	for (uint64_t parts = 1 + fixture_random(seed) % 6; parts > 0; parts--)
		TRY(write_part(write, world, seed));
	purge.generation = world->state.generation;
	purge.readable_from = world->state.readable_from;
	purge.rows_max = fixture_random(seed) % 30;
	if (fixture_random(seed) % 3 == 0)
		TRY(store_write_purge(write, &purge));
	world->state.readable_from = purge.readable_from;
	world->state.dead_bytes -= purge.bytes;
	TRY(store_write_state(write, &world->state));
	if (fixture_random(seed) % 5 == 0) {
		*world = before;
		return status_ok(); /* the scope aborts it */
	}
	return store_write_commit(TAKE(write));
}

/* What was aborted or undone leaves nothing, what was committed stays, in any order, with a map
 * that has to grow on the way. */
Test(write, keeps_what_is_committed_and_nothing_else)
{
	struct world world = {0};
	uint64_t seed = 3;
	int grown = 0;

	for (int round = 0; round < 150; round++) {
		struct world before = world;
		uint64_t seed_before = seed;
		status written = write_once(&world, &seed);

		while (written.code == STATUS_ABORTED) {
			cr_assert(!status_failed(store_grow(store, arena)));
			grown++;
			world = before;
			seed = seed_before;
			written = write_once(&world, &seed);
		}
		cr_assert(!status_failed(written), "round %d: %s", round, written.detail);
		if (round % 10 == 0) {
			store_close(TAKE(store));
			status opened =
				store_open_sized(directory, (size_t)64 << 10, arena, &store);

			cr_assert(!status_failed(opened), "round %d: %s", round, opened.detail);
		}
		check_world(&world);
		arena_reset(arena);
	}
	cr_assert_gt(grown, 0);
}

Test(write, that_is_undone_can_use_its_rows_again)
{
	SCOPED(store_write) write = NULL;
	struct chunk one = fixture_chunk(arena, 1, 1), two = fixture_chunk(arena, 2, 1), got;
	bool replaced;
	uint64_t old;

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	cr_assert(!status_failed(store_write_savepoint(write)));
	cr_assert(!status_failed(store_write_put(write, 0, 1, &one, &replaced, &old)));
	store_write_undo(write);
	cr_assert(!status_failed(store_write_savepoint(write)));
	cr_assert(!status_failed(store_write_put(write, 0, 1, &two, &replaced, &old)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));

	cr_assert(!status_failed(store_fetch_record(store, 0, arena, &got)));
	cr_assert(fixture_same(&two, &got));
	cr_assert(!status_failed(store_find(store, one.id, arena, &replaced, &old)));
	cr_assert(!replaced);
}

Test(write, is_not_seen_before_its_commit)
{
	SCOPED(store_write) write = NULL;
	struct chunk chunk = fixture_chunk(arena, 1, 1), got;
	uint64_t row;
	bool found;

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	cr_assert(!status_failed(store_write_put(write, 0, 1, &chunk, &found, &row)));
	cr_assert(!status_failed(store_find(store, chunk.id, arena, &found, &row)));
	cr_assert(!found);
	cr_assert_eq(store_fetch_record(store, 0, arena, &got).code, STATUS_NOT_FOUND);
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
	cr_assert(!status_failed(store_find(store, chunk.id, arena, &found, &row)));
	cr_assert(found);
}

Test(write, refuses_a_row_that_is_not_above_the_last)
{
	SCOPED(store_write) write = NULL;
	struct chunk one = fixture_chunk(arena, 1, 1), two = fixture_chunk(arena, 2, 1);
	bool replaced;
	uint64_t old;

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	cr_assert(!status_failed(store_write_put(write, 5, 1, &one, &replaced, &old)));
	cr_assert_eq(store_write_put(write, 5, 1, &two, &replaced, &old).code, STATUS_INTERNAL);
}
