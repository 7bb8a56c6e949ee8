/* memory - buffers: on the device in slabs, else each with memory of its own, mapped for good.
 *
 * A buffer is all zero or whole; finishing it twice does nothing the second time.
 */
#ifndef SLUICE_KERNELS_VULKAN_MEMORY_H
#define SLUICE_KERNELS_VULKAN_MEMORY_H

#include "kernels/vulkan/device.h"

enum memory_kind {
	MEMORY_DEVICE,   /* the device's own */
	MEMORY_UPLOAD,   /* written by the host */
	MEMORY_READBACK, /* read by the host, cached where there is such memory */
};

struct vulkan_buffer {
	VkBuffer buffer;
	struct slab_piece *piece; /* under MEMORY_DEVICE */
	VkDeviceMemory memory;    /* else */
	void *mapped;             /* NULL under MEMORY_DEVICE */
	uint64_t size_bytes;
};

/* buffer_init - for storage and transfer. ret must be all zero, and is on failure.
 * Fails: UNAVAILABLE (the device's memory is full, or the device) RESOURCE_EXHAUSTED */
status buffer_init(struct vulkan_device *device, enum memory_kind kind, uint64_t size_bytes,
		   struct vulkan_buffer *ret);

/* buffer_close - the device must be done with it. */
void buffer_close(struct vulkan_device *device, struct vulkan_buffer *buffer);

/* memory_fits - whether so many bytes more keep the device's own memory under 85% of what this
 * process may use, and the copies under what they are allowed. */
bool memory_fits(const struct vulkan_device *device, uint64_t size_bytes);

#endif
