/* Heads that become segments under readers, writers, restarts and damage. */
#include "index/cursor/exact.h"
#include "kernels/base/error_info.h"
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/score.h"
#include "tests/index/books.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define SEAL_ROWS 70

static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
}

TestSuite(sealing, .init = begin, .fini = fixture_end);

/* Rows that the newest snapshot has in the head. */
static uint64_t rows_in_head(const struct books *books)
{
	SCOPED(snapshot) snapshot = NULL;
	uint64_t n = 0;

	cr_assert_not(status_failed(snapshot_acquire(books->collection, &snapshot)));
	while (n < snapshot_places(snapshot) &&
	       !snapshot_sealed(snapshot, snapshot_places(snapshot) - 1 - n))
		n++;
	return n;
}

/* Until what waits is sealed. */
static void books_settle(const struct books *books)
{
	while (rows_in_head(books) >= SEAL_ROWS)
		sched_yield();
}

/* Changes for n segments of the least size, each sealed before the next. */
static void books_grow(struct books *books, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		while (rows_in_head(books) < SEAL_ROWS)
			books_change(books);
		books_settle(books);
	}
}

Test(sealing, leaves_every_row_where_it_was)
{
	struct books books = {.random = 1};
	struct collection_status found;

	books_open(&books);
	books_grow(&books, 4);
	books_check(&books);
	found = books_status(&books);
	cr_assert_gt(found.indexed_rows, 0);
	cr_assert_eq(found.chunk_count, books.model.n_live);
	books_close(&books);
}

Test(sealing, is_not_noticed_by_a_snapshot_that_is_open)
{
	struct books books = {.random = 2};
	SCOPED(snapshot) before = NULL;
	SCOPED(snapshot) between = NULL;
	struct model model_before, model_between;

	books_open(&books);
	for (int i = 0; i < 5; i++)
		books_change(&books);
	model_before = books.model;
	cr_assert_not(status_failed(snapshot_acquire(books.collection, &before)));
	books_grow(&books, 2);
	model_between = books.model;
	cr_assert_not(status_failed(snapshot_acquire(books.collection, &between)));
	books_grow(&books, 5);

	model_check(&model_before, before);
	model_check(&model_between, between);
	books_check(&books);
	snapshot_release(TAKE(before));
	snapshot_release(TAKE(between));
	books_grow(&books, 6);
	books_check(&books);
	books_close(&books);
}

static void check_restarts(int64_t retention_ns, uint64_t seed)
{
	struct books books = {.random = seed};

	fixture.retention_ns = retention_ns;
	for (uint32_t n = 1; n < 6; n++) {
		struct collection_status before, after;

		books_open(&books);
		books_check(&books);
		books_grow(&books, 2 * n);
		books_check(&books);
		before = books_status(&books);
		books_close(&books);

		books_open(&books);
		after = books_status(&books);
		cr_assert_eq(after.chunk_count, before.chunk_count);
		cr_assert_eq(after.generation, before.generation);
		books_check(&books);
		books_close(&books);
	}
}

Test(sealing, outlives_restarts_with_its_dead_rows)
{
	check_restarts(INT64_C(600) * 1000000000, 3);
}

Test(sealing, outlives_restarts_with_its_rows_purged)
{
	check_restarts(0, 4);
}

Test(sealing, rows_that_nobody_can_see_leave_their_segments)
{
	struct books books = {.random = 10};

	/* Nothing but replacements of MODEL_IDS chunks. */
	books_open(&books);
	books_grow(&books, 30);
	while (books_status(&books).indexed_rows > 3 * MODEL_IDS)
		books_change(&books);
	books_check(&books);
	books_close(&books);

	books_open(&books);
	books_check(&books);
	cr_assert_leq(books_status(&books).indexed_rows, 3 * MODEL_IDS);
	books_close(&books);
}

Test(sealing, a_token_finds_the_snapshot_that_it_had_before)
{
	struct books books = {.random = 5};
	SCOPED(snapshot) again = NULL;
	struct model model;
	uint64_t generation, limit;

	fixture.retention_ns = INT64_C(600) * 1000000000;
	books_open(&books);
	books_grow(&books, 1);
	books_change(&books);
	{
		SCOPED(snapshot) snapshot = NULL;

		cr_assert_not(status_failed(snapshot_acquire(books.collection, &snapshot)));
		generation = snapshot_generation(snapshot);
		limit = snapshot_row_limit(snapshot);
		model = books.model;
	}
	books_grow(&books, 4);
	books_close(&books);
	books_open(&books);
	cr_assert_not(status_failed(
		snapshot_acquire_at(books.collection, generation, limit, &fixture.arena, &again)));
	model_check(&model, again);
	snapshot_release(TAKE(again));
	books_close(&books);
}

/* --- searching --- */

static int compare_scored(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return key_before(*x, *y) ? -1 : key_before(*y, *x);
}

