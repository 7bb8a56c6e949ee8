/* codes8 - the exact ten best by int8 codes, beside float32 codes, FAISS Flat and a copy of memory.
 *
 *	codes8 [ROWS [DIM [HEAD...]]]    100,000 and 384 unless said; SLUICE_CORPUS=FOLDER: its rows
 *
 * One thread. Without HEAD: the head that codes8_head_choose gives. Every way answers the same
 * queries in turns, a few at a time, so that all meet the same neighbours on the machine; times are
 * of the processor, not of the clock. "scan" is the bound keys alone, "top 10" the whole answer:
 * preparing the query (and rotating it), scanning, and exact scores until ten hits are proven. All
 * answers are compared with each other.
 */
#include "kernels/cpu/codes8_scanner.h"
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/score.h"
#include "tests/bench/codes8_rows.h"
#include "tests/bench/cpu.h"
#include "tests/bench/faiss_peer.h"
#include "tests/bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HITS 10
#define WIDTH (4 * HITS)
#define TURN 20 /* queries */
#define WAYS_MAX 48
#define QUERY_BYTES ((size_t)1 << 20)

struct way {
	char name[32];
	const struct codes8_kernel *kernel; /* NULL: scanner, or faiss, or a copy */
	const struct codes8 *codes;
	const struct codes8_rotation *rotation;
	struct scanner *scanner;
	struct faiss_peer *faiss;
	size_t probes; /* queries to a pass */

	double *seconds, *scan_seconds; /* [passes] */
	double scores, tails;           /* in all */
};

struct bench {
	struct bench_rows rows;
	struct way ways[WAYS_MAX];
	size_t n_ways, turn, turns;
	struct window windows[CODES8_PROBES_MAX];
	uint64_t *hits; /* [n_queries][HITS] of the first way that answered */
	unsigned char *copy;
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "codes8: %s\n", what);
	exit(1);
}

/* Exact scores by bound key until HITS are proven; false where the window is too small for that. */
static bool rerank(const struct bench *bench, struct way *way, const float *query,
		   struct window *window, uint64_t *ret)
{
	struct key best[HITS + 1];
	size_t n = 0, taken = 0;

	window_seal(window);
	while (n < HITS || (taken < window->n && key_before(window->keys[taken], best[HITS - 1]))) {
		struct key key;
		size_t at = n;

		if (taken == window->n)
			return false;
		key = window->keys[taken++];
		key.score = score_exact(METRIC_COSINE, query,
					bench->rows.vectors + key.row * bench->rows.block.stride,
					bench->rows.dim);
		for (; at > 0 && key_before(key, best[at - 1]); at--)
			best[at] = best[at - 1];
		best[at] = key;
		n = n < HITS ? n + 1 : n;
	}
	way->scores += (double)taken;
	for (size_t i = 0; i < HITS; i++)
		ret[i] = best[i].row;
	return !key_before(window->horizon, best[HITS - 1]);
}

static void answer_check(struct bench *bench, size_t query, const uint64_t *hits)
{
	uint64_t *known = bench->hits + query * HITS;

	if (known[0] == known[1])
		memcpy(known, hits, HITS * sizeof *hits);
	must(memcmp(known, hits, HITS * sizeof *hits) == 0, "two ways, two answers");
}

/* The queries first .. first + probes; again, alone and with a larger window, for one whose window
 * proved too little. */
static void run_codes8(struct bench *bench, struct way *way, size_t first, size_t n, size_t width)
{
	struct codes8_range range = {.codes = way->codes, .n = bench->rows.n};
	struct codes8_probe probes[CODES8_PROBES_MAX] = {0};
	struct codes8_query queries[CODES8_PROBES_MAX];
	const float *values = bench->rows.queries + first * bench->rows.dim;
	double scan;
	uint64_t hits[HITS];
	struct arena arena;

	arena_init(&arena, QUERY_BYTES);
	for (size_t i = 0; i < n; i++) {
		probes[i] = (struct codes8_probe){&queries[i], &bench->windows[i], 0};
		must(!status_failed(window_clear(&bench->windows[i], width)) &&
			     !status_failed(codes8_query_init(&queries[i], &arena,
							      &way->codes->shape, way->rotation,
							      values + i * bench->rows.dim)),
		     "memory");
		window_expect(&bench->windows[i], HITS);
	}
	scan = cpu_seconds();
	must(!status_failed(codes8_propose(way->kernel, probes, n, &range, NULL)), "a scan failed");
	way->scan_seconds[bench->turn] += cpu_seconds() - scan;
	arena_finish(&arena);
	for (size_t i = 0; i < n; i++) {
		way->tails += (double)probes[i].tails_read;
		if (rerank(bench, way, values + i * bench->rows.dim, &bench->windows[i], hits))
			answer_check(bench, first + i, hits);
		else
			probes[i].query = NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (!probes[i].query)
			run_codes8(bench, way, first + i, 1, 4 * width);
	}
}

