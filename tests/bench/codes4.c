/* codes4 - what the stages of a search cost, each by itself, on numbers drawn at random.
 *
 *	codes4
 *
 * One thread, times of the processor: the median and the least of many passes, and of the least
 * what each row, or query, costs. Cycles are by the clock rate that a chain of additions of one
 * cycle each shows. "none" scans against a threshold that no row reaches: the shuffles alone;
 * "window 256" as a query does, from an empty window on. "lists" are about 100 rows each, in an
 * order drawn at random, out of 100,000 rows, each fetched while the one before is scanned.
 */
#include "kernels/codes4.h"
#include "kernels/rows8.h"
#include "tests/bench/cpu.h"
#include "tests/bench/report.h"
#include "tests/kernels/random.h"

#include <stdio.h>
#include <string.h>

#define ROWS 100000U
#define DIM 384U
#define KEPT 266U
#define WINDOW 256U
#define LISTS 128U
#define LIST_ROWS 97U
#define LIST_LONG 1024U
#define AGAIN 16U
#define BOUNDS 128U
#define PASSES 201
#define LINE_BYTES 64

struct bench {
	struct random random;
	double hertz;
	struct codes4_model model;
	struct codes4_query query;
	unsigned char *codes;
	struct window window;
	struct arena arena;
	struct codes4_range ranges[LISTS];

	float vector[DIM];
	struct rows8_query bytes;
	unsigned char *rows; /* [ROWS][rows8_bytes] */
	uint32_t positions[BOUNDS];
	float *found; /* [2][ROWS] */

	const struct codes4_kernel *kernel;
	const struct rows8_kernel *rows_kernel;
	uint32_t n;      /* of what the pass does */
	float threshold; /* of the window before a scan */
};

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "codes4: %s\n", what);
	exit(1);
}

static void *memory(size_t size)
{
	void *found = aligned_alloc(LINE_BYTES, (size + LINE_BYTES) / LINE_BYTES * LINE_BYTES);

	must(found, "memory");
	return found;
}

/* Cycles a second, by additions that wait for each other. */
static double hertz_measure(void)
{
	enum { turns = 200000, adds = 10 };
	double start = cpu_seconds();
	uint64_t sum = 0;

	for (int i = 0; i < turns; i++) {
#if defined(__x86_64__)
		__asm__ volatile("add $1,%0; add $1,%0; add $1,%0; add $1,%0; add $1,%0;"
				 "add $1,%0; add $1,%0; add $1,%0; add $1,%0; add $1,%0"
				 : "+r"(sum));
#else
		for (int j = 0; j < adds; j++)
			__asm__ volatile("" : "+r"(sum) : "0"(sum + 1));
#endif
	}
	return turns * adds / (cpu_seconds() - start);
}

static void random_fill(struct random *random, void *ret, size_t size)
{
	unsigned char *bytes = (unsigned char *)ret;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)random_bits(random);
}

/* A model of so many groups, as wide as they come to KEPT dimensions. */
static void model_draw(struct bench *bench, uint32_t groups)
{
	static uint32_t widths[CODES4_GROUPS_MAX];
	float *matrix = memory(sizeof(float) * KEPT * DIM);
	int16_t *rotation = memory(sizeof(int16_t) * KEPT * codes4_stride(DIM));
	float *words = memory(sizeof(float) * 16 * KEPT);

	for (uint32_t i = 0; i < groups; i++)
		widths[i] = KEPT * (i + 1) / groups - KEPT * i / groups;
	for (size_t i = 0; i < (size_t)KEPT * DIM; i++)
		matrix[i] = random_signed(&bench->random) * 0.08F;
	codes4_rotation_round(DIM, KEPT, matrix, rotation);
	for (size_t i = 0; i < (size_t)KEPT * 16; i++)
		words[i] = random_signed(&bench->random) * 0.05F;
	free(matrix);
	bench->model = (struct codes4_model){
		.metric = METRIC_COSINE,
		.dim = DIM,
		.kept = KEPT,
		.groups = groups,
		.widths = widths,
		.rotation = rotation,
		.codewords = words,
	};
}

