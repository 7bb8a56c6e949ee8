/* bench_gpu - a device beside a copy of the same bytes on it: ratios first. No server is asked. */
#include "service/cli/bench_gpu.h"

#include "kernels/vulkan/gpu_bench.h"

#include <stdio.h>

#define MIB_DEFAULT 256
#define THREADS_DEFAULT 32
/* So that it is over in seconds. */
#define MIB_SOFTWARE 8
#define THREADS_SOFTWARE 8

/* Codes of a row of 384 dimensions, with what stands beside them. */
#define ROW_BYTES 392

/* What the device's own copy would take for so many bytes: it reads and writes each. */
static double copy_ns(const struct gpu_bench *bench, uint64_t bytes)
{
	return bench->copy_ns / 2 * (double)bytes / (double)bench->codes_bytes;
}

struct figure {
	const char *name, *meaning;
	double value;
};

#define FIGURES_MAX 40

struct figures {
	struct figure all[FIGURES_MAX];
	size_t n;
};

static void note(struct figures *figures, const char *name, double value, const char *meaning)
{
	if (figures->n < FIGURES_MAX)
		figures->all[figures->n++] = (struct figure){name, meaning, value};
}

static void note_ratios(struct figures *ret, const struct gpu_bench *bench)
{
	static const char *const names[] = {"batch_2", "batch_4", "batch_8"};

	note(ret, "scan_of_copy", copy_ns(bench, bench->codes_bytes) / bench->scan_ns[0],
	     "bandwidth of the int8 scan, of the copy's");
	note(ret, "search_of_scan", bench->search_ns[0] / bench->scan_ns[0],
	     "the first 100 by int8, in scans that pick none");
	note(ret, "float32_of_copy", copy_ns(bench, bench->vectors_bytes) / bench->floats.scores_ns,
	     "bandwidth of float32 scores, of the copy's");
	note(ret, "top_of_scores", bench->floats.search_ns / bench->floats.scores_ns,
	     "the first 100 by float32 as they are found, in scores alone");
	for (size_t i = 1; i < GPU_BENCH_BATCHES; i++)
		note(ret, names[i - 1], bench->search_ns[i] / bench->search_ns[0],
		     "so many queries together, in searches of one");
	note(ret, "int8_over_float16", bench->halves.search_ns / bench->search_ns[0],
	     "searches of codes in one of float16");
	note(ret, "int8_over_float32", bench->floats.search_ns / bench->search_ns[0],
	     "searches of codes in one of float32");
	note(ret, "over_processor", bench->processor_ns / bench->search_ns[0],
	     "searches in one of a processor's thread");
	note(ret, "batching_qps", bench->batched.queries_per_s / bench->alone.queries_per_s,
	     "searches a second with batching, of those without");
	note(ret, "batching_p99", bench->batched.p99_ns / bench->alone.p99_ns,
	     "the 99th percentile of their times, the same way");
}

static void note_load(struct figures *ret, const struct gpu_bench *bench)
{
	note(ret, "threads", (double)bench->threads, "that ask at once for the next six");
	note(ret, "batched_qps", bench->batched.queries_per_s, "searches a second, int8");
	note(ret, "batched_p50_us", bench->batched.p50_ns * 1e-3, "half take less");
	note(ret, "batched_p99_us", bench->batched.p99_ns * 1e-3, "one in a hundred takes more");
	note(ret, "alone_qps", bench->alone.queries_per_s, "the same without batching");
	note(ret, "alone_p50_us", bench->alone.p50_ns * 1e-3, "");
	note(ret, "alone_p99_us", bench->alone.p99_ns * 1e-3, "");
}

static void figures_of(const struct gpu_bench *bench, struct figures *ret)
{
	double codes = (double)bench->codes_bytes, vectors = (double)bench->vectors_bytes;

	note(ret, "copy_gb_s", 2 * codes / bench->copy_ns,
	     "read and written by a copy on the device");
	note_ratios(ret, bench);
	note(ret, "submit_us", bench->submit_ns * 1e-3, "a search of 16 rows");
	note(ret, "upload_gb_s", codes / bench->upload_ns, "to the device");
	note(ret, "scan_gb_s", codes / bench->scan_ns[0], "int8, one query");
	note(ret, "search_us", bench->search_ns[0] * 1e-3, "int8, one query");
	note(ret, "search_8_us", bench->search_ns[3] * 1e-3, "int8, eight queries");
	note(ret, "float32_gb_s", vectors / bench->floats.search_ns, "a search, one query");
	note(ret, "float16_gb_s", vectors / 2 / bench->halves.search_ns, "a search, one query");
	note(ret, "merge_us", bench->floats.merge_ns * 1e-3,
	     "lists of 100 of a search of vectors to one, submitted alone");
	note(ret, "processor_gb_s", codes / bench->processor_ns, "int8, one query, one thread");
	note_load(ret, bench);
}

static void print_json(const struct gpu_bench *bench, const struct figures *figures)
{
	printf("{\"device\": \"");
	for (const char *c = bench->device; *c; c++)
		printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", (unsigned char)*c < ' ' ? ' ' : *c);
	printf("\", \"rows\": %u, \"dim\": %u", bench->rows, bench->dim);
	for (size_t i = 0; i < figures->n; i++)
		printf(", \"%s\": %.6g", figures->all[i].name, figures->all[i].value);
	printf("}\n");
}

static void print_table(const struct gpu_bench *bench, const struct figures *figures)
{
	printf("%s, %u rows of %u\n", bench->device, bench->rows, bench->dim);
	for (size_t i = 0; i < figures->n; i++)
		printf("%-18s %10.4g  %s\n", figures->all[i].name, figures->all[i].value,
		       figures->all[i].meaning);
}

status bench_gpu(struct cli *cli)
{
	struct arguments *arguments = cli->arguments;
	bool software = arguments_has(arguments, "software");
	uint64_t mib = software ? MIB_SOFTWARE : MIB_DEFAULT;
	uint64_t threads = software ? THREADS_SOFTWARE : THREADS_DEFAULT;
	struct figures figures = {0};
	struct gpu_bench bench;

	TRY(arguments_u64(arguments, "mib", 1, 4096, &mib));
	TRY(arguments_u64(arguments, "threads", 1, 256, &threads));
	TRY(gpu_bench_run(
		&(struct gpu_bench_options){
			.mode = software ? GPU_SOFTWARE : GPU_REQUIRED,
			.rows = (uint32_t)((mib << 20) / ROW_BYTES / 1024 * 1024),
			.threads = (size_t)threads,
		},
		cli->arena, &bench));
	figures_of(&bench, &figures);
	if (arguments_has(arguments, "json"))
		print_json(&bench, &figures);
	else
		print_table(&bench, &figures);
	return status_ok();
}
