/* Walks that ask approximate indexes: whatever these leave out, hits come once, in order, with their
 * true scores, and nothing is missing where no index was asked.
 */
#include "index/cursor/exact.h"
#include "index/filter/places.h"
#include "kernels/cpu/scanner_cpu.h"
#include "tests/index/cursor/fake_ann.h"
#include "tests/index/cursor/truth.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define DEEPEST 4000

/* setting - a snapshot of two segments with an index, one without between them, and a head. */
struct setting {
	struct snapshot *snapshot;
	struct scanner *scanner;
	struct ann anns[2];
	struct fake_asked asked[2];
	uint64_t one_of; /* of every so many rows one is a hit; 0: there is no filter */
};

static void setting_open(struct setting *setting, const struct fake_snapshot_options *options,
			 unsigned keeps_percent)
{
	struct fake_snapshot_options with = *options;

	with.segments = 3;
	with.segment_rows = (uint32_t)(options->n / 4);
	*setting = (struct setting){.snapshot = fake_snapshot_open(&with)};
	cr_assert(!status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &setting->scanner)));
	for (uint32_t i = 0; i < 2; i++)
		fake_ann_init(&setting->anns[i], &setting->asked[i], setting->snapshot, 2 * i,
			      keeps_percent);
}

static void setting_close(struct setting *setting)
{
	if (!setting)
		return;
	snapshot_release(setting->snapshot);
	scanner_close(setting->scanner);
}

SCOPE_DEFINE(setting, setting_close)

/* Whether a row may be left out: it is in a segment that has an index. */
static bool is_indexed(const struct setting *setting, uint64_t place)
{
	return snapshot_ann(setting->snapshot, place);
}

static bool is_chosen(const struct setting *setting, uint64_t place)
{
	uint64_t state = place + 7;

	return setting->one_of == 0 || fake_random(&state) % setting->one_of == 0;
}

static status choose(void *context, struct places **ret)
{
	const struct setting *setting = context;
	struct places *places = NULL;

	TRY(places_open(snapshot_places(setting->snapshot), &places));
	for (uint64_t place = 0; place < places->n; place++)
		if (is_chosen(setting, place) && snapshot_visible(setting->snapshot, place))
			places_add(places, place);
	places_count(places);
	*ret = places;
	return status_ok();
}

struct asks {
	size_t batch;
	uint32_t depth;
	const struct key *after;
};

static struct cursor *open_walk(struct setting *setting, const struct asks *asks, struct walk *walk)
{
	const struct exact_options options = {
		.snapshot = setting->snapshot,
		.scanner = setting->scanner,
		.scanner_cpu = setting->scanner,
		.query = fake_snapshot_query(setting->snapshot),
		.batch = asks->batch,
		.recall_target = 0.9F,
		.depth = asks->depth,
		.after = asks->after,
		.select = setting->one_of ? choose : NULL,
		.select_context = setting,
		.walk = walk,
	};
	struct cursor *cursor = NULL;

	cr_assert(!status_failed(exact_open(&options, &cursor)));
	return cursor;
}

/* The truth of what the filter leaves. */
static void truth_of(struct setting *setting, struct truth *ret)
{
	size_t n = 0;

	truth_init(ret, setting->snapshot, fake_snapshot_query(setting->snapshot));
	for (size_t i = 0; i < ret->n; i++)
		if (is_chosen(setting, ret->hits[i].place))
			ret->hits[n++] = ret->hits[i];
	ret->n = n;
}

/* A walk to its end, held against the truth: each hit is the next one of it but for rows that an index
 * may have left out, and these only among those before the deepest hit that indexes are asked for.
 * shrinks_at  in what number of hits the window is dropped, now and then; 0: never. */
