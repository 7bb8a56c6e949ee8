/* Segments that are merged and replaced under readers, writers, restarts and failures. */
#include "index/optimize.h"
#include "index/store/store.h"
#include "kernels/base/log.h"
#include "tests/index/fixture.h"

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

static void world_check(const struct world *world)
{
	SCOPED(snapshot) snapshot = NULL;

	cr_assert_not(status_failed(snapshot_acquire(world->collection, &snapshot)));
	model_check(&world->model, snapshot);
	model_check_ids(&world->model, world->collection);
}

static struct collection_status status_of(const struct world *world)
{
	struct collection_status ret;

	collection_status(world->collection, &ret);
	return ret;
}

/* Changes until so many rows were ever written, or somewhat more. */
static void world_grow(struct world *world, uint64_t n_rows)
{
	SCOPED(snapshot) snapshot = NULL;

	while (!snapshot || snapshot_row_limit(snapshot) < n_rows) {
		world_change(world);
		snapshot_release(TAKE(snapshot));
		cr_assert_not(status_failed(snapshot_acquire(world->collection, &snapshot)));
	}
}

/* --- waiting for a collection to be optimized --- */

struct waiter {
	struct optimize optimize; /* first */
	struct arena arena;
	sem_t done;
	int n_told, n_back; /* how often; how often to an earlier phase */
	enum optimize_phase last;
};

static void note(struct optimize *optimize)
{
	struct waiter *waiter = (struct waiter *)optimize;

	waiter->n_told++;
	waiter->n_back += optimize->phase < waiter->last;
	waiter->last = optimize->phase;
	if (optimize->phase == OPTIMIZE_DONE)
		sem_post(&waiter->done);
}

static void waiter_begin(struct waiter *waiter, struct collection *collection)
{
	*waiter = (struct waiter){.optimize = {.tell = note, .arena = &waiter->arena}};
	arena_init(&waiter->arena, (size_t)1 << 20);
	sem_init(&waiter->done, 0, 0);
	collection_optimize(collection, &waiter->optimize);
}

static enum status_code waiter_end(struct waiter *waiter)
{
	while (sem_wait(&waiter->done))
		;
	sem_destroy(&waiter->done);
	cr_assert_eq(waiter->n_back, 0);
	cr_assert(!status_failed(waiter->optimize.result) || waiter->optimize.result.detail);
	arena_finish(&waiter->arena);
	return waiter->optimize.result.code;
}

static void world_optimize(const struct world *world)
{
	struct waiter waiter;

	waiter_begin(&waiter, world->collection);
	cr_assert_eq(waiter_end(&waiter), STATUS_OK);
}

/* --- merges under way --- */

#define SNAPSHOTS 20

struct past {
	struct snapshot *snapshot;
	struct model model;
};

Test(merging, snapshots_of_every_age_keep_their_rows)
{
	struct world world = {.random = 1};
	struct past *pasts = calloc(SNAPSHOTS, sizeof *pasts);

	fixture.retention_ns = HOUR_NS;
	world_open(&world);
	for (int i = 0; i < SNAPSHOTS; i++) {
		world_grow(&world, 150 * (uint64_t)(i + 1));
		pasts[i].model = world.model;
		cr_assert_not(
			status_failed(snapshot_acquire(world.collection, &pasts[i].snapshot)));
		for (int j = 0; j <= i; j += 3)
			model_check(&pasts[j].model, pasts[j].snapshot);
	}
	world_optimize(&world);
	for (int i = 0; i < SNAPSHOTS; i++)
		model_check(&pasts[i].model, pasts[i].snapshot);
	/* Each goes, and the others stay. */
	for (int i = 0; i < SNAPSHOTS; i += 2)
		snapshot_release(TAKE(pasts[i].snapshot));
	world_grow(&world, 150 * SNAPSHOTS + 600);
	for (int i = 1; i < SNAPSHOTS; i += 2) {
		model_check(&pasts[i].model, pasts[i].snapshot);
		snapshot_release(TAKE(pasts[i].snapshot));
	}
	world_check(&world);
	world_close(&world);
	world_open(&world);
	world_check(&world);
	world_close(&world);
	free(pasts);
}

