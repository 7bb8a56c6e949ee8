/* Cooperative matrices: absent and said so where they cannot be used; right where they can. */
#include "kernels/vulkan/matrix.h"

#include "kernels/float16.h"
#include "kernels/score.h"
#include "kernels/vulkan/scan_many.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <math.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

Test(vulkan_matrix, what_came_of_them_is_said_of_the_device_in_use)
{
	struct gpu_options options = test_gpu();
	struct scanner *scanner = NULL;
	struct gpu_list list = {0};
	struct arena arena;

	scanner_close(software_open());
	arena_init(&arena, 1 << 16);
	cr_assert_not(status_failed(scanner_vulkan_open(&options, &arena, &list, &scanner)));
	for (size_t i = 0; i < list.n; i++)
		cr_assert_eq(strstr(list.devices[i].driver, "cooperative matrices") != NULL,
			     list.devices[i].in_use);
	scanner_close(scanner);
	arena_finish(&arena);
}

Test(vulkan_matrix, are_not_used_where_they_are_not_built_or_not_there)
{
	SCOPED(scanner) scanner = software_open();
	struct vulkan_runtime *runtime = scanner_vulkan_runtime(scanner);

	cr_assert(!runtime->device->has_matrix || matrix_is_built());
	cr_assert(!runtime->device->uses_matrix || runtime->device->has_matrix);
	if (!matrix_is_built())
		cr_assert_not_null(strstr(matrix_try(runtime), "built without them"));
}

Test(vulkan_matrix, take_three_extensions_by_name)
{
	cr_assert(matrix_is_extension("VK_KHR_cooperative_matrix"));
	cr_assert(matrix_is_extension("VK_KHR_vulkan_memory_model"));
	cr_assert(matrix_is_extension("VK_KHR_shader_float16_int8"));
	cr_assert_not(matrix_is_extension("VK_NV_cooperative_matrix"));
}

/* What a query loses as halves is in its factor of a row's norm. */
Test(vulkan_matrix, coefficients_hold_what_queries_lose_as_halves)
{
	static const float scales[] = {1, 0x1p-20F, 0x1p-30F, 60000, 0x1p30F};
	uint64_t state = 3;

	for (size_t s = 0; s < 200; s++) {
		float values[96], row[96];
		uint16_t halves[96];
		struct select_query made = {0};
		struct scan_query query;
		struct arena arena;
		double apart = 0, most;

		arena_init(&arena, 1 << 16);
		for (size_t i = 0; i < COUNT(values); i++) {
			values[i] = random_unit(&state) * scales[s % COUNT(scales)];
			row[i] = random_unit(&state);
		}
		cr_assert_not(status_failed(scan_query_init(
			&query, &arena, s % 2 ? METRIC_L2 : METRIC_INNER_PRODUCT, values, 96)));
		made.absolute = query.slack_abs;
		matrix_query(&query, halves, &made);
		for (size_t i = 0; i < COUNT(values); i++)
			apart += ((double)values[i] - (double)float16_widen(halves[i])) *
				 (double)row[i];
		most = ((double)made.on_norm - 8 * (double)query.slack_norm) * vector_norm(row, 96);
		cr_assert_leq(fabs(apart) * (s % 2 ? 2 : 1), most);
		arena_finish(&arena);
	}
}

Test(vulkan_matrix, keep_the_contract_where_they_are_there)
{
	static const uint32_t dims[] = {1, 16, 31, 384, 1000, 8192};
	static const size_t widths[SCAN_PROBES_MAX] = {10, 129, 1, 1000, 64, 128, 20, 3};
	SCOPED(scanner) scanner = software_open();
	struct vulkan_device *device = scanner_vulkan_runtime(scanner)->device;

	if (!device->has_matrix)
		SKIP_LOUDLY("no cooperative matrices: the compiler of shaders or the device "
			    "lacks them");
	device->uses_matrix = true;
	for (size_t d = 0; d < COUNT(dims); d++) {
		uint32_t n = dims[d] > 2000 ? 100 : 1000;
		struct rows rows;

		rows_init(&rows, dims[d], 4 * n + 7, d);
		rows_add(&rows, ROWS_HALVES, n);
		rows_add(&rows, ROWS_HOSTILE, n);
		rows_add(&rows, ROWS_CANCELS, n);
		rows_add(&rows, ROWS_WHOLE, n + 7);
		rows_keep(&rows, true);
		for (size_t asked = 2; asked <= SCAN_PROBES_MAX; asked += 3) {
			struct expectation expected = {
				.scanner = scanner,
				.metric = asked % 2 ? METRIC_L2 : METRIC_INNER_PRODUCT,
				.rows = &rows,
				.range = {.block = &rows.block, .first = 3, .n = rows.n - 3},
				.what = "matrix",
			};

			expect_proposals(&expected, widths, asked);
		}
		rows_keep(&rows, false);
		rows_finish(&rows);
	}
}
