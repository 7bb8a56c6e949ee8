/* The proof obligations of the exact source, each against a sort of all exact scores. */
#include "index/cursor/exact.h"
#include "kernels/base/gauge.h"
#include "kernels/cpu/scanner_cpu.h"
#include "tests/index/cursor/fake_scanner.h"
#include "tests/index/cursor/fake_snapshot.h"
#include "tests/index/cursor/truth.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};
static const size_t batches[] = {1, 2, 7, 64, 1000, 1024};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct cursor *open_over(const struct snapshot *snapshot, struct scanner *scanner,
				size_t batch, struct walk *walk)
{
	struct exact_options options = {
		.snapshot = snapshot,
		.scanner = scanner,
		.scanner_cpu = scanner,
		.query = fake_snapshot_query(snapshot),
		.batch = batch,
		.walk = walk,
	};
	struct cursor *cursor = NULL;

	cr_assert(!status_failed(exact_open(&options, &cursor)));
	return cursor;
}

/* One walk to the end. */
static void check_walk(const struct snapshot *snapshot, const struct truth *truth,
		       struct scanner *scanner, size_t batch, const char *what)
{
	struct walk walk = {0};
	SCOPED(cursor) cursor = open_over(snapshot, scanner, batch, &walk);

	truth_walk(truth, cursor, batch, SIZE_MAX, what);
	cr_assert_eq(gauge_read(GAUGE_CURSORS), 1, "%s", what);
}

/* Every kind of bounds, every batch, for one snapshot. */
static void check_snapshot(const struct fake_snapshot_options *options)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(options);
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;

	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	for (int bounds = 0; bounds < FAKE_BOUNDS_N; bounds++) {
		for (size_t b = 0; b < COUNT(batches); b++) {
			struct fake_scanner fake;
			char what[128];

			snprintf(what, sizeof what, "n %lu metric %d bounds %d batch %zu",
				 (unsigned long)options->n, (int)options->metric, bounds,
				 batches[b]);
			fake_scanner_init(&fake, (enum fake_bounds)bounds, 0.1F, 5);
			check_walk(snapshot, truth, &fake.base, batches[b], what);
		}
	}
}

Test(exact, gives_every_row_once_in_order_whatever_the_bounds, .timeout = 60)
{
	static const uint64_t sizes[] = {0, 1, 2, 3, 63, 64, 65, 128, 129, 257, 1000, 4097};

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t m = 0; m < COUNT(metrics); m++)
			check_snapshot(&(struct fake_snapshot_options){
				.n = sizes[i],
				.dim = 5,
				.metric = metrics[m],
				.vectors = i % 2 ? FAKE_RANDOM : FAKE_TIES,
				.block_rows = i % 3 ? 0 : 100,
				.seed = i + 1,
			});
	cr_assert_eq(gauge_read(GAUGE_CURSORS), 0);
}

Test(exact, gives_heavy_ties_in_order_of_place, .timeout = 60)
{
	for (size_t m = 0; m < COUNT(metrics); m++)
		check_snapshot(&(struct fake_snapshot_options){
			.n = 20000 / SLOWER,
			.dim = 3,
			.metric = metrics[m],
			.vectors = FAKE_TIES,
			.block_rows = 7000,
			.seed = 77,
		});
}

Test(exact, leaves_out_rows_that_are_not_visible, .timeout = 60)
{
	static const unsigned hidden[] = {1, 50, 99, 100};

	for (size_t i = 0; i < COUNT(hidden); i++)
		for (size_t m = 0; m < COUNT(metrics); m++)
			check_snapshot(&(struct fake_snapshot_options){
				.n = 3000,
				.dim = 4,
				.metric = metrics[m],
				.vectors = i % 2 ? FAKE_TIES : FAKE_RANDOM,
				.block_rows = 1001,
				.hidden_percent = hidden[i],
				.seed = 9 + i,
			});
}

Test(exact, is_right_at_every_looseness_of_the_bounds, .timeout = 60)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 5000 / SLOWER, .dim = 8, .metric = METRIC_L2, .seed = 3});
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;

	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	for (int tens = -7; tens < 8; tens++) {
		float slack = powf(10, (float)tens);
		struct fake_scanner fake;
		char what[64];

		snprintf(what, sizeof what, "slack %g", (double)slack);
		fake_scanner_init(&fake, FAKE_LOOSE, slack, 11);
		check_walk(snapshot, truth, &fake.base, 10, what);
	}
}

Test(exact, walks_over_the_real_scanner, .timeout = 60)
{
	SCOPED(scanner) scanner = NULL;

	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	for (size_t i = 0; i < 12; i++) {
		struct fake_snapshot_options options = {
			.n = 20000 / SLOWER,
			.dim = i % 2 ? 17 : 40,
			.metric = metrics[i % 3],
			.vectors = i < 6 ? FAKE_RANDOM : FAKE_TIES,
			.block_rows = 6000,
			.hidden_percent = i % 4 ? 0 : 20,
			.seed = i,
		};
		SCOPED(snapshot) snapshot = fake_snapshot_open(&options);
		struct truth truth_of_it;
		SCOPED(truth) truth = &truth_of_it;

		truth_init(truth, snapshot, fake_snapshot_query(snapshot));
		check_walk(snapshot, truth, scanner, batches[i % COUNT(batches)], "cpu");
	}
}

Test(exact, scores_few_rows_for_the_first_hits, .timeout = 60)
{
	SCOPED(scanner) scanner = NULL;

	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	for (size_t m = 0; m < COUNT(metrics); m++) {
		SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
			.n = 10000, .dim = 96, .metric = metrics[m], .seed = 21});
		struct truth truth_of_it;
		SCOPED(truth) truth = &truth_of_it;
		struct walk walk = {0};
		SCOPED(cursor) cursor = open_over(snapshot, scanner, 10, &walk);

		truth_init(truth, snapshot, fake_snapshot_query(snapshot));
		cr_assert_eq(truth_walk(truth, cursor, 10, 10, "top 10"), 10);

		cr_log_info("metric %d: %lu rows scored", (int)metrics[m],
			    (unsigned long)walk.reranked);
		cr_assert_lt(walk.reranked, 40);
		cr_assert_eq(walk.scanned, 10000);
	}
}

Test(exact, opening_does_no_work)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 100, .dim = 4, .metric = METRIC_L2, .seed = 1});
	struct fake_scanner fake;
	struct walk walk = {0};
	struct cursor *cursor;

	fake_scanner_init(&fake, FAKE_TIGHT, 0, 0);
	cursor = open_over(snapshot, &fake.base, 10, &walk);
	cr_assert_eq(gauge_read(GAUGE_CURSORS), 1);
	cursor_close(cursor);

	cr_assert_eq(fake.calls, 0);
	cr_assert_eq(gauge_read(GAUGE_CURSORS), 0);
}

Test(exact, knows_the_end_of_a_small_collection_from_one_scan)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(
		&(struct fake_snapshot_options){.n = 64, .dim = 4, .metric = METRIC_L2, .seed = 1});
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;
	struct fake_scanner fake;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;

	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	fake_scanner_init(&fake, FAKE_INFINITE, 0, 0);
	cursor = open_over(snapshot, &fake.base, 5, &walk);
	truth_walk(truth, cursor, 5, SIZE_MAX, "64 rows");

	cr_assert_eq(fake.calls, 1);
	cr_assert_eq(walk.reranked, 64);
}