static void model_free(struct codes4_model *model)
{
	free((void *)(uintptr_t)model->rotation);
	free((void *)(uintptr_t)model->codewords);
}

static void query_draw(struct bench *bench)
{
	for (size_t i = 0; i < DIM; i++)
		bench->vector[i] = random_signed(&bench->random) * 0.088F;
}

static void run_query(struct bench *bench)
{
	arena_reset(&bench->arena);
	must(!status_failed(
		     codes4_query_init(&bench->query, &bench->arena, &bench->model, bench->vector)),
	     "memory");
}

static void run_query_bytes(struct bench *bench)
{
	arena_reset(&bench->arena);
	must(!status_failed(rows8_query_init(&bench->bytes, &bench->arena, METRIC_COSINE, DIM,
					     bench->vector)),
	     "memory");
}

static void lists_draw(struct bench *bench)
{
	for (size_t i = 0; i < LISTS; i++)
		bench->ranges[i] = (struct codes4_range){
			.codes = bench->codes,
			.first = (uint32_t)random_below(&bench->random, ROWS / LIST_ROWS) *
				 LIST_ROWS,
			.n = LIST_ROWS,
			.base = 0.5F,
		};
}

static void list_prefetch(const struct bench *bench, const struct codes4_range *range)
{
	size_t bytes = codes4_block_bytes(&bench->model);
	const unsigned char *at = range->codes + range->first / CODES4_ROWS * bytes;
	const unsigned char *end =
		range->codes + ((range->first + range->n - 1) / CODES4_ROWS + 1) * bytes;

	for (; at < end; at += LINE_BYTES)
		__builtin_prefetch(at);
}

static void window_begin(struct bench *bench)
{
	must(!status_failed(window_clear(&bench->window, WINDOW)), "memory");
	bench->window.threshold.score = bench->threshold;
}

static void run_lists(struct bench *bench)
{
	window_begin(bench);
	list_prefetch(bench, &bench->ranges[0]);
	for (size_t i = 0; i < LISTS; i++) {
		if (i + 1 < LISTS)
			list_prefetch(bench, &bench->ranges[i + 1]);
		codes4_scan(bench->kernel, &bench->query, &bench->ranges[i], &bench->window);
	}
}

static void run_all(struct bench *bench)
{
	struct codes4_range range = {.codes = bench->codes, .n = bench->n, .base = 0.5F};

	window_begin(bench);
	codes4_scan(bench->kernel, &bench->query, &range, &bench->window);
}

static void positions_draw(struct bench *bench)
{
	for (size_t i = 0; i < BOUNDS; i++)
		bench->positions[i] = (uint32_t)random_below(&bench->random, ROWS);
}

static void run_bounds(struct bench *bench)
{
	rows8_bounds(bench->rows_kernel, &bench->bytes, bench->rows, bench->positions, BOUNDS,
		     bench->found, bench->found + ROWS);
}

static void run_products(struct bench *bench)
{
	rows8_products(bench->rows_kernel, &bench->bytes, bench->rows, bench->n, bench->found);
}

/* draw  what a pass is to find anew, not timed; NULL: nothing, so that all may be in the cache.
 * units  that it does, of what is named. */
static void measure(struct bench *bench, const char *name, void (*draw)(struct bench *),
		    void (*run)(struct bench *), double units)
{
	double seconds[PASSES], middle, hertz;
	size_t times = draw ? 1 : AGAIN;

	for (size_t i = 0; i < PASSES; i++) {
		double start;

		if (draw)
			draw(bench);
		start = cpu_seconds();
		for (size_t j = 0; j < times; j++)
			run(bench);
		seconds[i] = (cpu_seconds() - start) / (double)times;
	}
	hertz = hertz_measure();
	bench->hertz = hertz > bench->hertz ? hertz : bench->hertz;
	middle = median(seconds, PASSES);
	printf("%-48s %9.2f %9.2f %9.3f %9.2f\n", name, middle * 1e6, seconds[0] * 1e6,
	       seconds[0] / units * 1e9, seconds[0] / units * bench->hertz);
}

