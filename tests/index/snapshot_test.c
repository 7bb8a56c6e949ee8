#include "tests/index/fixture.h"

#include "kernels/base/gauge.h"

TestSuite(snapshot, .init = fixture_begin, .fini = fixture_end, .timeout = 40);

static struct collection *collection;

static struct snapshot *acquire(void)
{
	struct snapshot *snapshot = NULL;

	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	return snapshot;
}

static void open_docs(void)
{
	fixture_open(1);
	collection = fixture_collection("docs");
}

Test(snapshot, shows_the_world_of_its_moment)
{
	struct snapshot *none, *two, *other;

	open_docs();
	none = acquire();
	change_now(collection, (unsigned[]){1, 2}, 2, 5);
	two = acquire();
	change_now(collection, (unsigned[]){1}, 1, 6);
	change_now(collection, (unsigned[]){2}, 1, 0);
	other = acquire();

	cr_assert_eq(snapshot_count(none), 0);
	cr_assert_eq(snapshot_places(none), 0);
	model_check(&(struct model){.versions = {[1] = 5, [2] = 5}, .n_live = 2}, two);
	model_check(&(struct model){.versions = {[1] = 6}, .n_live = 1}, other);
	cr_assert_eq(snapshot_generation(none), 0);
	cr_assert_eq(snapshot_generation(two), 1);
	cr_assert_eq(snapshot_generation(other), 3);
	cr_assert_eq(snapshot_collection(two), collection);
	snapshot_release(two);
	snapshot_release(none);
	snapshot_release(other);
	collection_release(collection);
}

Test(snapshot, finds_the_rows_that_it_sees_alone)
{
	struct snapshot *before, *after;
	uint64_t place = 77;

	open_docs();
	change_now(collection, (unsigned[]){1, 2, 3}, 3, 5);
	before = acquire();
	change_now(collection, (unsigned[]){2}, 1, 6);
	after = acquire();

	cr_assert(snapshot_find(before, 1, &place));
	cr_assert_eq(place, 1);
	cr_assert_not(snapshot_find(before, 3, &place));
	cr_assert_not(snapshot_find(after, 1, &place));
	cr_assert(snapshot_find(after, 3, &place));
	cr_assert_eq(place, 3);
	cr_assert_not(snapshot_find(after, 4, &place));
	snapshot_release(before);
	snapshot_release(after);
	collection_release(collection);
}

/* Whether the store still has the record of a row. */
static bool row_stays(uint64_t row)
{
	struct chunk chunk;
	status s = collection_fetch(collection, row, FETCH_RECORD, &fixture.arena, &chunk);

	cr_assert(!status_failed(s) || s.code == STATUS_NOT_FOUND, "%s", s.detail);
	return !status_failed(s);
}

Test(snapshot, keeps_the_records_of_its_rows_until_it_is_released)
{
	struct snapshot *old, *middle;

	open_docs();
	change_now(collection, (unsigned[]){1, 2}, 2, 5);
	old = acquire();
	change_now(collection, (unsigned[]){1}, 1, 6);
	middle = acquire();
	change_now(collection, (unsigned[]){2}, 1, 0);
	for (uint32_t i = 0; i < 5; i++)
		change_now(collection, (unsigned[]){9}, 1, 7 + i);
	cr_assert(row_stays(0));
	cr_assert(row_stays(1));

	/* Row 0 died before the snapshot in the middle, row 1 after it. */
	snapshot_release(old);
	change_now(collection, NULL, 0, 0);
	cr_assert_not(row_stays(0));
	cr_assert(row_stays(1));

	snapshot_release(middle);
	change_now(collection, NULL, 0, 0);
	cr_assert_not(row_stays(1));
	cr_assert(row_stays(2));
	collection_release(collection);
}

Test(snapshot, dead_rows_are_removed_as_fast_as_they_come)
{
	unsigned items[CHANGE_ROWS];

	open_docs();
	for (unsigned i = 0; i < CHANGE_ROWS; i++)
		items[i] = i;
	for (uint32_t version = 1; version <= 100; version++)
		change_now(collection, items, CHANGE_ROWS, version);

	change_now(collection, NULL, 0, 0);
	for (uint64_t row = 0; row < 99 * CHANGE_ROWS; row++)
		cr_assert_not(row_stays(row), "row %lu", row);
	cr_assert(row_stays(99 * CHANGE_ROWS));
	collection_release(collection);
}

Test(snapshot, is_counted_while_it_is_open)
{
	int64_t before = gauge_read(GAUGE_SNAPSHOTS);
	struct snapshot *a, *b;

	open_docs();
	a = acquire();
	b = acquire();
	cr_assert_eq(gauge_read(GAUGE_SNAPSHOTS), before + 2);
	snapshot_release(a);
	snapshot_release(NULL);
	snapshot_release(b);
	cr_assert_eq(gauge_read(GAUGE_SNAPSHOTS), before);
	collection_release(collection);
}

Test(snapshot, outlives_the_drop_of_its_collection)
{
	struct snapshot *snapshot, *another = NULL;

	open_docs();
	change_now(collection, (unsigned[]){1, 8}, 2, 5);
	snapshot = acquire();
	cr_assert_not(status_failed(
		database_drop(fixture.database, bytes_of_string("docs"), &fixture.arena)));

	cr_assert(collection_is_dropped(collection));
	cr_assert_eq(snapshot_acquire(collection, &another).code, STATUS_FAILED_PRECONDITION);
	collection_release(collection);
	model_check(&(struct model){.versions = {[1] = 5, [8] = 5}, .n_live = 2}, snapshot);
	snapshot_release(snapshot);
}
