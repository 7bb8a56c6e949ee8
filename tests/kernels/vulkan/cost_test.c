/* Which scans are the device's, over numbers that are made up; and that they are measured. */
#include "kernels/cpu/scanner_cpu.h"
#include "kernels/vulkan/cost.h"
#include "kernels/vulkan/keeper.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

Test(vulkan_cost, favours_whoever_is_done_first)
{
	static const struct {
		struct cost cost;
		uint64_t bytes;
		size_t n;
		bool device;
	} cases[] = {
		/* 50 us, 500 and 20 bytes a ns: from about a MB on. */
		{{50e3, 500, 20, 0}, 1000, 1, false},
		{{50e3, 500, 20, 0}, 1000000, 1, false},
		{{50e3, 500, 20, 0}, 1100000, 1, true},
		/* A batch is worth more: the codes are read once for all. */
		{{50e3, 500, 20, 0}, 200000, 8, true},
		{{50e3, 500, 20, 0}, 100000, 8, false},
		/* Slower than the processor: never. */
		{{50e3, 3, 20, 0}, UINT64_C(1) << 40, 1, false},
		/* Said by the configuration. */
		{{50e3, 500, 20, 4096}, 4095, 8, false},
		{{50e3, 3, 20, 4096}, 4096, 1, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_assert_eq(cost_favours_device(&cases[i].cost, cases[i].bytes, cases[i].n),
			     cases[i].device, "case %zu", i);
}

Test(vulkan_cost, breaks_even_where_it_turns)
{
	const struct cost cost = {50e3, 500, 20, 0}, slow = {50e3, 3, 20, 0}, said = {1, 1, 1, 77};
	uint64_t even = cost_break_even(&cost);

	cr_assert(cost_favours_device(&cost, even + 1, 1));
	cr_assert_not(cost_favours_device(&cost, even - 2, 1));
	cr_assert_eq(cost_break_even(&slow), UINT64_MAX);
	cr_assert_eq(cost_break_even(&said), 77);
}

Test(vulkan_cost, is_measured_on_a_device_and_takes_nothing_of_it)
{
	SCOPED(scanner) scanner = software_open();
	struct vulkan_runtime *runtime = scanner_vulkan_runtime(scanner);
	struct cost cost = {0};

	cost_measure(runtime, NULL, &cost);
	cr_assert_gt(cost.submit_ns, 0);
	cr_assert_gt(cost.device_bytes_per_ns, 0);
	cr_assert_gt(cost.processor_bytes_per_ns, 0);
	cr_assert_eq(scanner_vulkan_used_bytes(scanner), 0);
}

Test(vulkan_cost, is_left_as_assumed_when_there_is_no_time)
{
	SCOPED(scanner) scanner = software_open();
	struct cost cost = cost_assumed();
	struct deadline deadline;

	deadline_init(&deadline, clock_ns() - 1);
	cost_measure(scanner_vulkan_runtime(scanner), &deadline, &cost);
	cr_assert_eq(cost.submit_ns, cost_assumed().submit_ns);
	cr_assert_eq(cost.device_bytes_per_ns, cost_assumed().device_bytes_per_ns);
}

/* 24 floats a row: 96 bytes, padded to 128. */
Test(vulkan_cost, sends_small_scans_to_the_processor)
{
	SCOPED(scanner) probe = software_open();
	SCOPED(scanner) cpu = NULL;
	SCOPED(scanner) scanner = NULL;
	struct gpu_options options = test_gpu();
	struct gpu_list list;
	struct arena arena;
	struct rows rows;

	arena_init(&arena, 1 << 16);
	cr_assert_not(status_failed(scanner_cpu_open(CPU_KERNEL_BEST, &cpu)));
	options.processor = cpu;
	options.scan_bytes_min = 128000;
	cr_assert_not(status_failed(scanner_vulkan_open(&options, &arena, &list, &scanner)));
	rows_init(&rows, 24, 2000, 1);
	rows_add(&rows, ROWS_PLAIN, 2000);
	for (uint32_t n = 999; n <= 1000; n++) {
		struct expectation expected = {
			.scanner = scanner,
			.metric = METRIC_L2,
			.rows = &rows,
			.range = {.block = &rows.block, .n = n},
			.what = "cost",
		};

		expect_proposal(&expected, 10);
		expect_bounds(&expected);
		cr_assert_eq(scanner_vulkan_used_bytes(scanner) > 0, n == 1000);
	}
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
	arena_finish(&arena);
}
