/* Approximate indexes beside segments: built in the background, opened, damaged, lost, merged away. */
#include "index/ann/ann.h"
#include "index/collection.h"
#include "tests/index/fixture.h"
#include "tests/index/hold.h"
#include "tests/index/waiter.h"

#include <sched.h>
#include <stdio.h>

#define SEAL_ROWS 400

static struct collection *collection;
static uint32_t version;

static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = SEAL_ROWS;
	/* Rows that were replaced stay: there are MODEL_IDS ids alone. */
	fixture.retention_ns = INT64_C(3600) * 1000000000;
	version = 0;
}

TestSuite(indexing, .init = begin, .fini = fixture_end, .timeout = 120);

static void open_indexed(void)
{
	struct collection_config config = fixture_config("indexed");

	config.index_kind = INDEX_FAISS;
	snprintf(config.faiss_factory, sizeof config.faiss_factory, "Flat");
	config.n_fields = 1;
	config.fields[0] = (struct field_schema){"version", VALUE_INT, false};
	fixture_open(2);
	collection = fixture_collection_of(&config);
}

static void close_indexed(void)
{
	collection_release(TAKE(collection));
	fixture_close();
}

static void put(uint32_t n_rows)
{
	unsigned items[CHANGE_ROWS];

	for (uint32_t row = 0; row < n_rows; row += CHANGE_ROWS) {
		for (unsigned i = 0; i < CHANGE_ROWS; i++)
			items[i] = (row + i) % MODEL_IDS;
		change_now(collection, items, CHANGE_ROWS, ++version);
	}
}

/* Of how many segments the snapshot's index is there, and of how many not. */
static void count(const struct snapshot *snapshot, unsigned *ret_with, unsigned *ret_without)
{
	const struct sealed *last = NULL;

	*ret_with = *ret_without = 0;
	for (uint64_t place = 0; place < snapshot_places(snapshot); place++) {
		const struct sealed *sealed = snapshot_sealed(snapshot, place);

		if (sealed && sealed != last)
			++*(snapshot_ann(snapshot, place) ? ret_with : ret_without);
		last = sealed;
	}
}

static void await_indexes(void)
{
	unsigned with = 0, without = 1;

	while (without || !with) {
		SCOPED(snapshot) snapshot = NULL;

		cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
		count(snapshot, &with, &without);
		sched_yield();
	}
}

Test(indexing, comes_after_sealing_and_outlives_restarts)
{
	SCOPED(snapshot) snapshot = NULL;
	unsigned with, without;

	open_indexed();
	put(SEAL_ROWS);
	await_indexes();
	close_indexed();
	open_indexed();
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	count(snapshot, &with, &without);
	cr_assert_eq(without, 0);
	cr_assert_gt(with, 0);
	snapshot_release(TAKE(snapshot));
	close_indexed();
}

Test(indexing, appears_in_snapshots_that_are_open_and_stays)
{
	SCOPED(snapshot) snapshot = NULL;
	unsigned with = 0, without;

	open_indexed();
	put(SEAL_ROWS);
	await_indexes();
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	put(2 * SEAL_ROWS);
	optimize_now(collection);
	count(snapshot, &with, &without);
	cr_assert_gt(with, 0);
	cr_assert_not_null(ann_name(snapshot_ann(snapshot, 0)));
	snapshot_release(TAKE(snapshot));
	/* One segment, one index, and no file besides. */
	fixture_shell("cd %s/collections/indexed && test $(ls *.segment | wc -l) -eq 1 -a "
		      "$(ls *.ann | wc -l) -eq 1",
		      fixture.directory);
	close_indexed();
}

Test(indexing, is_done_when_waiter_is)
{
	SCOPED(snapshot) snapshot = NULL;
	struct waiter waiter;
	unsigned with, without;

	open_indexed();
	put(SEAL_ROWS - CHANGE_ROWS);
	waiter_begin(&waiter, collection);
	waiter_end_well(&waiter);
	cr_assert(waiter.told[OPTIMIZE_WRITE]);
	cr_assert_not_null(collection);
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	count(snapshot, &with, &without);
	cr_assert_eq(with, 1);
	cr_assert_eq(without, 0);
	snapshot_release(TAKE(snapshot));
	close_indexed();
}

Test(indexing, is_built_again_where_its_file_is_lost)
{
	open_indexed();
	put(SEAL_ROWS);
	await_indexes();
	close_indexed();
	fixture_shell("rm %s/collections/indexed/*.ann", fixture.directory);
	open_indexed();
	await_indexes();
	close_indexed();
}

Test(indexing, of_a_damaged_file_the_collection_is_refused)
{
	status s;

	open_indexed();
	put(SEAL_ROWS);
	await_indexes();
	close_indexed();
	fixture_shell("cd %s/collections/indexed && for f in *.ann; do printf XYZ | "
		      "dd of=$f bs=1 seek=70000 conv=notrunc 2>/dev/null; done",
		      fixture.directory);
	fixture_open(1);
	s = database_acquire(fixture.database, bytes_of_string("indexed"), &fixture.arena,
			     &collection);
	cr_assert_eq(s.code, STATUS_DATA_LOSS);
	cr_assert_not_null(strstr(s.detail, ".ann"), "%s", s.detail);
	fixture_close();
}