static void measure_scans(struct bench *bench, const struct codes4_kernel *kernel)
{
	static const struct {
		const char *name;
		float threshold;
	} ways[] = {{"none", 1e30F}, {"window 256", -INFINITY}};

	bench->kernel = kernel;
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		char name[64];

		bench->threshold = ways[i].threshold;
		snprintf(name, sizeof name, "%s %u groups, one list in the cache, %s",
			 codes4_scanner_name(kernel) + 4, bench->model.groups, ways[i].name);
		bench->n = LIST_LONG;
		measure(bench, name, NULL, run_all, LIST_LONG);
		snprintf(name, sizeof name, "%s %u groups, %u lists, %s",
			 codes4_scanner_name(kernel) + 4, bench->model.groups, LISTS, ways[i].name);
		measure(bench, name, lists_draw, run_lists, LISTS * LIST_ROWS);
	}
}

static void measure_codes4(struct bench *bench, uint32_t groups)
{
	char name[64];

	model_draw(bench, groups);
	bench->codes = memory(codes4_bytes(&bench->model, ROWS));
	random_fill(&bench->random, bench->codes, codes4_bytes(&bench->model, ROWS));
	snprintf(name, sizeof name, "query_init %u x %u, %u groups", KEPT, DIM, groups);
	query_draw(bench);
	measure(bench, name, NULL, run_query, 1);
	for (int isa = CODES4_PORTABLE; isa <= CODES4_AVX512; isa++) {
		const struct codes4_kernel *kernel = codes4_scanner((enum codes4_isa)isa);

		if (kernel)
			measure_scans(bench, kernel);
	}
	free(bench->codes);
	model_free(&bench->model);
}

static void measure_rows8(struct bench *bench)
{
	static const char *const names[] = {
		[ROWS8_PORTABLE] = "portable", [ROWS8_AVX2] = "avx2", [ROWS8_VNNI] = "vnni"};

	bench->rows = memory(ROWS * rows8_bytes(DIM));
	for (size_t i = 0; i < ROWS; i++) {
		query_draw(bench);
		rows8_encode(METRIC_COSINE, DIM, bench->vector, bench->rows + i * rows8_bytes(DIM));
	}
	measure(bench, "rows8 query_init", NULL, run_query_bytes, 1);
	for (int isa = ROWS8_PORTABLE; isa <= ROWS8_VNNI; isa++) {
		char name[64];

		bench->rows_kernel = rows8_scanner((enum rows8_isa)isa);
		if (!bench->rows_kernel)
			continue;
		snprintf(name, sizeof name, "rows8 %s bounds, %u of %u", names[isa], BOUNDS, ROWS);
		measure(bench, name, positions_draw, run_bounds, BOUNDS);
		for (bench->n = 1024; bench->n <= 4096; bench->n *= 4) {
			snprintf(name, sizeof name, "rows8 %s products, %u", names[isa], bench->n);
			measure(bench, name, NULL, run_products, bench->n);
		}
	}
	free(bench->rows);
}

int main(void)
{
	static const uint32_t groups[] = {48, 96, 192};
	static struct bench bench = {.random = {7}};

	arena_init(&bench.arena, 1 << 20);
	must(!status_failed(window_init(&bench.window, WINDOW)), "memory");
	bench.found = memory(2 * sizeof(float) * ROWS);
	bench.hertz = hertz_measure();
	printf("%-48s %9s %9s %9s %9s\n", "", "us", "least us", "ns each", "cycles");
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		measure_codes4(&bench, groups[i]);
	measure_rows8(&bench);
	printf("%.2f GHz\n", bench.hertz * 1e-9);
	free(bench.found);
	window_finish(&bench.window);
	arena_finish(&bench.arena);
	return 0;
}
