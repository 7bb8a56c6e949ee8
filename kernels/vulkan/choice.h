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
	/* A family that transfers and does nothing else. */
	bool has_transfer;
	uint32_t transfer_family;
	bool has_timeline; /* VK_KHR_timeline_semaphore, and its feature */
	bool has_budget;   /* VK_EXT_memory_budget */
	bool has_dot;      /* VK_KHR_shader_integer_dot_product, and its feature */
	/* The sizes of subgroups that a kernel may ask for, powers of two; 0: it may not
	 * (VK_EXT_subgroup_size_control). */
	uint32_t subgroup_min, subgroup_max;
	bool has_matrix; /* cooperative matrices, and this program a kernel for them */
};

/* choice_families - which queues are used: has_queue and has_transfer, and which. */
void choice_families(const VkQueueFamilyProperties *families, uint32_t n, struct choice_facts *ret);

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
