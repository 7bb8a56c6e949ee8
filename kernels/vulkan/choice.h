/* choice - which physical device to use, and why not the others. */
#ifndef SLUICE_KERNELS_VULKAN_CHOICE_H
#define SLUICE_KERNELS_VULKAN_CHOICE_H

#include "kernels/vulkan/scanner_vulkan.h"

#include <volk.h>

struct choice {
	VkPhysicalDevice physical;
	uint32_t family; /* of queues that compute */
	int rank;        /* 0: not to be used, the list says why; higher is better */
	bool has_budget; /* VK_EXT_memory_budget */
};

/* In the order of struct gpu_list. */
struct choices {
	struct choice all[GPU_DEVICES_MAX];
	size_t n;
};

/* choices_find - all devices of the instance, with their ranks under the mode. */
void choices_find(VkInstance instance, enum gpu_mode mode, struct choices *ret,
		  struct gpu_list *ret_list);

/* choices_best - the place of the first with the highest rank; n: none can be used. */
size_t choices_best(const struct choices *choices);

/* choices_taken - notes that one is in use and the other usable ones are not. */
void choices_taken(const struct choices *choices, size_t taken, struct gpu_list *list);

#endif
