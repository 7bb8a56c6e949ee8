/* The first fills of several walks at once: each gives what it gives alone, whatever the others are. */
#include "index/cursor/exact.h"
#include "index/filter/places.h"
#include "kernels/cpu/scanner_cpu.h"
#include "tests/index/cursor/fake_snapshot.h"
#include "tests/index/cursor/truth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define DIM 24
#define BATCH 20

/* One of the walks that are filled together. */
struct walker {
	struct snapshot *snapshot; /* borrowed */
	float query[DIM];
	uint64_t one_of; /* a filter leaves each so many-th place; 0: there is none */
	struct deadline deadline;
	struct arena arena;
	struct walk walk;
	struct cursor *cursor; /* owned */
};

static status choose(void *context, struct places **ret)
{
	struct walker *walker = context;
	struct places *places = NULL;

	TRY(places_open(snapshot_places(walker->snapshot), &places));
	for (uint64_t place = 0; place < places->n; place += walker->one_of)
		if (snapshot_visible(walker->snapshot, place))
			places_add(places, place);
	places_count(places);
	*ret = places;
	return status_ok();
}

static void walker_begin(struct walker *walker, struct snapshot *snapshot, struct scanner *scanner,
			 uint64_t one_of, uint64_t *random)
{
	struct exact_options options = {
		.snapshot = snapshot,
		.scanner = scanner,
		.scanner_cpu = scanner,
		.query = walker->query,
		.batch = BATCH,
		.walk = &walker->walk,
		.select = one_of > 0 ? choose : NULL,
		.select_context = walker,
		.selects_quickly = true,
	};

	*walker = (struct walker){.snapshot = snapshot, .one_of = one_of};
	for (size_t i = 0; i < DIM; i++)
		walker->query[i] = fake_uniform(random) - 0.5F;
	arena_init(&walker->arena, 1 << 16);
	deadline_init(&walker->deadline, DEADLINE_NEVER);
	walker->walk.deadline = &walker->deadline;
	walker->walk.arena = &walker->arena;
	cr_assert_not(status_failed(exact_open(&options, &walker->cursor)));
	/* A stage above the source: it is found all the same. */
	cr_assert_not(status_failed(limit_open(TAKE(walker->cursor), 1000000, &walker->cursor)));
	cr_assert_gt(cursor_scan_bytes(walker->cursor), 0);
}

static void walker_end(struct walker *walker)
{
	cursor_close(walker->cursor);
	arena_finish(&walker->arena);
}

/* That what it gives is the truth, to the end. */
static void walker_check(struct walker *walker, const char *what)
{
	SCOPED(truth) truth = &(struct truth){0};
	size_t n = 0;

	truth_init(truth, walker->snapshot, walker->query);
	for (size_t i = 0; walker->one_of > 0 && i < truth->n; i++)
		if (truth->hits[i].place % walker->one_of == 0)
			truth->hits[n++] = truth->hits[i];
	if (walker->one_of > 0)
		truth->n = n;
	truth_walk(truth, walker->cursor, BATCH, truth->n + 1, what);
}

static struct snapshot *open_snapshot(uint64_t n, unsigned hidden_percent, uint64_t seed)
{
	const struct fake_snapshot_options options = {
		.n = n,
		.dim = DIM,
		.metric = METRIC_INNER_PRODUCT,
		.block_rows = 300,
		.segments = 2,
		.segment_rows = 900,
		.hidden_percent = hidden_percent,
		.seed = seed,
	};

	return fake_snapshot_open(&options);
}

static void note_done(void *context, size_t place)
{
	((unsigned *)context)[place]++;
}

static void fill_together(struct walker *walkers, size_t n)
{
	struct cursor *chains[EXACT_TOGETHER_MAX];
	unsigned done[EXACT_TOGETHER_MAX] = {0};

	for (size_t i = 0; i < n; i++) {
		cr_assert(exact_waits_for_scan(walkers[i].cursor));
		chains[i] = walkers[i].cursor;
	}
	exact_scan_together(chains, n, note_done, done);
	for (size_t i = 0; i < n; i++)
		cr_assert_eq(done[i], 1);
}

Test(exact_shared, gives_each_walk_its_own_hits)
{
	static const struct {
		uint64_t n;
		unsigned hidden_percent;
		uint64_t one_of[EXACT_TOGETHER_MAX]; /* 0: no filter */
	} cases[] = {
		{1800, 0, {0, 0, 0, 0}},   /* segments alone */
		{2500, 0, {0, 0, 0, 0}},   /* and a head */
		{2500, 30, {0, 0, 0, 0}},  /* of which rows are not visible */
		{2500, 30, {3, 3, 3, 3}},  /* the same filter */
		{2500, 10, {0, 3, 3, 0}},  /* and not */
		{2500, 10, {2, 3, 5, 11}}, /* none like another */
		{2500, 100, {0, 0, 0, 0}}, /* nothing to see */
	};
	SCOPED(scanner) scanner = NULL;
	uint64_t random = 5;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t n = 1; n <= EXACT_TOGETHER_MAX; n++) {
			SCOPED(snapshot) snapshot =
				open_snapshot(cases[i].n, cases[i].hidden_percent, i);
			struct walker walkers[EXACT_TOGETHER_MAX];
			char what[64];

			for (size_t k = 0; k < n; k++)
				walker_begin(&walkers[k], snapshot, scanner, cases[i].one_of[k],
					     &random);
			if (cases[i].hidden_percent < 100)
				fill_together(walkers, n);
			for (size_t k = 0; k < n; k++) {
				snprintf(what, sizeof what, "case %zu: %zu of %zu", i, k, n);
				walker_check(&walkers[k], what);
				walker_end(&walkers[k]);
			}
		}
	}
}

