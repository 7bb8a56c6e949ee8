/* device - the choice of a physical device, and a logical one with its queue and its own functions.
 *
 * A device of type CPU is taken only when it is asked for by mode, a device of any other type only
 * otherwise. Once lost, a device stays lost: every call answers UNAVAILABLE.
 */
#ifndef SLUICE_KERNELS_VULKAN_DEVICE_H
#define SLUICE_KERNELS_VULKAN_DEVICE_H

#include "kernels/vulkan/queue.h"
#include "kernels/vulkan/scanner_vulkan.h"
#include "kernels/vulkan/slab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <volk.h>

struct vulkan_device {
	VkPhysicalDevice physical;
	VkDevice device;
	struct VolkDeviceTable vk;
	struct vulkan_queue compute;
	/* Of a family that does nothing else: what it copies does not stand in scans' way. Its device is
	 * NULL where there is none. */
	struct vulkan_queue transfer;
	int64_t spin_ns; /* how long a wait that is nearly over looks and does not sleep */
	int64_t hang_ns; /* a submission that takes longer is taken for one that never ends */

	VkPhysicalDeviceMemoryProperties memory;
	bool has_dot;                        /* it multiplies bytes four at a time */
	uint32_t subgroup_min, subgroup_max; /* as of struct choice_facts */
	bool has_matrix;  /* it multiplies halves sixteen by sixteen: see matrix.h */
	bool uses_matrix; /* and that is faster */
	/* Not 0: kernels are made for subgroups of this size, for tests. Before the first is made. */
	uint32_t subgroup_size;
	bool has_budget;       /* the driver tells what other processes leave */
	uint64_t buffer_bytes; /* the most that one buffer may hold */
	uint64_t align_bytes;  /* of a place in a buffer where a binding begins */
	char name[256];

	struct slabs slabs;
	atomic_bool lost;
	_Atomic(uint64_t) used_bytes; /* by copies */
	uint64_t memory_bytes_max;    /* what they may use; 0: what the device has */
};

/* device_watch - NULL but in tests, which put functions of their own between us and a driver: called
 * with the table of a device as soon as it is loaded. Set while no device is open. */
extern void (*device_watch)(struct VolkDeviceTable *vk);

/* device_transfer_forced - false but in tests: the queue that scans is also taken for one that transfers,
 * where the device has no other. */
extern bool device_transfer_forced;

/* device_open - NULL with OK where mode is AUTO and there is nothing to use.
 * list  filled with what was found, whatever the outcome.
 * Fails: UNAVAILABLE (the detail in the arena) RESOURCE_EXHAUSTED */
status device_open(enum gpu_mode mode, struct arena *arena, struct gpu_list *list,
		   struct vulkan_device **ret);

/* device_close - nothing made from the device may be left. NULL is fine. */
void device_close(struct vulkan_device *device);

/* device_status - a result of any Vulkan call as a status. Out of host memory is
 * RESOURCE_EXHAUSTED; everything else is UNAVAILABLE, as the processor can take over; a lost device
 * is remembered. */
status device_status(struct vulkan_device *device, VkResult result);

/* device_check - Fails: UNAVAILABLE once lost. */
status device_check(const struct vulkan_device *device);

SCOPE_DEFINE(vulkan_device, device_close)

#endif
