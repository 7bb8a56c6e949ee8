/* Rows that are in segments: the store has their records, and no vectors for long. */
#include "index/store/transaction.h"
#include "tests/index/store/opened.h"

#include <criterion/criterion.h>

TestSuite(sealed_rows, .init = opened_begin, .fini = opened_end);

/* Rows 0 .. n are in a segment from now on. */
static void seal(uint64_t n)
{
	const struct store_segment segment = {7, n, 0, n - 1};
	SCOPED(store_write) write = NULL;

	cr_assert(!status_failed(store_write_begin(opened.store, opened.arena, &write)));
	cr_assert(!status_failed(store_write_segments(write, &segment, 1)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
}

static size_t forget(uint64_t end, size_t max)
{
	SCOPED(store_write) write = NULL;
	size_t n = 0;

	cr_assert(!status_failed(store_write_begin(opened.store, opened.arena, &write)));
	cr_assert(!status_failed(store_write_forget(write, end, max, &n)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
	return n;
}

/* What store_load tells of rows below 64. */
struct told {
	uint64_t sealed, head, dead;
};

static status note_row(void *context, uint64_t row, uint64_t died, const float *vector)
{
	struct told *told = context;
	uint64_t bit = UINT64_C(1) << row;

	cr_assert_eq((told->sealed | told->head) & bit, 0, "row %lu twice", row);
	*(vector ? &told->head : &told->sealed) |= bit;
	if (died != STORE_ROW_LIVES)
		told->dead |= bit;
	return status_ok();
}

static struct told load(void)
{
	struct store_state loaded;
	struct told told = {0};
	status s = store_load(opened.store, opened.arena, &loaded, note_row, &told);

	cr_assert(!status_failed(s), "%s", s.detail);
	return told;
}

static size_t n_vectors(void)
{
	SCOPED(transaction) t = &(struct transaction){.store = opened.store, .arena = opened.arena};
	MDB_stat stat;

	cr_assert(!status_failed(transaction_read(t)));
	cr_assert_eq(mdb_stat(t->handle, opened.store->tables[TABLE_VECTORS], &stat), 0);
	return stat.ms_entries;
}

/* Chunks 0 to 9 in rows 0 to 9, of which 2 and 3 were replaced by rows 10 and 11. */
static void fill(void)
{
	for (uint64_t i = 0; i < 10; i++)
		opened_put(i, 1);
	opened_put(2, 2);
	opened_put(3, 2);
}

Test(sealed_rows, are_told_of_without_their_vectors)
{
	struct told told;

	fill();
	seal(8);
	opened_again();
	told = load();
	cr_assert_eq(told.sealed, 0xFF);
	cr_assert_eq(told.head, 0xF00);
	cr_assert_eq(told.dead, 0xC);
}

Test(sealed_rows, lose_their_vectors_some_at_a_time)
{
	float *vector;
	struct chunk chunk;

	fill();
	seal(8);
	cr_assert_eq(forget(8, 5), 5);
	cr_assert_eq(n_vectors(), 7);
	opened_again();
	/* As after a crash in between. */
	cr_assert_eq(load().sealed, 0xFF);
	cr_assert_eq(forget(8, 5), 3);
	cr_assert_eq(forget(8, 5), 0);
	cr_assert_eq(n_vectors(), 4);
	cr_assert_eq(load().head, 0xF00);
	cr_assert_eq(store_fetch_vector(opened.store, 7, opened.arena, &vector).code,
		     STATUS_NOT_FOUND);
	cr_assert(!status_failed(store_fetch_vector(opened.store, 8, opened.arena, &vector)));
	cr_assert(!status_failed(store_fetch_record(opened.store, 7, opened.arena, &chunk)));
}

/* A merge leaves out what nobody sees, at the end of the last segment too, before the store purges it. */
Test(sealed_rows, that_died_are_told_of_when_the_last_of_a_segment_was_left_out)
{
	struct told told;

	for (uint64_t i = 0; i < 10; i++)
		opened_put(i, 1);
	opened_put(9, 2);
	seal(9);
	cr_assert_eq(forget(10, 99), 10);
	opened_again();
	told = load();
	cr_assert_eq(told.sealed, 0x3FF);
	cr_assert_eq(told.head, 0x400);
	cr_assert_eq(told.dead, 0x200);
}

Test(sealed_rows, that_were_purged_are_not_told_of)
{
	SCOPED(store_write) write = NULL;
	struct store_purge purge = {
		.generation = UINT64_MAX, .rows_max = 100, .rows_wanted = SIZE_MAX};

	fill();
	seal(8);
	(void)forget(8, 100);
	cr_assert(!status_failed(store_write_begin(opened.store, opened.arena, &write)));
	cr_assert(!status_failed(store_write_purge(write, &purge)));
	cr_assert_eq(purge.rows, 2);
	opened.state.readable_from = purge.readable_from;
	cr_assert(!status_failed(store_write_state(write, &opened.state)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
	opened_again();
	cr_assert_eq(load().sealed, 0xF3);
	cr_assert_eq(load().dead, 0);
}

Test(sealed_rows, that_lost_their_record_are_missed)
{
	static const uint8_t row_five[8] = {0, 0, 0, 0, 0, 0, 0, 5};
	struct store_state loaded;
	struct told told = {0};

	fill();
	seal(8);
	(void)forget(8, 100);
	store_close(TAKE(opened.store));
	fixture_edit("records", bytes_of(row_five, 8), NULL, false);
	opened_reopen();
	cr_assert_eq(store_load(opened.store, opened.arena, &loaded, note_row, &told).code,
		     STATUS_DATA_LOSS);
}

static void be_of_format_two(uint8_t *value, size_t size)
{
	(void)size;
	store_u32(value, 2);
}

Test(sealed_rows, of_format_two_become_those_of_the_present_one)
{
	fill();
	seal(8);
	store_close(TAKE(opened.store));
	fixture_edit("config", bytes_of_string("config"), be_of_format_two, true);
	opened_reopen();
	cr_assert_eq(opened.store->format, STORE_FORMAT);
	cr_assert_eq(load().sealed, 0xFF);
	cr_assert_eq(load().head, 0xF00);
	/* It had all vectors, and a program of the format before refuses it from now on. */
	cr_assert_eq(n_vectors(), 12);
	cr_assert_eq(forget(8, 100), 8);
	opened_again();
	cr_assert_eq(opened.store->format, STORE_FORMAT);
	cr_assert_eq(load().sealed, 0xFF);
}

/* Vectors of many pages, so that there is something to give back. */
Test(sealed_rows, leave_a_smaller_file_at_the_next_opening)
{
	struct collection_config config = fixture_config();
	struct chunk chunk;
	uint64_t before;

	config.dim = DIMENSION_MAX;
	opened_anew(&config);
	chunk = fixture_chunk(opened.arena, 1, 1);
	chunk.vector = ARENA_ARRAY(opened.arena, float, DIMENSION_MAX);
	for (uint64_t row = 0; row < 1000; row++) {
		chunk.id = bytes_of_string(arena_printf(opened.arena, "%lu", row));
		cr_assert(!status_failed(
			fixture_put(opened.store, opened.arena, row, &chunk, &opened.state)));
	}
	seal(990);
	while (forget(990, 100))
		;
	before = store_disk_bytes(opened.store);
	opened_again();

	cr_assert_lt(store_disk_bytes(opened.store), before / 8);
	cr_assert_eq(n_vectors(), 10);
	for (uint64_t row = 0; row < 1000; row++) {
		cr_assert(!status_failed(
			store_fetch_record(opened.store, row, opened.arena, &chunk)));
		arena_reset(opened.arena);
	}
	/* And it is as good as any to write to. */
	chunk = fixture_chunk(opened.arena, 2000, 1);
	chunk.vector = ARENA_ARRAY(opened.arena, float, DIMENSION_MAX);
	cr_assert(!status_failed(
		fixture_put(opened.store, opened.arena, 1000, &chunk, &opened.state)));
	opened_again();
	cr_assert_eq(n_vectors(), 11);
}