/* Every visible row, in the order of its true key. */
static struct key *sort_all(const struct snapshot *snapshot, const float *query, size_t *ret_n)
{
	struct key *keys = calloc(snapshot_count(snapshot) + 1, sizeof *keys);
	size_t n = 0;

	cr_assert(keys);
	for (uint64_t place = 0; place < snapshot_places(snapshot); place++) {
		const float *vector = snapshot_vector(snapshot, place, NULL);

		if (snapshot_visible(snapshot, place))
			keys[n++] = (struct key){score_exact(METRIC_L2, query, vector, MODEL_DIM),
						 place};
	}
	qsort(keys, n, sizeof *keys, compare_scored);
	*ret_n = n;
	return keys;
}

static void check_walk(const struct snapshot *snapshot, struct scanner *scanner, const float *query,
		       size_t batch)
{
	struct deadline deadline;
	struct walk walk = {.deadline = &deadline, .arena = &fixture.arena};
	const struct exact_options options = {
		.snapshot = snapshot,
		.scanner = scanner,
		.scanner_cpu = scanner,
		.query = query,
		.batch = batch,
		.walk = &walk,
	};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch hits;
	size_t n = 0, at = 0;
	struct key *want = sort_all(snapshot, query, &n);

	deadline_init(&deadline, DEADLINE_NEVER);
	cr_assert_not(status_failed(exact_open(&options, &cursor)));
	while (cursor_next(cursor, &hits) == STEP_BATCH) {
		for (size_t i = 0; i < hits.n; i++, at++) {
			cr_assert_lt(at, n);
			cr_assert_eq(hits.hits[i].place, want[at].row);
			cr_assert_eq(hits.hits[i].score, want[at].score);
		}
	}
	cr_assert_eq(at, n);
	free(want);
}

Test(sealing, a_cursor_gives_all_rows_of_segments_and_head_in_order)
{
	struct books books = {.random = 6};
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) old = NULL;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	books_open(&books);
	books_grow(&books, 1);
	cr_assert_not(status_failed(snapshot_acquire(books.collection, &old)));
	for (uint32_t n = 2; n < 6; n++) {
		SCOPED(snapshot) snapshot = NULL;
		float query[MODEL_DIM];

		books_grow(&books, n);
		cr_assert_not(status_failed(snapshot_acquire(books.collection, &snapshot)));
		for (size_t i = 0; i < MODEL_DIM; i++)
			query[i] = (float)random_below(&books.random, 100);
		for (size_t batch = 1; batch <= 256; batch *= 4) {
			check_walk(snapshot, scanner, query, batch);
			check_walk(old, scanner, query, batch);
		}
	}
	snapshot_release(TAKE(old));
	books_close(&books);
}

/* --- files --- */

Test(sealing, removes_files_that_the_manifest_does_not_name)
{
	struct books books = {.random = 7};

	books_open(&books);
	books_grow(&books, 2);
	books_close(&books);
	fixture_shell("cd %s/collections/books && touch 00000000000000aa.segment "
		      "00000000000000ab.segment.new",
		      fixture.directory);
	books_open(&books);
	fixture_shell("cd %s/collections/books && test ! -e 00000000000000aa.segment -a "
		      "! -e 00000000000000ab.segment.new",
		      fixture.directory);
	books_check(&books);
	books_close(&books);
}

Test(sealing, a_damaged_file_is_named_and_others_are_served)
{
	struct books books = {.random = 8};
	struct collection *collection = NULL;
	status s;

	books_open(&books);
	books_grow(&books, 2);
	collection_release(fixture_collection("films"));
	books_close(&books);
	fixture_shell("cd %s/collections/books && for f in *.segment; do "
		      "printf X | dd of=$f bs=1 seek=70000 conv=notrunc 2>/dev/null; done",
		      fixture.directory);
	fixture_open(1);
	s = database_acquire(fixture.database, bytes_of_string("books"), &fixture.arena,
			     &collection);
	cr_assert_eq(s.code, STATUS_DATA_LOSS);
	cr_assert_not_null(strstr(s.detail, "books"), "%s", s.detail);
	cr_assert_not_null(strstr(s.detail, ".segment: block "), "%s", s.detail);
	collection_release(fixture_collection("films"));
	fixture_close();
}

Test(sealing, a_collection_may_be_dropped_at_any_moment)
{
	for (uint64_t round = 0; round < 12; round++) {
		struct books books = {.random = 20 + round};

		books_open(&books);
		for (uint64_t i = 0; i < 6 + round; i++)
			books_change(&books);
		cr_assert_not(status_failed(
			database_drop(fixture.database, bytes_of_string("books"), &fixture.arena)));
		books_close(&books);
		fixture_shell("test -z \"$(ls -A %s/collections)\"", fixture.directory);
	}
}
