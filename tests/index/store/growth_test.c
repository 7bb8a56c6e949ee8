#include "index/store/reader.h"
#include "tests/index/store/fixture.h"

#include <criterion/criterion.h>

#include <stdatomic.h>

#define MAP_BYTES_TINY ((size_t)64 << 10)
#define READERS 4
#define BATCHES 60
#define BATCH_ROWS 40

static struct arena arena[1];
static struct store *store;
static const char *directory;

static void open_store(void)
{
	struct collection_config config = fixture_config();

	directory = fixture_directory();
	arena_init(arena, (size_t)1 << 30);
	cr_assert(!status_failed(store_create(directory, &config, arena)));
	cr_assert(!status_failed(store_open_sized(directory, MAP_BYTES_TINY, arena, &store)));
}

static void close_store(void)
{
	store_close(TAKE(store));
	arena_finish(arena);
	fixture_remove();
}

TestSuite(growth, .init = open_store, .fini = close_store);

static status write_batch(struct store_state *state)
{
	SCOPED(store_write) write = NULL;
	struct store_state next = *state;

	TRY(store_write_begin(store, arena, &write));
	next.generation++;
	for (int i = 0; i < BATCH_ROWS; i++) {
		struct chunk chunk = fixture_chunk(arena, next.next_row, 1);
		bool replaced;
		uint64_t old;

		TRY(store_write_put(write, next.next_row, next.generation, &chunk, &replaced,
				    &old));
		next.next_row++;
		next.live_rows++;
	}
	TRY(store_write_state(write, &next));
	TRY(store_write_commit(TAKE(write)));
	*state = next;
	return status_ok();
}

/* Returns how often the map had to grow. */
static int write_and_grow(struct store_state *state)
{
	int grown = 0;
	status written;

	while ((written = write_batch(state)).code == STATUS_ABORTED) {
		cr_assert(!status_failed(store_grow(store, arena)));
		grown++;
	}
	cr_assert(!status_failed(written), "%s", written.detail);
	return grown;
}

Test(growth, is_asked_for_and_then_the_write_succeeds)
{
	struct store_state state = {0}, loaded;
	uint64_t count = 0;
	int grown = 0;

	for (int i = 0; i < BATCHES; i++)
		grown += write_and_grow(&state);
	cr_assert_geq(grown, 3);

	/* The tiny map is made to fit the file. */
	store_close(TAKE(store));
	cr_assert(!status_failed(store_open_sized(directory, MAP_BYTES_TINY, arena, &store)));
	cr_assert(!status_failed(store_load(store, arena, &loaded, fixture_count_visit, &count)));
	cr_assert_eq(count, (uint64_t)BATCHES * BATCH_ROWS);
}

Test(growth, that_cannot_be_leaves_the_store_readable)
{
	struct store_state state = {0};
	size_t map_bytes;
	struct chunk got;

	write_and_grow(&state);
	map_bytes = store->map_bytes;
	store->map_bytes = (size_t)1 << 60; /* twice that is no address space */
	cr_assert_eq(store_grow(store, arena).code, STATUS_RESOURCE_EXHAUSTED);
	store->map_bytes = map_bytes;

	cr_assert(!status_failed(store_fetch_record(store, 3, arena, &got)));
	write_and_grow(&state);
}

static _Atomic uint64_t published;
static atomic_bool finished;

/* Reads random published rows until the writer is done; gives the number of what was wrong. */
static void *read_rows(void *argument)
{
	SCOPED(arena) own = &(struct arena){0};
	uint64_t seed = (uint64_t)(uintptr_t)argument, wrong = 0;

	arena_init(own, FIXTURE_ARENA_BYTES);
	while (!atomic_load(&finished)) {
		uint64_t rows = atomic_load(&published), row, named;
		struct chunk want, got;
		float *vector;
		bool found;

		if (rows == 0)
			continue;
		row = fixture_random(&seed) % rows;
		want = fixture_chunk(own, row, 1);
		if (status_failed(store_fetch_record(store, row, own, &got)) ||
		    status_failed(store_fetch_vector(store, row, own, &vector)) ||
		    status_failed(store_find(store, want.id, own, &found, &named)) ||
		    !fixture_same(&want, &got) || !found || named != row ||
		    memcmp(vector, want.vector, FIXTURE_DIM * sizeof(float)) != 0)
			wrong++;
		arena_reset(own);
	}
	return (void *)(uintptr_t)wrong;
}

/* Likewise by a reader that is never told to rest. */
static void *read_runs(void *argument)
{
	SCOPED(store_reader) reader = &(struct store_reader){.store = store};
	SCOPED(arena) own = &(struct arena){0};
	uint64_t seed = (uint64_t)(uintptr_t)argument, wrong = 0, rows = 0;

	arena_init(own, FIXTURE_ARENA_BYTES);
	while (!atomic_load(&finished)) {
		struct chunk want, got;
		uint64_t row;

		if (!reader->transaction || reader->reads == STORE_READER_READS_MAX)
			rows = atomic_load(&published);
		if (rows == 0)
			continue;
		row = fixture_random(&seed) % rows;
		want = fixture_chunk(own, row, 1);
		if (status_failed(store_reader_fetch(reader, row, own, &got)) ||
		    !fixture_same(&want, &got))
			wrong++;
		arena_reset(own);
	}
	return (void *)(uintptr_t)wrong;
}

static void grow_under(void *(*read)(void *argument))
{
	pthread_t readers[READERS];
	struct store_state state = {0};
	int grown = 0;

	atomic_store(&published, 0);
	atomic_store(&finished, false);
	for (size_t i = 0; i < READERS; i++)
		cr_assert_eq(pthread_create(&readers[i], NULL, read, (void *)(i + 1)), 0);
	for (int i = 0; i < BATCHES; i++) {
		grown += write_and_grow(&state);
		atomic_store(&published, state.next_row);
	}
	atomic_store(&finished, true);

	for (size_t i = 0; i < READERS; i++) {
		void *wrong;

		pthread_join(readers[i], &wrong);
		cr_assert_null(wrong, "%zu reads were wrong", (size_t)(uintptr_t)wrong);
	}
	cr_assert_geq(grown, 3);
}

Test(growth, goes_on_under_readers)
{
	grow_under(read_rows);
}

Test(growth, goes_on_under_readers_of_many_rows)
{
	grow_under(read_runs);
}
