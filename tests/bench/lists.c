/* lists - inverted lists over the corpus, in one sealed segment: building, and for each recall what is
 * reached, how much is read and what it costs.
 *
 *	SLUICE_CORPUS=FOLDER lists [DIRECTORY [PASSES]]
 *
 * Files are made in the directory and stay, to be used again; without one in /tmp and are removed.
 * A search is as a cursor does it: rows with bounds from the lists, then exact scores by bound until
 * as many hits are proven as are asked for. One thread, times of the processor; of all passes over
 * the queries the median. The columns under "us": tables and centroids, the walk, bounds of what it
 * kept, exact scores. KEPT Z... in the place of PASSES tries those settings and not the table's.
 */
#include "index/ann/lists_state.h"
#include "kernels/score.h"
#include "tests/bench/corpus.h"
#include "tests/bench/cpu.h"
#include "tests/bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_BYTES ((size_t)64 << 20)
#define PASSES 5

struct bench {
	struct matrix rows, queries;
	struct nearest_rows truth;
	struct sealed *sealed;
	struct lists *lists;
	bool *seen;          /* [rows.n] a place that two lists gave counts once */
	struct arena memory; /* of a query */
	struct window bounds, best;
};

/* Of one query, or many. */
struct cost {
	double tables, walk, rest, exact; /* seconds */
	double found, read, scored;
};

static double wall_since(int64_t start_ns)
{
	return (double)(clock_ns() - start_ns) * 1e-9;
}

static void seal(struct bench *bench, const struct sealed_file *file, struct arena *arena)
{
	int64_t start_ns = clock_ns();

	matrix_seal(&bench->rows, file, arena, &bench->sealed);
	printf("%u rows of %u sealed in %.2f s\n", bench->rows.n, bench->rows.dim,
	       wall_since(start_ns));
}

/* When a phase was heard of first. */
struct phases {
	int64_t start_ns;
	double start;
	enum ann_phase phase;
	bool calibrates;
};

static void hear(void *context, enum ann_phase phase, float share)
{
	static const char *const names[] = {"train", "assign", "write"};
	struct phases *phases = context;
	bool calibrates = phase == ANN_WRITE && share > 0.7F;

	if (phase == phases->phase && calibrates == phases->calibrates && share < 1)
		return;
	printf(" %s %.2f s (%.2f)", phases->calibrates ? "calibrate" : names[phases->phase],
	       wall_since(phases->start_ns), cpu_process_seconds() - phases->start);
	phases->start_ns = clock_ns();
	phases->start = cpu_process_seconds();
	phases->phase = phase;
	phases->calibrates = calibrates;
}

static void build(struct bench *bench, const struct sealed_file *file, struct arena *arena)
{
	struct phases phases = {clock_ns(), cpu_process_seconds(), ANN_TRAIN, false};
	const struct ann_progress progress = {hear, &phases};
	int64_t start_ns = clock_ns();
	double start = phases.start;

	printf("built:");
	corpus_must(lists_build(file, bench->sealed, NULL, &progress, arena));
	printf("; in all %.2f s (%.2f of the processor), %.0f rows/s\n", wall_since(start_ns),
	       cpu_process_seconds() - start, bench->rows.n / wall_since(start_ns));
}

static void table_print(const struct lists_table *table)
{
	for (uint32_t row = 0; row < LISTS_DEPTHS; row++) {
		printf("depth %4u:", lists_depth(row));
		for (uint32_t column = 0; column < LISTS_TARGETS; column++) {
			const struct lists_setting *setting = &table->settings[row][column];

			printf("  %.3g: z %.2f keep %u read %.1f%%", lists_target(column),
			       (double)setting->z, setting->keep, 100 * (double)setting->share);
		}
		printf("\n");
	}
}

