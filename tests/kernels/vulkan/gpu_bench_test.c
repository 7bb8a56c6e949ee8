/* That every figure of `sluice bench gpu` is measured, and that nothing is left behind; not what it is. */
#include "kernels/base/gauge.h"
#include "kernels/vulkan/gpu_bench.h"
#include "tests/kernels/vulkan/software.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

Test(vulkan_gpu_bench, measures_all_that_it_tells)
{
	struct gpu_bench bench;
	struct arena arena;
	status done;

	scanner_close(software_open());
	arena_init(&arena, 1 << 16);
	done = gpu_bench_run(
		&(struct gpu_bench_options){.mode = test_gpu().mode, .rows = 2048, .threads = 3},
		&arena, &bench);
	arena_finish(&arena);

	cr_assert_not(status_failed(done), "%s", done.detail);
	cr_assert_eq(bench.threads, 3);
	for (size_t i = 0; i < GPU_BENCH_BATCHES; i++)
		cr_assert(bench.scan_ns[i] > 0 && bench.search_ns[i] > 0);
	{
		const double figures[] = {
			bench.submit_ns,
			bench.copy_ns,
			bench.upload_ns,
			bench.processor_ns,
			bench.floats.search_ns,
			bench.floats.scores_ns,
			bench.floats.merge_ns,
			bench.halves.search_ns,
			bench.halves.scores_ns,
			bench.halves.merge_ns,
			bench.alone.queries_per_s,
			bench.alone.p99_ns,
			bench.batched.queries_per_s,
			bench.batched.p99_ns,
		};

		for (size_t i = 0; i < COUNT(figures); i++)
			cr_assert(figures[i] > 0 && isfinite(figures[i]), "%zu", i);
	}
	cr_assert_leq(bench.batched.p50_ns, bench.batched.p99_ns);
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
}
