/* isolation - cursors over a collection that changes all the time, each against the world as it was
 * when it was opened: while heads become segments, segments become one, dead rows are removed, and
 * servers start anew. */
#include "index/cursor/exact.h"
#include "index/selection.h"
#include "kernels/cpu/scanner_cpu.h"
#include "tests/index/changes.h"
#include "tests/index/waiter.h"

TestSuite(isolation, .init = fixture_begin, .fini = fixture_end, .timeout = 200);

#define WALKERS 50
#define OPERATIONS 10000
#define SEAL_ROWS 90

/* walker - a walk, what it has still to give, and, while it rests, where it goes on. */
struct walker {
	bool begun;
	float query[CHANGES_DIM];
	struct group_filter filter; /* of group; of none where that is any */
	unsigned group;
	size_t batch;
	struct expected wanted[CHANGES_IDS];
	size_t n, at;

	struct snapshot *snapshot; /* NULL: it rests */
	struct cursor *cursor;
	struct walk walk;
	struct arena arena;
	uint64_t generation, row_limit; /* as a token says it */
};

static struct world {
	struct changes changes;
	struct walker walkers[WALKERS];
	struct scanner *scanner;
	size_t n_ended, n_resumed, n_optimized;

	struct waiter waiter; /* where it does */
	bool optimizes;
} world;

static status select_places(void *context, struct places **ret)
{
	struct walker *walker = context;

	return selection_make(walker->snapshot, &walker->filter.filter, NULL, &walker->arena, ret);
}

static void open_cursor(struct walker *walker, const struct key *after)
{
	const struct exact_options options = {
		.snapshot = walker->snapshot,
		.scanner = world.scanner,
		.scanner_cpu = world.scanner,
		.query = walker->query,
		.batch = walker->batch,
		.walk = &walker->walk,
		.after = after,
		.select = walker->group == CHANGES_ANY_GROUP ? NULL : select_places,
		.select_context = walker,
	};

	arena_init(&walker->arena, (size_t)8 << 20);
	walker->walk = (struct walk){.arena = &walker->arena};
	cr_assert_not(status_failed(exact_open(&options, &walker->cursor)));
}

static void begin(struct walker *walker)
{
	struct changes *changes = &world.changes;

	*walker = (struct walker){.begun = true, .batch = 1 + random_below(&changes->random, 120)};
	walker->group = (unsigned)random_below(&changes->random, 2 * CHANGES_GROUPS);
	if (walker->group > CHANGES_ANY_GROUP)
		walker->group = CHANGES_ANY_GROUP;
	changes_filter(walker->group, &walker->filter);
	changes_vector(changes, walker->query);
	walker->n = changes_order(changes, walker->query, walker->group, walker->wanted);
	cr_assert_not(status_failed(snapshot_acquire(changes->collection, &walker->snapshot)));
	walker->generation = snapshot_generation(walker->snapshot);
	walker->row_limit = snapshot_row_limit(walker->snapshot);
	open_cursor(walker, NULL);
}

static void rest(struct walker *walker)
{
	cursor_close(TAKE(walker->cursor));
	snapshot_release(TAKE(walker->snapshot));
	arena_finish(&walker->arena);
}

/* On the snapshot that a token would name, behind the last hit that was read. */
static void go_on(struct walker *walker)
{
	struct key key;
	status s = snapshot_acquire_at(world.changes.collection, walker->generation,
				       walker->row_limit, &fixture.arena, &walker->snapshot);

	cr_assert_not(status_failed(s), "%s", s.detail);
	if (walker->at > 0) {
		const struct expected *last = &walker->wanted[walker->at - 1];

		key.score = last->score;
		cr_assert(snapshot_find(walker->snapshot, last->version.row, &key.row));
	}
	open_cursor(walker, walker->at > 0 ? &key : NULL);
	world.n_resumed++;
}

static void check_hit(struct walker *walker, struct hit hit)
{
	const struct expected *wanted = &walker->wanted[walker->at];

	cr_assert_lt(walker->at, walker->n);
	cr_assert_eq(snapshot_row(walker->snapshot, hit.place), wanted->version.row);
	cr_assert_eq(hit.score, wanted->score);
	changes_check_record(&world.changes, &wanted->version);
	walker->at++;
}

