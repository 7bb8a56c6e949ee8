/* bench_gpu - a device beside a copy of the same bytes on it: ratios first. No server is asked. */
#include "service/cli/bench_gpu.h"

#include "kernels/vulkan/gpu_bench.h"

#include <stdio.h>

#define MIB_DEFAULT 256
#define MIB_SOFTWARE 24

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

#define FIGURES_MAX 24

static size_t figures_of(const struct gpu_bench *bench, struct figure ret[FIGURES_MAX])
{
	static const char *const names[] = {"batch_2", "batch_4", "batch_8"};
	double codes = (double)bench->codes_bytes, vectors = (double)bench->vectors_bytes;
	size_t n = 0;

	ret[n++] = (struct figure){"scan_of_copy", "bandwidth of the int8 scan, of the copy's",
				   copy_ns(bench, bench->codes_bytes) / bench->scan_ns[0]};
	ret[n++] = (struct figure){"search_of_scan", "a whole search, in scans",
				   bench->search_ns[0] / bench->scan_ns[0]};
	for (size_t i = 1; i < GPU_BENCH_BATCHES; i++)
		ret[n++] = (struct figure){names[i - 1],
					   "so many queries together, in searches of one",
					   bench->search_ns[i] / bench->search_ns[0]};
	ret[n++] = (struct figure){"int8_over_float32", "searches of codes in one of vectors",
				   bench->vectors_ns / bench->search_ns[0]};
	ret[n++] = (struct figure){"over_processor", "searches in one of a processor's thread",
				   bench->processor_ns / bench->search_ns[0]};
	ret[n++] = (struct figure){"submit_us", "a search of 16 rows", bench->submit_ns * 1e-3};
	ret[n++] = (struct figure){"copy_gb_s", "read and written by a copy on the device",
				   2 * codes / bench->copy_ns};
	ret[n++] = (struct figure){"upload_gb_s", "to the device", codes / bench->upload_ns};
	ret[n++] = (struct figure){"scan_gb_s", "int8, one query", codes / bench->scan_ns[0]};
	ret[n++] = (struct figure){"search_us", "int8, one query", bench->search_ns[0] * 1e-3};
	ret[n++] =
		(struct figure){"search_8_us", "int8, eight queries", bench->search_ns[3] * 1e-3};
	ret[n++] =
		(struct figure){"vectors_gb_s", "float32, one query", vectors / bench->vectors_ns};
	ret[n++] = (struct figure){"processor_gb_s", "int8, one query, one thread",
				   codes / bench->processor_ns};
	return n;
}

static void print_json(const struct gpu_bench *bench, const struct figure *figures, size_t n)
{
	printf("{\"device\": \"");
	for (const char *c = bench->device; *c; c++)
		printf(*c == '"' || *c == '\\' ? "\\%c" : "%c", (unsigned char)*c < ' ' ? ' ' : *c);
	printf("\", \"rows\": %u, \"dim\": %u", bench->rows, bench->dim);
	for (size_t i = 0; i < n; i++)
		printf(", \"%s\": %.6g", figures[i].name, figures[i].value);
	printf("}\n");
}

static void print_table(const struct gpu_bench *bench, const struct figure *figures, size_t n)
{
	printf("%s, %u rows of %u\n", bench->device, bench->rows, bench->dim);
	for (size_t i = 0; i < n; i++)
		printf("%-18s %10.4g  %s\n", figures[i].name, figures[i].value, figures[i].meaning);
}

status bench_gpu(struct cli *cli)
{
	struct arguments *arguments = cli->arguments;
	bool software = arguments_has(arguments, "software");
	uint64_t mib = software ? MIB_SOFTWARE : MIB_DEFAULT, rows;
	struct figure figures[FIGURES_MAX];
	struct gpu_bench bench;
	size_t n;

	TRY(arguments_u64(arguments, "mib", 1, 4096, &mib));
	rows = (mib << 20) / ROW_BYTES / 1024 * 1024;
	TRY(gpu_bench_run(software ? GPU_SOFTWARE : GPU_REQUIRED, (uint32_t)rows, cli->arena,
			  &bench));
	n = figures_of(&bench, figures);
	if (arguments_has(arguments, "json"))
		print_json(&bench, figures, n);
	else
		print_table(&bench, figures, n);
	return status_ok();
}
