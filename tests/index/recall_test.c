/* Recall targets over real collections: sealed, indexed by OptimizeCollection's way, and asked by
 * cursors, with filters that leave half, a tenth, a hundredth and a thousandth of the rows.
 */
#include "index/cursor/exact.h"
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/score.h"
#include "tests/index/fixture.h"
#include "tests/index/waiter.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 2
#else
#define SLOWER 1
#endif

#define DIM 32
#define N ((size_t)40000 / SLOWER)
#define CLUSTERS 400
#define QUERIES (100 / SLOWER)
#define GROUP 2000
#define DEPTH_MAX 100

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void begin(void)
{
	fixture_begin();
	fixture.seal_rows = UINT64_C(1) << 30; /* nothing is sealed but on request */
}

TestSuite(recall, .init = begin, .fini = fixture_end, .timeout = 300);

struct world {
	struct collection *collection;
	struct snapshot *snapshot;
	struct scanner *scanner;
	float *vectors; /* [N][DIM] as they are stored */
	float *centers; /* [CLUSTERS][DIM] */
	float *scores;  /* [N] of the query in hand */
	uint64_t random;
};

/* --- rows --- */

/* Nearly a normal deviate: a sum of evenly spread ones. */
static float deviate(uint64_t *random)
{
	float sum = -2;

	for (int i = 0; i < 4; i++)
		sum += (float)random_below(random, 1 << 20) * 0x1p-20F;
	return sum * 1.7F;
}

/* Around a center, and not far from another: as texts lie, more between subjects than in them. */
static void draw(struct world *world, float *ret, float spread)
{
	const float *near = world->centers + DIM * random_below(&world->random, CLUSTERS);
	const float *far = world->centers + DIM * random_below(&world->random, CLUSTERS);

	for (size_t i = 0; i < DIM; i++)
		ret[i] = 0.8F * near[i] + 0.2F * far[i] + spread * deviate(&world->random);
	cr_assert(vector_normalise(ret, DIM));
}

static void write_rows(struct world *world, size_t first, size_t n)
{
	struct chunk *chunks = calloc(n, sizeof *chunks);

	cr_assert_not_null(chunks);
	for (size_t i = 0; i < n; i++) {
		char *id = arena_printf(&fixture.arena, "%zu", first + i);

		cr_assert_not_null(id);
		chunks[i] = (struct chunk){.id = bytes_of_string(id),
					   .vector = world->vectors + (first + i) * DIM};
	}
	cr_assert_not(status_failed(
		collection_prepare_upsert(world->collection, chunks, n, &fixture.arena)));
	fixture_write(world->collection, (struct write){.kind = WRITE_UPSERT,
							.chunks = chunks,
							.n = n,
							.arena = &fixture.arena});
	free(chunks);
	arena_reset(&fixture.arena);
}

static unsigned n_indexed(const struct world *world)
{
	SCOPED(snapshot) snapshot = NULL;
	const struct ann *last = NULL;
	unsigned n = 0;

	cr_assert_not(status_failed(snapshot_acquire(world->collection, &snapshot)));
	for (uint64_t place = 0; place < snapshot_places(snapshot); place++) {
		const struct ann *ann = snapshot_ann(snapshot, place);

		n += ann && ann != last;
		last = ann;
	}
	return n;
}

/* All rows, in as many segments, each with its index. */
static void fill(struct world *world, size_t n_segments)
{
	for (size_t segment = 0; segment < n_segments; segment++) {
		for (size_t i = 0; i < N / n_segments; i += GROUP)
			write_rows(world, segment * N / n_segments + i, GROUP);
		if (n_segments == 1)
			optimize_now(world->collection);
		while (n_indexed(world) <= segment)
			sched_yield();
	}
}

static void world_open(struct world *world, enum index_kind kind, const char *factory,
		       size_t n_segments)
{
	struct collection_config config = fixture_config("texts");

	*world = (struct world){.random = 77};
	world->vectors = calloc((size_t)N * DIM, sizeof(float));
	world->centers = calloc((size_t)CLUSTERS * DIM, sizeof(float));
	world->scores = calloc(N, sizeof(float));
	cr_assert(world->vectors && world->centers && world->scores);
	for (size_t i = 0; i < (size_t)CLUSTERS * DIM; i++)
		world->centers[i] = deviate(&world->random);
	for (size_t i = 0; i < N; i++)
		draw(world, world->vectors + i * DIM, 0.4F);

	config.dim = DIM;
	config.metric = METRIC_COSINE;
	config.index_kind = kind;
	if (n_segments > 1)
		fixture.seal_rows = N / n_segments;
	snprintf(config.faiss_factory, sizeof config.faiss_factory, "%s", factory);
	fixture_open(2);
	world->collection = fixture_collection_of(&config);
	fill(world, n_segments);
	cr_assert_not(status_failed(snapshot_acquire(world->collection, &world->snapshot)));
	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &world->scanner)));
}

static void world_close(struct world *world)
{
	snapshot_release(world->snapshot);
	scanner_close(world->scanner);
	collection_release(world->collection);
	free(world->vectors);
	free(world->centers);
	free(world->scores);
	fixture_close();
}

/* --- questions --- */

/* What is asked of a walk, and what all walks together gave. */
struct trial {
	struct world *world;
	uint32_t one_of; /* of so many rows one passes the filter */
	uint32_t depth;
	float target;
	uint64_t found, due, scanned;
	unsigned n_approximate;
};

