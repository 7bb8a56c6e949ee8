/* The exact source over a set of places: the hits are those of the set, in the same order, whether
 * they are scanned for or gathered.
 */
#include "index/cursor/exact.h"
#include "index/filter/places.h"
#include "kernels/cpu/scanner_cpu.h"
#include "tests/index/cursor/fake_scanner.h"
#include "tests/index/cursor/fake_snapshot.h"
#include "tests/index/cursor/truth.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* What a walk is narrowed to: a place of every n-th is in, of those that are visible. */
struct choice {
	const struct snapshot *snapshot;
	uint64_t one_of, seed;
	unsigned n_made;
};

static status choose(void *context, struct places **ret)
{
	struct choice *choice = context;
	struct places *places = NULL;
	uint64_t state = choice->seed;

	TRY(places_open(snapshot_places(choice->snapshot), &places));
	for (uint64_t place = 0; place < places->n; place++)
		if (fake_random(&state) % choice->one_of == 0 &&
		    snapshot_visible(choice->snapshot, place))
			places_add(places, place);
	places_count(places);
	choice->n_made++;
	*ret = places;
	return status_ok();
}

static struct cursor *open_over(struct choice *choice, struct scanner *scanner, size_t batch,
				struct walk *walk)
{
	struct exact_options options = {
		.snapshot = choice->snapshot,
		.scanner = scanner,
		.scanner_cpu = scanner,
		.query = fake_snapshot_query(choice->snapshot),
		.batch = batch,
		.walk = walk,
		.select = choose,
		.select_context = choice,
	};
	struct cursor *cursor = NULL;

	cr_assert(!status_failed(exact_open(&options, &cursor)));
	return cursor;
}

/* Drops from the truth what was not chosen. */
static void narrow(struct truth *truth, struct choice *choice)
{
	SCOPED(places) places = NULL;
	size_t n = 0;

	cr_assert(!status_failed(choose(choice, &places)));
	for (size_t i = 0; i < truth->n; i++)
		if (places_have(places, truth->hits[i].place))
			truth->hits[n++] = truth->hits[i];
	truth->n = n;
}

static void check_snapshot(const struct fake_snapshot_options *options, uint64_t one_of,
			   size_t batch)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(options);
	struct choice choice = {snapshot, one_of, options->seed, 0};
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;

	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	narrow(truth, &choice);
	for (int bounds = 0; bounds < FAKE_BOUNDS_N; bounds++) {
		struct fake_scanner fake;
		struct walk walk = {0};
		SCOPED(cursor) cursor = NULL;
		char what[128];

		snprintf(what, sizeof what, "n %lu one of %lu bounds %d batch %zu",
			 (unsigned long)options->n, (unsigned long)one_of, bounds, batch);
		fake_scanner_init(&fake, (enum fake_bounds)bounds, 0.1F, 5);
		cursor = open_over(&choice, &fake.base, batch, &walk);
		truth_walk(truth, cursor, batch, SIZE_MAX, what);
	}
}

/* The last sizes are above what is gathered for being few in all. */
Test(filtered, walks_give_the_chosen_rows_in_order, .timeout = 60)
{
	static const uint64_t sizes[] = {0, 1, 64, 65, 1000, 9000, 20000 / SLOWER};
	static const uint64_t shares[] = {1, 2, 5, 12, 60, 1000};
	static const size_t batches[] = {1, 10, 1024};

	for (size_t i = 0; i < COUNT(sizes); i++)
		for (size_t s = 0; s < COUNT(shares); s++)
			check_snapshot(
				&(struct fake_snapshot_options){
					.n = sizes[i],
					.dim = 5,
					.metric = s % 2 ? METRIC_L2 : METRIC_COSINE,
					.vectors = s % 3 ? FAKE_RANDOM : FAKE_TIES,
					.block_rows = i % 2 ? 0 : 100,
					.hidden_percent = s % 2 ? 20 : 0,
					.seed = i * 10 + s + 1,
				},
				shares[s], batches[(i + s) % COUNT(batches)]);
}

Test(filtered, walks_of_few_rows_score_them_and_scan_nothing)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 20000, .dim = 8, .metric = METRIC_L2, .vectors = FAKE_RANDOM, .seed = 3});
	struct choice choice = {snapshot, 100, 5, 0};
	SCOPED(places) places = NULL;
	struct fake_scanner fake;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch batch;

	cr_assert(!status_failed(choose(&choice, &places)));
	fake_scanner_init(&fake, FAKE_LOOSE, 0.1F, 5);
	cursor = open_over(&choice, &fake.base, 10, &walk);
	cr_assert_eq(cursor_next(cursor, &batch), STEP_BATCH);

	cr_assert_eq(walk.scanned, 0);
	cr_assert_eq(walk.reranked, places->count);
}

Test(filtered, walks_of_many_rows_scan_those_alone)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 20000, .dim = 8, .metric = METRIC_L2, .vectors = FAKE_RANDOM, .seed = 3});
	struct choice choice = {snapshot, 2, 5, 0};
	SCOPED(places) places = NULL;
	SCOPED(scanner) scanner = NULL;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch batch;

	cr_assert(!status_failed(choose(&choice, &places)));
	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	cursor = open_over(&choice, scanner, 10, &walk);
	cr_assert_eq(cursor_next(cursor, &batch), STEP_BATCH);

	cr_assert_eq(walk.scanned, places->count);
	cr_assert_lt(walk.reranked, 100);
}

Test(filtered, walks_that_rest_choose_again)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 6000, .dim = 4, .metric = METRIC_L2, .vectors = FAKE_TIES, .seed = 8});
	struct choice choice = {snapshot, 4, 5, 0};
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;
	struct fake_scanner fake;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch batch;
	size_t n = 0;

	truth_init(truth, snapshot, fake_snapshot_query(snapshot));
	narrow(truth, &choice);
	choice.n_made = 0;
	fake_scanner_init(&fake, FAKE_LOOSE, 0.1F, 5);
	cursor = open_over(&choice, &fake.base, 100, &walk);
	while (cursor_next(cursor, &batch) == STEP_BATCH) {
		for (size_t i = 0; i < batch.n; i++, n++)
			cr_assert_eq(batch.hits[i].place, truth->hits[n].place);
		cursor_shrink(cursor);
	}

	cr_assert_eq(n, truth->n);
	cr_assert_gt(choice.n_made, 2);
}

static status choose_nothing(void *context, struct places **ret)
{
	(void)context;
	(void)ret;
	return status_make(STATUS_DATA_LOSS, "the postings are damaged");
}

Test(filtered, walks_fail_as_their_filter_does)
{
	SCOPED(snapshot) snapshot = fake_snapshot_open(&(struct fake_snapshot_options){
		.n = 100, .dim = 4, .metric = METRIC_L2, .vectors = FAKE_RANDOM, .seed = 8});
	struct fake_scanner fake;
	struct walk walk = {0};
	struct exact_options options = {
		.snapshot = snapshot,
		.query = fake_snapshot_query(snapshot),
		.batch = 10,
		.walk = &walk,
		.select = choose_nothing,
	};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch batch;

	fake_scanner_init(&fake, FAKE_LOOSE, 0.1F, 5);
	options.scanner = options.scanner_cpu = &fake.base;
	cr_assert(!status_failed(exact_open(&options, &cursor)));

	cr_assert_eq(cursor_next(cursor, &batch), STEP_FAIL);
	cr_assert_eq(cursor->status.code, STATUS_DATA_LOSS);
}
