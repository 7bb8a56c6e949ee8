/* software - a scanner on the software driver, or a skipped test. */
#ifndef SLUICE_TESTS_KERNELS_VULKAN_SOFTWARE_H
#define SLUICE_TESTS_KERNELS_VULKAN_SOFTWARE_H

#include "kernels/vulkan/scanner_vulkan.h"
#include "tests/support/skip.h"

static inline struct scanner *software_open(void)
{
	struct scanner *scanner = NULL;
	struct gpu_list list;
	struct arena arena;
	status opened;

	arena_init(&arena, 1 << 16);
	opened = scanner_vulkan_open(&(struct gpu_options){.mode = GPU_SOFTWARE}, &arena, &list,
				     &scanner);
	arena_finish(&arena);
	if (opened.code == STATUS_UNAVAILABLE)
		SKIP_LOUDLY("no software Vulkan device (package mesa-vulkan-drivers)");
	cr_assert(!status_failed(opened));
	cr_assert_not_null(scanner);
	return scanner;
}

#endif
