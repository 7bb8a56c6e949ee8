/* postings - what filters read follows the records: through undoing, purging, an upgrade, damage. */
#include "index/store/posting_key.h"
#include "index/store/upgrade.h"
#include "tests/index/store/fixture.h"

#include <criterion/criterion.h>

static struct arena arena[1];
static struct store *store;
static const char *directory;

static void open_store(void)
{
	struct collection_config config = fixture_config();

	directory = fixture_directory();
	arena_init(arena, (size_t)1 << 30);
	cr_assert(!status_failed(store_create(directory, &config, arena)));
	cr_assert(!status_failed(store_open(directory, arena, &store)));
}

static void close_store(void)
{
	store_close(TAKE(store));
	arena_finish(arena);
	fixture_remove();
}

TestSuite(postings, .init = open_store, .fini = close_store);

static status add_to_sum(void *context, uint64_t row)
{
	*(uint64_t *)context += row + 1;
	return status_ok();
}

static const struct condition in_german = {
	.test = CONDITION_ANY_OF_VALUES,
	.field = 0,
	.values = &(const struct value){.kind = VALUE_STRING, .string = {(const uint8_t *)"de", 2}},
	.n_values = 1,
};

/* The sum of row + 1 over what is selected. */
static uint64_t sum_of(const struct condition *condition)
{
	uint64_t sum = 0;
	const struct row_visitor visitor = {add_to_sum, &sum, NULL};
	status s = store_select(store, condition, arena, &visitor);

	cr_assert(!status_failed(s), "%s", s.detail);
	return sum;
}

static uint64_t sum_of_document(const char *id)
{
	uint64_t sum = 0;
	const struct row_visitor visitor = {add_to_sum, &sum, NULL};
	status s = store_select_document(store, bytes_of_string(id), arena, &visitor);

	cr_assert(!status_failed(s), "%s", s.detail);
	return sum;
}

static void put_rows(uint64_t n, struct store_state *state)
{
	for (uint64_t row = 0; row < n; row++) {
		struct chunk chunk = fixture_chunk(arena, row, 1);

		cr_assert(!status_failed(fixture_put(store, arena, row, &chunk, state)));
	}
}

static size_t count_entries(void)
{
	static const char *const names[] = {"postings", "numbers", "documents"};
	SCOPED(transaction) t = &(struct transaction){.store = store, .arena = arena};
	size_t n = 0;

	cr_assert(!status_failed(transaction_read(t)));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		enum table table = (enum table)(TABLE_POSTINGS + (int)i);
		MDB_stat stat;

		cr_assert_str_eq(table_name(table), names[i]);
		cr_assert_eq(mdb_stat(t->handle, store->tables[table], &stat), 0);
		n += stat.ms_entries;
	}
	return n;
}

Test(postings, name_the_rows_of_a_value_and_of_a_document)
{
	struct store_state state = {0};

	put_rows(12, &state);

	cr_assert_eq(sum_of(&in_german), 12 * 13 / 2);
	cr_assert_eq(sum_of_document("document 1, version 0"), 11 + 12);
	cr_assert_eq(sum_of_document("document 1, version"), 0);
}

Test(postings, of_a_write_that_is_undone_are_not_there)
{
	SCOPED(store_write) write = NULL;
	struct chunk kept = fixture_chunk(arena, 0, 1), undone = fixture_chunk(arena, 1, 1);
	bool replaced;
	uint64_t old;

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	cr_assert(!status_failed(store_write_savepoint(write)));
	cr_assert(!status_failed(store_write_put(write, 0, 1, &kept, &replaced, &old)));
	cr_assert(!status_failed(store_write_savepoint(write)));
	cr_assert(!status_failed(store_write_put(write, 1, 2, &undone, &replaced, &old)));
	store_write_undo(write);
	cr_assert(!status_failed(store_write_commit(TAKE(write))));

	cr_assert_eq(sum_of(&in_german), 1);
}

Test(postings, are_read_within_a_write_once_they_are_flushed)
{
	SCOPED(store_write) write = NULL;
	struct chunk chunk = fixture_chunk(arena, 0, 1);
	uint64_t old, sum = 0;
	const struct row_visitor visitor = {add_to_sum, &sum, NULL};
	bool replaced;

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	cr_assert(!status_failed(store_write_put(write, 4, 1, &chunk, &replaced, &old)));
	cr_assert(!status_failed(store_write_flush(write)));
	cr_assert(!status_failed(store_write_savepoint(write)));
	cr_assert(!status_failed(store_write_select(write, &in_german, &visitor)));

	cr_assert_eq(sum, 5);
}