static size_t check_walk(struct setting *setting, const struct truth *truth,
			 const struct asks *asks, size_t shrinks_at)
{
	struct walk walk = {0};
	SCOPED(cursor) cursor = open_walk(setting, asks, &walk);
	struct hit_batch got;
	size_t n = 0, at = 0, missed = 0;
	enum step step;

	while ((step = cursor_next(cursor, &got)) == STEP_BATCH) {
		cr_assert(got.n >= 1 && got.n <= asks->batch);
		for (size_t i = 0; i < got.n; i++, n++, at++) {
			while (at < truth->n && truth->hits[at].place != got.hits[i].place) {
				cr_assert(n < DEEPEST, "hit %zu: place %lu is missing", n,
					  (unsigned long)truth->hits[at].place);
				cr_assert(is_indexed(setting, truth->hits[at].place));
				at++;
				missed++;
			}
			cr_assert_lt(at, truth->n, "hit %zu is none, or out of order", n);
			cr_assert_eq(got.hits[i].score, truth->hits[at].score);
		}
		cr_assert_leq(cursor_memory_bytes(cursor), (size_t)1 << 20);
		if (shrinks_at && n % shrinks_at < got.n)
			cursor_shrink(cursor);
	}
	cr_assert_eq(step, STEP_END);
	cr_assert_eq(at, truth->n, "the walk ends early, after %zu", n);
	cr_assert_eq(walk.stop, STOP_EXHAUSTED);
	cr_assert(walk.approximate);
	cr_assert_str_eq(walk.ann, "fake");
	return missed;
}

static void check_setting(const struct fake_snapshot_options *options, uint64_t one_of,
			  size_t batch)
{
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;
	size_t missed;

	setting_open(setting, options, 80);
	setting->one_of = one_of;
	truth_of(setting, truth);
	missed = check_walk(setting, truth, &(struct asks){batch, 0, NULL}, 0);
	/* It says something only where an index was asked that matters. */
	cr_assert(missed > 0 || options->vectors != FAKE_RANDOM);
	setting->asked[0].n = setting->asked[1].n = 0;
	check_walk(setting, truth, &(struct asks){batch, 10, NULL}, 130);
}

Test(approximate, walks_give_each_hit_once_and_in_order, .timeout = 240)
{
	static const enum metric metrics[] = {METRIC_COSINE, METRIC_INNER_PRODUCT, METRIC_L2};
	static const size_t batches[] = {1, 10, 100, 1024};
	static const enum fake_vectors vectors[] = {FAKE_RANDOM, FAKE_TIES, FAKE_SAME};

	for (size_t m = 0; m < COUNT(metrics); m++)
		for (size_t b = 0; b < COUNT(batches); b++)
			check_setting(
				&(struct fake_snapshot_options){
					.n = 20000 / SLOWER,
					.dim = 16,
					.metric = metrics[m],
					.vectors = vectors[(m + b) % COUNT(vectors)],
					.block_rows = b % 2 ? 0 : 900,
					.hidden_percent = m % 2 ? 15 : 0,
					.seed = 10 * m + b + 1,
				},
				b == 1 ? 3 : 0, batches[b]);
}

/* A walk of 5,000 hits, and what comes when it is taken up behind each of them. */
Test(approximate, walks_taken_up_at_any_of_5000_hits_go_on_without_a_gap, .timeout = 240)
{
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;
	const struct asks asks = {100, 0, NULL};
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch got;
	size_t n = 0, at = 0;

	setting_open(setting,
		     &(struct fake_snapshot_options){.n = 6000 / SLOWER,
						     .dim = 6,
						     .metric = METRIC_L2,
						     .vectors = FAKE_TIES,
						     .hidden_percent = 5,
						     .seed = 40},
		     70);
	truth_of(setting, truth);
	cursor = open_walk(setting, &asks, &walk);
	while (n < 5000 / SLOWER && cursor_next(cursor, &got) == STEP_BATCH)
		for (size_t i = 0; i < got.n; i++, n++) {
			struct key last = {got.hits[i].score, got.hits[i].place};
			const struct asks behind = {20, 0, &last};
			struct walk resumed = {0};
			SCOPED(cursor) rest = open_walk(setting, &behind, &resumed);
			struct truth due;

			while (truth->hits[at].place != last.row)
				at++;
			due = (struct truth){truth->hits + at + 1, truth->n - at - 1};
			truth_walk(&due, rest, 20, 30, "taken up");
			cr_assert_not(resumed.approximate);
		}
	cr_assert_geq(n, 5000 / SLOWER - 500);
}