Test(merging, a_token_finds_its_snapshot_in_merged_segments)
{
	struct world world = {.random = 2};
	SCOPED(snapshot) again = NULL;
	struct model model;
	uint64_t generation, limit;

	fixture.retention_ns = HOUR_NS;
	world_open(&world);
	world_grow(&world, 400);
	{
		SCOPED(snapshot) snapshot = NULL;

		cr_assert_not(status_failed(snapshot_acquire(world.collection, &snapshot)));
		generation = snapshot_generation(snapshot);
		limit = snapshot_row_limit(snapshot);
		model = world.model;
	}
	world_grow(&world, 900);
	world_optimize(&world);
	cr_assert_not(status_failed(
		snapshot_acquire_at(world.collection, generation, limit, &fixture.arena, &again)));
	model_check(&model, again);
	snapshot_release(TAKE(again));
	world_close(&world);

	world_open(&world);
	cr_assert_not(status_failed(
		snapshot_acquire_at(world.collection, generation, limit, &fixture.arena, &again)));
	model_check(&model, again);
	snapshot_release(TAKE(again));
	world_close(&world);
}

Test(merging, deaths_meanwhile_are_carried_over)
{
	for (uint64_t round = 0; round < 10; round++) {
		struct world world = {.random = 30 + round};
		struct waiter waiter;

		fixture.retention_ns = round % 2 ? HOUR_NS : 0;
		world_open(&world);
		world_grow(&world, 500);
		waiter_begin(&waiter, world.collection);
		for (int i = 0; i < 15; i++)
			world_change(&world);
		cr_assert_eq(waiter_end(&waiter), STATUS_OK);
		world_check(&world);
		world_close(&world);

		world_open(&world);
		world_check(&world);
		cr_assert_not(status_failed(
			database_drop(fixture.database, bytes_of_string("books"), &fixture.arena)));
		world_close(&world);
	}
}

Test(merging, keeps_the_number_of_segments_small)
{
	struct world world = {.random = 3};
	uint32_t most = 0;

	fixture.retention_ns = HOUR_NS;
	world_open(&world);
	for (int i = 1; i <= 60; i++) {
		world_grow(&world, (uint64_t)SEAL_ROWS * (uint64_t)i);
		if (status_of(&world).segment_count > most)
			most = status_of(&world).segment_count;
	}
	/* 60 of the least size are tiers 0, 1 and 2, three of each at rest. */
	while (status_of(&world).segment_count > 9)
		sched_yield();
	world_check(&world);
	world_close(&world);
}

Test(merging, a_drop_gives_it_up)
{
	for (uint64_t round = 0; round < 10; round++) {
		struct world world = {.random = 50 + round};
		struct waiter waiter;
		enum status_code code;

		world_open(&world);
		world_grow(&world, 300 + 40 * round);
		waiter_begin(&waiter, world.collection);
		for (uint64_t i = 0; i < round * 3; i++)
			sched_yield();
		cr_assert_not(status_failed(
			database_drop(fixture.database, bytes_of_string("books"), &fixture.arena)));
		code = waiter_end(&waiter);
		cr_assert(code == STATUS_OK || code == STATUS_FAILED_PRECONDITION);
		world_close(&world);
		fixture_shell("test -z \"$(ls -A %s/collections)\"", fixture.directory);
	}
}

Test(merging, a_close_gives_it_up_and_loses_nothing)
{
	struct world world = {.random = 4};

	for (uint64_t round = 1; round <= 12; round++) {
		world_open(&world);
		world_check(&world);
		world_grow(&world, 300 * round);
		world_close(&world);
	}
	world_open(&world);
	world_check(&world);
	world_close(&world);
}

/* --- where a crash may come --- */

/* Every file of a segment is of one of the present ones. */
static void check_files(const struct world *world)
{
	fixture_shell("cd %s/collections/books && test $(ls | grep -c 'segment') -eq %u",
		      fixture.directory, status_of(world).segment_count);
}

Test(merging, files_of_merged_segments_that_stayed_are_removed_at_the_next_start)
{
	struct world world = {.random = 5};

	fixture.retention_ns = HOUR_NS;
	world_open(&world);
	world_grow(&world, 500);
	fixture_shell("mkdir %s/old && cp %s/collections/books/*.segment %s/old", fixture.directory,
		      fixture.directory, fixture.directory);
	world_optimize(&world);
	world_check(&world);
	world_close(&world);
	fixture_shell("mv %s/old/*.segment %s/collections/books && rmdir %s/old", fixture.directory,
		      fixture.directory, fixture.directory);

	world_open(&world);
	check_files(&world);
	world_check(&world);
	world_close(&world);
}