static bool passes(const struct trial *trial, uint64_t place)
{
	uint64_t state = place * 2 + 1;

	return trial->one_of == 1 || random_below(&state, trial->one_of) == 0;
}

static status choose(void *context, struct places **ret)
{
	const struct trial *trial = context;
	struct places *places = NULL;

	TRY(places_open(N, &places));
	for (uint64_t place = 0; place < N; place++)
		if (passes(trial, place))
			places_add(places, place);
	places_count(places);
	*ret = places;
	return status_ok();
}

/* The key of the last hit that is due: what is not after it counts as found. */
static struct key worst_due(const struct trial *trial, size_t *ret_n)
{
	struct key best[DEPTH_MAX];
	size_t n = 0;

	for (uint64_t place = 0; place < N; place++) {
		struct key key = {trial->world->scores[place], place};
		size_t at = n;

		if (!passes(trial, place) || (n == trial->depth && !key_before(key, best[n - 1])))
			continue;
		if (n == trial->depth)
			at = n - 1;
		else
			n++;
		for (; at > 0 && key_before(key, best[at - 1]); at--)
			best[at] = best[at - 1];
		best[at] = key;
	}
	*ret_n = n;
	return best[n - 1];
}

static void ask(struct trial *trial, const float *query)
{
	struct world *world = trial->world;
	struct walk walk = {.arena = &fixture.arena};
	SCOPED(cursor) cursor = NULL;
	struct hit_batch batch;
	size_t due, n = 0;
	struct key worst = worst_due(trial, &due);
	const struct exact_options options = {
		.snapshot = world->snapshot,
		.scanner = world->scanner,
		.scanner_cpu = world->scanner,
		.query = query,
		.batch = trial->depth,
		.recall_target = trial->target,
		.depth = trial->depth,
		.walk = &walk,
		.select = trial->one_of > 1 ? choose : NULL,
		.select_context = trial,
	};

	cr_assert_not(status_failed(exact_open(&options, &cursor)));
	while (n < due) {
		cr_assert_eq(cursor_next(cursor, &batch), STEP_BATCH);
		for (size_t i = 0; i < batch.n && n < due; i++, n++) {
			struct key key = {batch.hits[i].score, batch.hits[i].place};

			cr_assert(passes(trial, key.row));
			cr_assert_eq(key.score, world->scores[key.row]);
			trial->found += !key_before(worst, key);
		}
	}
	trial->due += due;
	trial->scanned += walk.scanned;
	trial->n_approximate += walk.approximate;
	cr_assert(walk.approximate || trial->found == trial->due || trial->n_approximate > 0);
}

static void ask_all(struct trial *trials, size_t n_trials, struct world *world)
{
	for (size_t i = 0; i < QUERIES; i++) {
		float query[DIM];

		draw(world, query, 0.5F);
		for (size_t row = 0; row < N; row++)
			world->scores[row] =
				score_exact(METRIC_COSINE, query, world->vectors + row * DIM, DIM);
		for (size_t t = 0; t < n_trials; t++)
			ask(&trials[t], query);
	}
}

static void check_targets(struct world *world, const float *targets, size_t n_targets)
{
	static const uint32_t filters[] = {1, 2, 10, 100, 1000};
	static const uint32_t depths[] = {10, 100};
	struct trial trials[64];
	size_t n = 0;

	for (size_t d = 0; d < COUNT(depths); d++)
		for (size_t f = 0; f < COUNT(filters); f++)
			for (size_t t = 0; t < n_targets; t++)
				trials[n++] = (struct trial){.world = world,
							     .one_of = filters[f],
							     .depth = depths[d],
							     .target = targets[t]};
	ask_all(trials, n, world);
	for (size_t i = 0; i < n; i++) {
		const struct trial *trial = &trials[i];
		double recall = (double)trial->found / (double)trial->due;

		cr_log_info("1 of %u, depth %u, target %.3f: recall %.4f, %.1f %% scanned, %u of "
			    "%d approximate",
			    trial->one_of, trial->depth, (double)trial->target, recall,
			    100.0 * (double)trial->scanned / ((double)N * QUERIES),
			    trial->n_approximate, QUERIES);
		cr_assert(recall >= (double)trial->target,
			  "1 of %u, depth %u, target %.3f: recall %.4f", trial->one_of,
			  trial->depth, (double)trial->target, recall);
		/* It is an index that is tried here. */
		if (trial->one_of == 1 && trial->target < 0.96F)
			cr_assert_eq(trial->n_approximate, QUERIES);
	}
}

Test(recall, targets_hold_with_lists_whatever_the_filter_leaves)
{
	static const float targets[] = {0.8F, 0.9F, 0.95F, 0.99F};
	struct world world;

	world_open(&world, INDEX_IVF, "", 1);
	check_targets(&world, targets, COUNT(targets));
	world_close(&world);
}

Test(recall, targets_hold_over_two_segments)
{
	static const float targets[] = {0.8F, 0.9F, 0.95F, 0.99F};
	struct world world;

	world_open(&world, INDEX_IVF, "", 2);
	check_targets(&world, targets, COUNT(targets));
	world_close(&world);
}

Test(recall, targets_hold_with_an_index_of_faiss_whatever_the_filter_leaves)
{
	static const float targets[] = {0.8F, 0.95F};
	struct world world;

	world_open(&world, INDEX_FAISS, "IVF256,SQ8", 1);
	check_targets(&world, targets, COUNT(targets));
	world_close(&world);
}