Test(approximate, walks_miss_nothing_where_the_index_does_not, .timeout = 60)
{
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;

	setting_open(setting,
		     &(struct fake_snapshot_options){
			     .n = 8000, .dim = 8, .metric = METRIC_COSINE, .seed = 50},
		     100);
	truth_of(setting, truth);
	cr_assert_eq(check_walk(setting, truth, &(struct asks){50, 10, NULL}, 0), 0);
}

/* What indexes do not cover is scanned, and then nobody is told that something may be missing. */
Test(approximate, walks_that_no_index_covers_are_exact)
{
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;

	setting_open(setting,
		     &(struct fake_snapshot_options){
			     .n = 4000, .dim = 8, .metric = METRIC_L2, .seed = 60},
		     50);
	setting->anns[0].depth_max = setting->anns[1].depth_max = 0;
	truth_of(setting, truth);
	cursor = open_walk(setting, &(struct asks){30, 10, NULL}, &walk);
	truth_walk(truth, cursor, 30, SIZE_MAX, "not covered");
	cr_assert_not(walk.approximate);
	cr_assert_null(walk.ann);
	cr_assert_eq(setting->asked[0].n, 0);
}

Test(approximate, walks_ask_for_greater_depths_as_they_are_read)
{
	static const uint32_t depths[] = {16, 30, 120, 480, 1920, DEEPEST};
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch got;
	size_t n = 0;

	setting_open(setting,
		     &(struct fake_snapshot_options){
			     .n = 8000, .dim = 8, .metric = METRIC_L2, .seed = 70},
		     90);
	cursor = open_walk(setting, &(struct asks){50, 16, NULL}, &walk);
	for (size_t i = 0; i < COUNT(depths); i++) {
		while (n < depths[i]) {
			cr_assert_eq(cursor_next(cursor, &got), STEP_BATCH);
			n += got.n;
		}
		cr_assert_eq(n, depths[i]);
		cr_assert_eq(setting->asked[0].n, i + 1);
		cr_assert_eq(setting->asked[0].each[i].depth, depths[i]);
		cr_assert_eq(setting->asked[0].each[i].recall, 0.9F);
		cr_assert(setting->asked[0].each[i].all_visible);
	}
	cr_assert_lt(walk.reranked, 9000);
	cr_assert_eq(cursor_next(cursor, &got), STEP_BATCH);
	cr_assert_eq(setting->asked[0].n, COUNT(depths));
}

/* The share that the index is told is that of its own segment. */
Test(approximate, walks_say_which_share_of_a_segment_a_filter_leaves)
{
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch got;

	setting_open(setting,
		     &(struct fake_snapshot_options){.n = 16000,
						     .dim = 8,
						     .metric = METRIC_L2,
						     .hidden_percent = 20,
						     .seed = 80},
		     90);
	setting->one_of = 4;
	cursor = open_walk(setting, &(struct asks){10, 10, NULL}, &walk);
	cr_assert_eq(cursor_next(cursor, &got), STEP_BATCH);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(setting->asked[i].n, 1);
		cr_assert_float_eq(setting->asked[i].each[0].share, 0.2, 0.03);
		cr_assert_not(setting->asked[i].each[0].all_visible);
	}
}

Test(approximate, walks_of_few_rows_score_them_and_are_exact)
{
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct truth truth_of_it;
	SCOPED(truth) truth = &truth_of_it;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;

	setting_open(setting,
		     &(struct fake_snapshot_options){
			     .n = 8000, .dim = 8, .metric = METRIC_L2, .seed = 90},
		     50);
	setting->one_of = 200;
	truth_of(setting, truth);
	cr_assert_leq(truth->n, EXACT_GATHER_CODES_MAX);
	cursor = open_walk(setting, &(struct asks){30, 10, NULL}, &walk);
	truth_walk(truth, cursor, 30, SIZE_MAX, "few");
	cr_assert_not(walk.approximate);
	cr_assert_eq(walk.scanned, 0);
}

