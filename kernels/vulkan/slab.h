/* slab - a device's own memory in few large allocations, since drivers allow only some thousands.
 *
 * A slab is a list of pieces in order of their places; two free ones are never side by side. What is
 * larger than half a slab gets one of its own. A slab that is free as a whole is given back at once.
 */
#ifndef SLUICE_KERNELS_VULKAN_SLAB_H
#define SLUICE_KERNELS_VULKAN_SLAB_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <volk.h>

#define SLAB_BYTES ((uint64_t)64 << 20)

struct vulkan_device;
struct slab;

struct slab_piece {
	struct slab *slab;
	struct slab_piece *before, *behind;
	uint64_t at, size;
	bool is_free;
};

struct slab {
	struct slab *next;
	VkDeviceMemory memory;
	uint32_t type;
	uint64_t size;
	struct slab_piece *first;
};

struct slabs {
	pthread_mutex_t lock;
	struct slab *first;
};

void slabs_init(struct slabs *slabs);
void slabs_finish(struct slabs *slabs); /* nothing is taken any more */

/* slab_take - a piece of a memory type, as large and aligned as a buffer needs. It is the caller's
 * until slab_give.
 * Gives what vkAllocateMemory gives; VK_ERROR_OUT_OF_HOST_MEMORY. */
VkResult slab_take(struct vulkan_device *device, uint32_t type, const VkMemoryRequirements *needs,
		   struct slab_piece **ret);
void slab_give(struct vulkan_device *device, struct slab_piece *piece); /* NULL is fine */

#endif
