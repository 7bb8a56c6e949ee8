/* A walk that is taken up again, at every position, against a sort of all exact scores. */
#include "index/cursor/exact.h"
#include "kernels/cpu/scanner_cpu.h"
#include "tests/index/cursor/fake_scanner.h"
#include "tests/index/cursor/fake_snapshot.h"
#include "tests/index/cursor/truth.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct start {
	const struct snapshot *snapshot;
	struct scanner *scanner;
	size_t batch;
};

static struct cursor *open_behind(const struct start *start, const struct hit *last,
				  struct walk *walk)
{
	struct key key = last ? (struct key){last->score, last->place} : KEY_FIRST;
	struct exact_options options = {
		.snapshot = start->snapshot,
		.scanner = start->scanner,
		.scanner_cpu = start->scanner,
		.query = fake_snapshot_query(start->snapshot),
		.batch = start->batch,
		.walk = walk,
		.after = last ? &key : NULL,
	};
	struct cursor *cursor = NULL;

	cr_assert(!status_failed(exact_open(&options, &cursor)));
	return cursor;
}

/* From every step-th position, max hits each. */
static void resume_everywhere(const struct start *start, size_t step, size_t max, const char *what)
{
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;

	truth_init(truth, start->snapshot, fake_snapshot_query(start->snapshot));
	for (size_t at = 0; at <= truth->n; at += step) {
		struct walk walk = {0};
		SCOPED(cursor) cursor =
			open_behind(start, at > 0 ? &truth->hits[at - 1] : NULL, &walk);
		struct truth rest = {truth->hits + at, truth->n - at};
		char where[160];

		snprintf(where, sizeof where, "%s: behind %zu", what, at);
		truth_walk(&rest, cursor, start->batch, max, where);
	}
}

Test(resume, goes_on_at_every_position_of_5000_hits, .timeout = 120)
{
	static const enum fake_vectors vectors[] = {FAKE_RANDOM, FAKE_TIES, FAKE_SAME};
	SCOPED(scanner) scanner = NULL;

	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	for (size_t i = 0; i < 3; i++) {
		SCOPED(snapshot) snapshot = fake_snapshot_open(
			&(struct fake_snapshot_options){.n = 5000 / SLOWER,
							.dim = 6,
							.metric = METRIC_L2,
							.vectors = vectors[i],
							.block_rows = 999,
							.hidden_percent = i == 1 ? 10 : 0,
							.seed = 5 + i});
		const struct start start = {snapshot, scanner, 20};

		resume_everywhere(&start, 1, 30, "a page and a half");
	}
}

Test(resume, goes_on_to_the_end_from_anywhere, .timeout = 60)
{
	static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};
	static const size_t batches[] = {1, 7, 1024};

	for (size_t m = 0; m < 3; m++) {
		SCOPED(snapshot) snapshot =
			fake_snapshot_open(&(struct fake_snapshot_options){.n = 700,
									   .dim = 3,
									   .metric = metrics[m],
									   .vectors = FAKE_TIES,
									   .block_rows = 256,
									   .hidden_percent = 20,
									   .seed = 50});

		for (int bounds = 0; bounds < FAKE_BOUNDS_N; bounds++) {
			struct fake_scanner fake;
			const struct start start = {snapshot, &fake.base, batches[m]};

			fake_scanner_init(&fake, (enum fake_bounds)bounds, 0.1F, 5);
			resume_everywhere(&start, 13, SIZE_MAX, "to the end");
		}
	}
}

/* The key of a row that is not there any more lies between two that are. */
Test(resume, goes_on_behind_a_key_that_no_row_has)
{
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 500, .dim = 4, .metric = METRIC_L2, .seed = 8});
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;
	const struct start start = {snapshot, scanner, 10};

	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	for (size_t at = 1; at < truth->n; at++) {
		const struct hit between = {(truth->hits[at - 1].score + truth->hits[at].score) / 2,
					    UINT64_MAX};
		struct truth rest = {truth->hits + at, truth->n - at};
		struct walk walk = {0};
		SCOPED(cursor) cursor = NULL;

		if (!(between.score > truth->hits[at].score))
			continue;
		cursor = open_behind(&(struct start){snapshot, scanner, start.batch}, &between,
				     &walk);
		truth_walk(&rest, cursor, 10, 15, "between");
	}
}

Test(resume, a_walk_that_shrinks_now_and_then_is_the_same_walk)
{
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 3000, .dim = 4, .metric = METRIC_COSINE, .vectors = FAKE_TIES, .seed = 9});
	struct truth truth_of_it, rest;
	SCOPED(truth) truth = &truth_of_it;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	uint64_t state = 4;
	size_t before, after;

	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	cursor = open_behind(&(struct start){snapshot, scanner, 50}, NULL, &walk);
	cursor_shrink(cursor);
	for (rest = *truth; rest.n > 0;) {
		size_t max = 1 + fake_random(&state) % 400;
		size_t n = truth_walk(&rest, cursor, 50, max, "shrinks");

		rest.hits += n;
		rest.n -= n;
		before = cursor_memory_bytes(cursor);
		cursor_shrink(cursor);
		cursor_shrink(cursor);
		after = cursor_memory_bytes(cursor);
		cr_assert_lt(after, 8000);
		cr_assert_leq(after, before);
	}
	truth_walk(&rest, cursor, 50, 1, "shrinks");
}

Test(resume, gives_no_more_than_is_wanted_and_scores_little_more)
{
	SCOPED(scanner) scanner = NULL;
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 20000, .dim = 16, .metric = METRIC_COSINE, .seed = 10});
	struct truth truth_of_it, rest;
	SCOPED(truth) truth = &truth_of_it;
	struct walk walk = {.wanted = 10};
	SCOPED(cursor) cursor = NULL;

	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	rest = *truth;
	cursor = open_behind(&(struct start){snapshot, scanner, 100}, NULL, &walk);
	cr_assert_eq(truth_walk(&rest, cursor, 10, 10, "ten"), 10U);
	cr_assert_lt(walk.reranked, 110U);
	rest.hits += 10;
	rest.n -= 10;
	walk.wanted = 1;
	cr_assert_eq(truth_walk(&rest, cursor, 1, 5, "one by one"), 5U);
}