Test(postings, go_with_the_row_that_is_purged_and_not_before)
{
	struct store_state state = {0};
	SCOPED(store_write) write = NULL;
	struct chunk chunk = fixture_chunk(arena, 0, 1);
	struct store_purge purge = {.generation = 2, .rows_max = 10, .rows_wanted = SIZE_MAX};
	uint64_t old_row = 0;
	bool found = false;

	cr_assert(!status_failed(fixture_put(store, arena, 0, &chunk, &state)));
	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	cr_assert(!status_failed(store_write_delete(write, chunk.id, 2, &found, &old_row)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
	cr_assert_eq(sum_of(&in_german), 1);

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	cr_assert(!status_failed(store_write_purge(write, &purge)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));

	cr_assert_eq(purge.rows, 1);
	cr_assert_eq(count_entries(), 0);
}

static void be_of_format_one(uint8_t *value, size_t size)
{
	(void)size;
	store_u32(value, 1);
}

/* As an older program left it: without the tables. */
static void drop_tables(void)
{
	struct transaction t = {.store = store, .arena = arena};

	cr_assert(!status_failed(transaction_write(&t)));
	for (int table = TABLE_POSTINGS; table < TABLE_N; table++)
		cr_assert_eq(mdb_drop(t.handle, store->tables[table], 1), 0);
	cr_assert(!status_failed(transaction_commit(&t)));
}

Test(postings, of_an_older_store_are_built_when_it_is_opened)
{
	struct store_state state = {0};
	size_t n_entries;

	put_rows(30, &state);
	n_entries = count_entries();
	drop_tables();
	store_close(TAKE(store));
	fixture_edit("config", bytes_of_string("config"), be_of_format_one, true);

	cr_assert(!status_failed(store_open(directory, arena, &store)));
	cr_assert_eq(sum_of(&in_german), 30 * 31 / 2);
	cr_assert_eq(sum_of_document("document 2, version 0"), 255);
	cr_assert_eq(count_entries(), n_entries);

	/* And it is of the present format from then on. */
	store_close(TAKE(store));
	cr_assert(!status_failed(store_open(directory, arena, &store)));
	cr_assert_eq(store->format, STORE_FORMAT);
}

Test(postings, of_an_upgrade_that_broke_off_are_built_anew)
{
	struct store_state state = {0};

	put_rows(30, &state);
	store_close(TAKE(store));
	/* The tables are there, and the version says that they are not whole. */
	fixture_edit("config", bytes_of_string("config"), be_of_format_one, true);

	cr_assert(!status_failed(store_open(directory, arena, &store)));
	cr_assert_eq(sum_of(&in_german), 30 * 31 / 2);
}

static void flip_last(uint8_t *value, size_t size)
{
	value[size - 1] ^= 1;
}

Test(postings, that_are_damaged_are_named)
{
	struct store_state state = {0};
	struct posting_key key;
	uint64_t sum = 0;
	const struct row_visitor visitor = {add_to_sum, &sum, NULL};
	status s;

	put_rows(3, &state);
	store_close(TAKE(store));
	posting_key_begin(&key, 0, MARK_STRING);
	posting_key_add_string(&key, bytes_of_string("de"));
	posting_key_add_run(&key, 0);
	fixture_edit("postings", posting_key_bytes(&key), flip_last, false);
	cr_assert(!status_failed(store_open(directory, arena, &store)));

	s = store_select(store, &in_german, arena, &visitor);

	cr_assert_eq(s.code, STATUS_DATA_LOSS);
	cr_assert_str_eq(s.detail,
			 "collection \"docs\": table postings: the checksum does not match");
}

Test(postings, fit_into_a_key_whatever_the_string)
{
	static const size_t sizes[] = {0, 1, 383, 384, 385, 400, 401, 402, 1024, 4096};
	uint8_t text[4096];

	memset(text, 'x', sizeof text);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct posting_key key;

		posting_key_begin(&key, 63, MARK_STRING);
		posting_key_add_string(&key, bytes_of(text, sizes[i]));
		posting_key_add_run(&key, UINT64_MAX);
		cr_assert_leq(key.size, 511);
		document_key_begin(&key, bytes_of(text, sizes[i]));
		document_key_add_row(&key, UINT32_MAX, UINT64_MAX);
		cr_assert_leq(key.size, 511);
	}
}

/* Rows lie in runs of 65,536, so these are in three. */
Test(postings, reach_over_runs)
{
	static const uint64_t rows[] = {0, 65535, 65536, 65537, (uint64_t)1 << 40};
	struct store_state state = {0};
	uint64_t want = 0;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct chunk chunk = fixture_chunk(arena, i, 1);

		cr_assert(!status_failed(fixture_put(store, arena, rows[i], &chunk, &state)));
		want += rows[i] + 1;
	}

	cr_assert_eq(sum_of(&in_german), want);
}

/* Labels of which a key holds the beginning alone, the same for all: the record tells, and once. */
Test(postings, of_many_long_labels_name_a_row_once)
{
	static const uint64_t rows[] = {3, 70000, (uint64_t)1 << 40};
	struct store_state state = {0};
	char beginning[401];
	struct bytes labels[20];
	struct metadata tags = {bytes_of_string("tags"),
				{VALUE_STRING_LIST, {.list = {labels, 20}}}};
	struct condition condition = {.test = CONDITION_PREFIX, .field = 1};
	uint64_t want = 0;

	memset(beginning, 'p', 400);
	beginning[400] = 0;
	for (size_t i = 0; i < 20; i++)
		labels[i] = bytes_of_string(arena_printf(arena, "%s and label %zu", beginning, i));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct chunk chunk = fixture_chunk(arena, i, 1);

		chunk.metadata = &tags;
		chunk.n_metadata = 1;
		cr_assert(!status_failed(fixture_put(store, arena, rows[i], &chunk, &state)));
		want += rows[i] + 1;
	}

	condition.prefix = bytes_of_string(beginning);
	cr_assert_eq(sum_of(&condition), want);
	condition.prefix = bytes_of_string(arena_printf(arena, "%sq", beginning));
	cr_assert_eq(sum_of(&condition), 0);
}
