#include "index/store/reader.h"

#include "tests/index/store/opened.h"

#include <criterion/criterion.h>

TestSuite(reader, .init = opened_begin, .fini = opened_end);

static bool has(struct store_reader *reader, uint64_t row)
{
	struct chunk chunk;
	status s = store_reader_fetch(reader, row, opened.arena, &chunk);

	cr_assert(!status_failed(s) || s.code == STATUS_NOT_FOUND, "%s", s.detail);
	return !status_failed(s);
}

Test(reader, finds_and_fetches_as_the_store_does)
{
	SCOPED(store_reader) reader = &(struct store_reader){.store = opened.store};
	struct document_row rows[20];
	size_t n = 0;

	for (uint64_t number = 0; number < 10; number++)
		opened_put(number, 1);
	for (uint64_t number = 0; number < 10; number++) {
		struct chunk want = fixture_chunk(opened.arena, number, 1), got;
		bool found = false;
		uint64_t row = 0;

		cr_assert(!status_failed(
			store_reader_find(reader, want.id, opened.arena, &found, &row)));
		cr_assert(found);
		cr_assert_eq(row, number);
		cr_assert(!status_failed(store_reader_fetch(reader, row, opened.arena, &got)));
		cr_assert(fixture_same(&want, &got));
	}
	cr_assert(!status_failed(store_reader_document_rows(
		reader,
		&(struct document_query){
			.document = fixture_chunk(opened.arena, 0, 1).document_id,
			.forward = true,
			.max = 20,
		},
		opened.arena, rows, &n)));
	cr_assert_eq(n, 9);
	cr_assert_eq(rows[0].row, 1U);
}

Test(reader, sees_what_was_there_at_its_first_read_until_it_rests)
{
	SCOPED(store_reader) reader = &(struct store_reader){.store = opened.store};

	opened_put(0, 1);
	cr_assert(has(reader, 0));
	opened_put(1, 1);
	cr_assert(!has(reader, 1));

	store_reader_rest(reader);
	cr_assert(has(reader, 1));
}

Test(reader, begins_anew_after_so_many_reads)
{
	SCOPED(store_reader) reader = &(struct store_reader){.store = opened.store};

	opened_put(0, 1);
	cr_assert(has(reader, 0));
	opened_put(1, 1);
	for (unsigned i = 1; i < STORE_READER_READS_MAX; i++)
		cr_assert(!has(reader, 1), "read %u", i);
	cr_assert(has(reader, 1));
}

/* A transaction that is open would make the growth wait for ever. */
Test(reader, lets_the_map_grow_where_it_rests, .timeout = 20)
{
	SCOPED(store_reader) reader = &(struct store_reader){.store = opened.store};
	struct chunk kept;

	opened_put(0, 1);
	cr_assert(!status_failed(store_reader_fetch(reader, 0, opened.arena, &kept)));
	store_reader_rest(reader);
	cr_assert(!status_failed(store_grow(opened.store, opened.arena)));

	/* And what was fetched outlasts it. */
	cr_assert(has(reader, 0));
	store_reader_rest(reader);
	cr_assert(!status_failed(store_grow(opened.store, opened.arena)));
	cr_assert(fixture_same(&kept, &(struct chunk[]){fixture_chunk(opened.arena, 0, 1)}[0]));
}

Test(reader, says_what_is_wrong_and_goes_on)
{
	SCOPED(store_reader) reader = &(struct store_reader){.store = opened.store};
	SCOPED(arena) small = &(struct arena){0};
	struct chunk got;

	opened_put(0, 1);
	arena_init(small, 16);
	cr_assert_eq(store_reader_fetch(reader, 0, small, &got).code, STATUS_RESOURCE_EXHAUSTED);
	cr_assert_eq(store_reader_fetch(reader, 7, opened.arena, &got).code, STATUS_NOT_FOUND);
	cr_assert(has(reader, 0));
}

Test(reader, rests_where_nothing_was_read)
{
	struct store_reader reader = {.store = opened.store};

	store_reader_rest(NULL);
	store_reader_rest(&reader);
	store_reader_rest(&reader);
	cr_assert_null(reader.transaction);
}
