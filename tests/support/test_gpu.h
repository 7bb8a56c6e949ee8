/* test_gpu - the device that tests scan on: Mesa's software driver, or with SLUICE_TEST_GPU=hardware a GPU
 * of this machine. */
#ifndef SLUICE_TESTS_SUPPORT_TEST_GPU_H
#define SLUICE_TESTS_SUPPORT_TEST_GPU_H

#include "kernels/vulkan/scanner_vulkan.h"

#include <stdlib.h>
#include <string.h>

static inline struct gpu_options test_gpu(void)
{
	const char *which = getenv("SLUICE_TEST_GPU");

	if (which && strcmp(which, "hardware") == 0)
		return (struct gpu_options){.mode = GPU_REQUIRED, .waits_for_uploads = true};
	return (struct gpu_options){.mode = GPU_SOFTWARE};
}

#endif