/* What is read for several is read once, and each says that it was. */
Test(exact_shared, counts_what_each_walk_saw)
{
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) snapshot = open_snapshot(2500, 0, 3);
	struct walker walkers[EXACT_TOGETHER_MAX];
	uint64_t random = 6;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	for (size_t k = 0; k < COUNT(walkers); k++)
		walker_begin(&walkers[k], snapshot, scanner, 0, &random);
	fill_together(walkers, COUNT(walkers));
	for (size_t k = 0; k < COUNT(walkers); k++) {
		struct hit_batch batch;

		cr_assert_not(exact_waits_for_scan(walkers[k].cursor));
		cr_assert_eq(walkers[k].walk.scanned, 2500);
		cr_assert_eq(cursor_next(walkers[k].cursor, &batch), STEP_BATCH);
		cr_assert_eq(walkers[k].walk.scanned, 2500, "it scanned again");
		walker_end(&walkers[k]);
	}
}

/* Whoever is not wanted any more fails as he does alone, and the others do not. */
Test(exact_shared, leaves_out_who_is_not_wanted)
{
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) snapshot = open_snapshot(2500, 0, 4);
	uint64_t random = 7;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	for (unsigned cut = 0; cut < 1U << EXACT_TOGETHER_MAX; cut++) {
		struct walker walkers[EXACT_TOGETHER_MAX];
		struct hit_batch batch;

		for (size_t k = 0; k < COUNT(walkers); k++) {
			walker_begin(&walkers[k], snapshot, scanner, 0, &random);
			if (cut >> k & 1)
				deadline_cancel(&walkers[k].deadline);
		}
		fill_together(walkers, COUNT(walkers));
		for (size_t k = 0; k < COUNT(walkers); k++) {
			if (cut >> k & 1) {
				cr_assert_eq(cursor_next(walkers[k].cursor, &batch), STEP_FAIL);
				cr_assert_eq(walkers[k].cursor->status.code, STATUS_CANCELLED);
				cr_assert_eq(walkers[k].walk.scanned, 0);
			} else {
				walker_check(&walkers[k], "wanted");
			}
			walker_end(&walkers[k]);
		}
	}
}

Test(exact_shared, leaves_what_was_dropped_to_the_walk)
{
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) kept = open_snapshot(2500, 0, 8);
	SCOPED(snapshot) dropped = open_snapshot(2500, 0, 9);
	struct walker walkers[2];
	struct hit_batch batch;
	uint64_t random = 8;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	walker_begin(&walkers[0], kept, scanner, 0, &random);
	walker_begin(&walkers[1], dropped, scanner, 0, &random);
	cr_assert_not(exact_scans_alike(walkers[0].cursor, walkers[1].cursor));
	fake_snapshot_drop(dropped);
	fill_together(walkers, 2);
	walker_check(&walkers[0], "kept");
	cr_assert_eq(cursor_next(walkers[1].cursor, &batch), STEP_FAIL);
	cr_assert_eq(walkers[1].cursor->status.code, STATUS_FAILED_PRECONDITION);
	for (size_t k = 0; k < 2; k++)
		walker_end(&walkers[k]);
}

/* Which walks have a scan in common at all. */
Test(exact_shared, tells_whom_it_is_for)
{
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) sealed = open_snapshot(2500, 0, 10);
	SCOPED(snapshot) head = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 500, .dim = DIM, .metric = METRIC_INNER_PRODUCT, .seed = 11});
	static const uint64_t one_of[] = {0, 0, 3, 3, 5};
	struct walker walkers[COUNT(one_of)], of_head;
	struct hit_batch batch;
	uint64_t random = 9;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	for (size_t k = 0; k < COUNT(walkers); k++)
		walker_begin(&walkers[k], sealed, scanner, one_of[k], &random);
	for (size_t a = 0; a < COUNT(walkers); a++)
		for (size_t b = 0; b < COUNT(walkers); b++)
			cr_assert_eq(exact_scans_alike(walkers[a].cursor, walkers[b].cursor),
				     one_of[a] == one_of[b], "%zu and %zu", a, b);
	walker_begin(&of_head, head, scanner, 0, &random);
	cr_assert_not(exact_waits_for_scan(of_head.cursor), "there are no codes");
	cr_assert_eq(cursor_next(walkers[0].cursor, &batch), STEP_BATCH);
	cr_assert_not(exact_waits_for_scan(walkers[0].cursor), "it has begun");
	for (size_t k = 0; k < COUNT(walkers); k++)
		walker_end(&walkers[k]);
	walker_end(&of_head);
}

/* One that is not wanted is let go before the others are through. */
struct order {
	struct walker *walkers;
	size_t places[EXACT_TOGETHER_MAX], n;
};

static void note_order(void *context, size_t place)
{
	struct order *order = context;

	/* It may be gone from here on. */
	walker_end(&order->walkers[place]);
	order->places[order->n++] = place;
}

Test(exact_shared, lets_each_go_as_soon_as_it_is_over)
{
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) snapshot = open_snapshot(2500, 0, 12);
	struct walker walkers[EXACT_TOGETHER_MAX];
	struct order order = {.walkers = walkers};
	struct cursor *chains[EXACT_TOGETHER_MAX];
	uint64_t random = 10;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	for (size_t k = 0; k < COUNT(walkers); k++) {
		walker_begin(&walkers[k], snapshot, scanner, k == 1 ? 3 : 0, &random);
		chains[k] = walkers[k].cursor;
	}
	deadline_cancel(&walkers[2].deadline);
	exact_scan_together(chains, COUNT(chains), note_order, &order);
	cr_assert_eq(order.n, COUNT(walkers));
	cr_assert_eq(order.places[0], 2);
}
