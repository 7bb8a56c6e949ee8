/* sealed - what it costs to seal rows, and what a segment gives: training, writing, opening, and the
 * exact ten best by its codes and its vectors.
 *
 *	SLUICE_CORPUS=FOLDER sealed [DIRECTORY]    a scratch file is made there; /tmp unless said
 *
 * One thread but for FAISS's training. The file's pages are in memory.
 */
#include "index/build/rotation.h"
#include "kernels/score.h"
#include "tests/bench/corpus.h"
#include "tests/bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HITS 10

static double seconds_since(int64_t start_ns)
{
	return (double)(clock_ns() - start_ns) * 1e-9;
}

/* What queries cost, added up. */
struct cost {
	uint64_t scored, tails_read;
};

/* Rows by bound key, scored until no bound is before the worst of the ten. */
static void ask(const struct sealed *sealed, const float *vector, uint32_t dim, struct arena *arena,
		struct cost *cost)
{
	SCOPED(window) window = &(struct window){0};
	SCOPED(window) best = &(struct window){0};
	struct codes8_query query;
	struct codes8_probe probe = {&query, window, 0};
	struct codes8_range range;

	corpus_must(sealed_query_init(sealed, arena, vector, &query));
	corpus_must(window_init(window, 4UL * HITS));
	corpus_must(window_init(best, HITS));
	sealed_range(sealed, 1, 0, 0, sealed_length(sealed), NULL, &range);
	corpus_must(codes8_propose(codes8_scanner(CODES8_BEST), &probe, 1, &range, NULL));
	window_seal(window);
	for (size_t i = 0; i < window->n; i++) {
		struct key key = window->keys[i];

		window_compact(best);
		if (best->n == HITS && !key_before(key, best->threshold))
			break;
		key.score = score_exact(METRIC_COSINE, vector,
					sealed_vector(sealed, (uint32_t)key.row, NULL), dim);
		window_offer(best, key);
		cost->scored++;
	}
	cost->tails_read += probe.tails_read;
}

static void search(const struct sealed *sealed, const struct matrix *queries, struct arena *arena)
{
	double *times = calloc(queries->n, sizeof *times);
	struct cost cost = {0};

	if (!times)
		abort();
	for (uint32_t i = 0; i < queries->n; i++) {
		int64_t start_ns = clock_ns();

		ask(sealed, queries->values + (size_t)i * queries->dim, queries->dim, arena, &cost);
		times[i] = seconds_since(start_ns);
		arena_reset(arena);
	}
	printf("ten best, exact: median %.0f us; a query scores %.1f rows and reads %.0f tails\n",
	       median(times, queries->n) * 1e6, (double)cost.scored / queries->n,
	       (double)cost.tails_read / queries->n);
	free(times);
}

int main(int argc, char **argv)
{
	struct matrix rows, queries;
	struct arena arena;
	struct collection_config config = {.name = "corpus", .metric = METRIC_COSINE};
	const struct sealed_file file = {.directory = argc > 1 ? argv[1] : "/tmp",
					 .config = &config,
					 .incarnation = (const uint8_t *)"0123456789abcdef",
					 .id = 1};
	SCOPED(rotation) rotation = &(struct rotation){0};
	SCOPED(sealed) sealed = NULL;
	struct sealed_source source;
	struct sealed_coding coding;
	int64_t start_ns;

	if (!getenv("SLUICE_CORPUS")) {
		fputs("sealed: SLUICE_CORPUS must name a folder\n", stderr);
		return 2;
	}
	arena_init(&arena, 1 << 20);
	matrix_read(&rows, &arena, "vectors.npy");
	matrix_read(&queries, &arena, "queries.npy");
	config.dim = rows.dim;
	source = matrix_source(&rows);

	start_ns = clock_ns();
	corpus_must(rotation_train(&source, rows.dim, NULL, &arena, rotation));
	printf("%u rows of %u: rotation %.2f s, head %u, epsilon %.1e\n", rows.n, rows.dim,
	       seconds_since(start_ns), rotation->head, rotation->codes.epsilon);
	coding = rotation_coding(rotation);
	start_ns = clock_ns();
	corpus_must(sealed_write(&file, &source, &coding, NULL, &arena));
	printf("written in %.2f s, %.0f rows/s\n", seconds_since(start_ns),
	       rows.n / seconds_since(start_ns));
	start_ns = clock_ns();
	corpus_must(sealed_open(&file, &arena, &sealed));
	printf("opened in %.3f s, %.1f GB/s; %.1f MB, of which the vectors %.1f\n",
	       seconds_since(start_ns),
	       (double)sealed_disk_bytes(sealed) / seconds_since(start_ns) * 1e-9,
	       (double)sealed_disk_bytes(sealed) * 1e-6, (double)rows.n * rows.dim * 4e-6);
	search(sealed, &queries, &arena);
	corpus_must(sealed_remove(&file, &arena));
	free(rows.values);
	free(queries.values);
	arena_finish(&arena);
	return 0;
}
