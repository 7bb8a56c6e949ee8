/* inspect - a store that is whole is found to be, whatever was written to it; and tables that do not
 * agree are told, though every checksum is right. */
#include "index/store/inspect.h"

#include "index/store/pages.h"
#include "index/store/posting_key.h"
#include "tests/index/store/fixture.h"

#include <criterion/criterion.h>

#include <stdio.h>

/* Chunks 0 to 9 in rows 0 to 9, the first then replaced by row 10. */
#define ROWS 11
/* Vectors that do not fit into a page. */
#define LONG_DIM 1500

static struct arena arena[1];
static struct store_state state;
static const char *directory;

static void fill_store(void)
{
	SCOPED(store) store = NULL;
	struct collection_config config = fixture_config();

	directory = fixture_directory();
	state = (struct store_state){0};
	arena_init(arena, FIXTURE_ARENA_BYTES);
	cr_assert(!status_failed(store_create(directory, &config, arena)));
	cr_assert(!status_failed(store_open(directory, arena, &store)));
	for (uint64_t i = 0; i < ROWS; i++) {
		struct chunk chunk = fixture_chunk(arena, i % 10, i / 10);

		cr_assert(!status_failed(fixture_put(store, arena, i, &chunk, &state)));
	}
}

static void remove_store(void)
{
	arena_finish(arena);
	fixture_remove();
}

TestSuite(inspect, .init = fill_store, .fini = remove_store, .timeout = 60);

/* --- what is told --- */

static char told[4096];

static void note_damage(void *context, const char *what)
{
	size_t n = strlen(told);

	(void)context;
	snprintf(told + n, sizeof told - n, "%s\n", what);
}

static void enter_part(void *context, const char *part)
{
	(void)context;
	(void)part;
}

static bool has_no_row(void *context, uint64_t row)
{
	(void)context;
	(void)row;
	return false;
}

static struct inspect inspect_all(void)
{
	struct inspect inspect = {
		.damaged = note_damage, .enters = enter_part, .has_row = has_no_row};
	SCOPED(store) store = NULL;
	status s;

	told[0] = '\0';
	s = inspect_pages(directory, arena);
	cr_assert(!status_failed(s), "%s", s.detail);
	cr_assert(!status_failed(inspect_open(directory, arena, &store)));
	s = inspect_tables(store, &inspect, arena);
	cr_assert(!status_failed(s), "%s", s.detail);
	return inspect;
}

static void want_told(const char *words)
{
	inspect_all();
	cr_assert(strstr(told, words), "no \"%s\" in:\n%s", words, told);
}

/* --- whole --- */

Test(inspect, finds_nothing_in_a_store_that_is_whole)
{
	struct inspect inspect = inspect_all();

	cr_assert_str_eq(told, "");
	cr_assert_eq(inspect.live_rows, 10);
	cr_assert_eq(inspect.dead_rows, 1);
}

static struct chunk long_chunk(uint64_t number, uint64_t version)
{
	struct chunk chunk = fixture_chunk(arena, number, version);

	chunk.vector = ARENA_ARRAY(arena, float, LONG_DIM);
	cr_assert_not_null(chunk.vector);
	for (uint32_t i = 0; i < LONG_DIM; i++)
		chunk.vector[i] = (float)(number + version + i);
	return chunk;
}