/* Some hits, as credit would ask for them. False: that was all, and there are no more. */
static bool read_some(struct walker *walker, size_t n)
{
	struct hit_batch batch;

	if (!walker->snapshot)
		go_on(walker);
	for (size_t end = walker->at + n; walker->at < end;) {
		walker->walk.wanted = end - walker->at;
		if (cursor_next(walker->cursor, &batch) != STEP_BATCH) {
			cr_assert_eq(walker->walk.stop, STOP_EXHAUSTED, "%s",
				     walker->cursor->status.detail);
			cr_assert_eq(walker->at, walker->n);
			return false;
		}
		cr_assert_leq(batch.n, walker->walk.wanted);
		for (size_t i = 0; i < batch.n; i++)
			check_hit(walker, batch.hits[i]);
	}
	return true;
}

static void end(struct walker *walker)
{
	while (read_some(walker, 1000))
		continue;
	rest(walker);
	walker->begun = false;
	world.n_ended++;
}

static void step(struct walker *walker, bool rests)
{
	uint64_t *random = &world.changes.random, what = random_below(random, 20);

	if (!walker->begun) {
		begin(walker);
	} else if (what < 2) {
		end(walker);
	} else if (what < 6 && rests) {
		if (walker->snapshot)
			rest(walker);
	} else if (what == 6 && walker->snapshot) {
		cursor_shrink(walker->cursor);
	} else if (!read_some(walker, 1 + random_below(random, 12))) {
		end(walker);
	}
}

/* --- all rows into one segment, beside all that --- */

static void optimize_await(void)
{
	if (!world.optimizes)
		return;
	waiter_end_well(&world.waiter);
	world.optimizes = false;
	world.n_optimized++;
}

/* Begins a run, waits for the one that is under way, or gives it up. */
static void optimize_some(void)
{
	uint64_t what = random_below(&world.changes.random, 60);

	if (!world.optimizes && what < 4) {
		waiter_begin(&world.waiter, world.changes.collection);
		world.optimizes = true;
	} else if (what < 2) {
		optimize_await();
	} else if (what == 2 && world.optimizes) {
		optimize_cancel(world.changes.collection, &world.waiter.optimize);
		waiter_finish(&world.waiter);
		world.optimizes = false;
	}
}

/* Walks that are open go on with the next server. */
static void restart(void)
{
	optimize_await();
	for (size_t i = 0; i < WALKERS; i++)
		if (world.walkers[i].snapshot)
			rest(&world.walkers[i]);
	changes_close(&world.changes);
	fixture_close();
	fixture_open(2);
	changes_open(&world.changes);
}

static bool has_segments(void)
{
	struct collection_status now;

	collection_status(world.changes.collection, &now);
	return now.segment_count > 0;
}

static void run(uint64_t seed, int64_t retention_ns)
{
	struct changes *changes = &world.changes;
	bool tokens_stay = retention_ns > 0;
	size_t done = 0, next_restart = OPERATIONS / 4;

	world = (struct world){.changes.random = seed};
	fixture.seal_rows = SEAL_ROWS;
	fixture.retention_ns = retention_ns;
	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &world.scanner)));
	fixture_open(2);
	changes_open(changes);
	while (done < OPERATIONS) {
		size_t n = 1 + random_below(&changes->random, 16);

		changes_make(changes, n);
		done += n;
		optimize_some();
		for (int i = 0; i < 4; i++)
			step(&world.walkers[random_below(&changes->random, WALKERS)], tokens_stay);
		if (tokens_stay && done >= next_restart) {
			restart();
			next_restart += OPERATIONS / 4;
		}
	}
	optimize_await();
	cr_assert_gt(world.n_optimized, 5);
	cr_assert(has_segments());
	for (size_t i = 0; i < WALKERS; i++)
		if (world.walkers[i].begun)
			end(&world.walkers[i]);
	changes_close(changes);
	fixture_close();
	scanner_close(world.scanner);
}

Test(isolation, holds_over_tokens_segments_and_restarts)
{
	run(1, INT64_C(600) * 1000000000);
	cr_assert_gt(world.n_ended, 2 * WALKERS);
	cr_assert_gt(world.n_resumed, WALKERS);
}

Test(isolation, holds_while_the_dead_are_removed)
{
	run(2, 0);
	cr_assert_gt(world.n_ended, 2 * WALKERS);
}
