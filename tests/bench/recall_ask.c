/* recall_ask - every query of a file once, in turn, as a search of the server does it: a snapshot, a
 * cursor, hits, and all of it closed again. One thread, this one.
 */
#include "index/cursor/exact.h"
#include "kernels/base/deadline.h"
#include "service/cli/recall.h"
#include "tests/bench/cpu.h"
#include "tests/bench/recall_world.h"
#include "tests/bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_MAX 1024
#define LINE_MAX_BYTES 256
#define WALK_ARENA_BYTES ((size_t)1 << 20)

/* Deep: 1,000 hits are read, then ten, then the rest of another 1,000. */
#define READ 1000
#define PAGE 10

struct asked {
	struct recall_world world;
	struct arena memory; /* of queries and truth */
	uint32_t n, dim, true_n;
	float *queries; /* [n][dim] */
	int32_t *truth; /* [n][true_n] */
	struct arena walk_arena;
	double *us; /* [n] */
};

/* One search, or one walk. */
struct search {
	const float *query;
	double recall; /* 0: exact */
	size_t depth, batch;
	struct walk walk;
	struct snapshot *snapshot;
	struct cursor *cursor;
	uint32_t rows[PAGE_MAX]; /* of the last hits that were read */
	size_t n_rows;
};

static void search_open(struct asked *asked, struct search *search)
{
	struct exact_options options = {
		.scanner = asked->world.scanner,
		.scanner_cpu = asked->world.scanner,
		.query = search->query,
		.batch = search->batch,
		.recall_target = (float)search->recall,
		.depth = (uint32_t)search->depth,
		.walk = &search->walk,
	};

	search->walk = (struct walk){.arena = &asked->walk_arena};
	recall_must("a snapshot", snapshot_acquire(asked->world.collection, &search->snapshot));
	options.snapshot = search->snapshot;
	recall_must("a cursor", exact_open(&options, &search->cursor));
}

/* The next n hits, or as many as there are. */
static void search_read(struct search *search, size_t n)
{
	struct hit_batch hits;

	search->n_rows = 0;
	while (search->n_rows < n) {
		search->walk.wanted = n - search->n_rows;
		switch (cursor_next(search->cursor, &hits)) {
		case STEP_FAIL:
			recall_must("a search", search->cursor->status);
			return;
		case STEP_END:
			return;
		case STEP_BATCH:
			break;
		}
		for (size_t i = 0; i < hits.n && search->n_rows < n; i++)
			search->rows[search->n_rows++] =
				(uint32_t)snapshot_row(search->snapshot, hits.hits[i].place);
	}
}

static void search_close(struct asked *asked, struct search *search)
{
	cursor_close(TAKE(search->cursor));
	snapshot_release(TAKE(search->snapshot));
	arena_reset(&asked->walk_arena);
}

static const float *query_at(const struct asked *asked, uint32_t i)
{
	return asked->queries + (size_t)i * asked->dim;
}

/* Sums over the queries of a round. */
struct sums {
	uint64_t found, in_order, scanned, reranked, approximate;
};

static void count(const struct asked *asked, uint32_t i, const struct search *search,
		  struct sums *sums)
{
	const struct truth truth = {asked->truth + (size_t)i * asked->true_n, NULL, asked->true_n};

	sums->found += recall_found(&truth, search->depth, search->rows, search->n_rows);
	sums->in_order += recall_in_order(&truth, search->depth, search->rows, search->n_rows);
	sums->scanned += search->walk.scanned;
	sums->reranked += search->walk.reranked;
	sums->approximate += search->walk.approximate;
}

/* The time of counting is not measured: it is taken off. */
static void ask(struct asked *asked, double recall, size_t depth, uint32_t n)
{
	struct search search = {.recall = recall, .depth = depth, .batch = depth};
	struct sums sums = {0};
	int64_t spent_ns = 0, start_cpu_ns = cpu_ns();
	double queries = n;

	for (uint32_t i = 0; i < n; i++) {
		int64_t start_ns = clock_ns(), count_ns;

		search.query = query_at(asked, i);
		search_open(asked, &search);
		search_read(&search, depth);
		search_close(asked, &search);
		asked->us[i] = (double)(clock_ns() - start_ns) * 1e-3;
		count_ns = cpu_ns();
		count(asked, i, &search, &sums);
		spent_ns -= cpu_ns() - count_ns;
	}
	spent_ns += cpu_ns() - start_cpu_ns;
	qsort(asked->us, n, sizeof *asked->us, compare_doubles);
	printf("{\"target\": %g, \"depth\": %zu, \"queries\": %u, \"recall\": %.6f, "
	       "\"in_order\": %llu, \"approximate\": %llu, \"scanned\": %.1f, \"reranked\": %.1f, "
	       "\"qps\": %.2f, "
	       "\"p50_us\": %.1f, \"p99_us\": %.1f}\n",
	       recall, depth, n, (double)sums.found / (queries * (double)depth),
	       (unsigned long long)sums.in_order, (unsigned long long)sums.approximate,
	       (double)sums.scanned / queries, (double)sums.reranked / queries,
	       queries / ((double)spent_ns * 1e-9), asked->us[n / 2],
	       asked->us[(size_t)n * 99 / 100]);
}