/* One transaction: parts that are kept, parts that are undone, and what is dead goes. */
static void write_some(struct store *store, struct store_state *now, uint64_t *random)
{
	struct store_purge purge = {
		.rows_max = 20, .rows_wanted = SIZE_MAX, .readable_from = now->readable_from};
	SCOPED(store_write) write = NULL;
	uint64_t old;
	bool found;

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	purge.generation = now->generation;
	cr_assert(!status_failed(store_write_purge(write, &purge)));
	now->readable_from = purge.readable_from;
	now->generation++;
	for (uint64_t part = fixture_random(random) % 5; part > 0; part--) {
		struct store_state before = *now;

		cr_assert(!status_failed(store_write_flush(write)));
		cr_assert(!status_failed(store_write_savepoint(write)));
		for (uint64_t n = fixture_random(random) % 8; n > 0; n--) {
			struct chunk chunk =
				long_chunk(fixture_random(random) % 60, now->generation);

			cr_assert(!status_failed(store_write_put(
				write, now->next_row, now->generation, &chunk, &found, &old)));
			now->next_row++;
			now->live_rows += !found;
		}
		if (fixture_random(random) % 3)
			continue;
		store_write_undo(write);
		*now = before;
	}
	cr_assert(!status_failed(store_write_state(write, now)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
}

Test(inspect, finds_every_page_of_what_lmdb_writes)
{
	struct collection_config config = fixture_config();
	struct store_state now = {0};
	struct pages_count count = {0};
	const char *path;
	struct store *store = NULL;
	uint64_t random = 6;

	remove_store();
	config.dim = LONG_DIM;
	directory = fixture_directory();
	arena_init(arena, FIXTURE_ARENA_BYTES);
	cr_assert(!status_failed(store_create(directory, &config, arena)));
	for (int i = 0; i < 120; i++) {
		char copy[300];
		status s;

		snprintf(copy, sizeof copy, "%s/" STORE_DATA_FILE, directory);
		path = copy;
		if (i % 30 == 0) {
			store_close(TAKE(store));
			cr_assert(!status_failed(store_open(directory, arena, &store)));
		}
		write_some(store, &now, &random);
		arena_reset(arena);
		s = pages_walk(path, arena, &count);
		cr_assert(!status_failed(s), "%d: %s", i, s.detail);
		cr_assert_eq(count.lost, 0, "%d", i);
	}
	store_close(store);
	cr_assert_gt(count.free, 0);
	cr_assert_eq(inspect_all().live_rows, now.live_rows);
	cr_assert_str_eq(told, "");
}

/* --- tables that do not agree --- */

static struct bytes row_bytes(uint64_t row)
{
	static struct row_key key;

	key = row_key_of(row);
	return bytes_of(key.bytes, sizeof key.bytes);
}

Test(inspect, tells_of_an_id_that_is_gone)
{
	fixture_edit("ids", bytes_of_string("chunk 3"), NULL, false);
	want_told("table ids: the id of row 3 is not in it");
	want_told("table ids: its entries: should be 10, and are 9");
}

Test(inspect, tells_of_a_record_that_is_gone)
{
	fixture_edit("records", row_bytes(3), NULL, false);
	want_told("table records: live rows: should be 10, and are 9");
	want_told("table vectors, row 3: it has no record");
}

Test(inspect, tells_of_a_vector_that_is_gone)
{
	fixture_edit("vectors", row_bytes(3), NULL, false);
	want_told("table records, row 3: its vector is in no table");
}

Test(inspect, tells_of_a_death_that_is_gone)
{
	uint8_t key[DEAD_KEY_BYTES];

	store_u64_be(key, ROWS);
	store_u64_be(key + 8, 0);
	fixture_edit("dead", bytes_of(key, sizeof key), NULL, false);
	want_told("table ids: the id of row 0 names row 10");
}

Test(inspect, tells_of_a_document_that_lost_a_chunk)
{
	struct chunk chunk = fixture_chunk(arena, 4, 0);
	struct posting_key key;

	document_key_begin(&key, chunk.document_id);
	document_key_add_row(&key, chunk.ordinal, 4);
	fixture_edit("documents", posting_key_bytes(&key), NULL, false);
	want_told("table documents: lacks a row that has a record");
	want_told("table documents: its entries: should be 11, and are 10");
}

Test(inspect, tells_of_postings_that_are_gone)
{
	struct posting_key key;

	posting_key_begin(&key, 0, MARK_STRING);
	posting_key_add_string(&key, bytes_of_string("de"));
	posting_key_add_run(&key, 0);
	fixture_edit("postings", posting_key_bytes(&key), NULL, false);
	want_told("table postings: lacks a row that has a record");
}

static void add_one(uint8_t *value, size_t size)
{
	(void)size;
	value[16]++; /* the number of live rows */
}

Test(inspect, tells_of_a_state_that_counts_wrongly_and_of_one_that_is_damaged)
{
	fixture_edit("state", bytes_of_string("state"), add_one, true);
	want_told("table records: live rows: should be 11, and are 10");
	fixture_edit("state", bytes_of_string("state"), add_one, false);
	want_told("the checksum does not match");
}
