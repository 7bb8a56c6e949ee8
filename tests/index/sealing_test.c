/* Heads that become segments under readers, writers, restarts and damage. */
#include "index/collection.h"
#include "index/cursor/exact.h"
#include "kernels/base/error_info.h"
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/score.h"
#include "tests/index/fixture.h"

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

/* world - a collection, what it should hold, and where the drawing of changes is. */
struct world {
	struct collection *collection;
	struct model model;
	uint64_t random;
	uint32_t version;
};

static void world_open(struct world *world)
{
	fixture_open(2);
	world->collection = fixture_collection("books");
}

static void world_close(struct world *world)
{
	collection_release(TAKE(world->collection));
	fixture_close();
}

static void world_change(struct world *world)
{
	struct change change;

	change_draw(&change, &world->random, ++world->version);
	change_write(&change, world->collection);
	model_apply(&world->model, &change);
	change_finish(&change);
}

static struct collection_status status_of(const struct world *world)
{
	struct collection_status ret;

	collection_status(world->collection, &ret);
	return ret;
}

/* Rows that the newest snapshot has in the head. */
static uint64_t rows_in_head(const struct world *world)
{
	SCOPED(snapshot) snapshot = NULL;
	uint64_t n = 0;

	cr_assert_not(status_failed(snapshot_acquire(world->collection, &snapshot)));
	while (n < snapshot_places(snapshot) &&
	       !snapshot_sealed(snapshot, snapshot_places(snapshot) - 1 - n))
		n++;
	return n;
}

/* Until what waits is sealed. */
static void world_settle(const struct world *world)
{
	while (rows_in_head(world) >= SEAL_ROWS)
		sched_yield();
}

/* Changes for n segments of the least size, each sealed before the next. */
static void world_grow(struct world *world, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		while (rows_in_head(world) < SEAL_ROWS)
			world_change(world);
		world_settle(world);
	}
}

static void world_check(const struct world *world)
{
	SCOPED(snapshot) snapshot = NULL;

	cr_assert_not(status_failed(snapshot_acquire(world->collection, &snapshot)));
	model_check(&world->model, snapshot);
	model_check_ids(&world->model, world->collection);
}

Test(sealing, leaves_every_row_where_it_was)
{
	struct world world = {.random = 1};
	struct collection_status found;

	world_open(&world);
	world_grow(&world, 4);
	world_check(&world);
	found = status_of(&world);
	cr_assert_gt(found.indexed_rows, 0);
	cr_assert_eq(found.chunk_count, world.model.n_live);
	world_close(&world);
}

Test(sealing, is_not_noticed_by_a_snapshot_that_is_open)
{
	struct world world = {.random = 2};
	SCOPED(snapshot) before = NULL;
	SCOPED(snapshot) between = NULL;
	struct model model_before, model_between;

	world_open(&world);
	for (int i = 0; i < 5; i++)
		world_change(&world);
	model_before = world.model;
	cr_assert_not(status_failed(snapshot_acquire(world.collection, &before)));
	world_grow(&world, 2);
	model_between = world.model;
	cr_assert_not(status_failed(snapshot_acquire(world.collection, &between)));
	world_grow(&world, 5);

	model_check(&model_before, before);
	model_check(&model_between, between);
	world_check(&world);
	snapshot_release(TAKE(before));
	snapshot_release(TAKE(between));
	world_grow(&world, 6);
	world_check(&world);
	world_close(&world);
}

static void check_restarts(int64_t retention_ns, uint64_t seed)
{
	struct world world = {.random = seed};

	fixture.retention_ns = retention_ns;
	for (uint32_t n = 1; n < 6; n++) {
		struct collection_status before, after;

		world_open(&world);
		world_check(&world);
		world_grow(&world, 2 * n);
		world_check(&world);
		before = status_of(&world);
		world_close(&world);

		world_open(&world);
		after = status_of(&world);
		cr_assert_eq(after.chunk_count, before.chunk_count);
		cr_assert_eq(after.generation, before.generation);
		world_check(&world);
		world_close(&world);
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
	struct world world = {.random = 10};

	/* Nothing but replacements of MODEL_IDS chunks. */
	world_open(&world);
	world_grow(&world, 30);
	while (status_of(&world).indexed_rows > 3 * MODEL_IDS)
		world_change(&world);
	world_check(&world);
	world_close(&world);

	world_open(&world);
	world_check(&world);
	cr_assert_leq(status_of(&world).indexed_rows, 3 * MODEL_IDS);
	world_close(&world);
}

Test(sealing, a_token_finds_the_snapshot_that_it_had_before)
{
	struct world world = {.random = 5};
	SCOPED(snapshot) again = NULL;
	struct model model;
	uint64_t generation, limit;

	fixture.retention_ns = INT64_C(600) * 1000000000;
	world_open(&world);
	world_grow(&world, 1);
	world_change(&world);
	{
		SCOPED(snapshot) snapshot = NULL;

		cr_assert_not(status_failed(snapshot_acquire(world.collection, &snapshot)));
		generation = snapshot_generation(snapshot);
		limit = snapshot_row_limit(snapshot);
		model = world.model;
	}
	world_grow(&world, 4);
	world_close(&world);
	world_open(&world);
	cr_assert_not(status_failed(
		snapshot_acquire_at(world.collection, generation, limit, &fixture.arena, &again)));
	model_check(&model, again);
	snapshot_release(TAKE(again));
	world_close(&world);
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
	struct world world = {.random = 6};
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) old = NULL;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	world_open(&world);
	world_grow(&world, 1);
	cr_assert_not(status_failed(snapshot_acquire(world.collection, &old)));
	for (uint32_t n = 2; n < 6; n++) {
		SCOPED(snapshot) snapshot = NULL;
		float query[MODEL_DIM];

		world_grow(&world, n);
		cr_assert_not(status_failed(snapshot_acquire(world.collection, &snapshot)));
		for (size_t i = 0; i < MODEL_DIM; i++)
			query[i] = (float)random_below(&world.random, 100);
		for (size_t batch = 1; batch <= 256; batch *= 4) {
			check_walk(snapshot, scanner, query, batch);
			check_walk(old, scanner, query, batch);
		}
	}
	snapshot_release(TAKE(old));
	world_close(&world);
}

/* --- files --- */

Test(sealing, removes_files_that_the_manifest_does_not_name)
{
	struct world world = {.random = 7};

	world_open(&world);
	world_grow(&world, 2);
	world_close(&world);
	fixture_shell("cd %s/collections/books && touch 00000000000000aa.segment "
		      "00000000000000ab.segment.new",
		      fixture.directory);
	world_open(&world);
	fixture_shell("cd %s/collections/books && test ! -e 00000000000000aa.segment -a "
		      "! -e 00000000000000ab.segment.new",
		      fixture.directory);
	world_check(&world);
	world_close(&world);
}

Test(sealing, a_damaged_file_is_named_and_others_are_served)
{
	struct world world = {.random = 8};
	struct collection *collection = NULL;
	status s;

	world_open(&world);
	world_grow(&world, 2);
	collection_release(fixture_collection("films"));
	world_close(&world);
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
		struct world world = {.random = 20 + round};

		world_open(&world);
		for (uint64_t i = 0; i < 6 + round; i++)
			world_change(&world);
		cr_assert_not(status_failed(
			database_drop(fixture.database, bytes_of_string("books"), &fixture.arena)));
		world_close(&world);
		fixture_shell("test -z \"$(ls -A %s/collections)\"", fixture.directory);
	}
}
