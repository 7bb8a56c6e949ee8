/* factory - FAISS's own indexes over the corpus: what building each costs, the longest call of FAISS that
 * it has to wait for when it is cancelled, and what the index finds with a fixed effort.
 *
 *	SLUICE_CORPUS=FOLDER factory DIRECTORY FACTORY...
 *
 * The sealed rows are made in the directory and stay, to be used again. Times are of the processor. Recall
 * is the share of the ten nearest among the first 10, 20 and 100 that FAISS gives, with nprobe 16 (efSearch 64)
 * and with nprobe 64 (efSearch 256).
 */
#include "index/ann/factory.h"
#include "tests/bench/corpus.h"
#include "tests/bench/cpu.h"
#include "tests/index/ann/faiss_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HITS 10
#define QUERIES 500
#define WIDEST 100

struct bench {
	struct matrix rows, queries;
	struct nearest_rows truth;
	struct sealed *sealed;
	struct arena arena;
	const char *factory;
};

/* What an earlier run left, or a new one. */
static void prepare(struct bench *bench, const struct sealed_file *file)
{
	if (status_failed(sealed_open(file, &bench->arena, &bench->sealed)))
		matrix_seal(&bench->rows, file, &bench->arena, &bench->sealed);
}

/* How many of the truth are among the first so many places. */
static uint32_t count_found(const struct bench *bench, uint32_t query, const int64_t *places,
			    uint32_t width)
{
	const int32_t *truth = bench->truth.rows + (size_t)query * bench->truth.width;
	uint32_t found = 0;

	for (uint32_t i = 0; i < width; i++) {
		for (uint32_t k = 0; k < HITS; k++)
			found += places[i] == truth[k];
	}
	return found;
}

static void ask_all(struct bench *bench, const void *index, uint32_t nprobe)
{
	static const uint32_t widths[] = {10, 20, WIDEST};
	uint32_t n = bench->queries.n < QUERIES ? bench->queries.n : QUERIES;
	uint64_t found[3] = {0};

	if (!faiss_calls_set(index, "nprobe", nprobe))
		(void)faiss_calls_set(index, "efSearch", 4.0 * nprobe);
	for (uint32_t i = 0; i < n; i++) {
		int64_t places[WIDEST];

		faiss_calls_search(index, bench->queries.values + (size_t)i * bench->queries.dim,
				   WIDEST, places);
		for (size_t k = 0; k < 3; k++)
			found[k] += count_found(bench, i, places, widths[k]);
	}
	printf("   %3u:", nprobe);
	for (size_t k = 0; k < 3; k++)
		printf(" %.4f", (double)found[k] / ((double)n * HITS));
}

/* The index is whole when it is written for the first time. */
static void ask_both(void *context, const void *index)
{
	struct faiss_calls calls = faiss_calls;

	ask_all(context, index, 16);
	ask_all(context, index, 64);
	printf("\n");
	faiss_calls = calls;
	faiss_calls.writes = NULL;
}

static void report(const struct bench *bench, double seconds)
{
	printf("   %s: %.1f s in all\n", bench->factory, seconds);
	for (enum faiss_call call = 0; call < FAISS_CALLS; call++) {
		if (faiss_calls.counts[call] == 0)
			continue;
		printf("   %-16s longest %6.3f s; %6llu calls, %8.3f s; at most %llu rows\n",
		       faiss_call_name(call), (double)faiss_calls.longest_ns[call] * 1e-9,
		       (unsigned long long)faiss_calls.counts[call],
		       (double)faiss_calls.total_ns[call] * 1e-9,
		       (unsigned long long)faiss_calls.most_rows[call]);
	}
}

static void build(struct bench *bench, const struct sealed_file *file)
{
	double start = cpu_process_seconds();
	status s;

	faiss_calls_reset();
	faiss_calls.writes = ask_both;
	faiss_calls.context = bench;
	printf("%s\n", bench->factory);
	s = factory_build(file, bench->sealed, NULL, NULL, &bench->arena);
	if (status_failed(s))
		printf("   %s\n", s.detail);
	else
		report(bench, cpu_process_seconds() - start);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	struct collection_config config = {.name = "corpus", .metric = METRIC_COSINE};
	const struct sealed_file file = {.directory = argc > 1 ? argv[1] : "/tmp",
					 .config = &config,
					 .incarnation = (const uint8_t *)"0123456789abcdef",
					 .id = 1};

	if (!getenv("SLUICE_CORPUS") || argc < 3) {
		fputs("usage: SLUICE_CORPUS=FOLDER factory DIRECTORY FACTORY...\n", stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	arena_init(&bench.arena, 16 << 20);
	matrix_read(&bench.rows, &bench.arena, "vectors.npy");
	matrix_read(&bench.queries, &bench.arena, "queries.npy");
	nearest_read(&bench.truth, &bench.arena, bench.queries.n);
	config.dim = bench.rows.dim;
	prepare(&bench, &file);
	for (int i = 2; i < argc; i++) {
		bench.factory = argv[i];
		snprintf(config.faiss_factory, sizeof config.faiss_factory, "%s", argv[i]);
		build(&bench, &file);
	}
	sealed_close(bench.sealed);
	return 0;
}
