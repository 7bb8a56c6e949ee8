#include "tests/index/fixture.h"

#include "kernels/base/error_info.h"
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

/* --- views of a generation --- */

static struct snapshot *acquire_at(uint64_t generation, uint64_t row_limit)
{
	struct snapshot *snapshot = NULL;
	status s =
		snapshot_acquire_at(collection, generation, row_limit, &fixture.arena, &snapshot);

	cr_assert_not(status_failed(s), "generation %lu: %s", (unsigned long)generation, s.detail);
	return snapshot;
}

static void want_gone(uint64_t generation, uint64_t row_limit)
{
	struct snapshot *snapshot = NULL;
	status s =
		snapshot_acquire_at(collection, generation, row_limit, &fixture.arena, &snapshot);

	cr_assert_eq(s.code, STATUS_FAILED_PRECONDITION);
	cr_assert_eq(s.info->reason, REASON_SNAPSHOT_GONE);
	cr_assert_null(snapshot);
}

/* So long that no test sees the end of it. */
static void open_retaining(void)
{
	fixture.retention_ns = (int64_t)3600 * 1000000000;
	open_docs();
}

struct past {
	struct model model;
	uint64_t generation, row_limit;
};

static void want_past(const struct past *past)
{
	struct snapshot *snapshot = acquire_at(past->generation, past->row_limit);

	cr_assert_eq(snapshot_generation(snapshot), past->generation);
	cr_assert_eq(snapshot_row_limit(snapshot), past->row_limit);
	cr_assert_eq(snapshot_count(snapshot), past->model.n_live);
	model_check(&past->model, snapshot);
	snapshot_release(snapshot);
}

Test(snapshot, of_every_generation_can_be_had_again_and_after_a_restart_too, .timeout = 100)
{
	enum { WRITES = 60 };
	static struct past pasts[WRITES];
	struct model model = {.n_live = 0};
	uint64_t random = 5;

	open_retaining();
	for (uint32_t i = 0; i < WRITES; i++) {
		struct change change;
		struct snapshot *now;

		change_draw(&change, &random, random_below(&random, 4) ? i + 1 : 0);
		change_write(&change, collection);
		model_apply(&model, &change);
		change_finish(&change);
		now = acquire();
		pasts[i] = (struct past){model, snapshot_generation(now), snapshot_row_limit(now)};
		snapshot_release(now);
	}
	for (int restarts = 0; restarts < 3; restarts++) {
		for (size_t i = 0; i < WRITES; i++)
			want_past(&pasts[i]);
		collection_release(collection);
		fixture_close();
		open_docs();
	}
	want_gone(pasts[WRITES - 1].generation + 1, pasts[WRITES - 1].row_limit);
	want_gone(pasts[WRITES - 1].generation, pasts[WRITES - 1].row_limit + 1);
	collection_release(collection);
}

Test(snapshot, of_a_generation_is_gone_once_a_row_of_it_is_removed)
{
	open_docs();
	change_now(collection, (unsigned[]){1, 2}, 2, 5); /* generation 1 */
	change_now(collection, (unsigned[]){3}, 1, 5);    /* 2 */
	change_now(collection, (unsigned[]){1}, 1, 6);    /* 3: a row of 2 dies */
	snapshot_release(acquire_at(2, 3));
	change_now(collection, NULL, 0, 0); /* 4: it is removed */
	want_gone(2, 3);
	want_gone(1, 2);
	snapshot_release(acquire_at(3, 4));

	collection_release(collection);
	fixture_close();
	open_docs();
	want_gone(2, 3);
	snapshot_release(acquire_at(3, 4));
	collection_release(collection);
}

Test(snapshot, of_a_generation_keeps_its_rows_among_newer_pins)
{
	struct snapshot *newest, *old;

	open_docs();
	change_now(collection, (unsigned[]){1, 2}, 2, 5); /* generation 1 */
	newest = acquire();
	change_now(collection, (unsigned[]){1}, 1, 6); /* 2 */
	old = acquire_at(1, 2);
	snapshot_release(newest);
	newest = acquire();
	for (uint32_t i = 0; i < 3; i++)
		change_now(collection, (unsigned[]){9}, 1, 7 + i);
	model_check(&(struct model){.versions = {[1] = 5, [2] = 5}, .n_live = 2}, old);
	model_check(&(struct model){.versions = {[1] = 6, [2] = 5}, .n_live = 2}, newest);
	snapshot_release(old);
	model_check(&(struct model){.versions = {[1] = 6, [2] = 5}, .n_live = 2}, newest);
	snapshot_release(newest);
	collection_release(collection);
}

/* --- bounds on what the past may hold --- */

/* Replaces the same chunks until the oldest pin should go; gives how often. */
static uint32_t write_until_pressed(const char *setting)
{
	unsigned items[CHANGE_ROWS];
	uint32_t version = 10;

	for (unsigned i = 0; i < CHANGE_ROWS; i++)
		items[i] = i;
	while (!collection_pressed_by(collection) && version < 1000)
		change_now(collection, items, CHANGE_ROWS, version++);
	cr_assert_str_eq(collection_pressed_by(collection), setting);
	return version - 10;
}

