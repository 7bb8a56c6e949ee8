/* software - a scanner on the software driver, or a skipped test. */
#ifndef SLUICE_TESTS_KERNELS_VULKAN_SOFTWARE_H
#define SLUICE_TESTS_KERNELS_VULKAN_SOFTWARE_H

#include "tests/support/skip.h"
#include "tests/support/test_gpu.h"

static inline struct scanner *software_open(void)
{
	struct scanner *scanner = NULL;
	struct gpu_list list;
	struct arena arena;
	struct gpu_options options = test_gpu();
	status opened;

	arena_init(&arena, 1 << 16);
	opened = scanner_vulkan_open(&options, &arena, &list, &scanner);
	arena_finish(&arena);
	if (opened.code == STATUS_UNAVAILABLE)
		SKIP_LOUDLY("no software Vulkan device (package mesa-vulkan-drivers)");
	cr_assert(!status_failed(opened));
	cr_assert_not_null(scanner);
	return scanner;
}

#endif