/* What an earlier run left, or a new one. */
static void prepare(struct bench *bench, const struct sealed_file *file, struct arena *arena)
{
	int64_t start_ns;

	if (status_failed(sealed_open(file, arena, &bench->sealed)))
		seal(bench, file, arena);
	if (status_failed(lists_open(file, bench->sealed, arena, &bench->lists))) {
		build(bench, file, arena);
		start_ns = clock_ns();
		corpus_must(lists_open(file, bench->sealed, arena, &bench->lists));
		printf("opened in %.3f s\n", wall_since(start_ns));
	}
	printf("%s: %u groups of %u axes; %.1f MB\n", lists_name(bench->lists),
	       bench->lists->shape.groups, bench->lists->shape.kept,
	       (double)lists_disk_bytes(bench->lists) * 1e-6);
	table_print(bench->lists->table);
}

/* Exact scores by bound until `depth` hits are proven, or there is nothing more. */
static void rerank(struct bench *bench, const float *query, uint32_t depth, struct cost *cost)
{
	struct window *bounds = &bench->bounds, *best = &bench->best;

	corpus_must(window_clear(best, depth));
	for (size_t i = 0; i < bounds->n; i++) {
		struct key key = bounds->keys[i];

		window_compact(best);
		if (best->n == depth && !key_before(key, best->threshold))
			break;
		key.score = score_exact(METRIC_COSINE, query,
					sealed_vector(bench->sealed, (uint32_t)key.row, NULL),
					bench->rows.dim);
		window_offer(best, key);
		cost->scored++;
	}
	window_seal(best);
}

/* As lists_find, with a watch beside. */
static void find(struct bench *bench, const float *query, const struct lists_setting *setting,
		 struct cost *cost)
{
	struct window *bounds = &bench->bounds, kept = {0};
	double start = cpu_seconds(), now;
	struct lists_query prepared;
	struct lists_walk walk = {.query = &prepared, .z = setting->z, .window = &kept};
	uint32_t n = 0, *places = arena_alloc(&bench->memory, setting->keep * sizeof *places);
	float *upper = arena_alloc(&bench->memory, setting->keep * sizeof *upper);

	kept.keys = arena_alloc(&bench->memory, 2 * sizeof *kept.keys * setting->keep);
	kept.width = setting->keep;
	corpus_must(window_clear(&kept, kept.width));
	corpus_must(lists_query_init(&prepared, bench->lists, query, &bench->memory));
	now = cpu_seconds();
	cost->tables += now - start;
	start = now;
	corpus_must(lists_walk_run(bench->lists, &walk));
	window_compact(&kept);
	now = cpu_seconds();
	cost->walk += now - start;
	start = now;
	for (size_t i = 0; i < kept.n; i++) {
		uint32_t place = bench->lists->places[kept.keys[i].row];

		places[n] = place;
		n += !bench->seen[place];
		bench->seen[place] = true;
	}
	for (size_t i = 0; i < n; i++)
		bench->seen[places[i]] = false;
	rows8_bounds(rows8_scanner(ROWS8_BEST), &prepared.rows, bench->lists->rows8, places, n,
		     upper, NULL);
	for (size_t i = 0; i < n; i++)
		window_offer(bounds, (struct key){upper[i], places[i]});
	window_seal(bounds);
	cost->rest += cpu_seconds() - start;
	cost->read += (double)walk.read;
}

static void count_found(const struct bench *bench, uint32_t i, uint32_t depth, struct cost *cost)
{
	const int32_t *truth = bench->truth.rows + (size_t)i * bench->truth.width;

	for (size_t hit = 0; hit < bench->best.n; hit++) {
		for (uint32_t j = 0; j < depth; j++)
			cost->found += truth[j] == (int32_t)bench->best.keys[hit].row;
	}
}

/* All queries once: either as ann_find does it, or with a setting and times of its parts. Gives the
 * seconds. */
static double ask_all(struct bench *bench, uint32_t depth, float recall,
		      const struct lists_setting *setting, struct cost *cost)
{
	double seconds = 0;

	*cost = (struct cost){0};
	for (uint32_t i = 0; i < bench->queries.n; i++) {
		const float *query = bench->queries.values + (size_t)i * bench->queries.dim;
		struct ann_probe probe = {
			.query = query,
			.depth = depth,
			.recall = recall,
			.share = 1,
			.window = &bench->bounds,
			.memory = &bench->memory,
		};
		double start = cpu_seconds(), middle;

		arena_reset(&bench->memory);
		corpus_must(window_clear(&bench->bounds, depth * 4 < 64 ? 64 : depth * 4));
		if (setting) {
			find(bench, query, setting, cost);
		} else {
			corpus_must(lists_find(bench->lists, &probe));
			window_seal(&bench->bounds);
			cost->read += (double)probe.scanned;
		}
		middle = cpu_seconds();
		rerank(bench, query, depth, cost);
		cost->exact += cpu_seconds() - middle;
		seconds += cpu_seconds() - start;
		count_found(bench, i, depth, cost);
	}
	return seconds;
}