/* The manifest names the segments, and the store still has all vectors of them. */
Test(merging, what_is_sealed_has_no_vector_in_the_store)
{
	struct world world = {.random = 6};
	SCOPED(store) store = NULL;
	char path[512];
	uint64_t n_rows;

	fixture.retention_ns = HOUR_NS;
	world_open(&world);
	world_grow(&world, 1000);
	world_optimize(&world);
	n_rows = status_of(&world).indexed_rows;
	/* Behind the optimizing the writer forgets in turns. */
	world_optimize(&world);
	world_close(&world);
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
	struct world world = {.random = 7};
	struct waiter waiter;

	fixture.retention_ns = HOUR_NS;
	log_set_level(LOG_ERROR);
	world_open(&world);
	fixture_shell("mv %s/collections/books %s/away", fixture.directory, fixture.directory);
	world_grow(&world, 500);
	waiter_begin(&waiter, world.collection);
	cr_assert_eq(waiter_end(&waiter), STATUS_INTERNAL);
	cr_assert_eq(status_of(&world).segment_count, 0);
	world_check(&world);
	fixture_shell("mv %s/away %s/collections/books", fixture.directory, fixture.directory);
	world_grow(&world, 700);
	while (status_of(&world).segment_count == 0)
		world_change(&world);
	world_check(&world);
	world_close(&world);
	world_open(&world);
	world_check(&world);
	world_close(&world);
}

/* --- optimizing --- */

Test(optimize, leaves_one_segment_of_what_can_be_seen, .init = begin, .fini = fixture_end)
{
	struct world world = {.random = 8};

	world_open(&world);
	world_grow(&world, 1000);
	/* So that what died before is purged. */
	world_change(&world);
	world_optimize(&world);
	cr_assert_eq(status_of(&world).segment_count, 1);
	cr_assert_leq(status_of(&world).indexed_rows, 2 * MODEL_IDS);
	world_check(&world);
	/* And again, where there is nothing to do. */
	world_optimize(&world);
	cr_assert_eq(status_of(&world).segment_count, 1);
	world_close(&world);
	world_open(&world);
	world_check(&world);
	check_files(&world);
	world_close(&world);
}

Test(optimize, of_an_empty_collection_is_done_at_once, .init = begin, .fini = fixture_end)
{
	struct world world = {.random = 9};

	world_open(&world);
	world_optimize(&world);
	cr_assert_eq(status_of(&world).segment_count, 0);
	world_close(&world);
	fixture.seal_rows = 0;
	world_open(&world);
	world_grow(&world, 100);
	world_optimize(&world);
	cr_assert_eq(status_of(&world).segment_count, 0);
	world_close(&world);
}

Test(optimize, several_callers_share_a_run, .init = begin, .fini = fixture_end)
{
	struct world world = {.random = 11};
	struct waiter waiters[5];

	world_open(&world);
	world_grow(&world, 600);
	for (int i = 0; i < 5; i++)
		waiter_begin(&waiters[i], world.collection);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(waiter_end(&waiters[i]), STATUS_OK);
	cr_assert_eq(status_of(&world).segment_count, 1);
	world_check(&world);
	world_close(&world);
}

Test(optimize, who_cancels_is_told_no_more, .init = begin, .fini = fixture_end)
{
	struct world world = {.random = 12};

	world_open(&world);
	for (int round = 0; round < 10; round++) {
		struct waiter gone, stays;
		int n_told;

		world_grow(&world, 400 * (uint64_t)(round + 1));
		waiter_begin(&gone, world.collection);
		if (round % 2)
			waiter_begin(&stays, world.collection);
		for (int i = 0; i < round; i++)
			sched_yield();
		optimize_cancel(world.collection, &gone.optimize);
		n_told = gone.n_told;
		if (round % 2)
			cr_assert_eq(waiter_end(&stays), STATUS_OK);
		world_check(&world);
		optimize_cancel(world.collection, &gone.optimize);
		cr_assert_eq(gone.n_told, n_told);
		sem_destroy(&gone.done);
		arena_finish(&gone.arena);
	}
	world_optimize(&world);
	world_check(&world);
	world_close(&world);
}
