/* Collections whose vectors are kept as float16: what is rounded, what is refused, and that an answer
 * is the same in the head, in segments and after a restart.
 */
#include "index/cursor/exact.h"
#include "kernels/base/error_info.h"
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/score.h"
#include "tests/index/fixture.h"

#include <math.h>
#include <sched.h>
#include <stdlib.h>

#define DIM 37
#define N 700
#define SEAL_ROWS 150
#define GROUP 50

TestSuite(float16, .init = fixture_begin, .fini = fixture_end, .timeout = 20);

/* rounded - the oracle: every row as it should be kept. */
static float rounded[N][DIM];

/* The nearest half, of two the even one, by its definition. */
static float half_of(float value)
{
	int exponent;

	(void)frexpf(value, &exponent);
	exponent = exponent - 11 < -24 ? -24 : exponent - 11;
	return ldexpf(nearbyintf(ldexpf(value, -exponent)), exponent);
}

static struct collection *open_collection(enum metric metric)
{
	struct collection_config config = fixture_config("halves");

	config.dim = DIM;
	config.metric = metric;
	config.encoding = ENCODING_FLOAT16;
	return fixture_collection_of(&config);
}

/* Values of many sizes, some below the least half. */
static void draw(float *vector, uint64_t *random)
{
	for (size_t i = 0; i < DIM; i++)
		vector[i] = ldexpf((float)random_below(random, 1 << 16) - 0x1p15F,
				   -(int)random_below(random, 40));
}

/* Rows from first on, as they are sent; what should be kept goes to rounded. */
static void write_rows(struct collection *collection, size_t first, size_t n, uint64_t *random)
{
	struct chunk *chunks = ARENA_ARRAY(&fixture.arena, struct chunk, n);
	status s;

	cr_assert_not_null(chunks);
	for (size_t i = 0; i < n; i++) {
		float *want = rounded[first + i];

		chunks[i] = (struct chunk){
			.id = bytes_of_string(arena_printf(&fixture.arena, "%zu", first + i)),
			.vector = ARENA_ARRAY(&fixture.arena, float, DIM),
		};
		draw(chunks[i].vector, random);
		memcpy(want, chunks[i].vector, sizeof rounded[0]);
		if (collection_config(collection)->metric == METRIC_COSINE)
			cr_assert(vector_normalise(want, DIM));
		for (size_t at = 0; at < DIM; at++)
			want[at] = half_of(want[at]);
	}
	s = collection_prepare_upsert(collection, chunks, n, &fixture.arena);
	cr_assert_not(status_failed(s), "%s", s.detail);
	for (size_t i = 0; i < n; i++)
		cr_assert_arr_eq(chunks[i].vector, rounded[first + i], sizeof rounded[0]);
	fixture_write(collection, (struct write){.kind = WRITE_UPSERT,
						 .chunks = chunks,
						 .n = n,
						 .arena = &fixture.arena});
}

static int compare_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return key_before(*x, *y) ? -1 : key_before(*y, *x);
}

/* Rows are never replaced here, so a place is the number of what was sent. */
static void check_walk(struct collection *collection, struct scanner *scanner, uint64_t seed)
{
	struct walk walk = {.arena = &fixture.arena};
	SCOPED(snapshot) snapshot = NULL;
	SCOPED(cursor) cursor = NULL;
	enum metric metric = collection_config(collection)->metric;
	struct key want[N];
	float query[DIM], scratch[DIM];
	struct hit_batch hits;
	size_t at = 0;

	draw(query, &seed);
	cr_assert(metric != METRIC_COSINE || vector_normalise(query, DIM));
	cr_assert_not(status_failed(snapshot_acquire(collection, &snapshot)));
	for (size_t i = 0; i < N; i++) {
		want[i] = (struct key){score_exact(metric, query, rounded[i], DIM), i};
		cr_assert_arr_eq(snapshot_vector(snapshot, i, scratch), rounded[i],
				 sizeof rounded[0]);
	}
	qsort(want, N, sizeof *want, compare_keys);
	cr_assert_not(status_failed(exact_open(&(struct exact_options){.snapshot = snapshot,
								       .scanner = scanner,
								       .scanner_cpu = scanner,
								       .query = query,
								       .batch = 16,
								       .walk = &walk},
					       &cursor)));
	while (cursor_next(cursor, &hits) == STEP_BATCH)
		for (size_t i = 0; i < hits.n; i++, at++) {
			cr_assert_eq(hits.hits[i].place, want[at].row);
			cr_assert_eq(hits.hits[i].score, want[at].score);
		}
	cr_assert_eq(at, N);
	cursor_close(TAKE(cursor));
	snapshot_release(TAKE(snapshot));
}

static uint64_t indexed_rows(struct collection *collection)
{
	struct collection_status now;

	collection_status(collection, &now);
	return now.indexed_rows;
}

static void check_metric(enum metric metric)
{
	SCOPED(scanner) scanner = NULL;
	uint64_t random = 5 + (uint64_t)metric;
	struct collection *collection;

	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &scanner)));
	fixture_open(2);
	collection = open_collection(metric);
	for (size_t i = 0; i < N; i += GROUP)
		write_rows(collection, i, GROUP, &random);
	cr_assert_eq(indexed_rows(collection), 0);
	check_walk(collection, scanner, 9);
	collection_release(TAKE(collection));
	fixture_close();

	/* The head that is read back is sealed, by a write that changes nothing. */
	fixture.seal_rows = SEAL_ROWS;
	for (int round = 0; round < 2; round++) {
		fixture_open(2);
		collection = open_collection(metric);
		while (indexed_rows(collection) < N / SEAL_ROWS * SEAL_ROWS) {
			change_now(collection, NULL, 0, 0);
			sched_yield();
		}
		check_walk(collection, scanner, 9);
		check_walk(collection, scanner, 10);
		collection_release(TAKE(collection));
		fixture_close();
	}
}

Test(float16, an_answer_is_the_same_in_the_head_in_segments_and_after_a_restart)
{
	check_metric(METRIC_L2);
}

Test(float16, an_answer_is_the_same_under_inner_product)
{
	check_metric(METRIC_INNER_PRODUCT);
}

Test(float16, an_answer_is_the_same_under_cosine)
{
	check_metric(METRIC_COSINE);
}

/* --- what does not fit --- */

static status prepare_one(enum metric metric, float value)
{
	SCOPED(collection) collection = NULL;
	float vector[DIM] = {1, 2, 3};
	struct chunk chunk = {.id = bytes_of_string("far"), .vector = vector};
	status s;

	fixture_open(1);
	collection = open_collection(metric);
	vector[5] = value;
	s = collection_prepare_upsert(collection, &chunk, 1, &fixture.arena);
	if (status_failed(s))
		cr_assert_eq(vector[5], value);
	collection_release(TAKE(collection));
	fixture_close();
	return s;
}

Test(float16, takes_the_largest_half)
{
	cr_assert_not(status_failed(prepare_one(METRIC_L2, -65504.0F)));
}

Test(float16, refuses_what_is_above_it_and_says_which_value)
{
	status s = prepare_one(METRIC_L2, nextafterf(-65504.0F, -INFINITY));

	cr_assert_eq(s.code, STATUS_INVALID_ARGUMENT);
	cr_assert_eq(s.info->reason, REASON_VECTOR_OUT_OF_RANGE);
	cr_assert_not_null(strstr(s.detail, "\"far\": value 5 "), "%s", s.detail);
}

Test(float16, takes_any_length_where_it_is_scaled)
{
	cr_assert_not(status_failed(prepare_one(METRIC_COSINE, 1e30F)));
}
