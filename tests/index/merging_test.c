/* Segments that are merged and replaced under readers, writers, restarts and failures. */
#include "index/store/store.h"
#include "kernels/base/log.h"
#include "tests/index/books.h"
#include "tests/index/waiter.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define SEAL_ROWS 70
#define HOUR_NS (INT64_C(3600) * 1000000000)

static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
}

TestSuite(merging, .init = begin, .fini = fixture_end, .timeout = 120);

/* Changes until so many rows were ever written, or somewhat more. */
static void books_grow(struct books *books, uint64_t n_rows)
{
	SCOPED(snapshot) snapshot = NULL;

	while (!snapshot || snapshot_row_limit(snapshot) < n_rows) {
		books_change(books);
		snapshot_release(TAKE(snapshot));
		cr_assert_not(status_failed(snapshot_acquire(books->collection, &snapshot)));
	}
}

/* --- merges under way --- */

#define SNAPSHOTS 20

struct past {
	struct snapshot *snapshot;
	struct model model;
};

Test(merging, snapshots_of_every_age_keep_their_rows)
{
	struct books books = {.random = 1};
	struct past *pasts = calloc(SNAPSHOTS, sizeof *pasts);

	fixture.retention_ns = HOUR_NS;
	books_open(&books);
	for (int i = 0; i < SNAPSHOTS; i++) {
		books_grow(&books, 150 * (uint64_t)(i + 1));
		pasts[i].model = books.model;
		cr_assert_not(
			status_failed(snapshot_acquire(books.collection, &pasts[i].snapshot)));
		for (int j = 0; j <= i; j += 3)
			model_check(&pasts[j].model, pasts[j].snapshot);
	}
	optimize_now(books.collection);
	for (int i = 0; i < SNAPSHOTS; i++)
		model_check(&pasts[i].model, pasts[i].snapshot);
	/* Each goes, and the others stay. */
	for (int i = 0; i < SNAPSHOTS; i += 2)
		snapshot_release(TAKE(pasts[i].snapshot));
	books_grow(&books, 150 * SNAPSHOTS + 600);
	for (int i = 1; i < SNAPSHOTS; i += 2) {
		model_check(&pasts[i].model, pasts[i].snapshot);
		snapshot_release(TAKE(pasts[i].snapshot));
	}
	books_check(&books);
	books_close(&books);
	books_open(&books);
	books_check(&books);
	books_close(&books);
	free(pasts);
}

Test(merging, a_token_finds_its_snapshot_in_merged_segments)
{
	struct books books = {.random = 2};
	SCOPED(snapshot) again = NULL;
	struct model model;
	uint64_t generation, limit;

	fixture.retention_ns = HOUR_NS;
	books_open(&books);
	books_grow(&books, 400);
	{
		SCOPED(snapshot) snapshot = NULL;

		cr_assert_not(status_failed(snapshot_acquire(books.collection, &snapshot)));
		generation = snapshot_generation(snapshot);
		limit = snapshot_row_limit(snapshot);
		model = books.model;
	}
	books_grow(&books, 900);
	optimize_now(books.collection);
	cr_assert_not(status_failed(
		snapshot_acquire_at(books.collection, generation, limit, &fixture.arena, &again)));
	model_check(&model, again);
	snapshot_release(TAKE(again));
	books_close(&books);

	books_open(&books);
	cr_assert_not(status_failed(
		snapshot_acquire_at(books.collection, generation, limit, &fixture.arena, &again)));
	model_check(&model, again);
	snapshot_release(TAKE(again));
	books_close(&books);
}

Test(merging, deaths_meanwhile_are_carried_over)
{
	for (uint64_t round = 0; round < 10; round++) {
		struct books books = {.random = 30 + round};
		struct waiter waiter;

		fixture.retention_ns = round % 2 ? HOUR_NS : 0;
		books_open(&books);
		books_grow(&books, 500);
		waiter_begin(&waiter, books.collection);
		for (int i = 0; i < 15; i++)
			books_change(&books);
		waiter_end_well(&waiter);
		books_check(&books);
		books_close(&books);

		books_open(&books);
		books_check(&books);
		cr_assert_not(status_failed(
			database_drop(fixture.database, bytes_of_string("books"), &fixture.arena)));
		books_close(&books);
	}
}

Test(merging, keeps_the_number_of_segments_small)
{
	struct books books = {.random = 3};

	fixture.retention_ns = HOUR_NS;
	books_open(&books);
	for (int i = 1; i <= 60; i++)
		books_grow(&books, (uint64_t)SEAL_ROWS * (uint64_t)i);
	/* 60 of the least size are tiers 0, 1 and 2, three of each at rest. */
	while (books_status(&books).segment_count > 9)
		sched_yield();
	books_check(&books);
	books_close(&books);
}

Test(merging, a_drop_gives_it_up)
{
	for (uint64_t round = 0; round < 10; round++) {
		struct books books = {.random = 50 + round};
		struct waiter waiter;
		enum status_code code;

		books_open(&books);
		books_grow(&books, 300 + 40 * round);
		waiter_begin(&waiter, books.collection);
		for (uint64_t i = 0; i < round * 3; i++)
			sched_yield();
		cr_assert_not(status_failed(
			database_drop(fixture.database, bytes_of_string("books"), &fixture.arena)));
		code = waiter_end(&waiter);
		cr_assert(code == STATUS_OK || code == STATUS_FAILED_PRECONDITION);
		books_close(&books);
		fixture_shell("test -z \"$(ls -A %s/collections)\"", fixture.directory);
	}
}

Test(merging, a_close_gives_it_up_and_loses_nothing)
{
	struct books books = {.random = 4};

	for (uint64_t round = 1; round <= 12; round++) {
		books_open(&books);
		books_check(&books);
		books_grow(&books, 300 * round);
		books_close(&books);
	}
	books_open(&books);
	books_check(&books);
	books_close(&books);
}

