/* cache - compiled kernels in a file, so that the next start need not compile them again.
 *
 * The file is named after the device and its driver and holds, under a checksum, what the driver
 * gave. One that is cut, damaged, of another device, driver or format is ignored and replaced. It is
 * only ever a cache: no failure here is a failure of anything else.
 */
#ifndef SLUICE_KERNELS_VULKAN_CACHE_H
#define SLUICE_KERNELS_VULKAN_CACHE_H

#include "kernels/vulkan/device.h"

struct vulkan_cache {
	struct vulkan_device *device;
	VkPipelineCache cache; /* VK_NULL_HANDLE: there is none, which is fine */
	char *path;            /* NULL: kept nowhere */
	bool was_read;         /* the file was there and good */
	uint32_t checksum;     /* of what the file holds; 0: not known */
};

/* cache_open - directory  NULL: kept nowhere. */
void cache_open(struct vulkan_device *device, const char *directory, struct vulkan_cache *ret);
void cache_close(struct vulkan_cache *cache); /* all zero is fine */

/* cache_save - replaces the file if there is something new; after a kernel was made. */
void cache_save(struct vulkan_cache *cache);

#endif