/* What indexes were measured to read, of all rows; and whether they are asked for 10 hits among one row of 100,
 * of which the scan reads every sixth block. */
static const struct {
	float share;
	bool asked;
} readings[] = {{0.9F, false}, {0.3F, false}, {0.05F, true}};

Test(approximate, walks_scan_what_a_filter_leaves_where_indexes_would_read_more)
{
	for (size_t i = 0; i < COUNT(readings); i++) {
		struct setting setting_of_it;
		SCOPED(setting) setting = &setting_of_it;
		struct truth truth_of_it;
		SCOPED(truth) truth = &truth_of_it;
		struct walk walk = {0};
		SCOPED(cursor) cursor = NULL;
		struct hit_batch got;

		setting_open(setting,
			     &(struct fake_snapshot_options){
				     .n = 16000, .dim = 8, .metric = METRIC_L2, .seed = 91},
			     100);
		for (size_t s = 0; s < 2; s++) {
			struct calibration *measured = &setting->anns[s].measured;

			*measured = (struct calibration){.curves = {{.depth = 1000}}};
			calibration_add(&measured->curves[0], readings[i].share, 0.999F);
		}
		setting->one_of = 100;
		truth_of(setting, truth);
		cursor = open_walk(setting, &(struct asks){10, 10, NULL}, &walk);
		cr_assert_eq(cursor_next(cursor, &got), STEP_BATCH);

		cr_assert_eq(walk.approximate, readings[i].asked);
		cr_assert_eq(setting->asked[0].n, readings[i].asked);
		for (size_t hit = 0; hit < got.n; hit++)
			cr_assert_eq(got.hits[hit].place, truth->hits[hit].place);
	}
}

/* Before a batch a guess of what it reads; none where the window has it, and unknown before a filter that
 * is not quick was looked up. */
Test(approximate, walks_tell_what_their_next_batch_reads)
{
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct walk walk = {0}, filtered_walk = {0};
	SCOPED(cursor) cursor = NULL;
	SCOPED(cursor) filtered = NULL;
	struct hit_batch got;
	uint64_t bytes;

	setting_open(setting,
		     &(struct fake_snapshot_options){
			     .n = 16000, .dim = 8, .metric = METRIC_L2, .seed = 92},
		     100);
	cursor = open_walk(setting, &(struct asks){10, 100, NULL}, &walk);
	bytes = cursor_scan_bytes(cursor);
	cr_assert_gt(bytes, 0);
	cr_assert_lt(bytes, UINT64_MAX);
	cr_assert_eq(cursor_next(cursor, &got), STEP_BATCH);
	cr_assert_eq(cursor_scan_bytes(cursor), 0);
	cursor_shrink(cursor);
	cr_assert_gt(cursor_scan_bytes(cursor), 0);

	setting->one_of = 4;
	filtered = open_walk(setting, &(struct asks){10, 100, NULL}, &filtered_walk);
	cr_assert_eq(cursor_scan_bytes(filtered), UINT64_MAX);
	cr_assert_eq(cursor_next(filtered, &got), STEP_BATCH);
	cr_assert_eq(cursor_scan_bytes(filtered), 0);
}

Test(approximate, walks_fail_as_their_index_does)
{
	struct setting setting_of_it;
	SCOPED(setting) setting = &setting_of_it;
	struct walk walk = {0};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch got;

	setting_open(setting,
		     &(struct fake_snapshot_options){
			     .n = 4000, .dim = 8, .metric = METRIC_L2, .seed = 95},
		     50);
	setting->anns[1].fails = status_make(STATUS_INTERNAL, "the library failed");
	cursor = open_walk(setting, &(struct asks){30, 10, NULL}, &walk);
	cr_assert_eq(cursor_next(cursor, &got), STEP_FAIL);
	cr_assert_eq(cursor->status.code, STATUS_INTERNAL);
}