static double us_since(int64_t start_cpu_ns)
{
	return (double)(cpu_ns() - start_cpu_ns) * 1e-3;
}

/* Hits 1,001 to 1,010 of a reader of pages who has read 1,000; the same as each ten cost on to 2,000;
 * and of one who asks for 1,010, which come as one page. */
struct depth_us {
	double *next, *on, *again; /* [n] */
};

static void walk_deep(struct asked *asked, double recall, uint32_t i, struct depth_us *us)
{
	struct search search = {.query = query_at(asked, i), .recall = recall};
	int64_t start_ns;

	search.depth = search.batch = PAGE;
	search_open(asked, &search);
	for (size_t n = 0; n < READ; n += PAGE)
		search_read(&search, PAGE);
	start_ns = cpu_ns();
	search_read(&search, PAGE);
	us->next[i] = us_since(start_ns);
	for (size_t n = PAGE; n < READ; n += PAGE)
		search_read(&search, PAGE);
	us->on[i] = us_since(start_ns) / (READ / PAGE);
	search_close(asked, &search);

	search.depth = search.batch = READ + PAGE;
	start_ns = cpu_ns();
	search_open(asked, &search);
	search_read(&search, READ + PAGE);
	search_close(asked, &search);
	us->again[i] = us_since(start_ns);
}

static double mean(const double *values, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += values[i];
	return sum / (double)n;
}

static void deep(struct asked *asked, double recall, uint32_t n)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	struct depth_us us;

	arena_init(arena, WALK_ARENA_BYTES);
	us = (struct depth_us){ARENA_ARRAY(arena, double, n), ARENA_ARRAY(arena, double, n),
			       ARENA_ARRAY(arena, double, n)};
	if (!us.next || !us.on || !us.again)
		abort();
	for (uint32_t i = 0; i < n; i++)
		walk_deep(asked, recall, i, &us);
	/* Means too: a refill that one page in many pays for is not seen in a median. */
	printf("{\"target\": %g, \"walks\": %u, \"next_us\": %.2f, \"next_mean_us\": %.2f, "
	       "\"on_mean_us\": %.2f, \"again_us\": %.2f, \"again_mean_us\": %.2f}\n",
	       recall, n, median(us.next, n), mean(us.next, n), mean(us.on, n), median(us.again, n),
	       mean(us.again, n));
}

static void read_files(struct asked *asked, const char *queries_path, const char *truth_path)
{
	struct npy *queries = recall_matrix_open(&asked->memory, queries_path);
	struct npy *truth = recall_matrix_open(&asked->memory, truth_path);
	uint32_t n = (uint32_t)npy_header_of(queries)->rows;

	asked->n = n;
	asked->dim = npy_header_of(queries)->columns;
	asked->true_n = npy_header_of(truth)->columns;
	asked->queries = ARENA_ARRAY(&asked->memory, float, (size_t)n * asked->dim);
	asked->truth = ARENA_ARRAY(&asked->memory, int32_t, (size_t)n * asked->true_n);
	asked->us = ARENA_ARRAY(&asked->memory, double, n);
	if (!asked->queries || !asked->truth || !asked->us || n > npy_header_of(truth)->rows)
		recall_must(truth_path, status_make(STATUS_INVALID_ARGUMENT,
						    "as many rows as there are queries"));
	for (uint32_t i = 0; i < n; i++) {
		recall_must(queries_path,
			    npy_read_floats(queries, i, asked->queries + (size_t)i * asked->dim));
		recall_must(truth_path,
			    npy_read_integers(truth, i, asked->truth + (size_t)i * asked->true_n));
	}
	npy_close(truth);
	npy_close(queries);
}

static void answer(struct asked *asked, const char *line)
{
	double recall = 0;
	size_t depth = 0;
	uint32_t n = 0;

	if (sscanf(line, "ask %lf %zu %u", &recall, &depth, &n) == 3 && depth >= 1 &&
	    depth <= asked->true_n && depth <= PAGE_MAX && n >= 1 && n <= asked->n) {
		ask(asked, recall, depth, n);
	} else if (sscanf(line, "deep %lf %u", &recall, &n) == 2 && n >= 1 && n <= asked->n) {
		deep(asked, recall, n);
	} else {
		fprintf(stderr, "recall: not understood: %s", line);
		exit(2);
	}
}

void recall_serve(const char *directory, const char *queries, const char *truth)
{
	struct asked asked = {0};
	char line[LINE_MAX_BYTES];

	arena_init(&asked.memory, (size_t)1 << 30);
	arena_init(&asked.walk_arena, WALK_ARENA_BYTES);
	recall_world_open(&asked.world, directory, 0, 0, NULL);
	read_files(&asked, queries, truth);
	while (fgets(line, sizeof line, stdin)) {
		answer(&asked, line);
		fflush(stdout);
	}
	recall_world_close(&asked.world);
	arena_finish(&asked.walk_arena);
	arena_finish(&asked.memory);
}