static void run_scanner(struct bench *bench, struct way *way, size_t query, size_t width)
{
	struct scan_range range = {.block = &bench->rows.block, .n = bench->rows.n};
	const float *values = bench->rows.queries + query * bench->rows.dim;
	double scan;
	struct scan_query prepared;
	uint64_t hits[HITS];
	struct arena arena;

	arena_init(&arena, QUERY_BYTES);
	must(!status_failed(window_clear(&bench->windows[0], width)) &&
		     !status_failed(scan_query_init(&prepared, &arena, METRIC_COSINE, values,
						    bench->rows.dim)),
	     "memory");
	scan = cpu_seconds();
	must(!status_failed(
		     scanner_propose(way->scanner, &prepared, &range, NULL, &bench->windows[0])),
	     "a scan failed");
	way->scan_seconds[bench->turn] += cpu_seconds() - scan;
	arena_finish(&arena);
	if (rerank(bench, way, values, &bench->windows[0], hits))
		answer_check(bench, query, hits);
	else
		run_scanner(bench, way, query, 4 * width);
}

static void run_turn(struct bench *bench, struct way *way)
{
	float scores[HITS];
	int64_t labels[HITS];
	size_t turn = bench->turn, first = turn * TURN;
	double start = cpu_seconds();

	if (!way->kernel && !way->scanner && !way->faiss) {
		memcpy(bench->copy, bench->rows.vectors, bench->rows.size_bytes);
		/* So that the copy is wanted. */
		__asm__ volatile("" : : "r"(bench->copy) : "memory");
		way->seconds[turn] = way->scan_seconds[turn] = (cpu_seconds() - start) * TURN;
		return;
	}
	for (size_t i = first; i < first + TURN; i += way->probes) {
		if (way->kernel)
			run_codes8(bench, way, i, way->probes, WIDTH);
		else if (way->scanner)
			run_scanner(bench, way, i, WIDTH);
		else
			faiss_peer_search(way->faiss, bench->rows.queries + i * bench->rows.dim,
					  HITS, labels, scores);
	}
	way->seconds[turn] = cpu_seconds() - start;
	if (way->faiss)
		way->scan_seconds[turn] = way->seconds[turn];
}

static struct way *way_add(struct bench *bench, const char *name)
{
	struct way *way = &bench->ways[bench->n_ways++];

	must(bench->n_ways < WAYS_MAX, "too many heads");
	*way = (struct way){.probes = 1};
	snprintf(way->name, sizeof way->name, "%s", name);
	way->seconds = calloc(2 * bench->turns, sizeof(double));
	must(way->seconds, "memory");
	way->scan_seconds = way->seconds + bench->turns;
	return way;
}

static void ways_add_codes(struct bench *bench, const struct codes8 *codes,
			   const struct codes8_rotation *rotation)
{
	static const size_t probes[] = {1, 4};

	for (int isa = CODES8_PORTABLE; isa <= CODES8_VNNI; isa++) {
		const struct codes8_kernel *kernel = codes8_scanner((enum codes8_isa)isa);

		/* Several queries at once: the best kernel only. */
		for (size_t i = 0; kernel && i < (kernel == codes8_scanner(CODES8_BEST) ? 2 : 1);
		     i++) {
			char name[32];
			struct way *way;

			snprintf(name, sizeof name, "codes8 %s %u%s%s",
				 codes8_scanner_name(kernel) + 4, codes->shape.head,
				 codes->shape.tail ? "+tail" : "", i ? " x4" : "");
			way = way_add(bench, name);
			way->kernel = kernel;
			way->codes = codes;
			way->rotation = rotation;
			way->probes = probes[i];
		}
	}
}