/* --- where a crash may come --- */

/* Every file of a segment is of one of the present ones. */
static void check_files(const struct books *books)
{
	fixture_shell("cd %s/collections/books && test $(ls | grep -c 'segment') -eq %u",
		      fixture.directory, books_status(books).segment_count);
}

Test(merging, files_of_merged_segments_that_stayed_are_removed_at_the_next_start)
{
	struct books books = {.random = 5};

	fixture.retention_ns = HOUR_NS;
	books_open(&books);
	books_grow(&books, 500);
	fixture_shell("mkdir %s/old && cp %s/collections/books/*.segment %s/old", fixture.directory,
		      fixture.directory, fixture.directory);
	optimize_now(books.collection);
	books_check(&books);
	books_close(&books);
	fixture_shell("mv %s/old/*.segment %s/collections/books && rmdir %s/old", fixture.directory,
		      fixture.directory, fixture.directory);

	books_open(&books);
	check_files(&books);
	books_check(&books);
	books_close(&books);
}

/* The manifest names the segments, and the store still has all vectors of them. */
Test(merging, what_is_sealed_has_no_vector_in_the_store)
{
	struct books books = {.random = 6};
	SCOPED(store) store = NULL;
	char path[512];
	uint64_t n_rows;

	fixture.retention_ns = HOUR_NS;
	books_open(&books);
	books_grow(&books, 1000);
	optimize_now(books.collection);
	n_rows = books_status(&books).indexed_rows;
	/* Behind the optimizing the writer forgets in turns. */
	optimize_now(books.collection);
	books_close(&books);
	snprintf(path, sizeof path, "%s/collections/books", fixture.directory);
	cr_assert_not(status_failed(store_open(path, &fixture.arena, &store)));
	for (uint64_t row = 0; row < n_rows; row++) {
		float *vector;

		cr_assert_eq(store_fetch_vector(store, row, &fixture.arena, &vector).code,
			     STATUS_NOT_FOUND, "row %lu", row);
	}
}

/* Another program took the directory's name: nothing can be made in it. */
Test(merging, what_failed_is_done_again)
{
	struct books books = {.random = 7};
	struct waiter waiter;

	fixture.retention_ns = HOUR_NS;
	log_set_level(LOG_ERROR);
	books_open(&books);
	fixture_shell("mv %s/collections/books %s/away", fixture.directory, fixture.directory);
	books_grow(&books, 500);
	waiter_begin(&waiter, books.collection);
	cr_assert_eq(waiter_end(&waiter), STATUS_INTERNAL);
	cr_assert_eq(books_status(&books).segment_count, 0);
	books_check(&books);
	fixture_shell("mv %s/away %s/collections/books", fixture.directory, fixture.directory);
	books_grow(&books, 700);
	while (books_status(&books).segment_count == 0)
		books_change(&books);
	books_check(&books);
	books_close(&books);
	books_open(&books);
	books_check(&books);
	books_close(&books);
}

/* --- optimizing --- */

Test(optimize, leaves_one_segment_of_what_can_be_seen, .init = begin, .fini = fixture_end)
{
	struct books books = {.random = 8};

	books_open(&books);
	books_grow(&books, 1000);
	/* So that what died before is purged. */
	books_change(&books);
	optimize_now(books.collection);
	cr_assert_eq(books_status(&books).segment_count, 1);
	cr_assert_leq(books_status(&books).indexed_rows, 2 * MODEL_IDS);
	books_check(&books);
	/* And again, where there is nothing to do. */
	optimize_now(books.collection);
	cr_assert_eq(books_status(&books).segment_count, 1);
	books_close(&books);
	books_open(&books);
	books_check(&books);
	check_files(&books);
	books_close(&books);
}

Test(optimize, of_an_empty_collection_is_done_at_once, .init = begin, .fini = fixture_end)
{
	struct books books = {.random = 9};

	books_open(&books);
	optimize_now(books.collection);
	cr_assert_eq(books_status(&books).segment_count, 0);
	books_close(&books);
	fixture.seal_rows = 0;
	books_open(&books);
	books_grow(&books, 100);
	optimize_now(books.collection);
	cr_assert_eq(books_status(&books).segment_count, 0);
	books_close(&books);
}

Test(optimize, several_callers_share_a_run, .init = begin, .fini = fixture_end)
{
	struct books books = {.random = 11};
	struct waiter waiters[5];

	books_open(&books);
	books_grow(&books, 600);
	for (int i = 0; i < 5; i++)
		waiter_begin(&waiters[i], books.collection);
	for (int i = 0; i < 5; i++)
		waiter_end_well(&waiters[i]);
	cr_assert_eq(books_status(&books).segment_count, 1);
	books_check(&books);
	books_close(&books);
}

Test(optimize, who_cancels_is_told_no_more, .init = begin, .fini = fixture_end)
{
	struct books books = {.random = 12};

	books_open(&books);
	for (int round = 0; round < 10; round++) {
		struct waiter gone, stays;
		int n_told;

		books_grow(&books, 400 * (uint64_t)(round + 1));
		waiter_begin(&gone, books.collection);
		if (round % 2)
			waiter_begin(&stays, books.collection);
		for (int i = 0; i < round; i++)
			sched_yield();
		optimize_cancel(books.collection, &gone.optimize);
		n_told = gone.n_told;
		if (round % 2)
			waiter_end_well(&stays);
		books_check(&books);
		optimize_cancel(books.collection, &gone.optimize);
		cr_assert_eq(gone.n_told, n_told);
		waiter_finish(&gone);
	}
	optimize_now(books.collection);
	books_check(&books);
	books_close(&books);
}