/* The setting, which bounds some hundred dead rows, presses the oldest pin alone; once that is gone as
 * many rows stay as may, the newest ones. */
static void check_bound(const char *setting, uint32_t writes_min, uint32_t writes_max)
{
	struct snapshot *oldest, *newest, *gone = NULL;
	uint64_t generation, row_limit;
	uint32_t n_writes;

	fixture.retention_ns = (int64_t)3600 * 1000000000;
	open_docs();
	change_now(collection, (unsigned[]){1, 2, 100}, 3, 5);
	oldest = acquire();
	generation = snapshot_generation(oldest);
	row_limit = snapshot_row_limit(oldest);
	cr_assert_null(snapshot_pressed_by(oldest));
	n_writes = write_until_pressed(setting);
	cr_assert_geq(n_writes, writes_min);
	cr_assert_leq(n_writes, writes_max);
	newest = acquire();
	cr_assert_str_eq(snapshot_pressed_by(oldest), setting);
	cr_assert_null(snapshot_pressed_by(newest));
	model_check(&(struct model){.versions = {[1] = 5, [2] = 5, [100] = 5}, .n_live = 3},
		    oldest);

	snapshot_release(oldest);
	cr_assert_null(collection_pressed_by(collection));
	change_now(collection, (unsigned[]){9}, 1, 6);
	change_now(collection, (unsigned[]){9}, 1, 7);
	cr_assert_null(collection_pressed_by(collection));
	cr_assert_eq(
		snapshot_acquire_at(collection, generation, row_limit, &fixture.arena, &gone).code,
		STATUS_FAILED_PRECONDITION);
	snapshot_release(newest);
	collection_release(collection);
}

/* The writer finds too much in what it has just replaced itself: no pin is to blame, and none that
 * comes later. */
Test(snapshot, that_is_new_does_not_go_for_what_was_before_it)
{
	unsigned items[CHANGE_ROWS];
	struct snapshot *newest;

	fixture.dead_rows_max = CHANGE_ROWS / 2;
	open_docs();
	for (unsigned i = 0; i < CHANGE_ROWS; i++)
		items[i] = i;
	change_now(collection, items, CHANGE_ROWS, 1);
	change_now(collection, items, CHANGE_ROWS, 2);
	newest = acquire();
	cr_assert_str_eq(collection_pressed_by(collection), "index.dead_rows_max");
	cr_assert_null(snapshot_pressed_by(newest));
	snapshot_release(newest);
	collection_release(collection);
}

Test(snapshot, of_the_past_is_bounded_by_dead_rows)
{
	fixture.dead_rows_max = 240;
	check_bound("index.dead_rows_max", 10, 12);
}

/* A row of the model takes 80 bytes of vector and some 30 to 500 of record. */
Test(snapshot, of_the_past_is_bounded_by_bytes_of_dead_rows)
{
	fixture.dead_bytes_max = 64 << 10;
	check_bound("index.dead_bytes_max", 5, 30);
}

static void replace_some(uint32_t n_writes)
{
	unsigned items[CHANGE_ROWS];

	for (unsigned i = 0; i < CHANGE_ROWS; i++)
		items[i] = i;
	for (uint32_t version = 1; version <= n_writes; version++)
		change_now(collection, items, CHANGE_ROWS, version);
}

/* A write leaves some 5 KB dead: 15 of them are within the bound, and 20 are not. */
Test(snapshot, of_the_past_is_bounded_after_a_restart_too)
{
	struct snapshot *then, *gone = NULL;
	uint64_t generation, row_limit;

	fixture.dead_bytes_max = 80 << 10;
	fixture.retention_ns = (int64_t)3600 * 1000000000;
	open_docs();
	replace_some(30);
	then = acquire();
	generation = snapshot_generation(then);
	row_limit = snapshot_row_limit(then);
	snapshot_release(then);
	replace_some(8);
	for (int restarts = 0; restarts < 2; restarts++) {
		snapshot_release(acquire_at(generation, row_limit));
		collection_release(collection);
		fixture_close();
		open_docs();
	}
	replace_some(12);
	cr_assert_eq(
		snapshot_acquire_at(collection, generation, row_limit, &fixture.arena, &gone).code,
		STATUS_FAILED_PRECONDITION);
	collection_release(collection);
}

Test(snapshot, seeks_rows_that_are_there_or_not)
{
	struct snapshot *snapshot;

	open_docs();
	change_now(collection, (unsigned[]){1, 2, 3}, 3, 5);
	change_now(collection, (unsigned[]){1}, 1, 6);
	change_now(collection, NULL, 0, 0);
	collection_release(collection);
	fixture_close();
	open_docs(); /* row 0 is gone: places and rows differ */
	snapshot = acquire();
	cr_assert_eq(snapshot_seek(snapshot, 0), 0);
	cr_assert_eq(snapshot_seek(snapshot, 1), 0);
	cr_assert_eq(snapshot_seek(snapshot, 3), 2);
	cr_assert_eq(snapshot_seek(snapshot, 4), 3);
	snapshot_release(snapshot);
	collection_release(collection);
}