static void ask(struct bench *bench, uint32_t depth, float recall,
		const struct lists_setting *setting, size_t passes)
{
	double *seconds = calloc(passes, sizeof *seconds), n = bench->queries.n;
	struct lists_setting chosen;
	struct cost cost, parts;

	if (!seconds)
		abort();
	if (!setting) {
		if (!lists_choose(bench->lists->table, depth, (double)recall, 1, &chosen)) {
			printf("%5u %6.3f not covered\n", depth, (double)recall);
			free(seconds);
			return;
		}
	} else {
		chosen = *setting;
	}
	for (size_t i = 0; i < passes; i++)
		seconds[i] = ask_all(bench, depth, recall, setting, &cost);
	(void)ask_all(bench, depth, recall, &chosen, &parts);
	printf("%5u %6.3f %5.2f %5u  %.4f %6.2f%% %6.1f | %5.1f %5.1f %5.1f %5.1f | %7.1f us %7.0f "
	       "q/s\n",
	       depth, (double)recall, (double)chosen.z, chosen.keep, cost.found / n / depth,
	       100 * cost.read / n / bench->rows.n, cost.scored / n, parts.tables / n * 1e6,
	       parts.walk / n * 1e6, parts.rest / n * 1e6, parts.exact / n * 1e6,
	       median(seconds, passes) / n * 1e6, n / median(seconds, passes));
	free(seconds);
}

static void try_settings(struct bench *bench, int n, char **texts)
{
	uint32_t keep = (uint32_t)strtoul(texts[0], NULL, 10);

	for (uint32_t row = 0; row < 2; row++) {
		for (int i = 1; i < n; i++) {
			struct lists_setting setting = {.z = strtof(texts[i], NULL), .keep = keep};

			ask(bench, lists_depth(row), 0, &setting, 3);
		}
	}
}

int main(int argc, char **argv)
{
	static struct bench bench;
	struct arena arena;
	struct collection_config config = {.name = "corpus", .metric = METRIC_COSINE};
	const struct sealed_file file = {.directory = argc > 1 ? argv[1] : "/tmp",
					 .config = &config,
					 .incarnation = (const uint8_t *)"0123456789abcdef",
					 .id = 1};

	if (!getenv("SLUICE_CORPUS")) {
		fputs("lists: SLUICE_CORPUS must name a folder\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	arena_init(&arena, 1 << 20);
	arena_init(&bench.memory, MEMORY_BYTES);
	matrix_read(&bench.rows, &arena, "vectors.npy");
	matrix_read(&bench.queries, &arena, "queries.npy");
	nearest_read(&bench.truth, &arena, bench.queries.n);
	bench.seen = calloc(bench.rows.n, sizeof *bench.seen);
	if (!bench.seen)
		abort();
	corpus_must(window_init(&bench.bounds, 1));
	corpus_must(window_init(&bench.best, 1));
	config.dim = bench.rows.dim;
	prepare(&bench, &file, &arena);
	printf("depth target     z  keep  recall    read scored |    us              "
	       "       |\n");
	if (argc > 3) {
		try_settings(&bench, argc - 2, argv + 2);
	} else {
		for (uint32_t row = 0; row < 2; row++)
			for (uint32_t column = 0; column < LISTS_TARGETS; column++)
				ask(&bench, lists_depth(row), (float)lists_target(column), NULL,
				    argc > 2 ? strtoul(argv[2], NULL, 10) : PASSES);
	}
	free(bench.seen);
	lists_close(bench.lists);
	sealed_close(bench.sealed);
	if (argc < 2)
		corpus_must(sealed_remove(&file, &arena));
	return 0;
}