Test(indexing, is_given_up_by_a_drop_and_by_a_close)
{
	for (int round = 0; round < 8; round++) {
		open_indexed();
		put(SEAL_ROWS + CHANGE_ROWS * (uint32_t)round);
		for (int i = 0; i < 10 * round; i++)
			sched_yield();
		if (round % 2)
			cr_assert_not(status_failed(database_drop(
				fixture.database, bytes_of_string("indexed"), &fixture.arena)));
		close_indexed();
	}
	open_indexed();
	close_indexed();
}

/* --- while one is built: the indexer is held with the file written and not synced --- */

static void put_and_hold(void)
{
	hold_next("indexer");
	put(SEAL_ROWS);
	hold_await();
}

/* No file but those of segments, their indexes, and the store's. */
static void check_files(void)
{
	fixture_shell("cd %s/collections/indexed && test -z \"$(ls -A | "
		      "grep -Ev '^([0-9a-f]+\\.(segment|ann)|(data|lock)\\.mdb)$')\"",
		      fixture.directory);
	fixture_shell("cd %s/collections/indexed && for f in *.ann; do "
		      "test ! -e $f -o -e ${f%%.ann}.segment || exit 1; done",
		      fixture.directory);
}

Test(indexing, under_way_leaves_no_file_behind_a_drop)
{
	open_indexed();
	put_and_hold();
	cr_assert_not(status_failed(
		database_drop(fixture.database, bytes_of_string("indexed"), &fixture.arena)));
	fixture_shell("test -z \"$(ls -A %s/collections)\"", fixture.directory);
	hold_end();
	close_indexed();
	fixture_shell("test -z \"$(ls -A %s/collections)\"", fixture.directory);
}

static void *close_all(void *unused)
{
	(void)unused;
	close_indexed();
	return NULL;
}

Test(indexing, under_way_is_ended_by_a_close_and_done_after_it)
{
	pthread_t thread;

	open_indexed();
	put_and_hold();
	cr_assert_not(pthread_create(&thread, NULL, close_all, NULL));
	hold_end();
	cr_assert_not(pthread_join(thread, NULL));
	open_indexed();
	check_files();
	await_indexes();
	check_files();
	close_indexed();
}

/* As after a crash: the files as they are while it is under way. */
Test(indexing, that_was_not_finished_is_removed_at_the_next_start)
{
	open_indexed();
	put_and_hold();
	fixture_shell("cp -r %s/collections/indexed %s/at_crash && ls %s/at_crash | grep -q new",
		      fixture.directory, fixture.directory, fixture.directory);
	hold_end();
	close_indexed();
	fixture_shell("rm -r %s/collections/indexed && mv %s/at_crash %s/collections/indexed",
		      fixture.directory, fixture.directory, fixture.directory);
	open_indexed();
	check_files();
	await_indexes();
	close_indexed();
}

static uint64_t delete_versions_up_to(int64_t last)
{
	struct condition condition = {
		.test = CONDITION_RANGE,
		.high = {BOUND_INCLUDED, {.kind = VALUE_INT, .integer = last}}};
	struct filter filter = {.all_of = &condition, .n_all_of = 1};

	return fixture_write(collection, (struct write){.kind = WRITE_DELETE_MATCHING,
							.filter = &filter,
							.arena = &fixture.arena});
}

/* The segment is written anew without them, and is then too small for an index: nothing of the old
 * ones stays.
 */
Test(indexing, follows_when_a_filter_deletes_most_rows_meanwhile)
{
	SCOPED(snapshot) all = NULL;
	struct collection_status now;
	uint64_t live;

	fixture.retention_ns = 0;
	open_indexed();
	/* Rows that are replaced stay for it. */
	put(CHANGE_ROWS);
	cr_assert_not(status_failed(snapshot_acquire(collection, &all)));
	put_and_hold();
	snapshot_release(TAKE(all));
	cr_assert_gt(delete_versions_up_to(version - 2), MODEL_IDS / 2);
	hold_end();
	do {
		/* The writer looks for thin segments in turns. */
		change_now(collection, (unsigned[]){0}, 1, ++version);
		collection_status(collection, &now);
	} while (now.indexed_rows > 2 * CHANGE_ROWS + 1);
	live = now.chunk_count;
	cr_assert_leq(live, 2 * CHANGE_ROWS + 1);
	close_indexed();
	open_indexed();
	check_files();
	fixture_shell("cd %s/collections/indexed && test $(ls *.segment | wc -l) -le 2 -a "
		      "$(ls | grep -c ann) -eq 0",
		      fixture.directory);
	collection_status(collection, &now);
	cr_assert_eq(now.chunk_count, live);
	close_indexed();
}
