/* choice - which physical device to use, and why not the others. */
#ifndef SLUICE_KERNELS_VULKAN_CHOICE_H
#define SLUICE_KERNELS_VULKAN_CHOICE_H

#include "kernels/vulkan/scanner_vulkan.h"

#include <volk.h>

/* choice_facts - what the choice depends on, so that tests can make devices up. */
struct choice_facts {
	VkPhysicalDeviceProperties properties;
	bool has_queue;  /* one that computes */
	uint32_t family; /* its family, the first */
	bool has_budget; /* VK_EXT_memory_budget */
	bool has_dot;    /* VK_KHR_shader_integer_dot_product, and its feature */
};

/* choice_reason - why a device is not to be used under the mode; NULL: it may be. */
const char *choice_reason(const struct choice_facts *facts, enum gpu_mode mode);

/* choice_rank - how a device that may be used compares to others; higher is better, 1 the least. */
int choice_rank(const struct choice_facts *facts);

struct choice {
	VkPhysicalDevice physical;
	struct choice_facts facts;
	int rank; /* 0: not to be used, the list says why; higher is better */
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