static void ways_add_peers(struct bench *bench)
{
	struct scanner *scanner = NULL;
	struct way *way;

	for (int isa = CPU_KERNEL_AVX2; isa <= CPU_KERNEL_AVX512; isa++) {
		if (status_failed(scanner_cpu_open((enum cpu_kernel)isa, &scanner)))
			continue;
		way = way_add(bench, "float32");
		snprintf(way->name, sizeof way->name, "float32 %s", scanner->name + 4);
		way->scanner = scanner;
	}
	way = way_add(bench, "FAISS Flat");
	way->faiss = faiss_peer_open("Flat", bench->rows.vectors, bench->rows.block.stride,
				     bench->rows.n, bench->rows.dim);
	way_add(bench, "memcpy of float32");
}

/* Bytes that a query reads at least. */
static double way_bytes(const struct bench *bench, const struct way *way, double queries)
{
	const struct codes8_shape *shape = way->codes ? &way->codes->shape : NULL;

	if (!shape)
		return (double)bench->rows.size_bytes;
	return (double)codes8_heads_bytes(shape, bench->rows.n) / (double)way->probes +
	       way->tails / queries * (double)shape->tail_bytes;
}

static void print(const struct bench *bench, struct way *way, double flat)
{
	double queries = (double)(bench->turns * TURN), n = bench->rows.n;
	double whole = median(way->seconds, bench->turns) / TURN;
	double scan = median(way->scan_seconds, bench->turns) / TURN;

	printf("%-26s %9.0f %7.1f %8.1f", way->name, scan * 1e6, n / scan * 1e-6,
	       way_bytes(bench, way, queries) / scan * 1e-9);
	if (way->kernel || way->scanner)
		printf(" %7.2f %7.1f", way->tails / queries / n * 100, way->scores / queries);
	else
		printf(" %7s %7s", "", "");
	printf(" %9.0f %8.0f %8.3f\n", whole * 1e6, 1 / whole, whole / flat);
}

static void report(struct bench *bench)
{
	double flat = 1;

	for (size_t i = 0; i < bench->n_ways; i++) {
		if (bench->ways[i].faiss)
			flat = median(bench->ways[i].seconds, bench->turns) / TURN;
	}
	printf("%-26s %9s %7s %8s %7s %7s %9s %8s %8s\n", "", "scan us", "Mrows/s", "GB/s",
	       "% tails", "scores", "top10 us", "q/s", "x Flat");
	for (size_t i = 0; i < bench->n_ways; i++)
		print(bench, &bench->ways[i], flat);
}

static void bench_open(struct bench *bench, uint32_t n, uint32_t dim)
{
	rows_open(&bench->rows, n, dim);
	bench->turns = bench->rows.n_queries / TURN;
	bench->hits = calloc(bench->rows.n_queries * HITS, sizeof *bench->hits);
	bench->copy = malloc(bench->rows.size_bytes);
	must(bench->hits && bench->copy && bench->turns > 0, "memory");
	memset(bench->copy, 0, bench->rows.size_bytes);
	for (size_t i = 0; i < CODES8_PROBES_MAX; i++)
		must(!status_failed(window_init(&bench->windows[i], WIDTH)), "memory");
	ways_add_peers(bench);
}

int main(int argc, char **argv)
{
	static struct bench bench;
	static struct codes8 codes[8];
	static double energy[DIMENSION_MAX];
	uint32_t heads[8] = {0}, n_heads = 0;
	struct codes8_rotation rotation;
	float *matrix;

	bench_open(&bench, argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000,
		   argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 384);
	rotation_train(&bench.rows, &matrix, &rotation, energy);
	for (int i = 3; i < argc && n_heads < 7; i++)
		heads[n_heads++] = (uint32_t)strtoul(argv[i], NULL, 10);
	if (!n_heads)
		heads[n_heads++] = codes8_head_choose(energy, bench.rows.dim, CODES8_HEAD_SHARE);
	printf("%s: %u rows of %u dimensions, %u queries; rotation off by %.1e\n",
	       bench.rows.source, bench.rows.n, bench.rows.dim, bench.rows.n_queries,
	       rotation.epsilon);
	for (uint32_t i = 0; i <= n_heads; i++) {
		/* The last without a rotation, all in the head. */
		const struct codes8_rotation *with = i < n_heads ? &rotation : NULL;
		double seconds = codes_make(&bench.rows, with, heads[i], &codes[i]);

		printf("coded with a head of %u in %.2f s, %.0f rows/s\n", codes[i].shape.head,
		       seconds, bench.rows.n / seconds);
		ways_add_codes(&bench, &codes[i], with);
	}
	for (; bench.turn < bench.turns; bench.turn++) {
		for (size_t i = 0; i < bench.n_ways; i++)
			run_turn(&bench, &bench.ways[i]);
	}
	report(&bench);
	return 0;
}
